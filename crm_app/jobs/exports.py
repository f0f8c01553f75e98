"""Files with many rows, written in the background; how far they are is told to open screens."""

import logging
import time
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import CrmError
from crm_app.jobs.acting import acting
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import table_of
from crm_app.models.platform.exports import ExportFile
from crm_app.services.platform import exporting, notifications
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.store.queue import Backoff, queue
from crm_app.store.uow import is_passing, signal, unit_of_work

log = logging.getLogger(__name__)
_files = table_of(ExportFile)
_EVERY = 0.4  # seconds between two words of progress
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
        async with unit_of_work(await acting(tenant, row)) as uow:
            made = await exporting.make(uow, export, told=told)
            title = f"{made.name} is ready: {made.rows:,} rows"
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
