"""The import page: a file, its columns matched to fields, a check of all rows, the import.

The file itself lies in the data folder, under the id of its upload; the state knows its outline only.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Forbidden
from crm_app.core.registry import Kind
from crm_app.services.platform.imports import guided, suggesting
from crm_app.services.platform.imports.guided import Choices, Look
from crm_app.services.platform.imports.report import Report
from crm_app.services.platform.imports.writing import Outcome, importer
from crm_app.state.base import AppState, id_of
from crm_app.state.platform import import_words as words
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work

LABELS = {"account": "Accounts", "opportunity": "Deals"}
FILE, READING, MATCH, CHECKING, CHECKED, IMPORTING, DONE = (
    "file", "reading", "match", "checking", "checked", "importing", "done",
)  # fmt: skip
_BUSY = (READING, CHECKING, IMPORTING)
_COLUMN = ("heading", "sample", "field", "sure")
_SILENT = 60.0
_TICK = 0.25  # seconds between two words on progress
NO_FILE: dict[str, str] = {"id": "", "name": "", "about": "", "note": ""}
NO_OPTIONS: dict[str, Any] = {
    "create_missing": True, "update": False, "pipeline_id": "", "stage_id": "", "dates": "", "decimal": "",
}  # fmt: skip


@dataclass
class Progress:
    """Filled by the work, read by the page."""

    said: str = ""
    done: int = 0
    total: int = 0

    def tell(self, line: str) -> None:
        self.said, self.done, self.total = line, 0, 0

    def count(self, step: str, done: int, total: int) -> None:
        self.said, self.done, self.total = f"Writing {step.lower()}", done, total

    def shown(self) -> dict[str, Any]:
        """`percent` is -1 while nobody knows how long it takes."""
        counted = f": {words.number(self.done)} of {words.number(self.total)}" if self.total else ""
        return {"text": f"{self.said}{counted}", "percent": self.done * 100 // self.total if self.total else -1}


class ImportState(AppState):
    """`columns` are {"heading", "sample", "field", "sure"}; `fields`, `pipelines` and `stages` are choices."""

    phase: str = FILE
    entity: str = ""
    entities: list[dict[str, str]] = []
    refused: str = ""
    file: dict[str, str] = NO_FILE
    columns: list[dict[str, str]] = []
    fields: list[dict[str, str]] = []
    pipelines: list[dict[str, str]] = []
    stages: list[dict[str, str]] = []
    options: dict[str, Any] = NO_OPTIONS
    progress: dict[str, Any] = {"text": "", "percent": -1}
    report: dict[str, Any] = words.NO_REPORT
    result: dict[str, Any] = words.NO_RESULT
    error: str = ""
    _announced: str = ""
    _beat: float = 0.0  # when the work under way last said that it lives

    @rx.event
    async def load(self):
        """Opened, or come back to: a file that was chosen and work under way are still there."""
        actor = await self.actor()
        try:
            allowed = guided.allowed(actor)
        except Forbidden as refusal:
            self.refused = str(refusal)
            return
        self.refused = ""
        if self.phase in _BUSY and time.time() - self._beat > _SILENT:  # its process is gone
            self.phase = MATCH if self.columns else FILE
        self.entities = [{"value": name, "label": LABELS[name]} for name in reversed(allowed)]
        if self._is_back and not self.entity:
            return  # the tab tells what was chosen: `recall`
        if self.entity not in allowed:
            await self._choose(actor, allowed[-1])

    @rx.event
    async def recall(self, entity: str, file: dict[str, str], columns: list[dict[str, str]], options: dict[str, Any]):
        """The tab is back; a server that started anew is told what was chosen, and checks it as ever."""
        actor = await self.actor()
        if self.entity or entity not in guided.allowed(actor):
            return
        await self._choose(actor, entity)
        if not file.get("id"):
            return
        try:
            uploads.find(actor, id_of(file.get("id"), "file"))
        except CrmError:
            self.phase, self.file, self.columns = FILE, NO_FILE, []
            return
        self.file = {n: str(file.get(n, "")) for n in NO_FILE}
        self.columns = [{n: str(c.get(n, "")) for n in _COLUMN} for c in columns]
        self.options = {n: options.get(n, usual) for n, usual in NO_OPTIONS.items()}
        await self._offer(actor)
        self._stale()
        self.phase = MATCH

    @rx.event
    async def choose_entity(self, entity: str):
        actor = await self.actor()
        if entity in guided.allowed(actor) and self.phase not in _BUSY:
            await self._choose(actor, entity)
            return ImportState.read if self.file["id"] else None
        return None

    async def _choose(self, actor: Actor, entity: str) -> None:
        self.entity, self.options = entity, NO_OPTIONS
        known = suggesting.fields_for(actor, registry.get(entity))
        self.fields = [{"value": f.name, "label": f.label + (" *" if f.required else "")} for f in known]
        await self._offer(actor)

    async def _offer(self, actor: Actor) -> None:
        """What may be chosen for all rows, under what is chosen so far."""
        async with unit_of_work(actor) as uow:
            found = await guided.for_all(uow, self.entity, self.options)
        first = found.get("pipeline_id", [])
        if first and self.options["pipeline_id"] not in first:
            self.options = {**self.options, "pipeline_id": first[0], "stage_id": ""}
            async with unit_of_work(actor) as uow:
                found = await guided.for_all(uow, self.entity, self.options)
        self.pipelines = [{"value": n, "label": n} for n in found.get("pipeline_id", [])]
        self.stages = [{"value": n, "label": n} for n in found.get("stage_id", [])]

    @rx.event
    async def received(self, upload_id: str, name: str, size: int):
        """The browser has sent a file; it takes the place of the one before."""
        if self.phase in _BUSY:
            return None
        actor = await self.actor()
        if self.file["id"]:
            uploads.discard(actor, id_of(self.file["id"], "file"))
        self.file = {"id": upload_id, "name": name, "about": words.size(size), "note": ""}
        return ImportState.read

    @rx.event
    async def fail(self, message: str):
        """The browser could not send it."""
        self.error = message[:300]

    @rx.event(background=True)
    async def read(self):
        """Look at the file and match its columns."""
        async with self:
            if self.phase in _BUSY or not self.file["id"]:
                return
            actor, entity, file_id = await self.actor(), self.entity, self.file["id"]
            self.phase, self.error, self._beat = READING, "", time.time()
        try:
            seen = await asyncio.to_thread(guided.look, uploads.find(actor, id_of(file_id, "file")).path)
        except CrmError as refusal:
            async with self:
                self.phase, self.error, self.file = FILE, str(refusal), NO_FILE
            return
        async with self:
            self._match(actor, entity, seen)
            self.phase = MATCH

    def _match(self, actor: Actor, entity: str, seen: Look) -> None:
        known = registry.get(entity)
        likely = suggesting.suggest(known, suggesting.fields_for(actor, known), [c.heading for c in seen.columns])
        self.columns = [
            {
                "heading": c.heading,
                "sample": ", ".join(c.samples) or "empty",
                "field": likely[c.heading].field,
                "sure": likely[c.heading].sureness.value,
            }
            for c in seen.columns
        ]
        about = f"{words.number(seen.rows)} {'row' if seen.rows == 1 else 'rows'}"
        self.file = {**self.file, "about": about, "note": "; ".join(seen.notes)}
        self._stale()

    def _stale(self) -> None:
        """Another choice: the check before it says nothing any more."""
        self.report, self.result, self._announced, self.error = words.NO_REPORT, words.NO_RESULT, "", ""
        if self.phase in (CHECKED, DONE):
            self.phase = MATCH

    @rx.event
    async def set_field(self, place: int, field: str):
        """Where the column at that place goes; an empty field leaves it out."""
        if self.phase in _BUSY or not 0 <= place < len(self.columns):
            return
        self.columns = [
            {**c, "field": field, "sure": "chosen" if field else ""} if i == place else c
            for i, c in enumerate(self.columns)
        ]
        self._stale()

    @rx.event
    async def set_option(self, name: str, value: str):
        """One of the choices under the columns; a tick is sent as "true" or "false"."""
        if self.phase in _BUSY or name not in NO_OPTIONS:
            return
        is_tick = isinstance(NO_OPTIONS[name], bool)
        self.options = {**self.options, name: value == "true" if is_tick else value}
        self._stale()
        if name == "pipeline_id":
            self.options = {**self.options, "stage_id": ""}
            await self._offer(await self.actor())

    @rx.event
    async def cancel(self):
        """Another file, or none."""
        if self.phase in _BUSY:
            return
        actor = await self.actor()
        if self.file["id"]:
            uploads.discard(actor, id_of(self.file["id"], "file"))
        self.file, self.columns, self.phase = NO_FILE, [], FILE
        self._stale()

    @rx.event(background=True)
    async def check(self):
        """The dry run over all rows."""
        async with self:
            if self.phase not in (MATCH, CHECKED) or not self.file["id"]:
                return
            actor, choices, file_id = await self.actor(), self._choices(), self.file["id"]
            self.phase, self.error, self._beat = CHECKING, "", time.time()
        progress = Progress("Reading the file")
        try:
            report = await self._follow(progress, _checked(actor, choices, file_id, progress))
        except CrmError as refusal:
            async with self:
                self.phase, self.error = MATCH, words.sentence(refusal)
            return
        except Exception:
            async with self:
                self.phase = MATCH
            raise
        async with self:
            self.report = words.report(report, file_id)
            self._announced, self.phase = guided.fingerprint(report), CHECKED

    @rx.event(background=True)
    async def run(self):
        """Write what the check announced."""
        async with self:
            if self.phase != CHECKED or not self._announced:
                return None
            actor, choices, file_id = await self.actor(), self._choices(), self.file["id"]
            announced = self._announced
            self.phase, self.error, self._beat = IMPORTING, "", time.time()
        progress = Progress("Reading the file once more")
        try:
            outcome = await self._follow(progress, _ran(actor, choices, file_id, announced, progress))
        except CrmError as refusal:
            async with self:
                self.phase, self.error = MATCH, words.sentence(refusal)
            return None
        except Exception:
            async with self:
                self.phase = CHECKED
            raise
        uploads.discard(actor, id_of(file_id, "file"))
        async with self:
            self.result = words.result(outcome, choices.entity, can_revert=actor.can("import.revert"))
            self.phase, self._announced, self.file = DONE, "", {**self.file, "id": ""}
        return ImportsMade.load

    async def _follow(self, progress: Progress, work: Any) -> Any:
        """Run the work, and show how far it is."""
        task = asyncio.ensure_future(work)
        while not task.done():
            async with self:
                self._beat = time.time()
                if (shown := progress.shown()) != self.progress:
                    self.progress = shown
            await asyncio.wait({task}, timeout=_TICK)
        return task.result()

    def _choices(self) -> Choices:
        matched = {c["heading"]: c["field"] for c in self.columns if c["field"]}
        fields = {f.name: f for f in guided.fields_of(self.entity).values()}
        links = [c for c in self.columns if c["field"] in fields and fields[c["field"]].kind is Kind.link]
        return Choices(
            entity=self.entity,
            columns=matched,
            constants={n: str(self.options[n]) for n in guided.FOR_ALL.get(self.entity, ())},
            create_missing=frozenset(
                n
                for n in guided.CREATABLE.get(self.entity, ())
                if self.options["create_missing"] and n in matched.values()
            ),
            by_email=frozenset(c["field"] for c in links if fields[c["field"]].target == "user" and "@" in c["sample"]),
            update=bool(self.options["update"]),
            day_first={"day": True, "month": False}.get(self.options["dates"]),
            decimal=self.options["decimal"] if self.options["decimal"] in (",", ".") else "",
        )


def _file(actor: Actor, file_id: str) -> tuple[uploads.Upload, Path]:
    upload = uploads.find(actor, id_of(file_id, "file"))
    return upload, upload.path.parent


async def _checked(actor: Actor, choices: Choices, file_id: str, progress: Progress) -> Report:
    upload, folder = _file(actor, file_id)
    async with unit_of_work(actor) as uow:
        report = await guided.check(uow, guided.mapping_of(upload.path.name, choices), folder, told=progress.tell)
    problems = [p for step in report.steps for p in step.problems if not step.is_related]
    progress.tell("Writing down what is wrong")
    await asyncio.to_thread(_keep_rows_to_mend, upload, problems)
    return report


def _keep_rows_to_mend(upload: uploads.Upload, problems: Sequence[Any]) -> None:
    place = uploads.beside(upload, guided.MENDED)
    if problems:
        place.write_text(guided.rows_to_mend(upload.path, problems), encoding="utf-8-sig")
    else:
        place.unlink(missing_ok=True)


async def _ran(actor: Actor, choices: Choices, file_id: str, announced: str, progress: Progress) -> Outcome:
    upload, folder = _file(actor, file_id)
    mapping = guided.mapping_of(upload.path.name, choices)
    async with unit_of_work(importer(actor), silent=True) as uow:
        return await guided.run(uow, mapping, folder, announced, told=progress.tell, progress=progress.count)
