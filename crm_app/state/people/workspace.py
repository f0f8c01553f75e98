"""The workspace itself: its name and its time zone."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.services.people import workspaces
from crm_app.state.base import AppState
from crm_app.state.platform.fields import day_and_time
from crm_app.store.uow import unit_of_work

_FIELDS = {
    "name": "Name",
    "time_zone": "Time zone",
    "currency": "Currency",
    "number_prefix": "Number format",
}  # the rest is machinery


class WorkspaceState(AppState):
    """`changes` are for those who may make some: {"field", "told", "who"}."""

    name: str = ""
    time_zone: str = ""
    currency: str = ""
    changes: list[dict[str, str]] = []
    errors: dict[str, str] = {}
    is_loaded: bool = False

    @rx.event
    async def load(self):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            kept = await workspaces.read(uow)
            log = await workspaces.history(uow) if actor.can("settings.manage") else ()
        self.name, self.time_zone, self.currency = kept.name, kept.time_zone, kept.currency
        self.changes = [told for entry in log for told in _told(entry, actor)]
        self.errors, self.is_loaded = {}, True

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await workspaces.change(uow, name=form.get("name", ""), time_zone=form.get("time_zone", ""))
            self.notify("Workspace saved")
            return WorkspaceState.load


def _told(entry: Mapping[str, Any], actor: Actor) -> list[dict[str, str]]:
    who = f"{entry['user_name'] or entry['source']}, {day_and_time(entry['at'], actor, utcnow())}"
    return [
        {"field": _FIELDS[name], "told": f"{old} → {new}", "who": who}
        for name, (old, new) in sorted(entry["changes"].items())
        if name in _FIELDS
    ]
