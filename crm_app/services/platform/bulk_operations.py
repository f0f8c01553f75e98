"""Changes of many records at once: begun, watched, cancelled, gone on with, undone.

The records are fixed when the operation begins and dealt with chunk by chunk, each in a transaction of its own
(services.platform.bulk_chunks); one that fits into a single chunk is done at once, in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import stored
from crm_app.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from crm_app.core.registry import Entity, Kind
from crm_app.core.views import View
from crm_app.models.base import table_of
from crm_app.models.platform.bulk import BulkChunk, BulkKind, BulkOperation, BulkStatus
from crm_app.services.platform import bulk_chunks, lists, records
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.validation import check_links, check_values
from crm_app.store import queue
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

WORK = "work_bulk"
CHUNK = 500
MOST_IDS = 10_000  # that are named one by one; more of them are named by a view
KEPT = timedelta(days=30)
_SILENT = timedelta(minutes=10)  # after which an operation that has not moved is taken for stopped
_MOST_BLOCKED = 10_000
_operations, _chunks = table_of(BulkOperation), table_of(BulkChunk)
SET, ADD, REMOVE = "set", "add", "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One field and what becomes of it. `mode` is set, or add and remove for a list such as tags; `currency` is what an
    amount was given in: records in another one are left as they are."""

    field: str
    value: Any
    mode: str = SET
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A record that stayed as it is. `title` is empty where the actor may not see it."""

    record_id: UUID
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, told after every chunk."""

    id: UUID
    entity: str
    kind: BulkKind
    status: BulkStatus
    total: int
    changed: int
    unchanged: int
    blocked: int
    error: str = ""
    can_undo: bool = False

    @property
    def done(self) -> int:
        return self.changed + self.unchanged + self.blocked


async def edit(
    uow: UnitOfWork,
    entity: Entity,
    changes: Sequence[Change],
    *,
    operation_id: UUID,
    record_ids: Sequence[UUID] = (),
    view: View | None = None,
) -> Progress:
    """Change fields of these records, or of all that fit the view. The same `operation_id` again begins nothing anew.
    Invalid when a value cannot be for any record."""
    records.permit(uow, entity, "update")
    entity = await entity_of(uow, entity.name)
    await _check(uow, entity, changes)
    stored_changes = [_as_json(c) for c in changes]
    return await _begin(uow, entity, BulkKind.edit, operation_id, stored_changes, record_ids, view)


async def delete(
    uow: UnitOfWork,
    entity: Entity,
    *,
    operation_id: UUID,
    record_ids: Sequence[UUID] = (),
    view: View | None = None,
) -> Progress:
    """Move these records, or all that fit the view, to the trash."""
    records.permit(uow, entity, "delete")
    entity = await entity_of(uow, entity.name)
    return await _begin(uow, entity, BulkKind.delete, operation_id, [], record_ids, view)


async def _check(uow: UnitOfWork, entity: Entity, changes: Sequence[Change]) -> None:
    """What is wrong with the values, whatever the record."""
    if not changes:
        raise Invalid("Choose a field to change.")
    names = [c.field for c in changes]
    if twice := next((n for n in names if names.count(n) > 1), ""):
        raise Invalid(**{twice: "is named twice"})
    for change in changes:
        spec = entity.fields.get(change.field)
        if change.mode not in (SET, ADD, REMOVE) or (change.mode != SET and spec and spec.kind is not Kind.choices):
            raise Invalid(**{change.field: "can only be set to a value"})
    values = {c.field: c.value for c in changes}
    check_values(entity, values, is_new=False)
    await check_links(uow, entity, values)
    if values.get("owner_id") not in (None, uow.actor.user_id):
        uow.require(f"{entity.name}.assign")


def _as_json(change: Change) -> dict[str, Any]:
    value = stored.store(change.value)
    return {"field": change.field, "mode": change.mode, "value": value, "currency": change.currency}


async def _begin(
    uow: UnitOfWork,
    entity: Entity,
    kind: BulkKind,
    operation_id: UUID,
    changes: list[dict[str, Any]],
    record_ids: Sequence[UUID],
    view: View | None,
) -> Progress:
    if (known := await _own(uow, operation_id)) is not None:
        return _progress(uow, known)
    if view is None and len(record_ids) > MOST_IDS:
        raise Invalid(f"{len(record_ids)} records were chosen one by one; choose all that match instead.")
    operation = _new(uow, entity.name, kind, operation_id, changes)
    uow.add(operation)
    await uow.flush()
    if view is None:
        operation.total = await _list(uow, operation_id, list(dict.fromkeys(record_ids)))
    else:
        operation.total = await _gather(uow, entity, operation_id, view)
    if not operation.total:
        raise Invalid(f"There are no {entity.plural.lower()} to change.")
    return await _go(uow, operation)


