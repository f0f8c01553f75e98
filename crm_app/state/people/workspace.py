"""The workspace itself: its name and its time zone."""

from typing import Any

import reflex as rx

from crm_app.services.people import workspaces
from crm_app.state.base import AppState
from crm_app.store.uow import unit_of_work


class WorkspaceState(AppState):
    name: str = ""
    time_zone: str = ""
    currency: str = ""
    errors: dict[str, str] = {}
    is_loaded: bool = False

    @rx.event
    async def load(self):
        async with unit_of_work(await self.actor()) as uow:
            kept = await workspaces.read(uow)
        self.name, self.time_zone, self.currency = kept.name, kept.time_zone, kept.currency
        self.errors, self.is_loaded = {}, True

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await workspaces.change(uow, name=form.get("name", ""), time_zone=form.get("time_zone", ""))
            self.notify("Workspace saved")
            return WorkspaceState.load
