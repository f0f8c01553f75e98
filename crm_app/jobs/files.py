"""Attached files that nobody can reach any more: forgotten in the database first, then where they lie."""

import logging
from datetime import timedelta
from uuid import UUID

from crm_app.core.clock import utcnow
from crm_app.core.jobs import every
from crm_app.integrations.files import files, key_of
from crm_app.jobs.delivery import system_actor
from crm_app.services.platform import attachments
from crm_app.store.queue import Backoff, defer, queue
from crm_app.store.uow import UnitOfWork, unit_of_work

log = logging.getLogger(__name__)
TIDY = "tidy_files"
_YOUNG = timedelta(days=1)  # its row may still be on the way
_SOME = 500


@every("53 3 * * *")
async def sweep_files(uow: UnitOfWork) -> None:
    """What was long enough in the trash, and what hung on records that are gone for good."""
    ids: list[str] = []
    while found := await attachments.purge(uow):
        ids += map(str, found)
    await defer(await uow.driver(), TIDY, tenant_id=str(uow.actor.tenant_id), ids=ids)


@queue.task(name=TIDY, retry=Backoff(attempts=4))
async def tidy_files(tenant_id: str, ids: list[str]) -> None:
    """Delete the content of these files, and of those that no row tells of: their request died half way."""
    tenant = UUID(tenant_id)
    await files().delete([key_of(tenant, UUID(i)) for i in ids])
    since = utcnow() - _YOUNG
    old = [UUID(kept.key.partition("/")[2]) async for kept in files().listed(tenant) if kept.changed_at < since]
    lost: list[UUID] = []
    for start in range(0, len(old), _SOME):
        async with unit_of_work(system_actor(tenant)) as uow:
            lost += await attachments.unknown(uow, old[start : start + _SOME])
    if lost:
        log.warning("%s files of workspace %s belong to nothing and are deleted", len(lost), tenant)
        await files().delete([key_of(tenant, i) for i in lost])
