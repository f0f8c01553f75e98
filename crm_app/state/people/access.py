"""The dialog that says who sees a record, and why, and that shares it."""

from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.dates import show_ago
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity
from crm_app.models.people.users import UserStatus
from crm_app.services.people import access, users
from crm_app.services.platform import sharing
from crm_app.services.platform.schema import entity_of
from crm_app.state.base import AppState, id_of
from crm_app.store.uow import UnitOfWork, unit_of_work


class AccessState(AppState):
    """Of one record. `whose` is the person that is explained, empty for oneself."""

    is_open: bool = False
    kind: str = ""
    about_id: str = ""
    can_share: bool = False
    is_shareable: bool = False
    shares: list[dict[str, Any]] = []
    others: list[dict[str, str]] = []
    whose: str = ""
    verdict: str = ""
    reasons: list[dict[str, Any]] = []
    errors: dict[str, str] = {}

    @rx.event
    async def ask(self, kind: str, record_id: str):
        self.kind, self.about_id, self.whose, self.errors = kind, record_id, "", {}
        self.shares, self.reasons, self.verdict = [], [], ""
        with self.telling():
            await self._read()
            self.is_open = True

    @rx.event
    async def cancel(self):
        self.is_open = False

    @rx.event
    async def look_at(self, user_id: str):
        """Explain another person's access; one's own without an id."""
        self.whose = user_id
        with self.telling():
            await self._read()

    @rx.event
    async def share(self, form: dict[str, Any]):
        """`memory` names the record, for a server that started anew does not know what the dialog is about."""
        self._recall(form)
        actor = await self.actor()
        with self.telling():
            can_write = form.get("share_how") == "write"
            async with unit_of_work(actor) as uow:
                entity = await self._entity(uow)
                user_id = id_of(form.get("share_with"), "user_id")
                await sharing.share(uow, entity, self._record_id(), user_id, can_write=can_write)
            self.notify("Shared; they are told")
            await self._read()

    @rx.event
    async def unshare(self, user_id: str):
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                entity = await self._entity(uow)
                await sharing.unshare(uow, entity, self._record_id(), id_of(user_id, "user_id"))
            self.notify("Shared no more")
            await self._read()

    def _recall(self, form: dict[str, Any]) -> None:
        kind, _, record_id = str(form.get("access_of", "")).partition(" ")
        if registry.find(kind) is not None:
            self.kind, self.about_id = kind, record_id

    def _record_id(self) -> UUID:
        return id_of(self.about_id, "record_id")

    async def _entity(self, uow: UnitOfWork) -> Entity:
        if registry.find(self.kind) is None:
            raise NotFound("There are no such records.")
        return await entity_of(uow, self.kind)

    async def _read(self) -> None:
        actor, now = await self.actor(), utcnow()
        async with unit_of_work(actor, now=now) as uow:
            entity = await self._entity(uow)
            whose = id_of(self.whose, "user_id") if self.whose else None
            found = await access.explain(uow, entity, self._record_id(), user_id=whose)
            shares = await sharing.listed(uow, entity, self._record_id())
            can_share = await sharing.may_share(uow, entity, self._record_id())
            everybody = await users.listed(uow) if actor.can("user.read") else []
        self.is_shareable, self.can_share = entity.visibility != "all", can_share
        self.shares = [
            {
                "id": str(s.user_id),
                "name": s.name,
                "how": "reads and changes" if s.can_write else "reads",
                "by": f"by {s.by}, {show_ago(s.at, now, actor.time_zone)}",
                "may_end": can_share or s.user_id == actor.user_id,
            }
            for s in shares
        ]
        self.others = [
            {"value": str(u.id), "label": u.name}
            for u in everybody
            if u.status is not UserStatus.disabled and u.id != actor.user_id
        ]
        self.reasons = [{"about": r.about, "yes": r.is_yes, "text": r.text} for r in found.reasons]
        answers = (("sees", found.sees), ("may change", found.changes), ("may delete", found.deletes))
        said = [words for words, is_so in answers if is_so]
        does = " and ".join([", ".join(said[:-1]), said[-1]] if said[1:] else said) or "does not see"
        self.verdict = f"{found.name} {does} this {entity.label.lower()}."
