"""The dialog before a record goes into the trash: what hangs on it, and what becomes of that."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.conditions import Clause, dump
from crm_app.core.registry import Entity
from crm_app.services.platform import records, trash_rules
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.trash_rules import Fate, Hanging
from crm_app.services.sales import opportunities
from crm_app.state.base import AppState, notice_action
from crm_app.state.list_cells import number
from crm_app.state.record_views import address_of
from crm_app.store.uow import UnitOfWork, unit_of_work


@dataclass(frozen=True)
class FateView:
    """A line of the dialog: `fate` picks its icon, `href` lists the records it speaks of."""

    fate: str
    text: str
    href: str = ""


_WORDS = {"opportunity": "deal"}


class RecordDelete(AppState):
    """Of one record at a time."""

    is_asked: bool = False
    asked_kind: str = ""
    asked_label: str = ""
    asked_name: str = ""
    fates: list[FateView] = []
    is_held: bool = False  # something protects it
    memory_of_asked: str = ""  # what is asked about, for the browser to keep
    _asked: str = ""
    _back: str = ""

    @rx.event
    async def ask(self, entity_name: str, record_id: str, back: str):
        """Before a record goes; `back` is the page that is shown then, empty to stay."""
        entity, actor = registry.find(entity_name), await self.actor()
        if entity is None:
            return
        with self.telling():
            async with unit_of_work(actor) as uow:
                found = await trash_rules.weigh(uow, entity, UUID(record_id))
                record = await records.read(uow, entity, UUID(record_id))
                self.asked_name = str(getattr(record, entity.title))
                self.fates = await fate_views(uow, entity, UUID(record_id), found)
            self.is_held = any(h.fate is Fate.protects for h in found)
            self.asked_kind, self.asked_label = entity.name, _WORDS.get(entity.name, entity.label.lower())
            is_here = back.startswith("/") and not back.startswith(("//", "/\\"))
            self._asked, self._back, self.is_asked = record_id, back if is_here else "", True
            self.memory_of_asked = json.dumps({"kind": entity.name, "record": record_id, "back": self._back})

    @rx.event
    async def recall(self, memory: str, _typed: dict[str, Any]):
        """The tab is back with the open dialog; a server that started anew is told what it is about."""
        if memory and not self.memory_of_asked:
            told = json.loads(memory)
            return RecordDelete.ask(str(told["kind"]), str(told["record"]), str(told["back"]))
        return None

    @rx.event
    async def keep(self):
        """It stays."""
        self.is_asked = False

    @rx.event
    async def throw_away(self, given: dict[str, Any]):
        """Into the trash; Undo brings it back."""
        entity = registry.find(self.asked_kind)
        if not self.is_asked or entity is None:
            return None  # pressed twice
        actor, record_id = await self.actor(), self._asked
        self.is_asked = False
        async with unit_of_work(actor) as uow:
            if entity.name == "opportunity":
                await opportunities.throw_away(uow, UUID(record_id), reason=str(given.get("reason") or "").strip())
            else:
                await records.delete(uow, entity, UUID(record_id))
        self.notify(f"{self.asked_name} is in the trash", action="Undo", payload=f"restore:{entity.name}:{record_id}")
        return rx.redirect(self._back) if self._back else None

    @rx.event
    async def restore(self, what: str):
        """Out of the trash, from the notice; `what` is "<entity>:<id>"."""
        name, _, record_id = what.partition(":")
        entity = registry.find(name)
        if entity is None:
            return None
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            record = await records.restore(uow, entity, UUID(record_id))
        self.notify(f"{getattr(record, entity.title)} is back")
        return rx.redirect(f"/{entity.slug}/{record_id}")


async def fate_views(uow: UnitOfWork, entity: Entity, record_id: UUID, found: Sequence[Hanging]) -> list[FateView]:
    """In words, with the way to the records where the actor may look at them."""
    views = []
    for h in found:
        href = ""
        if h.entity and uow.actor.can(f"{h.entity}.read"):
            other = await entity_of(uow, h.entity)
            if h.link in other.fields and not other.fields[h.link].masked:
                href = address_of(h.entity, dump(Clause(h.link, "eq", str(record_id))))
        views.append(FateView(h.fate.value, _sentence(entity, h), href))
    return views


def _sentence(entity: Entity, h: Hanging) -> str:
    one, this = h.count == 1, entity.label.lower()
    if not h.entity:
        what = f"{number(h.count)} {h.link}{'' if one else 's'}"
    else:
        other = registry.get(h.entity)
        what = f"{number(h.count)} {other.label.lower() if one else other.plural.lower()}"
    match h.fate:
        case Fate.protects:
            return f"{what} {'needs' if one else 'need'} this {this}. Move or delete {'it' if one else 'them'} first."
        case Fate.along:
            return f"{what} {'goes' if one else 'go'} with it, and {'comes' if one else 'come'} back with it."
        case Fate.unlinked:
            return (
                f"{what} {'lets' if one else 'let'} go of it, and {'gets' if one else 'get'} it back when it returns."
            )
    return f"{what} {'stays' if one else 'stay'}, and {'shows' if one else 'show'} no {this} while it is in the trash."


notice_action("restore", RecordDelete.restore)
