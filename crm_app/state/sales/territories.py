"""Territories: the list and the dialog that draws one."""

from typing import Any

import reflex as rx

from crm_app.models.people.users import UserStatus
from crm_app.services.people import users
from crm_app.services.sales import territories
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import unit_of_work

NEW: dict[str, Any] = {"id": "", "name": "", "description": "", "countries": "", "industries": "", "members": []}
_MEMBER = "member:"


class TerritoriesState(AppState):
    """The territories page. `chosen` is what the dialog shows; without an id a new one."""

    territories: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []  # {"id", "name", "on"}
    known: str = ""
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
            found = await territories.listed(uow)
        self.territories = [
            {
                "id": str(t.id),
                "name": t.name,
                "description": t.description,
                "countries": ", ".join(t.countries),
                "industries": ", ".join(t.industries),
                "accounts": f"{t.accounts:,}".replace(",", "\u202f"),
                "who": ", ".join(name for _, name in t.members) or "Nobody",
                "members": [str(i) for i, _ in t.members],
            }
            for t in found
        ]

    @rx.event
    async def open(self, territory_id: str):
        """The dialog for a territory, or for a new one when the id is empty."""
        self.chosen = next((t for t in self.territories if t["id"] == territory_id), NEW)
        self.errors = {}
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                countries, industries = await territories.known(uow)
                everybody = await users.listed(uow)
            inside = set(self.chosen["members"])
            self.people = [
                {"id": f"{_MEMBER}{u.id}", "name": u.name, "on": str(u.id) in inside}
                for u in everybody
                if u.status is not UserStatus.disabled or str(u.id) in inside
            ]
            said = [", ".join(words[:12]) for words in (countries, industries) if words]
            self.known = f"Accounts have: {'; '.join(said)}" if said else ""
            self.is_open = True

    @rx.event
    async def cancel(self):
        self.is_open, self.errors = False, {}

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            values = {
                "name": str(form.get("name", "")),
                "description": str(form.get("description", "")),
                "countries": _texts(form.get("countries")),
                "industries": _texts(form.get("industries")),
                "member_ids": [
                    id_of(k.removeprefix(_MEMBER), "members") for k, v in form.items() if k.startswith(_MEMBER) and v
                ],
            }
            async with unit_of_work(actor) as uow:
                if form.get("id"):
                    done = await territories.change(uow, id_of(form["id"], "id"), **values)
                else:
                    done = await territories.create(uow, **values)
            self.is_open = False
            self.notify(f"{done.name} saved")
            await self._read()

    @rx.event
    async def remove(self, territory_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await territories.delete(uow, id_of(territory_id, "id"))
            self.is_open = False
            self.notify("The territory is gone; what it held is seen by its owners and their teams")
            await self._read()


def _texts(given: Any) -> list[str]:
    return [t.strip() for t in str(given or "").replace("\n", ",").split(",") if t.strip()]
