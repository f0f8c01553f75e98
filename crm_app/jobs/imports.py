"""Imports in the background: the check of all rows, and the run, bit by bit."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.errors import CrmError, NotFound
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportBatch, ImportJob, JobStatus
from crm_app.services.people import actors
from crm_app.services.platform import notifications
from crm_app.services.platform.imports import checking, jobs, running, writing
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.store import uploads
from crm_app.store.queue import queue
from crm_app.store.uow import signal, unit_of_work

log = logging.getLogger(__name__)
_EVERY = 0.4  # seconds between two words of progress
_jobs, _batches = table_of(ImportJob), table_of(ImportBatch)


@dataclass(frozen=True)
class _Mine:
    actor: Actor
    job_id: UUID

    @property
    def folder(self) -> Path:
        return jobs.folder_of(self.actor, self.job_id)


@queue.task(name=jobs.CHECK)
async def check_import(tenant_id: str, job_id: str) -> None:
    """Until the report is about what is chosen: a person may change something meanwhile."""
    mine = await _mine(UUID(tenant_id), UUID(job_id), JobStatus.checking)
    while mine is not None and await _check_once(mine):
        mine = await _mine(UUID(tenant_id), UUID(job_id), JobStatus.checking)


async def _check_once(mine: _Mine) -> bool:
    """True when it must be looked at again."""
    progress = checking.Progress()
    work = asyncio.create_task(checking.check(mine.actor, mine.job_id, mine.folder, uploads.home(mine.actor), progress))
    try:
        while not (await asyncio.wait({work}, timeout=_EVERY))[0]:
            async with unit_of_work(mine.actor) as uow:
                wanted = await checking.tell(uow, mine.job_id, progress.text, progress.done, progress.total)
            if wanted == "cancel":
                work.cancel()
                return False
            await _tell(mine)
        return work.result()
    except CrmError as refusal:
        await _fail(mine, str(refusal), JobStatus.draft)
        return False
    except Exception:  # the edge of the job: logged, and told to whoever waits at the page
        log.exception("the check of import %s failed", mine.job_id)
        await _fail(
            mine, "The check failed on our side. Try again; an admin finds the reason in the log.", JobStatus.draft
        )
        return False
    finally:
        work.cancel()
        await _tell(mine)


@queue.task(name=jobs.RUN)
async def run_import(tenant_id: str, job_id: str) -> None:
    """Goes on where it was: each bit says in its own transaction how far the import is."""
    mine = await _mine(UUID(tenant_id), UUID(job_id), JobStatus.waiting, JobStatus.running, JobStatus.stopping)
    if mine is None:
        return
    try:
        await _run(mine)
    except CrmError as refusal:
        await _fail(mine, str(refusal), JobStatus.failed)
    except Exception:  # as above; what was written stays written down with the import
        log.exception("import %s failed", mine.job_id)
        await _fail(mine, "Writing failed on our side; an admin finds the reason in the log.", JobStatus.failed)
    finally:
        await _tell(mine)
    await _notify(mine)


async def _run(mine: _Mine) -> None:
    as_importer = writing.importer(mine.actor)
    run = await asyncio.to_thread(running.Run, mine.job_id, mine.folder)
    begun = await _begun(mine)
    status = JobStatus.running
    while status is JobStatus.running:
        async with unit_of_work(as_importer, now=begun, silent=True) as uow:
            begun = begun or uow.now
            status = (await run.write_next(uow)).status
        await _tell(mine)
    if status is JobStatus.stopping:
        # Whoever may start an import may stop it: taking back what it wrote so far takes no right of its own.
        may = replace(as_importer, permissions=as_importer.permissions | {"import.revert"})
        async with unit_of_work(may, silent=True) as uow:
            await running.take_back(uow, mine.job_id)


async def _begun(mine: _Mine) -> datetime | None:
    """All bits of a batch bear one moment: by it is told what was changed since."""
    async with unit_of_work(mine.actor) as uow:
        found: datetime | None = await uow.scalar(sa.select(_batches.c.created_at).where(_batches.c.id == mine.job_id))
        return found


async def _mine(tenant_id: UUID, job_id: UUID, *wanted: JobStatus) -> _Mine | None:
    """The job with its sender as of now; None when it is not to be worked on any more."""
    async with unit_of_work(system_actor(tenant_id)) as uow:
        found = await uow.rows(sa.select(_jobs.c.user_id, _jobs.c.document, _jobs.c.status).where(_jobs.c.id == job_id))
    if not found or found[0].status not in wanted:
        return None
    try:
        actor = await actors.actor_for(tenant_id, found[0].user_id, source=Source.job)
    except NotFound:  # disabled meanwhile: nobody imports for them
        log.info("import %s has lost its sender", job_id)
        return None
    return _Mine(jobs.limited(actor, found[0].document), job_id)


async def _fail(mine: _Mine, error: str, status: JobStatus) -> None:
    async with unit_of_work(mine.actor) as uow:
        await checking.fail(uow, mine.job_id, error, status)


async def _notify(mine: _Mine) -> None:
    """For whoever has left the page meanwhile: it is in, or it is not and why."""
    columns = [_jobs.c[n] for n in ("name", "status", "error")]
    async with unit_of_work(mine.actor) as uow:
        found = (await uow.rows(sa.select(*columns).where(_jobs.c.id == mine.job_id)))[0]
        if found.status not in (JobStatus.done, JobStatus.failed):
            return
        assert mine.actor.user_id is not None, "an import is somebody's"
        name = found.name or "Your import"
        title = f"{name} is imported" if found.status is JobStatus.done else f"{name} was not imported"
        await notifications.notify(
            uow, mine.actor.user_id, JOB_DONE, title=title, text=found.error, href="/import",
            key=f"import:{mine.job_id}:{found.status.value}",
        )  # fmt: skip


async def _tell(mine: _Mine) -> None:
    await signal(mine.actor, jobs.TOPIC, {"id": str(mine.job_id), "user": str(mine.actor.user_id)})
