"""The check of all rows in the background: the plan it makes is kept, and the run does that plan."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportJob, JobStatus
from crm_app.services.platform import schema
from crm_app.services.platform.imports import jobs, keeping, outline, planning
from crm_app.services.platform.imports.report import Report
from crm_app.services.platform.imports.rows import Problem
from crm_app.store.uow import UnitOfWork, unit_of_work

_jobs = table_of(ImportJob)
_NAMED = 200  # problems that are told one by one where there is no page to turn
_GROUPS = 100  # kinds of problems that are told with their count


@dataclass
class Progress:
    """Filled by the work, read by whoever tells it."""

    text: str = "Reading the files"
    done: int = 0
    total: int = 0


async def check(actor: Actor, job_id: UUID, folder: Path, files: Path, progress: Progress) -> bool:
    """Plan all rows and keep plan and report. True when the choices were changed meanwhile."""
    async with unit_of_work(actor) as uow:
        job = await _read(uow, job_id)
        document, revision, name = job.document, job.revision, job.name
        mapping = outline.mapping_of(document, name, await schema.entities_of(uow))
        progress.total = len(mapping.steps)

        def told(line: str) -> None:
            progress.text, progress.done = line, min(progress.done + 1, progress.total)

        plan = await planning.plan(uow, mapping, files, told=told, read=keeping.table)
    progress.text = "Writing down what was found"
    await asyncio.to_thread(keeping.save, plan, folder)
    report = _told(plan.report)
    async with unit_of_work(actor) as uow:
        job = await _read(uow, job_id)
        if job.status is not JobStatus.checking:
            return False
        job.report, job.checked, job.updated_at = report, revision, uow.now
        if job.revision != revision:
            return True
        job.status = JobStatus.checked
        await uow.flush()
        if job.wanted == "run":
            await jobs.run(uow, job_id)
    return False


async def tell(uow: UnitOfWork, job_id: UUID, text: str, done: int, total: int) -> str:
    """Write down how far the check is; what the person wants of it comes back."""
    job = await _read(uow, job_id)
    if job.status is JobStatus.checking:
        job.progress = {"text": text, "done": done, "total": total}
    return job.wanted if job.status is not JobStatus.closed else "cancel"


async def fail(uow: UnitOfWork, job_id: UUID, error: str, status: JobStatus) -> None:
    """Why the work has ended; a person decides what comes next. A run that wrote nothing leads back to the check."""
    job = await _read(uow, job_id)
    if status is JobStatus.failed and not job.place:
        status, job.checked = JobStatus.draft, -1
    if job.status is not JobStatus.closed:
        job.status, job.error, job.wanted, job.updated_at = status, error[:2000], "", uow.now


async def _read(uow: UnitOfWork, job_id: UUID) -> ImportJob:
    jobs.allowed(uow.actor)
    query = sa.select(ImportJob).where(_jobs.c.id == job_id, _jobs.c.user_id == uow.actor.user_id).with_for_update()
    job: ImportJob | None = await uow.scalar(query)
    if job is None:
        raise NotFound("This import is not known any more.")
    return job


def _told(report: Report) -> dict[str, Any]:
    """What the page shows: numbers and kinds of problems. All problems lie beside the plan."""
    steps = []
    for step in report.steps:
        about = step.as_json()
        about["problems"] = about["problems"][:_NAMED]
        about["doubles"] = []
        about["bands"] = dict(Counter(d.band.value for d in step.doubles))
        about["groups"] = list(_groups(step.problems))
        steps.append(about)
    found: dict[str, Any] = json.loads(json.dumps({"name": report.name, "steps": steps}, default=str))
    return found


def _groups(problems: Iterable[Problem]) -> Iterable[dict[str, Any]]:
    """Problems that are one: the same value wrong in the same way."""
    counts = Counter((p.column, p.value, p.message, p.remedy) for p in problems if not p.is_duplicate)
    for (column, value, message, remedy), count in counts.most_common(_GROUPS):
        yield {"column": column, "value": value, "message": message, "remedy": remedy, "count": count}