def _new(
    uow: UnitOfWork, entity: str, kind: BulkKind, operation_id: UUID, changes: list[dict[str, Any]], **more: Any
) -> BulkOperation:
    actor = uow.actor
    if actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    return BulkOperation(
        id=operation_id, entity=entity, kind=kind, changes=changes, user_id=actor.user_id, source=actor.source.value,
        ip=actor.ip[:60], user_agent=actor.user_agent[:300], created_at=uow.now, moved_at=uow.now, **more,
    )  # fmt: skip


async def _list(uow: UnitOfWork, operation_id: UUID, ids: list[UUID]) -> int:
    for place, start in enumerate(range(0, len(ids), CHUNK)):
        uow.add(BulkChunk(operation_id=operation_id, place=place, record_ids=ids[start : start + CHUNK]))
    await uow.flush()
    return len(ids)


async def _gather(uow: UnitOfWork, entity: Entity, operation_id: UUID, view: View) -> int:
    """Write down the records of the view as they are now: a change may take them out of it."""
    uow.require(f"{entity.name}.read")
    table = entity.table
    wanted = sa.select(table.c.id).where(table.c.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor)) is not None:
        wanted = wanted.where(seen)
    if (condition := await lists.where(uow, entity, view)) is not None:
        wanted = wanted.where(condition)
    numbered = wanted.add_columns((sa.func.row_number().over(order_by=table.c.id) - 1).label("n")).subquery()
    place = sa.cast(numbered.c.n // sa.literal_column(str(CHUNK)), sa.Integer).label("place")
    chunked = sa.select(
        sa.literal(uow.actor.tenant_id, sa.Uuid()),
        sa.func.gen_random_uuid(),
        sa.literal(operation_id, sa.Uuid()),
        place,
        sa.func.array_agg(numbered.c.id),
    ).group_by(place)
    made = sa.insert(_chunks).from_select(["tenant_id", "id", "operation_id", "place", "record_ids"], chunked)
    await uow.execute(made)
    return await _counted(uow, operation_id)


async def _counted(uow: UnitOfWork, operation_id: UUID) -> int:
    sizes = sa.select(sa.func.coalesce(sa.func.sum(sa.func.cardinality(_chunks.c.record_ids)), 0))
    return int(await uow.scalar(sizes.where(_chunks.c.operation_id == operation_id)))


async def _go(uow: UnitOfWork, operation: BulkOperation) -> Progress:
    """Few records are done here and now; many by a job, which exists only if this transaction commits."""
    await uow.flush()
    if operation.total <= CHUNK:
        await bulk_chunks.step(uow, operation.id)
        await bulk_chunks.end(uow, operation.id)
        await uow.session.refresh(operation)
    else:
        await _defer(uow, operation)
    return _progress(uow, operation)


async def _defer(uow: UnitOfWork, operation: BulkOperation) -> None:
    args: dict[str, Any] = {"tenant_id": str(uow.actor.tenant_id), "operation_id": str(operation.id)}
    await queue.defer(await uow.driver(), WORK, priority=1, **args)


async def read(uow: UnitOfWork, bulk_id: UUID) -> Progress:
    """How far one's own operation is."""
    return _progress(uow, await _mine(uow, bulk_id))


async def latest(uow: UnitOfWork, entity: Entity) -> Progress | None:
    """One's own operation on such records that is under way, or stopped half-way."""
    query = (
        sa.select(BulkOperation)
        .where(_operations.c.user_id == uow.actor.user_id, _operations.c.entity == entity.name)
        .order_by(_operations.c.created_at.desc())
        .limit(1)
    )
    found = await uow.scalar(query)
    return _progress(uow, found) if found is not None and found.status != BulkStatus.done else None


async def cancel(uow: UnitOfWork, bulk_id: UUID) -> Progress:
    """Stop after the chunk that is being worked on; what is done stays, and can be undone."""
    operation = await _mine(uow, bulk_id, lock=True)
    if operation.status is BulkStatus.running:
        operation.is_stopping = True
        if _is_dead(uow, operation):
            operation.status, operation.finished_at = BulkStatus.cancelled, uow.now
        await uow.flush()
    return _progress(uow, operation)


async def resume(uow: UnitOfWork, bulk_id: UUID) -> Progress:
    """Go on with one that was cancelled or failed; what was done is not done again."""
    operation = await _mine(uow, bulk_id, lock=True)
    if operation.status is BulkStatus.done or (operation.status is BulkStatus.running and not _is_dead(uow, operation)):
        return _progress(uow, operation)
    if await _undone_by(uow, bulk_id):
        raise Conflict("What it had done is undone already. Begin anew.")
    operation.status, operation.is_stopping, operation.error = BulkStatus.running, False, ""
    operation.moved_at, operation.finished_at = uow.now, None
    await _defer(uow, operation)
    await uow.flush()
    return _progress(uow, operation)


async def undo(uow: UnitOfWork, bulk_id: UUID, *, operation_id: UUID) -> Progress:
    """Put back what one's own operation changed, record by record: one that somebody changed since stays as it is and
    is told. An operation that is under way is cancelled first."""
    operation = await _mine(uow, bulk_id, lock=True)
    if (known := await _own(uow, operation_id)) is not None:
        return _progress(uow, known)
    if operation.kind is BulkKind.undo:
        raise Conflict("An undo cannot be undone. Make the change anew.")
    if operation.status is BulkStatus.running and not _is_dead(uow, operation):
        raise Conflict("It is still under way. Cancel it first.")
    if await _undone_by(uow, bulk_id):
        raise Conflict("This is undone already.")
    entity = registry.get(operation.entity)
    records.permit(uow, entity, "delete" if operation.kind is BulkKind.delete else "update")
    back = _new(uow, operation.entity, BulkKind.undo, operation_id, [], undoes_id=bulk_id)
    uow.add(back)
    await uow.flush()
    copied = sa.select(
        _chunks.c.tenant_id, sa.func.gen_random_uuid(), sa.literal(operation_id, sa.Uuid()), _chunks.c.place,
        _chunks.c.changed_ids,
    ).where(_chunks.c.operation_id == bulk_id, sa.func.cardinality(_chunks.c.changed_ids) > 0)  # fmt: skip
    await uow.execute(
        sa.insert(_chunks).from_select(["tenant_id", "id", "operation_id", "place", "record_ids"], copied)
    )
    back.total = await _counted(uow, operation_id)
    if not back.total:
        raise Conflict("There is nothing to undo: no record was changed.")
    return await _go(uow, back)


async def blocked(uow: UnitOfWork, bulk_id: UUID) -> list[Blocked]:
    """The records that one's own operation left as they are, and why; the first 10,000."""
    operation = await _mine(uow, bulk_id)
    query = sa.select(_chunks.c.blocked).where(_chunks.c.operation_id == bulk_id).order_by(_chunks.c.place)
    pairs = [(UUID(i), reason) for row in await uow.rows(query) for i, reason in row.blocked][:_MOST_BLOCKED]
    titles = await _titles(uow, registry.get(operation.entity), [i for i, _ in pairs])
    return [Blocked(i, titles.get(i, ""), reason) for i, reason in pairs]


async def _titles(uow: UnitOfWork, entity: Entity, ids: list[UUID]) -> dict[UUID, str]:
    if not uow.actor.can(f"{entity.name}.read"):
        return {}
    table = entity.table
    query = sa.select(table.c.id, table.c[entity.title]).where(
        table.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Uuid())))
    )
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    return {r[0]: str(r[1]) for r in await uow.rows(query)}


