"""The import wizard: files and what they hold, columns matched to fields, the check of all rows, the run.

All of it is kept in the database (services.platform.imports.jobs): a page that is loaded anew, or whose server started
anew, shows the import as it stands.
"""

from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Forbidden, Invalid, NotFound
from crm_app.models.platform.imports import JobStatus
from crm_app.services.platform import schema
from crm_app.services.platform.imports import adding, jobs, matching, outline, suggesting
from crm_app.services.platform.imports.jobs import JobView
from crm_app.services.platform.imports.outline import Document, Source
from crm_app.state.base import AppState, id_of, internal
from crm_app.state.live import next_batch
from crm_app.state.platform import import_words as words
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.state.presence import BEAT
from crm_app.store import uploads
from crm_app.store.live import Signal, hub
from crm_app.store.uow import UnitOfWork, unit_of_work

FILE, MATCH, RUN, DONE = "file", "match", "run", "done"
_RUNS = (JobStatus.waiting, JobStatus.running, JobStatus.paused, JobStatus.stopping)
_AT_ONCE = 20_000  # rows up to which every change is checked at once
_MANY = 15  # columns, of which those that are left out stand apart
NO_JOB: dict[str, Any] = {
    "id": "", "name": "", "status": "", "text": "", "percent": -1, "is_checked": False, "button": "", "writes": 0,
}  # fmt: skip
_SURE = {"exact": "By its name", "alike": "Looks like it, please check", "chosen": "Chosen", "preset": "As kept"}


def _refresh(name: str = "refresh") -> Any:
    """The rows below (import_grid), by name: that state stands on this one."""
    grid = next(c for c in ImportState.get_substates() if c.__name__ == "ImportGrid")
    return getattr(grid, name)


