"""Lists of any entity: the rows of a view, page by page in both directions, their number and their sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import conditions, registry
from crm_app.core.conditions import Clause, Condition, Related
from crm_app.core.conditions.tree import children, walk
from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.views import View, columns_of
from crm_app.services.platform import finding, records, schema
from crm_app.services.platform.records import Mark, Page
from crm_app.services.platform.sight import column_of, context_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

MOST_HITS = 5_000  # records that a quick search finds at most
MOST_NAMED = 200  # linked records whose names a condition is told with
MOST_COUNTED = 500  # rows above one that are counted out
SUMMED = frozenset({Kind.number, Kind.decimal, Kind.money})
AVERAGED = SUMMED | {Kind.percent}
_WORDS = frozenset({Kind.text, Kind.email, Kind.phone, Kind.url})


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one column over all that match: `sums` by currency (by "" where there is none), the average of what is filled
    in, the number of different values."""

    sums: Mapping[str, Any] = field(default_factory=dict)
    average: Any = None
    different: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    count: int
    columns: Mapping[str, Sums]


async def entity_of(uow: UnitOfWork, name: str) -> Entity:
    """The declaration as this actor sees it; Forbidden when the role may not read such records."""
    uow.require(f"{name}.read")
    return await schema.entity_of(uow, name)


