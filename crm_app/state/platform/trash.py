"""The trash as a page: what lies there, who threw it away and when; put back, or gone for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.services.platform import records, trash
from crm_app.services.platform.trash import KEPT, Thrown
from crm_app.state.base import AppState
from crm_app.state.live import next_batch
from crm_app.state.platform.fields import day_and_time, has_page
from crm_app.state.presence import BEAT
from crm_app.store.live import hub
from crm_app.store.uow import UnitOfWork, unit_of_work

_PAGE = 50
_MOST = 500
_AGES = {"today": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True)
class ThrownView:
    """`left` is how long it can still be put back, `along` what went with it."""

    kind: str
    id: str
    title: str
    label: str
    icon: str
    when: str
    who: str
    left: str
    is_last: bool
    along: str


class TrashState(AppState):
    """What lies in the trash, narrowed by the three boxes above it."""

    rows: list[ThrownView] = []
    kinds: list[dict[str, str]] = []
    people: list[dict[str, str]] = []
    narrowed: dict[str, str] = {}
    has_older: bool = False
    may_purge: bool = False
    may_look: bool = True
    is_loaded: bool = False
    asked_title: str = ""
    is_asked: bool = False
    _asked_row: tuple[str, str] = ("", "")
    _shown: int = _PAGE

    @rx.event
    async def load(self):
        """Opened: a watch chained from here ends when the tab leaves the page."""
        return TrashState.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"trash:{token}") as messages:
            async with self:
                await self._read(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                if batch:
                    async with self:
                        await self._read(await self.actor())

    async def _read(self, actor: Actor) -> None:
        async with unit_of_work(actor) as uow:
            kinds = trash.entities_for(uow)
            found = await self._found(uow) if kinds else []
            people = await trash.who(uow)
        fresh: dict[str, Any] = {
            "rows": [_row(t, actor, uow.now) for t in found[: self._shown]],
            "has_older": len(found) > self._shown,
            "kinds": [{"value": e.name, "label": e.plural} for e in kinds],
            "people": [{"value": str(i), "label": name} for i, name in people],
            "may_purge": actor.can("trash.purge"),
            "may_look": bool(kinds),
            "is_loaded": True,
        }
        for name, value in fresh.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    async def _found(self, uow: UnitOfWork) -> list[Thrown]:
        asked = self.narrowed
        age = _AGES.get(asked.get("age", ""))
        known = {e.name for e in trash.entities_for(uow)}
        return await trash.listed(
            uow,
            entity_name=asked["kind"] if asked.get("kind") in known else "",
            by_id=UUID(asked["who"]) if asked.get("who") else None,
            since=uow.now - age if age else None,
            limit=self._shown + 1,
        )

    @rx.event
    async def narrow(self, box: str, value: str):
        """One of the boxes: kind, who or age."""
        if box not in ("kind", "who", "age"):
            return
        try:
            self.narrowed = {**self.narrowed, box: str(UUID(value)) if box == "who" and value else value}
        except ValueError:
            return
        self._shown = _PAGE
        await self._read(await self.actor())

    @rx.event
    async def older(self):
        """More of them."""
        self._shown = min(self._shown + _PAGE, _MOST)
        await self._read(await self.actor())

    @rx.event
    async def put_back(self, kind: str, record_id: str):
        """Whole, with what went along."""
        entity, actor = registry.find(kind), await self.actor()
        if entity is None:
            return
        with self.telling():
            async with unit_of_work(actor) as uow:
                record = await records.restore(uow, entity, UUID(record_id))
                title = str(getattr(record, entity.title))
            self.notify(f"{title} is back")
        await self._read(actor)

    @rx.event
    async def ask_purge(self, kind: str, record_id: str, title: str):
        """Before it goes for good."""
        self._asked_row, self.asked_title, self.is_asked = (kind, record_id), title[:200], True

    @rx.event
    async def keep(self):
        self.is_asked = False

    @rx.event
    async def purge(self, _given: dict[str, Any]):
        """For good."""
        kind, record_id = self._asked_row
        entity, actor = registry.find(kind), await self.actor()
        if not self.is_asked or entity is None:
            return
        self.is_asked = False
        with self.telling():
            async with unit_of_work(actor) as uow:
                title = await trash.purge(uow, entity, UUID(record_id))
            self.notify(f"{title} is gone for good")
        await self._read(actor)


def _row(thrown: Thrown, actor: Actor, now: datetime) -> ThrownView:
    entity = registry.get(thrown.entity)
    days = max(0, min(KEPT.days, (thrown.goes_at - now + timedelta(hours=12)).days))
    along = f"with {thrown.along} {'record' if thrown.along == 1 else 'records'}" if thrown.along else ""
    return ThrownView(
        kind=entity.name,
        id=str(thrown.id),
        title=thrown.title or entity.label,
        label=entity.label,
        icon=entity.name if has_page(entity.name) else "",
        when=day_and_time(thrown.deleted_at, actor, now),
        who=thrown.by_name or "The system",
        left="today" if days == 0 else f"{days} {'day' if days == 1 else 'days'}",
        is_last=days <= 3,
        along=along,
    )
