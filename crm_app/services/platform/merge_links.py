"""Rows that point to a record, whatever table they stand in: moved to another record, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from crm_app.core import registry
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.platform.merges import MergedLink, RecordMerge
from crm_app.store.uow import UnitOfWork

# Tables with (entity, record_id) that tell of the past: it stays with the record it happened to.
PAST = frozenset({"audit_log", "event", "merged_record", "imported_rows"})
NAMED = {"record_id": "entity", "about_id": "about"}  # a link to any kind of record, and the column that names the kind
_links = table_of(MergedLink)


@dataclass(frozen=True)
class Pointer:
    """A column that holds ids of records of an entity; `entity` is set where rows name the entity beside the id."""

    table: sa.Table
    link: str
    entity: str = ""

    def to(self, record_id: UUID) -> sa.ColumnElement[bool]:
        here = self.table.c[self.link] == record_id
        return sa.and_(here, self.table.c[NAMED[self.link]] == self.entity) if self.entity else here


def pointers(entity: Entity) -> Iterator[Pointer]:
    """Every foreign key that leads to this entity, the declared relations among them, and every (entity, record_id)."""
    for table in SQLModel.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.referred_table is entity.table:
                yield Pointer(table, next(c.name for c in key.columns if c.name != "tenant_id"))
        for link, kind in NAMED.items():
            if {link, kind} <= set(table.c.keys()) and table.name not in PAST:
                yield Pointer(table, link, entity.name)


async def move(uow: UnitOfWork, entity: Entity, merge: RecordMerge, survivor_id: UUID, losers: Sequence[UUID]) -> None:
    """Let everything that points to a loser point to the survivor; each row is written down."""
    for pointer in pointers(entity):
        touched = 0
        for loser in losers:
            inside = [survivor_id, *losers] if pointer.table is entity.table else []
            touched += await _trash_doubles(uow, pointer, merge, survivor_id, loser)
            trashed = sa.select(_links.c.record_id).where(_links.c.merge_id == merge.id, _links.c.action == "trashed")
            clear = sa.and_(pointer.to(loser), pointer.table.c.id.not_in(trashed))
            if inside:
                clear = sa.and_(clear, pointer.table.c.id.not_in(inside))
            doubles = _double(pointer, survivor_id)
            if doubles is not None:
                clear = sa.and_(clear, sa.not_(doubles))
            changed = {pointer.link: survivor_id}
            touched += await _write_down(uow, pointer, merge, loser, "moved", clear, changed)
        if touched:
            tell(uow, pointer.table)


async def _trash_doubles(uow: UnitOfWork, pointer: Pointer, merge: RecordMerge, survivor_id: UUID, loser: UUID) -> int:
    """Rows that cannot move, because the survivor has the same already: one part in a deal is enough."""
    double = _double(pointer, survivor_id)
    if double is None or "deleted_at" not in pointer.table.c:
        return 0
    where = sa.and_(pointer.to(loser), pointer.table.c.deleted_at.is_(None), double)
    changed = {"deleted_at": uow.now, "deleted_by_id": uow.actor.user_id}
    return await _write_down(uow, pointer, merge, loser, "trashed", where, changed)


def _double(pointer: Pointer, survivor_id: UUID) -> sa.ColumnElement[bool] | None:
    """Whether a unique index would refuse the row at the survivor; None when there is no such index."""
    table, found = pointer.table, []
    for index in table.indexes:
        names = [c.name for c in index.columns]
        if not index.unique or pointer.link not in names:
            continue
        twin = table.alias("twin")
        same = [twin.c[n] == table.c[n] for n in names if n != pointer.link]
        alive = [twin.c.deleted_at.is_(None), table.c.deleted_at.is_(None)] if "deleted_at" in table.c else []
        found.append(sa.exists().where(twin.c[pointer.link] == survivor_id, *same, *alive).correlate(table))
    return sa.or_(*found) if found else None


async def _write_down(
    uow: UnitOfWork, pointer: Pointer, merge: RecordMerge, loser: UUID, action: str, where: Any, changed: dict[str, Any]
) -> int:
    """Change the rows and note each, in one statement; returns how many."""
    update = sa.update(pointer.table).where(where).values(changed | _stamps(uow, pointer.table))
    moved = update.returning(pointer.table.c.id).cte("moved")
    row = {
        "tenant_id": uow.actor.tenant_id, "id": sa.func.gen_random_uuid(), "merge_id": merge.id,
        "table_name": pointer.table.name, "link": pointer.link, "record_id": moved.c.id, "from_id": loser,
        "action": action,
    }  # fmt: skip
    values = [v if isinstance(v, sa.ColumnElement) else sa.literal(v, _links.c[n].type) for n, v in row.items()]
    return await uow.write(sa.insert(_links).from_select(list(row), sa.select(*values).select_from(moved)))


def _stamps(uow: UnitOfWork, table: sa.Table) -> dict[str, Any]:
    if "version" not in table.c or "updated_at" not in table.c:
        return {}
    return {"version": table.c.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id}


async def move_back(uow: UnitOfWork, entity: Entity, merge: RecordMerge) -> dict[str, list[UUID]]:
    """Rows whose link is still as the merge left it go back. Returns the others by table: somebody has moved or deleted
    them since."""
    groups = sa.select(_links.c.table_name, _links.c.link, _links.c.from_id, _links.c.action)
    left: dict[str, list[UUID]] = {}
    for name, link, from_id, action in await uow.rows(groups.where(_links.c.merge_id == merge.id).distinct()):
        table = SQLModel.metadata.tables.get(name)
        if table is None or link not in table.c:
            continue
        mine = sa.select(_links.c.record_id).where(
            _links.c.merge_id == merge.id, _links.c.table_name == name, _links.c.link == link,
            _links.c.from_id == from_id, _links.c.action == action,
        )  # fmt: skip
        pointer = Pointer(table, link, entity.name if link in NAMED and NAMED[link] in table.c else "")
        if action == "moved":
            unchanged, changed = pointer.to(merge.survivor_id), {link: from_id}
        else:
            unchanged = sa.and_(pointer.to(from_id), table.c.deleted_at == merge.created_at)
            changed = {"deleted_at": None, "deleted_by_id": None}
        update = sa.update(table).where(table.c.id.in_(mine), unchanged).values(changed | _stamps(uow, table))
        back = {r.id for r in await uow.rows(update.returning(table.c.id))}
        left.setdefault(name, []).extend(i for (i,) in await uow.rows(mine) if i not in back)
        if back:
            tell(uow, table)
    return {name: ids for name, ids in left.items() if ids}


def tell(uow: UnitOfWork, table: sa.Table) -> None:
    """Open screens read anew what stands in this table, or what its rows are parts of."""
    entities = {e.table: e.name for e in registry.all_entities()}
    if table in entities:
        uow.changed_many(entities[table])
        return
    for key in table.foreign_key_constraints:
        if (name := entities.get(key.referred_table)) and name != "user":
            uow.changed_many(name)
