"""The people of the workspace: the list, one of them in the panel, an invitation."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago
from crm_app.core.text import initials, tint
from crm_app.models.people.users import UserStatus
from crm_app.services.people import invitations, resets, roles, teams, users, viewing
from crm_app.services.people.invitations import Handed
from crm_app.services.people.users import UserRow
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import UnitOfWork, unit_of_work

NOBODY: dict[str, Any] = {"id": ""}  # the panel is closed


class UsersState(AppState):
    """The people page. `chosen` is the line of `people` that the panel shows."""

    people: list[dict[str, Any]] = []
    roles: list[dict[str, str]] = []
    teams: list[dict[str, str]] = []
    chosen: dict[str, Any] = NOBODY
    errors: dict[str, str] = {}
    link: str = ""  # a link to pass on, shown this once
    link_about: str = ""
    is_inviting: bool = False
    is_loaded: bool = False

    @rx.event
    async def load(self):
        if not self._is_back:
            self.link = self.link_about = ""
            self.chosen, self.is_inviting, self.errors = NOBODY, False, {}
        with self.telling():
            await self._read()
        self.is_loaded = True

    async def _read(self) -> None:
        actor, now = await self.actor(), utcnow()
        async with unit_of_work(actor, now=now) as uow:
            found, given, grouped = await users.listed(uow), await roles.listed(uow), await teams.listed(uow)
        self.people = [_line(row, actor, now) for row in found]
        self.roles = [{"value": str(r.id), "label": r.name} for r in given]
        self.teams = [{"value": str(t.id), "label": t.name} for t in grouped]
        if self.chosen["id"]:
            self._turn_to(self.chosen["id"])

    def _turn_to(self, user_id: str) -> dict[str, Any]:
        """The person in the panel; each act names them, for a server that started anew does not know whom it shows."""
        self.chosen = next((p for p in self.people if p["id"] == user_id), NOBODY)
        return self.chosen

    @rx.event
    async def choose(self, user_id: str):
        self._turn_to(user_id)
        self.errors, self.link, self.link_about = {}, "", ""

    @rx.event
    async def close(self):
        self.chosen, self.link, self.link_about = NOBODY, "", ""

    @rx.event
    async def ask_invitation(self):
        self.chosen, self.is_inviting, self.errors, self.link, self.link_about = NOBODY, True, {}, "", ""

    @rx.event
    async def cancel_invitation(self):
        self.is_inviting, self.errors, self.link, self.link_about = False, {}, "", ""

    @rx.event
    async def invite(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            handed = await invitations.invite(
                actor,
                email=form.get("new_email", ""),
                name=form.get("new_name", ""),
                role_id=id_of(form.get("new_role_id"), "role_id"),
                team_id=id_of(form["new_team_id"], "team_id") if form.get("new_team_id") else None,
            )
            self._hand(handed, f"{handed.email} is invited; the link works for 7 days")
            self.is_inviting = bool(handed.url)
            await self._read()

    @rx.event
    async def invite_again(self, user_id: str):
        actor = await self.actor()
        person = self._turn_to(user_id)
        if not person["id"]:
            return
        with self.telling():
            handed = await invitations.invite(
                actor,
                email=person["email"],
                role_id=UUID(person["role_id"]),
                team_id=UUID(person["team_id"]) if person["team_id"] else None,
            )
            self._hand(handed, f"{handed.email} has a new invitation")

    @rx.event
    async def help_in(self, user_id: str):
        """A link with which the chosen person sets a new password."""
        actor = await self.actor()
        with self.telling():
            handed = await resets.help_in(actor, id_of(self._turn_to(user_id)["id"], "user_id"))
            self._hand(handed, f"{handed.email} has a link to set a new password")
            await self._read()

    def _hand(self, handed: Handed, sent: str) -> None:
        self.link, self.link_about = handed.url, handed.why
        if not handed.url:
            self.notify(sent)

    @rx.event
    async def save(self, form: dict[str, Any]):
        """Role and team of the chosen person."""

        async def change(uow: UnitOfWork, user_id: UUID) -> None:
            role_id = id_of(form.get("role_id"), "role_id")
            team_id = id_of(form["team_id"], "team_id") if form.get("team_id") else None
            await users.change(uow, user_id, role_id=role_id, team_id=team_id)

        await self._do(str(form.get("user_id")), change, "{name}: saved")

    @rx.event
    async def look_as(self, user_id: str):
        """Everything as this person sees it."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await viewing.begin(uow, id_of(user_id, "user_id"))
            return rx.redirect("/pipeline")

    @rx.event
    async def disable(self, user_id: str):
        await self._do(user_id, users.disable, "{name} is disabled and signed out everywhere")

    @rx.event
    async def enable(self, user_id: str):
        await self._do(user_id, users.enable, "{name} may come in again")

    @rx.event
    async def remove(self, user_id: str):
        await self._do(user_id, users.remove, "{name} is off the list")

    async def _do(self, user_id: str, act: Callable[[UnitOfWork, UUID], Awaitable[Any]], said: str) -> None:
        actor, person = await self.actor(), self._turn_to(user_id)
        with self.telling():
            async with unit_of_work(actor) as uow:
                await act(uow, id_of(person["id"], "user_id"))
            self.notify(said.format(name=person["name"]))
            await self._read()


def _line(row: UserRow, viewer: Actor, now: datetime) -> dict[str, Any]:
    asked = show_ago(row.reset_asked_at, now, viewer.time_zone) if row.reset_asked_at else ""
    return {
        "id": str(row.id),
        "name": row.name,
        "email": row.email,
        "title": row.title,
        "initials": initials(row.name),
        "tint": tint(row.name),
        "status": row.status.value,
        "is_active": row.status is UserStatus.active,
        "role": row.role,
        "role_id": str(row.role_id),
        "team": row.team,
        "team_id": str(row.team_id or ""),
        "seen": show_ago(row.last_seen_at, now, viewer.time_zone) if row.last_seen_at else "never",
        "asked": asked,
        "is_me": row.id == viewer.user_id,
    }
