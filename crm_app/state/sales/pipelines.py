"""Settings of the pipelines: which there are, in which order, and the stages of the one that is chosen."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from crm_app.core.fields import show_value
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import STAGE, StageKind
from crm_app.services.sales import pipelines, stages
from crm_app.services.sales.pipelines import PipelineRow
from crm_app.services.sales.stages import StageRow
from crm_app.state.base import AppState, id_of, internal
from crm_app.state.sales.cards import stage_colors
from crm_app.store.uow import unit_of_work

NEW: dict[str, str] = {"id": "", "name": "", "description": ""}


class PipelinesState(AppState):
    """The address says which pipeline is chosen (?p=). `chosen` is what the dialog shows: without an id a new one."""

    pipelines: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    pipeline_id: str = ""
    pipeline_name: str = ""
    chosen: dict[str, str] = NEW
    is_open: bool = False
    errors: dict[str, str] = {}
    said: str = ""  # for screen readers, after something moved
    is_loaded: bool = False

    @rx.event
    async def load(self):
        if not self._is_back:
            self.is_open, self.errors, self.said = False, {}, ""
        self.pipeline_id = str(self.router.url.query_parameters.get("p", ""))
        with self.telling():
            await self.read()
        self.is_loaded = True

    @internal
    async def read(self) -> None:
        """The lists anew; the chosen pipeline stays chosen while it is there."""
        async with unit_of_work(await self.actor()) as uow:
            found = await pipelines.listed(uow)
            here = next((p for p in found if str(p.id) == self.pipeline_id), found[0] if found else None)
            of_here = await stages.listed(uow, here.id) if here else []
        self.pipeline_id, self.pipeline_name = (str(here.id), here.name) if here else ("", "")
        self.pipelines = [_pipeline(p, i, len(found)) for i, p in enumerate(found)]
        shown = _stages(of_here)
        self.stages = [s for s in shown if s["kind"] == StageKind.open.value]
        self.ends = [s for s in shown if s["kind"] != StageKind.open.value]

    @rx.event
    async def open(self, pipeline_id: str):
        """The dialog for a pipeline, or for a new one when the id is empty."""
        known = next((p for p in self.pipelines if p["id"] == pipeline_id), NEW)
        self.chosen = {n: known[n] for n in NEW}
        self.is_open, self.errors = True, {}

    @rx.event
    async def cancel(self):
        self.is_open, self.errors = False, {}

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            values = {"name": str(form.get("name", "")), "description": str(form.get("description", ""))}
            async with unit_of_work(actor) as uow:
                if form.get("id"):
                    saved = await pipelines.change(uow, id_of(form["id"], "pipeline_id"), **values)
                else:
                    saved = await pipelines.create(uow, **values)
            is_new = not form.get("id")
            self.is_open = False
            self.notify(f"{saved.name} is ready, with five stages to start from" if is_new else f"{saved.name} saved")
            self.pipeline_id = str(saved.id) if is_new else self.pipeline_id
            await self.read()

    @rx.event
    async def move(self, pipeline_id: str, by: int):
        """One place up (-1) or down (1)."""
        actor = await self.actor()
        with self.telling():
            order = _moved([p["id"] for p in self.pipelines], pipeline_id, by)
            async with unit_of_work(actor) as uow:
                await pipelines.reorder(uow, [id_of(i, "pipeline_id") for i in order])
            await self.read()
            self._say_place(self.pipelines, pipeline_id)

    @rx.event
    async def rest(self, pipeline_id: str):
        """Off the board."""
        await self._use(pipeline_id, is_active=False)

    @rx.event
    async def use(self, pipeline_id: str):
        """On the board again."""
        await self._use(pipeline_id, is_active=True)

    async def _use(self, pipeline_id: str, *, is_active: bool) -> None:
        actor = await self.actor()
        with self.telling():
            change = pipelines.activate if is_active else pipelines.deactivate
            async with unit_of_work(actor) as uow:
                changed = await change(uow, id_of(pipeline_id, "pipeline_id"))
            where = "is on the board again" if is_active else "is off the board; its closed deals stay in reports"
            self.notify(f"{changed.name} {where}")
            await self.read()

    @rx.event
    async def move_stage(self, stage_id: str, by: int):
        """One place up (-1) or down (1) within the open stages."""
        actor = await self.actor()
        with self.telling():
            order = _moved([s["id"] for s in self.stages], stage_id, by)
            async with unit_of_work(actor) as uow:
                await stages.reorder(uow, id_of(self.pipeline_id, "pipeline_id"), [id_of(i, "stage_id") for i in order])
            await self.read()
            self._say_place(self.stages, stage_id)

    def _say_place(self, rows: Sequence[dict[str, Any]], record_id: str) -> None:
        place = next((i for i, row in enumerate(rows, 1) if row["id"] == record_id), 0)
        self.said = f"{rows[place - 1]['name']}, position {place} of {len(rows)}" if place else ""


def chance(probability: int) -> str:
    return show_value(STAGE.fields["probability"], probability)


def _moved(ids: list[str], record_id: str, by: int) -> list[str]:
    """The ids with one of them a few places further; the ends of the list hold it."""
    rest = [i for i in ids if i != record_id]
    if len(rest) == len(ids):
        return ids
    place = min(max(ids.index(record_id) + by, 0), len(rest))
    return [*rest[:place], record_id, *rest[place:]]


def _pipeline(row: PipelineRow, place: int, count: int) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "description": row.description,
        "is_active": row.is_active,
        "stages": row.open_stages,
        "deals": row.open_deals,
        "place": f"position {place + 1} of {count}",
        "is_first": place == 0,
        "is_last": place == count - 1,
    }


def _stages(rows: Sequence[StageRow]) -> list[dict[str, Any]]:
    colors = stage_colors([{"id": s.id, "kind": s.kind, "color": s.color} for s in rows])
    opens = [s.id for s in rows if s.kind is StageKind.open]
    return [
        {
            "id": str(s.id),
            "name": s.name,
            "kind": s.kind.value,
            "step": f"s{colors[s.id]}" if s.kind is StageKind.open else s.kind.value,
            "color": str(s.color),
            "chance": chance(s.probability),
            "probability": str(s.probability),
            "limit": f"{s.rotting_days} d" if s.rotting_days else "–",
            "rotting_days": str(s.rotting_days or ""),
            "description": s.description,
            "required": s.required_fields,
            "needs": [OPPORTUNITY.fields[n].label for n in s.required_fields if n in OPPORTUNITY.fields],
            "deals": s.deals,
            "version": s.version,
            "place": f"position {opens.index(s.id) + 1} of {len(opens)}" if s.id in opens else "",
            "is_first": s.id in opens[:1],
            "is_last": s.id in opens[-1:],
        }
        for s in rows
    ]