class ImportState(AppState):
    """`sources` are the files and sheets, `columns` those of the `current` one."""

    phase: str = FILE
    refused: str = ""
    error: str = ""
    reading: str = ""  # the file that is being looked at
    job: dict[str, Any] = NO_JOB
    sources: list[dict[str, Any]] = []
    current: str = ""
    columns: list[dict[str, Any]] = []
    entities: list[dict[str, str]] = []
    fields: list[dict[str, str]] = []
    pipelines: list[dict[str, str]] = []
    stages: list[dict[str, str]] = []
    options: dict[str, Any] = {**outline.OPTIONS, "can_create": False, "left_out": 0}
    report: dict[str, Any] = words.NO_REPORT
    result: dict[str, Any] = words.NO_RESULT
    _seen: tuple[str, int, str, bool] | None = None

    @rx.event
    async def load(self):
        """Opened, or come back to."""
        actor = await self.actor()
        try:
            allowed = jobs.allowed(actor)
        except Forbidden as refusal:
            self.refused = str(refusal)
            return None
        self.refused, self._seen = "", None
        self.entities = [{"value": n, "label": words.label(n)} for n in allowed]
        await self.show(actor)
        return ImportState.watch

    @rx.event(background=True)
    async def watch(self):
        """Follow the work in the background, wherever it runs."""
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"import:{token}", (Signal,)) as messages:
            batch: list[Any] | None = []  # what was told before this listened is looked at too
            while batch is not None:
                mine = [m for m in batch if m.topic == jobs.TOPIC and m.body.get("user") == str(actor.user_id)]
                if mine or self.phase in (RUN, MATCH):
                    async with self:
                        actor = await self.actor()
                        before = self.job
                        await self.show(actor)
                        changed = before != self.job
                    if changed:
                        yield _refresh()
                        if self.phase == DONE and before["status"] != JobStatus.done:
                            yield ImportsMade.load
                batch = await next_batch(messages, BEAT)

    @internal
    async def show(self, actor: Actor) -> None:
        """The import as it stands."""
        async with unit_of_work(actor) as uow:
            await self.show_job(uow, await jobs.open_one(uow))

    @internal
    async def show_job(self, uow: UnitOfWork, job: JobView | None) -> None:
        if job is None or not job.document["sources"]:
            self.phase, self.job, self.sources, self.columns, self.current = FILE, NO_JOB, [], [], ""
            self.report, self.result, self._seen = words.NO_REPORT, words.NO_RESULT, None
            if job is not None:
                self.job = {**NO_JOB, "id": str(job.id)}
            return
        self.phase = self._phase(job)
        known = [s["key"] for s in job.document["sources"]]
        self.current = self.current if self.current in known else known[0]
        self.error = job.error or (self.error if job.status is JobStatus.draft else "")
        writes = words.writes(job.report)
        self.job = {
            "id": str(job.id), "name": job.name, "status": job.status.value, "text": words.progress(job.progress),
            "percent": words.percent(job.progress), "is_checked": job.is_checked and job.status is JobStatus.checked,
            "button": f"Import {words.number(writes)} {'row' if writes == 1 else 'rows'}", "writes": writes,
        }  # fmt: skip
        seen = (str(job.id), job.revision, self.current, job.is_checked)
        if seen != self._seen:
            await self._show_choices(uow, job)
            self._seen = seen
        if self.phase == DONE:
            can_revert = uow.actor.can("import.revert")
            self.result = words.result(job.report, str(job.id), can_revert=can_revert)

    @staticmethod
    def _phase(job: JobView) -> str:
        if job.status is JobStatus.done:
            return DONE
        return RUN if job.status in (*_RUNS, JobStatus.failed) else MATCH

    async def _show_choices(self, uow: UnitOfWork, job: JobView) -> None:
        one = outline.find(job.document, self.current)
        open_texts = {m.field: m for m in await matching.matched(uow, one)}
        self.sources = [words.source(s, job.report if job.is_checked else {}) for s in job.document["sources"]]
        many = len(one["columns"]) > _MANY
        self.columns = [self._column(one, c, open_texts, many=many) for c in one["columns"]]
        entity = await schema.entity_of(uow, one["entity"])
        fields = suggesting.fields_for(uow.actor, entity)
        self.fields = [{"value": f.name, "label": f.label + (" *" if f.required else "")} for f in fields]
        self.options = {**outline.OPTIONS, **one["options"], "can_create": one["entity"] in outline.CREATABLE}
        self.options["left_out"] = sum(1 for c in self.columns if c["is_late"])
        known = outline.fields_of(entity)
        self.pipelines = await self._names(uow, one, "pipeline_id") if "pipeline_id" in known else []
        self.stages = await self._names(uow, one, "stage_id") if "stage_id" in known else []
        self.report = words.report(job.report, one, outline.name_of(one)) if job.is_checked else words.NO_REPORT

    @staticmethod
    def _column(
        one: Source, column: dict[str, Any], texts: dict[str, matching.Matched], *, many: bool
    ) -> dict[str, Any]:
        field = next((f for f, t in one["templates"].items() if column["heading"] in t), column["field"])
        found = texts.get(field)
        sure = one["system"] if column["sure"] == "profile" else _SURE.get(column["sure"], "")
        return {
            "heading": column["heading"], "sample": ", ".join(column["samples"]) or "empty", "field": field,
            "sure": "" if not field else sure, "tone": "risk" if column["sure"] == "alike" else "good",
            "is_late": many and not field, "texts": len(found.texts) if found else 0,
            "open": found.open if found else 0,
        }  # fmt: skip

    @staticmethod
    async def _names(uow: UnitOfWork, one: Source, field: str) -> list[dict[str, str]]:
        """Choices for all rows; none where a column of the file says it."""
        if field in outline.filled(one) or field in one["templates"]:
            return []
        return [{"value": o.value, "label": o.label} for o in await matching.options(uow, one, field)]

    # -- Files -------------------------------------------------------------------------------------------------------

    @rx.event
    async def received(self, upload_id: str, name: str, size: int):
        """The browser has sent a file; it joins the others."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            job = await jobs.open_one(uow)
            if job is None or not job.is_open:
                await jobs.start(uow)
        self.reading, self.error = name[:200], ""
        return ImportState.read(upload_id)

    @rx.event
    async def fail(self, message: str):
        """The browser could not send it."""
        self.error = message[:300]

    @rx.event(background=True)
    async def read(self, upload_id: str):
        """Look at the file and match its columns."""
        async with self:
            actor = await self.actor()
        error = ""
        try:
            async with unit_of_work(actor) as uow:
                job = await jobs.open_one(uow)
            if job is None:
                raise NotFound("This import was put away meanwhile. Choose the file again.")
            path = uploads.find(actor, id_of(upload_id, "file")).path
            job = await adding.add_file(actor, job.id, path)
            await self._check(actor, job)
        except CrmError as refusal:
            error = words.sentence(refusal)
        async with self:
            self.reading = ""
            await self.show(actor)
            self.error = error or self.error
        return _refresh()

    async def _check(self, actor: Actor, job: JobView) -> None:
        """At once where that takes a moment only; else the person asks for it."""
        if sum(s["rows"] for s in job.document["sources"]) > _AT_ONCE:
            return
        async with unit_of_work(actor) as uow:
            await jobs.check(uow, job.id)

    @rx.event
    async def select(self, key: str):
        """Another file of the batch."""
        self.current = key
        await self.show(await self.actor())
        return _refresh("begin")

    @rx.event
    async def drop(self, key: str):
        """Without this file."""
        return await self.change(lambda document: outline.drop(document, key))

    @rx.event
    async def set_entity(self, entity: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                job = await adding.choose_entity(uow, self.job_id(), self.current, entity)
            await self._check(actor, job)
        await self.show(actor)
        return _refresh("begin")

    # -- Choices -----------------------------------------------------------------------------------------------------

    @internal
    def job_id(self) -> UUID:
        return id_of(self.job["id"], "file")

    @internal
    async def change(self, edit: Any) -> Any:
        """Another choice; `edit` gets the document. It is checked again."""
        actor = await self.actor()
        self.error = ""
        with self.telling():
            async with unit_of_work(actor) as uow:
                job = await jobs.change(uow, self.job_id(), edit)
            try:
                await self._check(actor, job)
            except Invalid as refusal:  # something is still to be chosen
                self.error = words.sentence(refusal)
        await self.show(actor)
        return _refresh()

    @internal
    async def change_source(self, edit: Any) -> Any:
        """`edit` gets the current file."""
        key = self.current

        def apply(document: Document) -> Document:
            return outline.put(document, edit(outline.find(document, key)))

        return await self.change(apply)

    @internal
    async def set_column(self, heading: str, field: str) -> Any:
        """Where a column goes; an empty field leaves it out."""
        if field and field not in {f["value"] for f in self.fields}:
            return None
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            job = await jobs.read(uow, self.job_id())
            one = await matching.match(uow, outline.set_field(outline.find(job.document, self.current), heading, field))
        return await self.change(lambda document: outline.put(document, one))

    @rx.event
    async def set_option(self, name: str, value: str):
        """One of the choices under the columns; a tick is sent as "true" or "false"."""
        is_tick = isinstance(outline.OPTIONS.get(name), bool)
        return await self.change_source(
            lambda one: outline.set_option(one, name, value == "true" if is_tick else value)
        )

    # -- The work ----------------------------------------------------------------------------------------------------

    async def _ask(self, act: Any) -> None:
        actor = await self.actor()
        self.error = ""
        with self.telling():
            async with unit_of_work(actor) as uow:
                await act(uow, self.job_id())
        await self.show(actor)

    @rx.event
    async def check(self):
        """All rows once more."""
        try:
            await self._ask(jobs.check)
        except Invalid as refusal:
            self.error = words.sentence(refusal)

    @rx.event
    async def run(self):
        """Write what the check announced."""
        await self._ask(jobs.run)

    @rx.event
    async def pause(self):
        await self._ask(jobs.pause)

    @rx.event
    async def resume(self):
        await self._ask(jobs.resume)

    @rx.event
    async def cancel(self):
        """Stop; what was written is taken back. Before the run: another file, or none."""
        await self._ask(jobs.cancel)
        return ImportsMade.load

    @rx.event
    async def close(self):
        """The result was read."""
        await self._ask(jobs.cancel)
