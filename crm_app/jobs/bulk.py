"""Changes of many records, worked off chunk by chunk; progress is told to open screens after each."""

import logging
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError
from crm_app.jobs.acting import acting
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import table_of
from crm_app.models.platform.bulk import BulkOperation, BulkStatus
from crm_app.services.platform import bulk_chunks, notifications
from crm_app.services.platform.bulk_operations import WORK
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.store.queue import Backoff, queue
from crm_app.store.uow import UnitOfWork, is_passing, retrying, signal, unit_of_work

log = logging.getLogger(__name__)
_operations = table_of(BulkOperation)
_BROKEN = "Something went wrong on our side. What is done stays; you can go on or undo it."


@queue.task(name=WORK, retry=Backoff())
async def work_bulk(tenant_id: str, operation_id: str) -> None:
    """All chunks that are left. Beginning anew does no harm: a chunk is done once."""
    tenant, operation = UUID(tenant_id), UUID(operation_id)

    async def step(uow: UnitOfWork) -> bool:
        return await bulk_chunks.step(uow, operation)

    error = ""
    try:
        while await retrying(await _actor(tenant, operation), step):
            await _tell(tenant, operation)
    except CrmError as refusal:  # whoever began it may not go on
        error = str(refusal)
    except Exception as failure:
        if is_passing(failure):
            raise
        log.exception("the bulk operation %s of workspace %s stopped", operation_id, tenant_id)
        error = _BROKEN
    async with unit_of_work(system_actor(tenant)) as uow:
        await bulk_chunks.end(uow, operation, error=error)
        await _notify(uow, operation)
    await _tell(tenant, operation)


async def _actor(tenant: UUID, operation: UUID) -> Actor:
    columns = [_operations.c[n] for n in ("user_id", "source", "ip", "user_agent")]
    async with unit_of_work(system_actor(tenant)) as uow:
        began = (await uow.execute(sa.select(*columns).where(_operations.c.id == operation))).mappings().one()
    return await acting(tenant, began)


async def _notify(uow: UnitOfWork, operation: UUID) -> None:
    """For whoever has left the list meanwhile."""
    found = (await uow.execute(sa.select(_operations).where(_operations.c.id == operation))).mappings().one()
    entity = registry.get(found["entity"])
    if found["status"] is BulkStatus.running:
        return
    title = f"{found['changed']:,} of {found['total']:,} {entity.plural.lower()} changed"
    title += f", {found['blocked']:,} blocked" if found["blocked"] else ""
    key = f"bulk:{operation}:{found['moved_at']:%d%H%M%S}"
    await notifications.notify(uow, found["user_id"], JOB_DONE, title=title, href=f"/{entity.slug}", key=key)


async def _tell(tenant: UUID, operation: UUID) -> None:
    await signal(system_actor(tenant), WORK, {"id": str(operation)})
