"""Pages of rows by keyset, in both directions, whatever they are sorted by.

Rows with something to sort by come first, the others after them in the order in which they were made, up or down. The
two are read one after the other: so each walks along an index where there is one, and a link walks along the titles
that it points to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.registry import Entity, Kind
from crm_app.services.platform.sight import Order, columns_of, link_column, named
from crm_app.store.uow import UnitOfWork

Mark = tuple[Any, UUID]  # where a page goes on: the sort key and the id of a row
_FAR = 200  # rows to skip from which on it pays to look for the place first, in the index alone
Rows = Sequence[Mapping[Any, Any]]


@dataclass(frozen=True, slots=True)
class Walk:
    """Which rows of an entity, in which order; `seen` narrows them to what the actor may see. With `gathers` all that
    match are looked up before they are put in order."""

    entity: Entity
    order: Order
    descending: bool = False
    where: sa.ColumnElement[bool] | None = None
    seen: sa.ColumnElement[bool] | None = None
    gathers: bool = False

    @property
    def is_narrow_first(self) -> bool:
        return self.gathers or self.order.is_joined

    @property
    def may_be_empty(self) -> bool:
        return self.order.may_be_empty

    def rows(self, columns: Sequence[Any], *, empty: bool, mark: Mark | None, is_up: bool) -> sa.Select[Any]:
        """Those with a key, or those without one, past the mark, in order; up is from the end to the start."""
        table, key = self.entity.table, self.order.key
        query = sa.select(*columns).select_from(self.order.beside if empty else self.order.source)
        query = query.where(table.c.deleted_at.is_(None))
        for narrowed in (self.seen, self.where):
            if narrowed is not None:
                query = query.where(narrowed)
        if self.may_be_empty:
            query = query.where(self.order.probe.is_(None) if empty else self.order.probe.is_not(None))
        is_down = self.descending != is_up
        if mark is not None:
            query = query.where(_past(None if empty else key, table.c.id, mark, is_down))
        turn = sa.desc if is_down else sa.asc
        return query.order_by(*(() if empty else (turn(key),)), turn(table.c.id))

    def narrow(self, *, empty: bool, mark: Mark | None, is_up: bool) -> sa.Select[Any]:
        """`id` and `sort__key` alone of the same rows: what an index may hold."""
        found = self.rows(
            [self.entity.table.c.id, self.order.key.label("sort__key")], empty=empty, mark=mark, is_up=is_up
        )
        if not self.gathers:
            return found
        # OFFSET 0 keeps the planner from walking along the order in the hope of meeting enough that match
        all_that_match = found.order_by(None).offset(sa.literal_column("0")).subquery("matching")
        turn = sa.desc if self.descending != is_up else sa.asc
        key, row_id = all_that_match.c.sort__key, all_that_match.c.id
        return sa.select(all_that_match).order_by(*(() if empty else (turn(key),)), turn(row_id))

    def chosen(
        self, names: Sequence[str], empty: bool, mark: Mark | None, is_up: bool, offset: int, limit: int
    ) -> sa.Select[Any]:
        """Whole rows with their sort key."""
        wide = columns_of(self.entity, names)
        if self.is_narrow_first:
            rows = self.narrow(empty=empty, mark=mark, is_up=is_up)
        else:
            columns = [*wide, self.order.key.label("sort__key")]
            rows = self.rows(columns, empty=empty, mark=mark, is_up=is_up)
        rows = rows.limit(sa.literal_column(str(limit)))
        rows = rows.offset(offset) if offset else rows
        if not self.is_narrow_first:
            return rows
        found = rows.subquery("narrow")
        return sa.select(*wide, found.c.sort__key).join(found, found.c.id == self.entity.table.c.id)


def _past(key: Any, row_id: Any, mark: Mark, is_down: bool) -> sa.ColumnElement[bool]:
    last: Any = sa.literal(mark[1], row_id.type)
    here: Any = row_id
    there: Any = last
    if key is not None:
        here, there = sa.tuple_(key, row_id), sa.tuple_(sa.literal(mark[0], key.type), last)
    beyond: sa.ColumnElement[bool] = here < there if is_down else here > there
    return beyond


async def rows_from(
    uow: UnitOfWork,
    walk: Walk,
    names: Sequence[str],
    *,
    after: Mark | None,
    before: Mark | None,
    offset: int,
    limit: int,
    titles: bool,
) -> Rows:
    """Up to `limit` rows behind `after`, or from `before` upwards with the nearest one first. Each has its sort key as
    `sort__key`; `offset` skips rows."""
    is_up, mark = before is not None, before if before is not None else after
    found: list[Mapping[Any, Any]] = []
    for empty, begin in _stretches(walk, mark, is_up):
        start = begin
        if offset >= _FAR:
            start, offset = await _skipped(uow, walk, empty, begin, offset, is_up)
            if offset:
                continue
        chosen = walk.chosen(names, empty, start, is_up, offset, limit - len(found))
        query = _with_titles(walk, names, chosen, is_up, titles=titles)
        part = await uow.named(query)
        if not part and offset:
            offset -= await _count(uow, walk, empty, start, is_up)
        elif part:
            offset = 0
        found += part
        if len(found) >= limit:
            break
    return found


def all_rows(walk: Walk, names: Sequence[str], *, titles: bool) -> sa.Select[Any]:
    """Every row in one statement, as it was at one moment: those without a sort key last."""
    table, key = walk.entity.table, walk.order.key.label("sort__key")
    query = sa.select(*columns_of(walk.entity, names), key).select_from(walk.order.beside)
    query = query.where(table.c.deleted_at.is_(None))
    for narrowed in (walk.seen, walk.where):
        if narrowed is not None:
            query = query.where(narrowed)
    if titles:
        return _with_titles(walk, names, query, False, titles=True)
    turn = sa.desc if walk.descending else sa.asc
    return query.order_by(turn(walk.order.key).nulls_last(), turn(table.c.id))


def _stretches(walk: Walk, mark: Mark | None, is_up: bool) -> list[tuple[bool, Mark | None]]:
    """(without a key, the mark in it), in the order in which they are walked."""
    if not walk.may_be_empty:
        return [(False, mark)]
    starts_empty = mark is not None and mark[0] is None
    if is_up:
        return [(True, mark), (False, None)] if starts_empty else [(False, mark)]
    return [(True, mark)] if starts_empty else [(False, mark), (True, None)]


async def _skipped(
    uow: UnitOfWork, walk: Walk, empty: bool, mark: Mark | None, offset: int, is_up: bool
) -> tuple[Mark | None, int]:
    """The mark that lies `offset` rows further and 0, or how many rows are left to skip behind the end."""
    place = walk.narrow(empty=empty, mark=mark, is_up=is_up).offset(offset - 1).limit(sa.literal_column("1"))
    row = (await uow.execute(place)).first()
    if row is not None:
        return (row._mapping["sort__key"], row._mapping["id"]), 0
    return mark, offset - await _count(uow, walk, empty, mark, is_up)


async def _count(uow: UnitOfWork, walk: Walk, empty: bool, mark: Mark | None, is_up: bool) -> int:
    rows = walk.rows([sa.literal_column("1")], empty=empty, mark=mark, is_up=is_up).order_by(None).subquery()
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(rows)))


def _with_titles(
    walk: Walk, names: Sequence[str], chosen: sa.Select[Any], is_up: bool, *, titles: bool
) -> sa.Select[Any]:
    """The chosen rows with the titles of what they link to: only then, or all that match would be joined."""
    if not titles and not walk.is_narrow_first:
        return chosen
    rows = chosen.subquery("chosen")
    columns: list[Any] = list(rows.c)
    source: Any = rows
    for name in names if titles else ():
        spec = walk.entity.fields[name]
        if spec.kind is Kind.link and (target := registry.find(spec.target)):
            other = named(target.table, f"{spec.key}__of")
            linked = other.c.id == link_column(spec, rows)
            if target.name != "user":  # who did something is named for ever; anything else is shown while it is there
                linked = sa.and_(linked, other.c.deleted_at.is_(None))
            source = source.outerjoin(other, linked)
            columns.append(other.c[target.title].label(f"{name}__title"))
    turn = sa.desc if walk.descending != is_up else sa.asc
    return sa.select(*columns).select_from(source).order_by(turn(rows.c["sort__key"]).nulls_last(), turn(rows.c.id))
