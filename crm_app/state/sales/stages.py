"""The panel of one stage in the settings: its form, and taking it out."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from crm_app.core.errors import Invalid
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.sales import stages
from crm_app.state.base import AppState, id_of
from crm_app.state.sales.pipelines import PipelinesState, chance
from crm_app.store.uow import unit_of_work

NEEDED = "need."  # before the name of a field, in the form
_BLANK: dict[str, Any] = {
    "id": "", "name": "", "kind": "open", "step": "s1", "color": "0", "probability": "", "rotting_days": "",
    "description": "", "required": [], "deals": 0, "version": 0,
}  # fmt: skip


class StagePanel(AppState):
    """`stage` is a row of PipelinesState.stages or .ends; without an id it is a new one."""

    stage: dict[str, Any] = _BLANK
    fields: list[dict[str, Any]] = []  # what a deal may need to enter: {"name", "label", "on"}
    is_open: bool = False
    asks: bool = False  # whether the question before removing it is shown
    errors: dict[str, str] = {}

    @rx.event
    async def open(self, stage_id: str):
        """The stage, or a new one when the id is empty."""
        page = await self.get_state(PipelinesState)
        known = next((s for s in [*page.stages, *page.ends] if s["id"] == stage_id), None)
        if known is None:
            last = page.stages[-1]["probability"] if page.stages else ""
            known = {**_BLANK, "step": "s8", "probability": last}
        self._show(known)

    def _show(self, stage: Mapping[str, Any]) -> None:
        self.stage = {n: stage[n] for n in _BLANK}
        self.fields = [
            {"name": f"{NEEDED}{f.name}", "label": f.label, "on": f.name in stage["required"]}
            for f in stages.requirable_fields()
        ]
        self.is_open, self.asks, self.errors = True, False, {}

    @rx.event
    async def close(self):
        self.is_open, self.asks, self.errors = False, False, {}

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        page = await self.get_state(PipelinesState)
        with self.telling():
            values = values_of(form, is_end=form.get("kind", "open") != StageKind.open.value)
            async with unit_of_work(actor) as uow:
                if form.get("id"):
                    seen = int(str(form.get("version") or 0))
                    done = await stages.change(uow, id_of(form["id"], "stage_id"), values, version=seen)
                    saved, followed = done.stage, done.followed
                else:
                    saved = await stages.add(uow, id_of(page.pipeline_id, "pipeline_id"), **values)
                    followed = 0
            deals = "1 open deal follows" if followed == 1 else f"{followed} open deals follow"
            self.notify(f"{saved.name} saved" + (f"; {deals}, at {chance(saved.probability)}" if followed else ""))
            await page.read()
            self._show(next(s for s in [*page.stages, *page.ends] if s["id"] == str(saved.id)))

    @rx.event
    async def ask_remove(self):
        self.asks = True

    @rx.event
    async def keep(self):
        self.asks = False

    @rx.event
    async def remove(self, stage_id: str, name: str):
        actor = await self.actor()
        page = await self.get_state(PipelinesState)
        self.asks = False
        with self.telling():
            async with unit_of_work(actor) as uow:
                await stages.remove(uow, id_of(stage_id, "stage_id"))
            self.is_open = False
            self.notify(f"{name} was removed")
        await page.read()


def values_of(form: Mapping[str, Any], *, is_end: bool) -> dict[str, Any]:
    """What the form says of a stage. Invalid names the boxes that hold no number."""
    values: dict[str, Any] = {
        "name": str(form.get("name", "")),
        "description": str(form.get("description", "")).strip(),
    }
    if is_end:
        return values
    wrong: dict[str, str] = {}
    for name, text, hint in (
        ("probability", str(form.get("probability", "")).strip().rstrip("%").strip(), "a whole number from 0 to 100"),
        ("rotting_days", str(form.get("rotting_days", "")).strip(), "a whole number of days, or empty for no limit"),
    ):
        if text == "" and name == "rotting_days":
            values[name] = None
        elif text.isascii() and text.isdecimal() and len(text) < 7:
            values[name] = int(text)
        else:
            wrong[name] = f"must be {hint}"
    if wrong:
        raise Invalid(**wrong)
    color = str(form.get("color", "0"))
    values["color"] = int(color) if color in set("012345678") else 0
    values["required_fields"] = [n.removeprefix(NEEDED) for n in form if n.startswith(NEEDED)]
    return values
