"""Files with many rows, written in the background; how far they are is told to open screens. Files that are not wanted
any more go where they lie."""

import logging
import time
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import CrmError
from crm_app.integrations.files import exported, key_of
from crm_app.jobs.acting import acting
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import table_of
from crm_app.models.platform.exports import ExportFile
from crm_app.services.platform import export_keeping, exporting, notifications
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.store.queue import Backoff, queue
from crm_app.store.uow import is_passing, signal, unit_of_work

log = logging.getLogger(__name__)
_files = table_of(ExportFile)
_EVERY = 0.4  # seconds between two words of progress
_YOUNG = timedelta(days=1)  # its row may still be on the way
_SOME = 500
_BROKEN = "Something went wrong on our side. Export it anew; if it fails again, tell your admin."


@queue.task(name=exporting.WORK, retry=Backoff())
async def write_export(tenant_id: str, export_id: str) -> None:
    """One file. Beginning anew does no harm: it is there when it is whole."""
    tenant, export = UUID(tenant_id), UUID(export_id)
    began = sa.select(_files.c.user_id, _files.c.ip, _files.c.user_agent).where(_files.c.id == export)
    async with unit_of_work(system_actor(tenant)) as uow:
        row = (await uow.execute(began)).mappings().one_or_none()
    if row is None:
        log.info("the export %s is not wanted any more", export_id)
        return
    said = [time.monotonic()]

    async def told(rows: int) -> None:
        if time.monotonic() - said[0] >= _EVERY:
            said[0] = time.monotonic()
            await signal(system_actor(tenant), exporting.WORK, {"id": export_id, "rows": rows})

    error = ""
    try:
        actor = await acting(tenant, row)
        made = await export_keeping.keep(actor, export, told=told)
        title = f"{made.name} is ready: {made.rows:,} rows"
        async with unit_of_work(actor) as uow:
            await notifications.notify(
                uow, row["user_id"], JOB_DONE, title=title, href="/exports", key=f"export:{export_id}"
            )
    except CrmError as refusal:  # whoever asked for it may not have it any more
        error = str(refusal)
    except Exception as failure:
        if is_passing(failure) and not isinstance(failure, OSError):
            raise
        log.exception("the export %s of workspace %s failed", export_id, tenant_id)
        error = _BROKEN
    if error:
        async with unit_of_work(system_actor(tenant)) as uow:
            await exporting.fail(uow, export, error)
    await signal(system_actor(tenant), exporting.WORK, {"id": export_id, "rows": 0})


@queue.task(name=exporting.FORGET, retry=Backoff(attempts=4))
async def forget_exports(tenant_id: str, ids: list[str]) -> None:
    """Delete these files, and those that no row tells of: the process that wrote them died half way."""
    tenant = UUID(tenant_id)
    await exported().delete([key_of(tenant, UUID(i)) for i in ids])
    since = utcnow() - _YOUNG
    old = [UUID(kept.key.partition("/")[2]) async for kept in exported().listed(tenant) if kept.changed_at < since]
    for start in range(0, len(old), _SOME):
        async with unit_of_work(system_actor(tenant)) as uow:
            lost = await exporting.unknown(uow, old[start : start + _SOME])
        await exported().delete([key_of(tenant, i) for i in lost])
