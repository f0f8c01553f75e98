"""What changed in the fields of a record, told by the audit log: typed values, links with their names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import stored
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform import audit
from crm_app.services.platform.schema import entity_of
from crm_app.store.uow import UnitOfWork

Mark = tuple[datetime, UUID]  # of an entry: what continues below it


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field from `old` to `new`; `entry_id` is that of the audit entry, which may hold several fields.

    `source` is the door it came through (core.context.Source); `user_name` is empty for the system.
    """

    entry_id: UUID
    at: datetime
    action: str
    source: str
    user_id: UUID | None
    user_name: str
    spec: FieldSpec
    old: Any
    new: Any


@dataclass(frozen=True)
class History:
    """Changes, latest first, and the names of the records they link to. `after` is the mark of the last entry read,
    None when there are no more."""

    changes: Sequence[FieldChange]
    names: Mapping[UUID, str]
    after: Mark | None = None

    def name_of(self, spec: FieldSpec, record_id: UUID) -> str:
        """For `core.fields.show_value(names=...)`."""
        return self.names.get(record_id, f"a deleted {registry.get(spec.target).label.lower()}")


async def of_field(uow: UnitOfWork, entity: Entity, record_id: UUID, name: str, *, limit: int = 20) -> History:
    """The changes of one field, its first value last. NotFound when the actor may not know of the record."""
    entity = await entity_of(uow, entity.name)
    await uow.get(entity.model, record_id)
    rows = await audit.history(uow, entity.name, record_id, field=name, limit=limit)
    return await _told(uow, entity, rows, {name}, is_whole=True)


async def of_record(
    uow: UnitOfWork,
    entity: Entity,
    record_id: UUID,
    *,
    without: Collection[str] = (),
    unless: Collection[str] = (),
    before: Mark | None = None,
    limit: int = 30,
) -> History:
    """Changes of all fields but `without`, leaving out entries that touch one of `unless`; not the creation. Ask for
    the record itself before."""
    uow.require(f"{entity.name}.read")
    entity = await entity_of(uow, entity.name)
    rows = await audit.history(uow, entity.name, record_id, before=before, actions=("update",), limit=limit)
    names = {n for n in entity.fields if n not in without}
    return await _told(uow, entity, rows, names, unless=unless, is_whole=len(rows) < limit)


async def _told(
    uow: UnitOfWork,
    entity: Entity,
    rows: Sequence[Mapping[Any, Any]],
    names: set[str],
    *,
    unless: Collection[str] = (),
    is_whole: bool,
) -> History:
    changes = [
        FieldChange(
            r["id"], r["at"], r["action"], r["source"], r["user_id"], r["user_name"] or "", spec, typed(spec, old),
            typed(spec, new),
        )
        for r in rows
        if not any(n in r["changes"] for n in unless)
        for name, (old, new) in sorted(r["changes"].items())
        if name in names and (spec := entity.fields.get(name)) and (old or new)
    ]  # fmt: skip
    after = None if is_whole or not rows else (rows[-1]["at"], rows[-1]["id"])
    return History(changes, await names_of(uow, changes), after)


async def names_of(uow: UnitOfWork, changes: Sequence[FieldChange]) -> dict[UUID, str]:
    """The titles of all linked records, one query a kind."""
    wanted: dict[str, set[UUID]] = {}
    for c in changes:
        if c.spec.kind is Kind.link and not c.spec.masked and registry.find(c.spec.target):
            wanted.setdefault(c.spec.target, set()).update(v for v in (c.old, c.new) if v)
    found: dict[UUID, str] = {}
    for target, ids in wanted.items():
        entity = registry.get(target)
        query = sa.select(entity.table.c.id, entity.table.c[entity.title].label("title"))
        found |= {row.id: row.title for row in await uow.rows(query.where(entity.table.c.id.in_(ids)))}
    return found


def typed(spec: FieldSpec, value: Any) -> Any:
    """What stood in the row, out of the JSON of the log."""
    if value is None or value == "***" or spec.masked:
        return value
    if spec.custom:
        return stored.load(spec.kind, value)
    match spec.kind:
        case Kind.link:
            return UUID(value)
        case Kind.date:
            return date.fromisoformat(value)
        case Kind.datetime:
            return datetime.fromisoformat(value)
        case Kind.decimal:
            return Decimal(str(value))
    return value
