"""The rows of the file in the import wizard: mended in place, and what happens to those that are here already."""

from typing import Any

import reflex as rx

from crm_app.core.errors import CrmError
from crm_app.services.platform.imports import adding, grid, jobs, matching, outline, presets
from crm_app.state.base import id_of
from crm_app.state.platform import import_words as words
from crm_app.state.platform.imports import MATCH, ImportState
from crm_app.store.uow import unit_of_work

NO_MATCHING: dict[str, Any] = {"field": "", "label": "", "heading": "", "texts": [], "choices": []}
NEW_FIELD = "+"  # chosen where a column goes: a field is made for it
NO_FIELD: dict[str, str] = {"heading": "", "error": ""}


class ImportGrid(ImportState):
    """`rows` of one page of the current file under `headings`; `matching` is the column whose texts are matched."""

    seen_tab: str = "all"
    headings: list[str] = []
    rows: list[dict[str, Any]] = []
    place: dict[str, Any] = {"page": 0, "pages": 1, "total": "0"}
    matched: dict[str, Any] = NO_MATCHING
    presets: list[dict[str, str]] = []
    is_naming: bool = False
    new_field: dict[str, str] = NO_FIELD

    @rx.event
    async def begin(self):
        """Another file: from its first row."""
        self.seen_tab, self.place = "all", {"page": 0, "pages": 1, "total": "0"}
        await self.refresh()

    @rx.event
    async def refresh(self):
        """The rows as the last check saw them."""
        if self.phase != MATCH or not self.current:
            self.rows, self.headings = [], []
            return
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                found = await grid.read(
                    uow, self.job_id(), self.current, tab=self.seen_tab, page=int(self.place["page"])
                )  # fmt: skip
                kept = await presets.listed(uow, self._entity())
        except CrmError:  # not checked yet
            self.rows, self.headings = [], []
            return
        self.headings, self.rows = list(found.headings), words.rows(found)
        self.place = {"page": found.page, "pages": found.pages, "total": words.number(found.total)}
        self.presets = [{"value": str(p.id), "label": p.name} for p in kept]

    def _entity(self) -> str:
        return next((str(s["entity"]) for s in self.sources if s["key"] == self.current), "")

    @rx.event
    async def show_tab(self, tab: str):
        if tab in grid.TABS:
            self.seen_tab, self.place = tab, {**self.place, "page": 0}
            await self.refresh()

    @rx.event
    async def turn(self, by: int):
        """Pages on or back."""
        self.place = {**self.place, "page": max(0, int(self.place["page"]) + (1 if by > 0 else -1))}
        await self.refresh()

    # -- Mending -----------------------------------------------------------------------------------------------------

    @rx.event
    async def fix(self, row: str, heading: str, text: str):
        """Another text in one cell; nothing when it is the same."""
        shown = next((c for r in self.rows if r["row"] == row for c in r["cells"] if c["heading"] == heading), None)
        if shown is None or shown["text"] == text or not row.isdigit():
            return None
        return await self.change_source(lambda one: outline.fix(one, int(row), heading, text))

    @rx.event
    async def replace_all(self, heading: str, old: str, new: str):
        """Another text wherever this one stands in the column."""
        field = next((c["field"] for c in self.columns if c["heading"] == heading), "")
        if not field:
            return None
        return await self.change_source(lambda one: outline.set_value(one, field, old, new))

    @rx.event
    async def leave_out_row(self, row: str):
        if not row.isdigit():
            return None
        return await self.change_source(lambda one: outline.leave_out(one, [int(row)]))

    @rx.event
    async def decide(self, band: str, act: str):
        """What happens to all rows that are here already."""
        return await self.change_source(lambda one: outline.decide(one, band, act))

    @rx.event
    async def decide_row(self, row: str, act: str):
        if not row.isdigit():
            return None
        return await self.change_source(lambda one: outline.decide_row(one, int(row), act))

    # -- Texts and what they mean ------------------------------------------------------------------------------------

    @rx.event
    async def open_texts(self, field: str):
        """The texts of a column, and what each means."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            job = await jobs.read(uow, self.job_id())
            found = await matching.matched(uow, outline.find(job.document, self.current))
        one = next((m for m in found if m.field == field), None)
        if one is None:
            return
        choices = [{"value": o.value, "label": o.label} for o in one.options]
        texts = [{"text": t.text, "rows": words.number(t.rows), "to": t.to} for t in one.texts]
        self.matched = {"field": field, "label": one.label, "heading": one.heading, "texts": texts, "choices": choices}

    @rx.event
    async def close_texts(self):
        self.matched = NO_MATCHING

    @rx.event
    async def set_text(self, text: str, to: str):
        """What a text of the column means; empty counts as an empty cell."""
        field = str(self.matched["field"])
        if not field:
            return None
        self.matched = {
            **self.matched,
            "texts": [{**t, "to": to} if t["text"] == text else t for t in self.matched["texts"]],
        }
        return await self.change_source(lambda one: outline.set_value(one, field, text, to))

    # -- A field of one's own ----------------------------------------------------------------------------------------

    @rx.event
    async def choose_field(self, heading: str, field: str):
        """Where a column goes: to a field, to none, or to one that is made for it."""
        if field != NEW_FIELD:
            return await self.set_column(heading, field)
        self.new_field = {"heading": heading, "error": ""}
        return None

    @rx.event
    async def keep_fields(self):
        self.new_field = NO_FIELD

    @rx.event
    async def make_field(self, form: dict[str, Any]):
        """A field of the workspace's own for the column that asked."""
        actor, heading = await self.actor(), str(self.new_field["heading"])
        label, kind = str(form.get("field-label", "")), str(form.get("field-kind", ""))
        try:
            async with unit_of_work(actor) as uow:
                await adding.add_field(uow, self.job_id(), self.current, heading, label=label, kind=kind)
        except CrmError as refusal:
            self.new_field = {"heading": heading, "error": words.sentence(refusal)}
            return None
        self.new_field = NO_FIELD
        return await self.change(lambda document: document)

    # -- Matchings that are kept -------------------------------------------------------------------------------------

    @rx.event
    async def ask_name(self):
        self.is_naming = True

    @rx.event
    async def keep_unnamed(self):
        self.is_naming = False

    @rx.event
    async def keep_matching(self, form: dict[str, Any]):
        """For the next file of this kind."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                job = await jobs.read(uow, self.job_id())
                kept = await presets.save(uow, outline.find(job.document, self.current), str(form.get("preset", "")))
            self.is_naming = False
            self.notify(f"The matching is kept as {kept.name}")
        await self.refresh()

    @rx.event
    async def use_matching(self, preset_id: str):
        if not preset_id:
            return None
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            job = await jobs.read(uow, self.job_id())
            one = await presets.apply(uow, outline.find(job.document, self.current), id_of(preset_id, "preset"))
        return await self.change(lambda document: outline.put(document, one))