async def page(
    uow: UnitOfWork,
    entity: Entity,
    view: View,
    *,
    after: Mark | None = None,
    before: Mark | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Page:
    """Rows of the view in its order; marks and `offset` as in records.find."""
    return await records.find(
        uow, entity, columns=columns_of(view, entity), where=await where(uow, entity, view),
        sort=view.sort, descending=view.descending, after=after, before=before, offset=offset, limit=limit,
        gathers=any(isinstance(n, Related) for n in walk(view.filter)),
    )  # fmt: skip


async def count(uow: UnitOfWork, entity: Entity, view: View) -> int:
    """How many records of the view this actor sees."""
    return await records.count(uow, entity, where=await where(uow, entity, view))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The records before and after one in a view; `place` counts from 1, 0 when the record is not in it. Past
    MOST_COUNTED `place` stays at 0 too: it is not counted out."""

    before: UUID | None = None
    after: UUID | None = None
    place: int = 0
    total: int = 0


async def neighbours(uow: UnitOfWork, entity: Entity, view: View, record_id: UUID) -> Neighbours:
    """Where a record stands in a view."""
    narrowed = await where(uow, entity, view)
    here = entity.table.c.id == record_id

    async def rows(condition: Any, limit: int, *, after: Mark | None = None, before: Mark | None = None) -> Page:
        return await records.find(
            uow, entity, columns=(entity.title,), where=condition, sort=view.sort, descending=view.descending,
            after=after, before=before, limit=limit, titles=False,
        )  # fmt: skip

    mine = await rows(here if narrowed is None else sa.and_(here, narrowed), 1)
    if mine.first is None:
        return Neighbours()
    behind = await rows(narrowed, 1, after=mine.first)
    ahead = await rows(narrowed, MOST_COUNTED, before=mine.first)
    total = await records.count(uow, entity, where=narrowed)
    return Neighbours(
        before=ahead.rows[-1]["id"] if ahead.rows else None,
        after=behind.rows[0]["id"] if behind.rows else None,
        place=len(ahead.rows) + 1 if len(ahead.rows) < MOST_COUNTED else 0,
        total=total,
    )


async def totals(uow: UnitOfWork, entity: Entity, view: View) -> Totals:
    """Count, sums and averages over all that match, not only what is shown."""
    condition = await where(uow, entity, view)
    shown = [entity.fields[n] for n in columns_of(view, entity) if _may_sum(uow, entity, n)]
    plain = [s for s in shown if s.kind in AVERAGED and not s.currency_field]
    amounts = [s for s in shown if s.kind is Kind.money and s.currency_field in entity.table.c]
    asked: list[Any] = [sa.func.count().label("rows")]
    for spec in plain:
        column = column_of(uow, entity, spec)
        asked += [sa.func.sum(column).label(f"{spec.name}__sum"), sa.func.avg(column).label(f"{spec.name}__avg")]
    if "owner_id" in [s.name for s in shown]:
        asked.append(sa.func.count(entity.table.c.owner_id.distinct()).label("owner_id__different"))
    row = (await uow.execute(_matching(sa.select(*asked), uow, entity, condition))).mappings().one()
    found = {
        s.name: Sums({"": row[f"{s.name}__sum"]} if s.kind in SUMMED else {}, row[f"{s.name}__avg"]) for s in plain
    }
    if "owner_id__different" in row:
        found["owner_id"] = Sums(different=row["owner_id__different"])
    for spec in amounts:
        found[spec.name] = await _by_currency(uow, entity, spec, condition)
    return Totals(int(row["rows"]), found)


def _may_sum(uow: UnitOfWork, entity: Entity, name: str) -> bool:
    spec = entity.fields[name]
    is_seen = not spec.masked and f"{entity.name}.{name}" not in schema.blind(uow.actor)
    return is_seen and (spec.kind in AVERAGED or name == "owner_id")


async def _by_currency(uow: UnitOfWork, entity: Entity, spec: FieldSpec, condition: Any) -> Sums:
    amount, currency = column_of(uow, entity, spec), entity.table.c[spec.currency_field]
    query = sa.select(currency, sa.func.sum(amount), sa.func.count(amount)).where(amount.is_not(None))
    rows = await uow.rows(_matching(query, uow, entity, condition).group_by(currency))
    sums = {r[0]: int(r[1]) for r in sorted(rows, key=lambda r: -r[2])}
    average = int(rows[0][1] / rows[0][2]) if len(rows) == 1 else None
    return Sums(sums, average)


def _matching(query: sa.Select[Any], uow: UnitOfWork, entity: Entity, condition: Any) -> sa.Select[Any]:
    uow.require(f"{entity.name}.read")
    query = query.select_from(entity.table).where(entity.table.c.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    return query if condition is None else query.where(condition)


async def where(uow: UnitOfWork, entity: Entity, view: View) -> sa.ColumnElement[bool] | None:
    """Filter and quick search as SQL; None when everything fits. Invalid when the filter asks for what is not there or
    not for this actor."""
    parts: list[sa.ColumnElement[bool]] = []
    if view.filter != conditions.AllOf():
        parts.append(condition_sql(uow, entity, view.filter))
    if view.query:
        parts.append(await _searched(uow, entity, view.query))
    return sa.and_(*parts) if parts else None


def condition_sql(uow: UnitOfWork, entity: Entity, condition: Condition) -> sa.ColumnElement[bool]:
    """A condition as this actor may ask it: hidden fields and unreadable relations do not exist, related records count
    only as far as they are seen."""
    check(uow, entity, condition)
    actor = uow.actor
    return conditions.to_sql(
        condition,
        entity,
        context_of(uow),
        visible=lambda other, table: visible(other, actor, table),
        hidden=schema.blind(actor),
    )


def check(uow: UnitOfWork, entity: Entity, condition: Condition) -> None:
    """Invalid unless this actor may run the condition."""
    conditions.check(condition, entity, hidden=schema.blind(uow.actor))
    _readable(uow, entity, condition)


def _readable(uow: UnitOfWork, entity: Entity, node: Condition) -> None:
    for found in walk(node):
        if isinstance(found, Related):
            relation = registry.relations(entity).get(found.relation)
            if relation is None:
                continue  # one of an inner relation, looked at with its own entity
            other = entity.other(relation.entity)
            if not uow.actor.can(f"{other.name}.read"):
                raise Invalid(**{found.relation: f"your role does not let you look at {other.plural.lower()}"})
            _readable(uow, other, found.item)


async def titles_in(uow: UnitOfWork, entity: Entity, condition: Condition) -> dict[UUID, str]:
    """What the linked records are called that a condition names; only those that this actor may see."""
    wanted: dict[str, set[UUID]] = {}
    _named_in(entity, condition, wanted)
    found: dict[UUID, str] = {}
    for name in sorted(wanted):
        if not uow.actor.can(f"{name}.read"):
            continue
        target = registry.get(name)
        where = _one_of(target, sorted(wanted[name])[:MOST_NAMED])
        page = await records.find(uow, target, columns=(target.title,), where=where, limit=MOST_NAMED, titles=False)
        found |= {r["id"]: str(r.get(target.title, "")) for r in page.rows}
    return found


def _named_in(entity: Entity, node: Condition, wanted: dict[str, set[UUID]]) -> None:
    if isinstance(node, Related):
        relation = registry.relations(entity).get(node.relation)
        if relation is not None:
            _named_in(entity.other(relation.entity), node.item, wanted)
    elif isinstance(node, Clause):
        spec = entity.fields.get(node.field)
        if spec is not None and spec.kind is Kind.link and registry.find(spec.target):
            values = node.value if isinstance(node.value, tuple | list) else (node.value,)
            ids = {i for v in values if (i := _id(v)) is not None}
            wanted.setdefault(spec.target, set()).update(ids)
    else:
        for child in children(node):
            _named_in(entity, child, wanted)


def _id(value: Any) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


async def _searched(uow: UnitOfWork, entity: Entity, text: str) -> sa.ColumnElement[bool]:
    """The records whose words begin with the typed ones; where there is no search index, whose fields contain them."""
    if finding.is_indexed(entity):
        return await finding.matching(uow, entity, text, limit=MOST_HITS)
    names = [n for n in entity.search if f"{entity.name}.{n}" not in schema.blind(uow.actor)]
    columns = [entity.table.c[n] for n in names if entity.fields[n].kind in _WORDS]
    words = text.lower().replace("\x00", " ").split()[:8]
    if not columns:
        return sa.false()
    found = [sa.or_(*(sa.func.strpos(sa.func.lower(c), w) > 0 for c in columns)) for w in words]
    return sa.and_(sa.true(), *found)


def _one_of(entity: Entity, ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    """One parameter, whatever the number of hits."""
    found: sa.ColumnElement[bool] = entity.table.c.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid())))
    return found


async def widths(uow: UnitOfWork, entity: Entity) -> dict[str, int]:
    """The widths in px that the person gave to columns."""
    users = registry.get("user").table
    kept = await uow.scalar(sa.select(users.c.preferences).where(users.c.id == uow.actor.user_id))
    found = ((kept or {}).get("widths") or {}).get(entity.name) or {}
    return {n: int(w) for n, w in found.items() if isinstance(w, int)}


async def set_width(uow: UnitOfWork, entity: Entity, name: str, width: int) -> None:
    """Remember how wide the person wants a column; 60 to 900 px."""
    if uow.actor.user_id is None:
        raise Forbidden("Only a person has widths of columns.")
    if name not in entity.fields:
        raise Invalid(column=f"{entity.label} has no such field")
    users = registry.get("user").table
    mine = users.c.id == uow.actor.user_id
    kept: dict[str, Any] = dict(await uow.scalar(sa.select(users.c.preferences).where(mine).with_for_update()) or {})
    all_widths = dict(kept.get("widths") or {})
    all_widths[entity.name] = dict(all_widths.get(entity.name) or {}) | {name: max(60, min(900, int(width)))}
    await uow.execute(sa.update(users).where(mine).values(preferences=kept | {"widths": all_widths}))
