"""One chunk of a change of many records: each record under its own rules, all that pass written by one statement.

Rights are those of the moment: the actor of each chunk is made anew. Chunk, counts and changes are one transaction, so
that whatever stops it, what is told is what is done.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import Draft, guards_of, value_of
from crm_app.core.conditions import stored
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity, Kind
from crm_app.models.base import table_of
from crm_app.models.platform.bulk import BulkChunk, BulkKind, BulkOperation, BulkStatus
from crm_app.services.platform import notifications, records
from crm_app.services.platform.bulk_rows import Done, Row, before_of, locked, missing, typed, write
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.trash_rules import bring_back, follow
from crm_app.services.platform.validation import check_links, check_values
from crm_app.store.uow import UnitOfWork

_operations, _chunks = table_of(BulkOperation), table_of(BulkChunk)
_REQUEST = sa.text("SELECT set_config('app.request_id', :operation, true)")


async def step(uow: UnitOfWork, operation_id: UUID) -> bool:
    """Do the next chunk; False when none is left, another worker has it, or the operation was stopped."""
    operation = (await uow.execute(sa.select(_operations).where(_operations.c.id == operation_id))).mappings().one()
    if operation["is_stopping"] or operation["status"] is not BulkStatus.running:
        return False
    query = (
        sa.select(_chunks)
        .where(_chunks.c.operation_id == operation_id, _chunks.c.done_at.is_(None))
        .order_by(_chunks.c.place)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    chunk = (await uow.execute(query)).mappings().one_or_none()
    if chunk is None:
        return False
    await uow.execute(_REQUEST, {"operation": str(operation_id)})  # by it the entries of the log belong together
    entity = await entity_of(uow, operation["entity"])
    ids: list[UUID] = chunk["record_ids"]
    match operation["kind"]:
        case BulkKind.edit:
            done, action = await _edited(uow, entity, ids, operation["changes"]), "updated"
        case BulkKind.delete:
            done, action = await _deleted(uow, entity, ids), "deleted"
        case _:
            done, action = await _put_back(uow, entity, operation["undoes_id"], chunk["place"], ids)
    await write(uow, entity, done, action)
    if action in ("deleted", "restored"):
        along = follow if action == "deleted" else bring_back
        await along(uow, entity, [r.record.id for r in done.rows])
    await _keep(uow, operation_id, chunk["id"], done)
    return True


async def _keep(uow: UnitOfWork, operation_id: UUID, chunk_id: UUID, done: Done) -> None:
    kept = {
        "done_at": uow.now,
        "changed_ids": [r.record.id for r in done.rows],
        "before": [before_of(r) for r in done.rows],
        "blocked": [[str(i), reason] for i, reason in done.refused.items()],
    }
    await uow.execute(sa.update(_chunks).where(_chunks.c.id == chunk_id).values(kept))
    counts = {"changed": len(done.rows), "unchanged": done.unchanged, "blocked": len(done.refused)}
    more = {n: _operations.c[n] + count for n, count in counts.items()}
    await uow.execute(
        sa.update(_operations).where(_operations.c.id == operation_id).values(more | {"moved_at": uow.now})
    )
    for row in done.rows:  # written past the session, which would show them as they were
        uow.session.expunge(row.record)


async def end(uow: UnitOfWork, operation_id: UUID, *, error: str = "") -> BulkStatus:
    """Say how it ended: done, cancelled with chunks left over, or failed. Running while another worker is on it."""
    query = sa.select(BulkOperation).where(_operations.c.id == operation_id)
    operation = await uow.scalar(query.with_for_update().execution_options(populate_existing=True))
    if operation.status is BulkStatus.running:
        left = sa.select(sa.func.count()).select_from(_chunks)
        is_whole = not await uow.scalar(left.where(_chunks.c.operation_id == operation_id, _chunks.c.done_at.is_(None)))
        if is_whole or error or operation.is_stopping:
            ended = BulkStatus.failed if error else BulkStatus.cancelled
            operation.status = BulkStatus.done if is_whole else ended
            operation.error, operation.finished_at = "" if is_whole else error[:500], uow.now
            await uow.flush()
            await _tell_owner(uow, operation)
    status: BulkStatus = operation.status
    return status


async def _tell_owner(uow: UnitOfWork, operation: BulkOperation) -> None:
    """One word to whom all these records were given."""
    owner_id = next((c["value"] for c in operation.changes if c["field"] == "owner_id"), None)
    if owner_id is None or not operation.changed or uow.is_silent:
        return
    entity = registry.get(operation.entity)
    names = await _names(uow, {operation.user_id})
    what = entity.label.lower() if operation.changed == 1 else entity.plural.lower()
    title = f"{names.get(operation.user_id, 'Somebody')} gave you {operation.changed:,} {what}"
    await notifications.notify(
        uow, UUID(owner_id), notifications.ASSIGNED, by_id=operation.user_id, title=title, href=f"/{entity.slug}",
        key=f"bulk:{operation.id}:{operation.changed}",
    )  # fmt: skip


# -- Edit ------------------------------------------------------------------------------------------------------------


async def _edited(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], changes: Sequence[Mapping[str, Any]]) -> Done:
    records.permit(uow, entity, "update")
    found = await locked(uow, entity, ids)
    done = Done(refused=await missing(uow, entity, ids, found))
    known = {c["field"]: c for c in changes if c["field"] in entity.fields}
    values = {n: _value(entity, c) for n, c in known.items()}
    check_values(entity, {c["field"]: values.get(c["field"]) for c in changes}, is_new=False)  # rights may have changed
    await check_links(uow, entity, values)
    for record in found.values():
        try:
            mine = {n: _merged(entity, record, c, values[n]) for n, c in known.items()}
            diff = await records.ruled(uow, entity, record, mine)
            await check_links(uow, entity, {n: d[1] for n, d in diff.items() if n not in values})
        except CrmError as refusal:
            done.refuse(record.id, entity, refusal)
            continue
        if not diff:
            done.unchanged += 1
            continue
        columns = records.as_columns(entity, {n: d[1] for n, d in diff.items()}, record.custom)
        done.rows.append(Row(record, columns, {n: d for n, d in diff.items() if n in entity.fields}))
    return done


def _value(entity: Entity, change: Mapping[str, Any]) -> Any:
    raw = change["value"]
    return raw if raw in (None, "", []) else stored.load(entity.fields[change["field"]].kind, raw)


def _merged(entity: Entity, record: Any, change: Mapping[str, Any], value: Any) -> Any:
    """The value that this record gets: a list may be added to or taken from."""
    spec = entity.fields[change["field"]]
    if spec.currency_field and change["currency"] and value is not None:
        own = value_of(entity, record, spec.currency_field)
        if own and own != change["currency"]:
            raise Invalid(**{spec.name: f"is counted in {own} here, and was given in {change['currency']}"})
    if spec.kind is not Kind.choices or change["mode"] == "set":
        return value
    has = value_of(entity, record, spec.name) or []
    if change["mode"] == "add":
        return [*has, *(v for v in value or [] if v not in has)]
    return [v for v in has if v not in (value or [])]


# -- Delete ----------------------------------------------------------------------------------------------------------


async def _deleted(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID]) -> Done:
    records.permit(uow, entity, "delete")
    found = await locked(uow, entity, ids)
    done = Done(refused=await missing(uow, entity, ids, found))
    needed = await records.needed(uow, entity, list(found))
    gone = {"deleted_at": uow.now, "deleted_by_id": uow.actor.user_id}
    for record in found.values():
        try:
            if record.id in needed:
                raise needed[record.id]
            for guard in guards_of(entity.name):
                await guard(uow, Draft(entity, {"deleted_at": uow.now}, before=record))
        except CrmError as refusal:
            done.refuse(record.id, entity, refusal)
            continue
        done.rows.append(Row(record, dict(gone), {}))
    return done


# -- Undo ------------------------------------------------------------------------------------------------------------


async def _put_back(
    uow: UnitOfWork, entity: Entity, undoes_id: UUID, place: int, ids: Sequence[UUID]
) -> tuple[Done, str]:
    """The values from before, for records that nobody changed since: each was good as it was, so no rule looks at it
    again; what it links to must still be there."""
    query = (
        sa.select(_chunks.c.before, _chunks.c.changed_ids, _chunks.c.done_at, _operations.c.kind)
        .join(_operations, sa.and_(_operations.c.tenant_id == _chunks.c.tenant_id, _operations.c.id == undoes_id))
        .where(_chunks.c.operation_id == undoes_id, _chunks.c.place == place)
    )
    was = (await uow.rows(query))[0]
    is_back = was.kind is BulkKind.delete
    records.permit(uow, entity, "delete" if is_back else "update")
    found = await locked(uow, entity, ids, in_trash=True)
    done = Done(refused=await missing(uow, entity, ids, found))
    table = entity.table
    old = {
        i: {n: typed(table.c[n], v) for n, v in columns.items()}
        for i, columns in zip(was.changed_ids, was.before, strict=True)
    }
    gone = await _gone(uow, entity, [{**found[i].__dict__, **old[i]} for i in found])
    names = await _names(uow, {r.updated_by_id for r in found.values()})
    for record in found.values():
        if record.updated_at != was.done_at:
            who = names.get(record.updated_by_id, "Somebody")
            done.refused[record.id] = f"{who} {'deleted' if record.deleted_at else 'changed'} it since."
        elif lost := [n for n, v in old[record.id].items() if v in gone.get(n, ())] or (
            [n for n in gone if entity.fields[n].required and getattr(record, n) in gone[n]] if is_back else []
        ):
            label = registry.get(entity.fields[lost[0]].target).label.lower()
            done.refused[record.id] = f"Its {label} is in the trash. Take that out first."
        else:
            done.rows.append(Row(record, dict(old[record.id]), _told(entity, record, old[record.id])))
    return done, "restored" if is_back else "updated"


async def _gone(uow: UnitOfWork, entity: Entity, rows: Sequence[Mapping[str, Any]]) -> dict[str, set[UUID]]:
    """Ids by link of what is not there any more."""
    found: dict[str, set[UUID]] = {}
    for spec in registry.get(entity.name).fields.values():
        target = registry.find(spec.target) if spec.kind is Kind.link and spec.name in entity.table.c else None
        ids = {r[spec.name] for r in rows if r.get(spec.name) is not None} if target else set()
        if target is None or not ids or spec.name in ("created_by_id", "updated_by_id"):
            continue
        there = sa.select(target.table.c.id).where(
            target.table.c.id == sa.any_(sa.literal(sorted(ids), sa.ARRAY(sa.Uuid()))),
            target.table.c.deleted_at.is_(None),
        )
        if lost := ids - {r.id for r in await uow.rows(there)}:
            found[spec.name] = lost
    return found


async def _names(uow: UnitOfWork, ids: set[UUID | None]) -> dict[UUID, str]:
    users = registry.get("user").table
    wanted = [i for i in ids if i is not None]
    query = sa.select(users.c.id, users.c.name).where(users.c.id == sa.any_(sa.literal(wanted, sa.ARRAY(sa.Uuid()))))
    return {r.id: r.name for r in await uow.rows(query)}


def _told(entity: Entity, record: Any, old: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The step back as a diff of fields."""
    diff = {n: [getattr(record, n), v] for n, v in old.items() if n in entity.fields and n != "deleted_at"}
    if "custom" in old:
        for spec in (s for s in entity.fields.values() if s.custom and not s.formula):
            now, then = (stored.load(spec.kind, (c or {}).get(spec.key)) for c in (record.custom, old["custom"]))
            if now != then:
                diff[spec.name] = [now, then]
    return diff
