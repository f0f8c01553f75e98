"""What people keep about themselves, and where they are signed in."""

from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.dates import show_ago
from crm_app.services.people import profile, sessions, sign_ins
from crm_app.state.base import AppState
from crm_app.state.people.signed_in import try_line
from crm_app.state.platform.places import place_of
from crm_app.store.uow import unit_of_work


class ProfileState(AppState):
    """The profile page."""

    name: str = ""
    email: str = ""
    title: str = ""
    phone: str = ""
    time_zone: str = ""
    workspace_time_zone: str = ""
    role: str = ""
    errors: dict[str, str] = {}
    is_loaded: bool = False
    password_round: int = 0  # grows with every change, so that the form starts empty again

    @rx.event
    async def load(self):
        async with unit_of_work(await self.actor()) as uow:
            kept = await profile.read(uow)
        self.name, self.email, self.title, self.phone = kept.name, kept.email, kept.title, kept.phone
        self.time_zone, self.workspace_time_zone, self.role = kept.time_zone, kept.workspace_time_zone, kept.role
        self.errors, self.is_loaded = {}, True

    @rx.event
    async def save(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await profile.change(
                    uow,
                    name=form.get("name", ""),
                    title=form.get("title", ""),
                    phone=form.get("phone", ""),
                    time_zone=form.get("time_zone", ""),
                )
            self.notify("Profile saved")
            return ProfileState.load

    @rx.event
    async def use_letters(self, on: bool):
        """Whether single letters are shortcuts."""
        async with unit_of_work(await self.actor()) as uow:
            await profile.set_preference(uow, "letters", bool(on))
        self.letters = bool(on)

    @rx.event
    async def change_password(self, form: dict[str, Any]):
        actor = await self.actor()
        with self.telling():
            ended = await profile.change_password(actor, current=form.get("current", ""), new=form.get("new", ""))
            self.password_round += 1
            where = f", and signed out in {ended} other place{'s' if ended > 1 else ''}" if ended else ""
            self.notify(f"Password changed{where}")


class PlacesState(AppState):
    """Where the person is signed in, and was."""

    places: list[dict[str, Any]] = []
    tries: list[dict[str, Any]] = []  # the latest sign-ins, those that failed too
    is_loaded: bool = False

    @rx.event
    async def load(self):
        actor, now = await self.actor(), utcnow()
        async with unit_of_work(actor, now=now) as uow:
            found = await sessions.list_sessions(uow)
            latest = await sign_ins.mine(uow)
        self.tries = [try_line(one, actor) for one in latest]
        self.places = [
            {
                "id": str(s.id),
                "what": place_of(s.user_agent),
                "ip": s.ip,
                "since": show_ago(s.created_at, now, actor.time_zone),
                "seen": show_ago(s.last_seen_at, now, actor.time_zone),
                "is_current": s.is_current,
            }
            for s in found
        ]
        self.is_loaded = True

    @rx.event
    async def end(self, session_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await sessions.revoke(uow, UUID(session_id))
            self.notify("Signed out there")
        return PlacesState.load

    @rx.event
    async def end_others(self):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            ended = await sessions.revoke_others(uow)
        self.notify(f"Signed out in {ended} other place{'' if ended == 1 else 's'}")
        return PlacesState.load
