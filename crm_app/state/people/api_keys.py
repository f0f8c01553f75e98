"""API keys: the list, a new one, the key itself shown once."""

from datetime import datetime
from typing import Any

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago, show_date
from crm_app.core.errors import Invalid
from crm_app.services.people import api_keys
from crm_app.services.people.api_keys import KeyView
from crm_app.services.people.roles import catalogue
from crm_app.settings import settings
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import unit_of_work

REACHES = {"*": "Everything I may do", "@read_only": "Reading only", "chosen": "Chosen rights"}
DAYS = {"30": "30 days", "90": "90 days", "365": "A year", "never": "Never"}


class ApiKeysState(AppState):
    """The page of API keys. `token` is the new key, shown this once."""

    keys: list[dict[str, Any]] = []
    key_rights: list[dict[str, str]] = []  # what the person may give: {"name", "label"}
    per_minute: str = ""
    reach: str = "*"
    token: str = ""
    errors: dict[str, str] = {}
    is_making: bool = False
    is_loaded: bool = False

    @rx.event
    async def load(self):
        if not self._is_back:
            self.token, self.is_making, self.errors, self.reach = "", False, {}, "*"
        with self.telling():
            await self._read()
        self.is_loaded = True

    async def _read(self) -> None:
        actor, now = await self.actor(), utcnow()
        async with unit_of_work(actor, now=now) as uow:
            found = await api_keys.listed(uow)
        self.keys = [_line(key, actor, now) for key in found]
        self.key_rights = [{"name": n, "label": label} for n, label in catalogue().items() if actor.can(n)]
        self.per_minute = str(settings().api_per_minute)

    @rx.event
    async def ask(self):
        self.is_making, self.errors, self.token, self.reach = True, {}, "", "*"

    @rx.event
    async def cancel(self):
        self.is_making, self.errors, self.token = False, {}, ""

    @rx.event
    async def choose_reach(self, reach: str):
        self.reach = reach if reach in REACHES else "*"

    @rx.event
    async def make(self, form: dict[str, Any]):
        actor = await self.actor()
        reach, days = str(form.get("key_reach") or "*"), str(form.get("key_days") or "90")
        with self.telling():
            scopes = [n for n in catalogue() if form.get(n)] if reach == "chosen" else [reach]
            async with unit_of_work(actor) as uow:
                token, _ = await api_keys.create(
                    uow,
                    name=str(form.get("key_name") or ""),
                    scopes=scopes,
                    days=None if days == "never" else _whole("days", days),
                    per_minute=_whole("per_minute", str(form.get("key_per_minute") or "")),
                )
            self.token = token
            await self._read()

    @rx.event
    async def revoke(self, key_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await api_keys.revoke(uow, id_of(key_id, "key_id"))
            self.notify("The key is revoked; what uses it is refused from now on")
            await self._read()


def _whole(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid(**{field: "must be a whole number"})
    return int(text)


def _line(key: KeyView, viewer: Actor, now: datetime) -> dict[str, Any]:
    if "*" in key.scopes:
        may = "All that the person may"
    elif key.scopes == ("@read_only",):
        may = "Reading only"
    else:
        may = f"{len(key.scopes)} right{'' if len(key.scopes) == 1 else 's'}"
    return {
        "id": str(key.id),
        "name": key.name,
        "hint": f"sck_…{key.hint}",
        "user": "you" if key.user_id == viewer.user_id else key.user,
        "may": may,
        "limit": f"{key.per_minute} a minute",
        "ends": show_date(key.expires_at.date()) if key.expires_at else "never",
        "used": show_ago(key.last_used_at, now, viewer.time_zone) if key.last_used_at else "never",
        "state": key.state,
    }