async def _own(uow: UnitOfWork, operation_id: UUID, *, lock: bool = False) -> BulkOperation | None:
    mine = sa.and_(_operations.c.id == operation_id, _operations.c.user_id == uow.actor.user_id)
    query = sa.select(BulkOperation).where(mine)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: BulkOperation | None = await uow.scalar(query)
    return found


async def _mine(uow: UnitOfWork, operation_id: UUID, *, lock: bool = False) -> BulkOperation:
    found = await _own(uow, operation_id, lock=lock)
    if found is None:
        raise NotFound("This operation is not known any more.")
    return found


async def _undone_by(uow: UnitOfWork, operation_id: UUID) -> bool:
    query = sa.select(sa.func.count()).select_from(_operations).where(_operations.c.undoes_id == operation_id)
    return bool(await uow.scalar(query))


def _is_dead(uow: UnitOfWork, operation: BulkOperation) -> bool:
    return operation.status is BulkStatus.running and uow.now - operation.moved_at > _SILENT


def _progress(uow: UnitOfWork, o: BulkOperation) -> Progress:
    is_dead = _is_dead(uow, o)
    status = BulkStatus.failed if is_dead else o.status
    error = "The server stopped working on it." if is_dead else o.error
    can_undo = status is not BulkStatus.running and o.kind is not BulkKind.undo and o.changed > 0
    return Progress(
        o.id, o.entity, o.kind, status, o.total, o.changed, o.unchanged, o.blocked, error=error, can_undo=can_undo
    )


async def sweep(uow: UnitOfWork) -> None:
    """Forget operations of more than a month ago; what they changed stands in the audit log."""
    old = sa.select(_operations.c.id).where(_operations.c.moved_at < uow.now - KEPT)
    await uow.execute(sa.delete(_chunks).where(_chunks.c.operation_id.in_(old)))
    gone = sa.delete(_operations).where(_operations.c.moved_at < uow.now - KEPT)
    await uow.execute(gone.where(_operations.c.undoes_id.is_not(None)))
    await uow.execute(gone)
