"""Settings, Sessions: who is signed in where, and who tried to come in."""

from typing import Any

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago, show_moment
from crm_app.core.text import initials, tint
from crm_app.models.people.sessions import SignInOutcome, SignInWay
from crm_app.services.people import sign_ins, signed_in
from crm_app.services.people.sign_ins import Mark, SignInLine
from crm_app.state.base import AppState, id_of
from crm_app.state.platform.places import place_of
from crm_app.store.uow import unit_of_work

OUTCOMES = {
    SignInOutcome.success: ("Signed in", "good"),
    SignInOutcome.wrong_password: ("Wrong password", "over"),
    SignInOutcome.throttled: ("Too many attempts", "over"),
    SignInOutcome.disabled: ("Is disabled", "risk"),
    SignInOutcome.invited: ("Has not joined yet", "risk"),
}
WAYS = {SignInWay.password: "", SignInWay.invitation: "by invitation", SignInWay.app: "from an app"}


def try_line(one: SignInLine, actor: Actor) -> dict[str, Any]:
    """A sign-in, or a try, as the tables show it."""
    words, tone = OUTCOMES[one.outcome]
    return {
        "id": str(one.id),
        "when": show_moment(one.at, actor.time_zone),
        "name": one.name,
        "user_id": str(one.user_id),
        "words": words,
        "tone": tone,
        "way": WAYS[one.way],
        "what": place_of(one.user_agent) if one.user_agent else "",
        "ip": one.ip,
    }


class SignedInState(AppState):
    """The sessions page. `whose` narrows the sign-ins to a person."""

    live: list[dict[str, Any]] = []
    tries: list[dict[str, Any]] = []
    whose: str = ""
    whose_name: str = ""
    failed_only: bool = False
    has_older: bool = False
    refused: str = ""
    is_loaded: bool = False
    _marks: list[Mark] = []
    _after: Mark | None = None

    @rx.event
    async def load(self):
        if not self._is_back:
            self._marks, self.whose, self.whose_name, self.failed_only = [], "", "", False
        await self._read()

    async def _read(self) -> None:
        actor, now = await self.actor(), utcnow()
        if not actor.can("user.manage"):
            self.refused, self.is_loaded = "Only those who look after people see where they are signed in.", True
            return
        async with unit_of_work(actor, now=now) as uow:
            places = await signed_in.listed(uow)
            tries, self._after = await sign_ins.listed(
                uow,
                user_id=id_of(self.whose, "user_id") if self.whose else None,
                failed_only=self.failed_only,
                before=self._marks[-1] if self._marks else None,
            )
        self.live = [
            {
                "id": str(p.id),
                "user_id": str(p.user_id),
                "name": p.name,
                "initials": initials(p.name),
                "tint": tint(p.name),
                "what": place_of(p.user_agent),
                "ip": p.ip,
                "since": show_ago(p.since, now, actor.time_zone),
                "seen": show_ago(p.seen, now, actor.time_zone),
                "is_current": p.is_current,
            }
            for p in places
        ]
        self.tries = [try_line(one, actor) for one in tries]
        self.refused, self.has_older, self.is_loaded = "", self._after is not None, True

    @rx.event
    async def end(self, session_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                name = await signed_in.end(uow, id_of(session_id, "session_id"))
            self.notify(f"{name} is signed out there")
        await self._read()

    @rx.event
    async def end_all(self, user_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                ended = await signed_in.end_all(uow, id_of(user_id, "user_id"))
            self.notify(f"Signed out in {ended} place{'' if ended == 1 else 's'}")
        await self._read()

    @rx.event
    async def look_at(self, user_id: str, name: str):
        """The sign-ins of one person; of everybody without an id."""
        with self.telling():
            self.whose = str(id_of(user_id, "user_id")) if user_id else ""
            self.whose_name, self._marks = name[:120], []
        await self._read()

    @rx.event
    async def only_failed(self, wanted: bool):
        self.failed_only, self._marks = wanted, []
        await self._read()

    @rx.event
    async def older(self):
        if self._after is not None:
            self._marks = [*self._marks, self._after]
            await self._read()

    @rx.event
    async def newest(self):
        self._marks = []
        await self._read()
