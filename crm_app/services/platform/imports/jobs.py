"""Imports on their way: chosen step by step, checked and run in the background, each the sender's alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.context import Actor, Source
from crm_app.core.errors import Conflict, Forbidden, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.imports import ImportJob, JobStatus
from crm_app.services.platform import schema
from crm_app.services.platform.imports import outline
from crm_app.services.platform.imports.outline import Document
from crm_app.services.platform.imports.rules import rules_of
from crm_app.store import queue, uploads
from crm_app.store.uow import UnitOfWork

CHECK, RUN = "check_import", "run_import"  # tasks of the queue
TOPIC = "import_job"  # what open screens hear
_jobs = table_of(ImportJob)
_FIRST = ("account", "contact", "opportunity", "activity", "product")
_KEPT = timedelta(days=1)
_REMEMBERED = timedelta(days=30)
OPEN = (JobStatus.draft, JobStatus.checking, JobStatus.checked)  # may be changed
BUSY = (JobStatus.waiting, JobStatus.running, JobStatus.stopping)


@dataclass(frozen=True, slots=True)
class JobView:
    """`is_checked`: the report is about what is chosen now. `percent` is -1 while nobody knows."""

    id: UUID
    name: str
    status: JobStatus
    document: Document
    report: dict[str, Any]
    progress: dict[str, Any]
    error: str
    wanted: str
    is_checked: bool
    revision: int

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def allowed(actor: Actor) -> list[str]:
    """The entities this actor may import; Forbidden when there is none."""
    found = []
    for entity in registry.all_entities():
        permission = rules_of(entity.name).permission
        if actor.can(permission or f"{entity.name}.import") and (permission or not entity.is_managed):
            found.append(entity.name)
    if not found:
        raise Forbidden(
            "Your role does not let you import records. An admin can change that under Settings, Roles.",
            permission="account.import",
        )
    return sorted(found, key=lambda n: (_FIRST.index(n) if n in _FIRST else len(_FIRST), registry.get(n).plural))


def folder_of(actor: Actor, job_id: UUID) -> Path:
    """Where the plan of a job is kept."""
    return uploads.home(actor) / job_id.hex / "plan"


async def open_one(uow: UnitOfWork) -> JobView | None:
    """The actor's import that is under way, or was just finished and not put away."""
    allowed(uow.actor)
    query = (
        sa.select(ImportJob)
        .where(_by_hand(uow.actor), _jobs.c.status != JobStatus.closed, _jobs.c.updated_at > uow.now - _KEPT)
        .order_by(_jobs.c.created_at.desc())
        .limit(1)
    )
    job = await uow.scalar(query)
    return None if job is None else _view(job)


def _by_hand(actor: Actor) -> sa.ColumnElement[bool]:
    """One's own imports, without those of one's programs."""
    return sa.and_(_jobs.c.user_id == actor.user_id, sa.not_(_jobs.c.document.has_key("rights")))


async def read(uow: UnitOfWork, job_id: UUID) -> JobView:
    return _view(await _mine(uow, job_id))


async def start(uow: UnitOfWork, *, document: Document | None = None) -> JobView:
    """A new import without a file yet: the result of the one before was read. A program's is kept to what its key may
    do."""
    allowed(uow.actor)
    if uow.actor.user_id is None:
        raise Forbidden("Only a person, or a program of one, can import.")
    chosen = dict(document or outline.EMPTY)
    if uow.actor.source is Source.api:
        chosen["rights"] = sorted(uow.actor.permissions)
    else:
        read_ones = sa.and_(_by_hand(uow.actor), _jobs.c.status == JobStatus.done)
        await uow.execute(sa.update(_jobs).where(read_ones).values(status=JobStatus.closed))
    job = ImportJob(
        id=new_id(), user_id=uow.actor.user_id, document=chosen, created_at=uow.now, updated_at=uow.now,
        progress={"text": "", "done": 0, "total": 0},
    )  # fmt: skip
    uow.add(job)
    await uow.flush()
    return _view(job)


async def change(uow: UnitOfWork, job_id: UUID, edit: Callable[[Document], Document]) -> JobView:
    """Another choice: what was checked before says nothing any more. Conflict while it is being written."""
    job = await _mine(uow, job_id, lock=True)
    if job.status not in OPEN:
        raise Conflict("This import is under way or done; its choices stand.")
    job.document = edit(job.document)
    job.name = _name(job.document)
    job.revision += 1
    job.error = ""
    if job.status is JobStatus.checked:
        job.status = JobStatus.draft
    job.updated_at = uow.now
    await uow.flush()
    return _view(job)


