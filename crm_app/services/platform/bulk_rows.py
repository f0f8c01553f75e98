"""Rows of one chunk of a change of many records: locked, and written by one statement for all that change alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm_app.core.changes import RecordChanged
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity
from crm_app.services.platform import records
from crm_app.services.platform.bulk import ready_update, values_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_STAMPS = ("version", "updated_at", "updated_by_id")


@dataclass(frozen=True, slots=True)
class Row:
    """A record and what is written of it: `columns` as they will be, `diff` as it is told ({field: [old, new]})."""

    record: Any
    columns: dict[str, Any]
    diff: dict[str, list[Any]]


@dataclass(slots=True)
class Done:
    """What becomes of a chunk. `refused` are reasons by record."""

    rows: list[Row] = field(default_factory=list)
    unchanged: int = 0
    refused: dict[UUID, str] = field(default_factory=dict)

    def refuse(self, record_id: UUID, entity: Entity, refusal: CrmError) -> None:
        self.refused[record_id] = reason_of(entity, refusal)


def reason_of(entity: Entity, refusal: CrmError) -> str:
    """A refusal as a sentence for a list: with the labels of the fields that are wrong."""
    if not isinstance(refusal, Invalid) or not refusal.fields:
        return str(refusal)
    parts = [f"{entity.fields[n].label if n in entity.fields else n} {text}" for n, text in refusal.fields.items()]
    whole = "; ".join(parts)
    return whole if whole.endswith(".") else f"{whole}."


async def locked(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], *, in_trash: bool = False) -> dict[UUID, Any]:
    """Those of the records that the actor may see, held until the transaction ends, in one order for everybody."""
    model = entity.model
    query = sa.select(model).where(model.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid()))))
    if not in_trash:
        query = query.where(model.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor, to_write=True)) is not None:
        query = query.where(seen)
    query = query.order_by(model.id).with_for_update().execution_options(populate_existing=True)
    return {r.id: r for r in (await uow.execute(query)).scalars()}


async def missing(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], found: Mapping[UUID, Any]) -> dict[UUID, str]:
    """Why those that are not among the locked ones stay as they are."""
    lost = [i for i in ids if i not in found]
    if not lost:
        return {}
    label, table = entity.label.lower(), entity.table
    read = sa.select(table.c.id).where(one_of(table, lost), table.c.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor)) is not None:
        read = read.where(seen)
    may_read = {r.id for r in await uow.rows(read)} if uow.actor.can(f"{entity.name}.read") else set()
    unknown = f"This {label} does not exist, or you may not see it."
    return {i: f"You may look at this {label}, not change it." if i in may_read else unknown for i in lost}


def one_of(table: sa.Table, ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    """One parameter, whatever the number of ids."""
    found: sa.ColumnElement[bool] = table.c.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid())))
    return found


async def write(uow: UnitOfWork, entity: Entity, done: Done, action: str) -> None:
    """Write the rows, stamped, with what follows from their values; `done` then holds those that could be."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    rows = {r.record.id: r for r in done.rows}
    for row in done.rows:
        _complete(row)
        by_columns[tuple(sorted(row.columns))].append({"id": row.record.id, **_stamps(uow, row), **row.columns})
    for names, values in by_columns.items():
        refused = await _update(uow, entity, (*_STAMPS, *names), values)
        done.refused |= refused
        for record_id in refused:
            del rows[record_id]
    done.rows = list(rows.values())
    for row in done.rows:
        record_id = row.record.id
        uow.emit(RecordChanged(record_id=record_id, name=f"{entity.name}.{action}", entity=entity.name, diff=row.diff))
    if done.rows:
        uow.changed_many(entity.name)


def _complete(row: Row) -> None:
    whole = {**row.record.__dict__, **row.columns}
    for column, follow in type(row.record).derived.items():
        if column not in row.columns and (value := follow(whole)) != getattr(row.record, column):
            row.columns[column] = value


def _stamps(uow: UnitOfWork, row: Row) -> dict[str, Any]:
    return {"version": row.record.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id}


async def _update(
    uow: UnitOfWork, entity: Entity, names: tuple[str, ...], values: Sequence[Mapping[str, Any]]
) -> dict[UUID, str]:
    """One statement for all; where a value is taken already, one for each, so that only that record stays behind."""
    try:
        async with uow.part():
            await uow.ready(ready_update(entity.table, names, several=len(values) > 1), **values_of(values, names))
    except IntegrityError as error:
        if len(values) == 1:
            refusal = records.explained(entity, error)
            if not isinstance(refusal, CrmError):
                raise refusal from error
            return {values[0]["id"]: reason_of(entity, refusal)}
        refused: dict[UUID, str] = {}
        for one in values:
            refused |= await _update(uow, entity, names, [one])
        return refused
    return {}


def before_of(row: Row) -> dict[str, Any]:
    """The old columns, JSON-safe."""
    return {n: _plain(getattr(row.record, n)) for n in row.columns}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def typed(column: "sa.Column[Any]", value: Any) -> Any:
    """The value of a column out of `before_of`."""
    if value is None:
        return None
    if isinstance(column.type, sa.Uuid):
        return UUID(value)
    if isinstance(column.type, sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(column.type, sa.Numeric) and isinstance(value, str) else value
