"""Teams: the list and the dialog that makes or changes one."""

from typing import Any

import reflex as rx

from crm_app.models.people.users import UserStatus
from crm_app.services.people import teams, users
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import unit_of_work

NEW: dict[str, Any] = {"id": "", "name": "", "region": "", "manager_id": "", "parent_id": ""}


class TeamsState(AppState):
    """The teams page. `chosen` is what the dialog shows; without an id a new team."""

    teams: list[dict[str, Any]] = []
    people: list[dict[str, str]] = []
    parents: list[dict[str, str]] = []  # teams the chosen one may stand below
    chosen: dict[str, Any] = NEW
    is_open: bool = False
    errors: dict[str, str] = {}
    is_loaded: bool = False

    @rx.event
    async def load(self):
        if not self._is_back:
            self.is_open, self.errors = False, {}
        with self.telling():
            await self._read()
        self.is_loaded = True

    async def _read(self) -> None:
        async with unit_of_work(await self.actor()) as uow:
            found, everybody = await teams.listed(uow), await users.listed(uow)
        self.teams = [
            {
                "id": str(t.id),
                "name": t.name,
                "region": t.region,
                "manager": t.manager,
                "manager_id": str(t.manager_id or ""),
                "parent": t.parent,
                "parent_id": str(t.parent_id or ""),
                "members": t.members,
            }
            for t in found
        ]
        self.people = [{"value": str(u.id), "label": u.name} for u in everybody if u.status is not UserStatus.disabled]

    @rx.event
    async def open(self, team_id: str):
        """The dialog for a team, or for a new one when the id is empty."""
        self.chosen = next((t for t in self.teams if t["id"] == team_id), NEW)
        self.parents = [{"value": t["id"], "label": t["name"]} for t in self.teams if t["id"] != team_id]
        self.is_open, self.errors = True, {}

    @rx.event
    async def cancel(self):
        self.is_open, self.errors = False, {}

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            values = {
                "name": form.get("name", ""),
                "region": form.get("region", ""),
                "manager_id": id_of(form["manager_id"], "manager_id") if form.get("manager_id") else None,
                "parent_id": id_of(form["parent_id"], "parent_id") if form.get("parent_id") else None,
            }
            async with unit_of_work(actor) as uow:
                if form.get("id"):
                    team = await teams.change(uow, id_of(form["id"], "id"), **values)
                else:
                    team = await teams.create(uow, **values)
            self.is_open = False
            self.notify(f"{team.name} saved")
            await self._read()

    @rx.event
    async def remove(self, team_id: str):
        actor = await self.actor()
        name = next((t["name"] for t in self.teams if t["id"] == team_id), "The team")
        with self.telling():
            async with unit_of_work(actor) as uow:
                await teams.delete(uow, id_of(team_id, "id"))
            self.is_open = False
            self.notify(f"{name} is gone; its people are without a team")
            await self._read()