def _name(document: Document) -> str:
    files = list(dict.fromkeys(s["file"] for s in document["sources"]))
    return (files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more" if files else "")[:200]


async def check(uow: UnitOfWork, job_id: UUID, *, run_after: bool = False) -> JobView:
    """Have all rows checked in the background; Invalid when something is still to be chosen."""
    job = await _mine(uow, job_id, lock=True)
    if job.status not in OPEN:
        raise Conflict("This import is under way or done already.")
    _permit(uow.actor, outline.mapping_of(job.document, job.name, await schema.entities_of(uow)))
    if job.status is not JobStatus.checking:
        job.status, job.error, job.wanted = JobStatus.checking, "", "run" if run_after else ""
        job.progress = {"text": "Waiting for its turn", "done": 0, "total": 0}
        job.updated_at = uow.now
        await uow.flush()
        await _defer(uow, CHECK, job)
    return _view(job)


def _permit(actor: Actor, mapping: Any) -> None:
    may = allowed(actor)
    for step in mapping.steps:
        if step.entity.name not in may:
            raise Forbidden(
                f"Your role does not let you import {step.entity.plural.lower()}. An admin can change that.",
                permission=f"{step.entity.name}.import",
            )


async def run(uow: UnitOfWork, job_id: UUID) -> JobView:
    """Write what the check announced. Conflict when something was changed since."""
    job = await _mine(uow, job_id, lock=True)
    if job.status is not JobStatus.checked or job.checked != job.revision:
        raise Conflict("Check all rows first: something was changed since the last check.")
    job.status, job.wanted, job.error, job.place = JobStatus.waiting, "", "", []
    job.progress = {"text": "Waiting for its turn", "done": 0, "total": 0}
    job.updated_at = uow.now
    await uow.flush()
    await _defer(uow, RUN, job)
    return _view(job)


async def pause(uow: UnitOfWork, job_id: UUID) -> JobView:
    """After the rows that are being written just now; what was written stays."""
    job = await _mine(uow, job_id, lock=True)
    if job.status not in (JobStatus.waiting, JobStatus.running):
        raise Conflict("This import is not running.")
    job.wanted, job.updated_at = "pause", uow.now
    await uow.flush()
    return _view(job)


async def resume(uow: UnitOfWork, job_id: UUID) -> JobView:
    """Go on behind the last row that was written; also after a failure."""
    job = await _mine(uow, job_id, lock=True)
    if job.status not in (JobStatus.paused, JobStatus.failed):
        raise Conflict("This import is not paused.")
    job.status, job.wanted, job.error, job.updated_at = JobStatus.waiting, "", "", uow.now
    await uow.flush()
    await _defer(uow, RUN, job)
    return _view(job)


async def cancel(uow: UnitOfWork, job_id: UUID) -> JobView:
    """Stop; what was written is taken back. An import that writes nothing yet is put away."""
    job = await _mine(uow, job_id, lock=True)
    if job.status in (JobStatus.waiting, JobStatus.running):
        job.wanted = "cancel"
    elif job.status in (JobStatus.paused, JobStatus.failed):
        job.status, job.wanted = JobStatus.stopping, "cancel"
        await _defer(uow, RUN, job)
    elif job.status is not JobStatus.stopping:
        job.wanted = "cancel" if job.status is JobStatus.checking else ""
        job.status = JobStatus.closed
    job.updated_at = uow.now
    await uow.flush()
    return _view(job)


async def sweep(uow: UnitOfWork) -> None:
    """What was chosen for imports that ended a month ago, or were left lying; their batches stay."""
    running = (*BUSY, JobStatus.paused, JobStatus.failed)
    old = sa.and_(_jobs.c.updated_at < uow.now - _REMEMBERED, _jobs.c.status.not_in(running))
    await uow.execute(sa.delete(_jobs).where(old))


async def _defer(uow: UnitOfWork, task: str, job: ImportJob) -> None:
    await queue.defer(
        await uow.driver(), task, lock=f"import:{job.id}", tenant_id=str(uow.actor.tenant_id), job_id=str(job.id)
    )


async def _mine(uow: UnitOfWork, job_id: UUID, *, lock: bool = False) -> ImportJob:
    """NotFound for everybody but its sender."""
    allowed(uow.actor)
    query = sa.select(ImportJob).where(_jobs.c.id == job_id, _jobs.c.user_id == uow.actor.user_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    job: ImportJob | None = await uow.scalar(query)
    if job is None:
        raise NotFound("This import is not known any more.")
    return job


def _view(job: ImportJob) -> JobView:
    return JobView(
        id=job.id, name=job.name, status=job.status, document=job.document, report=job.report, progress=job.progress,
        error=job.error, wanted=job.wanted, is_checked=job.checked == job.revision and bool(job.report),
        revision=job.revision,
    )  # fmt: skip


def limited(actor: Actor, document: Document) -> Actor:
    """The actor with no more rights than the program had that started the import."""
    rights = document.get("rights")
    if rights is None:
        return actor
    stored = frozenset(rights)
    kept = actor.permissions if "*" in stored else stored if "*" in actor.permissions else stored & actor.permissions
    return replace(actor, permissions=kept)
