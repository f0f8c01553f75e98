"""A checked import written bit by bit: each bit in a transaction of its own that also says how far it is.

So it can be paused, cancelled, and go on after a crash exactly where it was; nobody waits for longer than one bit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Conflict, NotFound
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportBatch, ImportedRows, ImportJob, ImportStatus, JobStatus
from crm_app.services.platform.imports import following, keeping, planning, reverting, writing
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.planning import PlannedStep
from crm_app.store.uow import UnitOfWork

BIT = 5_000  # rows
_jobs, _batches, _rows = table_of(ImportJob), table_of(ImportBatch), table_of(ImportedRows)


@dataclass(frozen=True, slots=True)
class Bit:
    """Rows of one step from `start`, in the order creates, updates; without rows: what follows for other records."""

    step: int
    start: int
    length: int


@dataclass(frozen=True)
class Written:
    """`is_over`: nothing more is to be done, or may be done now."""

    status: JobStatus
    done: int
    total: int
    text: str

    @property
    def is_over(self) -> bool:
        return self.status is not JobStatus.running


class Run:
    """The plan of one job, read from its folder once. Blocking to make; NotFound when the plan was swept."""

    def __init__(self, job_id: UUID, folder: Path) -> None:
        self.job_id = job_id
        try:
            self.steps = keeping.steps(folder)
            self.marks = keeping.marks(folder)
        except FileNotFoundError as error:
            raise NotFound("The files of this import are not here any more: they are kept for a day.") from error
        self.bits = list(self._bits())
        self.total = sum(b.length for b in self.bits)

    def _bits(self) -> Iterator[Bit]:
        for number, step in enumerate(self.steps):
            rows = step.creates.height + step.updates.height
            # A link among the new records themselves holds only when all of them are there: one bit then.
            size = max(1, rows) if writing.points_to_itself(step, step.creates) else BIT
            for start in range(0, rows, size):
                yield Bit(number, start, min(size, rows - start))
            if rows:
                yield Bit(number, rows, 0)

    async def write_next(self, uow: UnitOfWork) -> Written:
        """The next bit, or what the person asked for meanwhile. `uow` is silent and runs as writing.importer; its `now`
        is the moment the batch began (`begun`)."""
        job = await uow.scalar(sa.select(ImportJob).where(_jobs.c.id == self.job_id).with_for_update())
        if job is None or job.status not in (JobStatus.waiting, JobStatus.running):
            return self._told(job.status if job else JobStatus.closed, job)
        if job.wanted in ("pause", "cancel"):
            job.status = JobStatus.paused if job.wanted == "pause" else JobStatus.stopping
            return self._told(job.status, job)
        await uow.execute(planning.BULK)
        await writing.alone(uow)
        place = job.place[0] if job.place else 0
        if not job.place:
            await self._begin(uow, job)
        if place < len(self.bits):
            await self._write(uow, self.bits[place])
            place += 1
        job.place = [place]
        job.status = JobStatus.done if place >= len(self.bits) else JobStatus.running
        told = self._told(job.status, job)
        job.progress = {"text": told.text, "done": told.done, "total": told.total}
        if job.status is JobStatus.done:
            await self._end(uow, job)
        await uow.flush()
        return told

    def _told(self, status: JobStatus, job: ImportJob | None) -> Written:
        place = job.place[0] if job is not None and job.place else 0
        done = sum(b.length for b in self.bits[:place])
        at = self.bits[min(place, len(self.bits) - 1)].step if self.bits else 0
        name = self.steps[at].report.name if self.steps else ""
        return Written(status, done, self.total, f"Writing {name}")

    async def _begin(self, uow: UnitOfWork, job: ImportJob) -> None:
        now = await planning.marks(uow, set(self.marks))
        if {n: [str(v) for v in m] for n, m in now.items()} != self.marks:
            job.checked = -1
            raise Conflict("The data changed since the check. Check all rows again: it takes a moment.")
        report = {"name": job.name, "steps": [_plain(s) for s in self.steps]}
        uow.add(
            ImportBatch(
                id=job.id, name=job.name, status=ImportStatus.running, mapping={"document": job.document},
                report=report, user_id=uow.actor.user_id, created_at=uow.now,
            )
        )  # fmt: skip
        await uow.flush()

    async def _write(self, uow: UnitOfWork, bit: Bit) -> None:
        step = self.steps[bit.step]
        if not bit.length:
            await following.after_writing(uow, step)
            uow.changed_many(step.entity.name)
            return
        part = _part(step, bit)
        await writing.write_part(uow, self.job_id, bit.step, part)

    async def _end(self, uow: UnitOfWork, job: ImportJob) -> None:
        """Counted again in the tables: what is missing now somebody has removed meanwhile."""
        counted = 0
        for step in {s.entity.name: s.entity for s in self.steps}.values():
            mine = (
                sa.select(sa.func.unnest(_rows.c.record_ids).label("id"))
                .where(_rows.c.batch_id == job.id, _rows.c.entity == step.name)
                .subquery()
            )
            found = sa.select(sa.func.count()).select_from(step.table.join(mine, step.table.c.id == mine.c.id))
            counted += int(await uow.scalar(found) or 0)
        batch = await uow.get(ImportBatch, job.id)
        batch.status, batch.finished_at = ImportStatus.done, uow.now
        batch.report = batch.report | {"counted": counted}
        job.report = job.report | {"counted": counted}


def _plain(step: PlannedStep) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(json.dumps(step.report.as_json(), default=str))
    return about


def _part(step: PlannedStep, bit: Bit) -> PlannedStep:
    """The step with these rows alone, and the children of its new ones."""
    creates = step.creates.slice(bit.start, bit.length)
    left = bit.length - creates.height
    begin = max(0, bit.start - step.creates.height)
    updates = step.updates.slice(begin, left) if left else step.updates.clear()
    children = {}
    for model, frame in step.children.items():
        link = next(c for t, c in reverting.pointing_at(step.entity.table) if t is table_of(model))
        children[model] = frame.filter(frame[link].is_in(creates["id"].implode()))
    return replace(
        step, creates=creates, updates=updates if left else pl.DataFrame(), before=step.before[begin : begin + left],
        children=children,
    )  # fmt: skip


async def take_back(uow: UnitOfWork, job_id: UUID) -> None:
    """What a cancelled import has written so far; `uow` as reverting.revert wants it."""
    uow.require("import.revert")
    job = await uow.scalar(sa.select(ImportJob).where(_jobs.c.id == job_id).with_for_update())
    if job is None or job.status is not JobStatus.stopping:
        raise NotFound("This import is not being cancelled.")
    if await uow.scalar(sa.select(_batches.c.id).where(_batches.c.id == job_id)) is not None:
        await reverting.revert(uow, job_id)
    job.status, job.wanted = JobStatus.closed, ""
