"""Any record as a page, drawn from its declaration: fields in place, what belongs to it, its timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.errors import CrmError, NotFound
from crm_app.core.registry import Entity
from crm_app.core.text import initials, tint
from crm_app.models.sales.opportunities import OPPORTUNITY, OpportunityStatus
from crm_app.services.platform import records
from crm_app.services.platform.schema import entity_of
from crm_app.state.base import AppState, notice_action
from crm_app.state.customers.duplicates import merged_into
from crm_app.state.live import next_batch
from crm_app.state.platform import fields
from crm_app.state.platform.fields import SectionView, field_view, lock_of
from crm_app.state.presence import BEAT
from crm_app.state.records import RowView, entity_at, row_view
from crm_app.state.timeline import Timeline
from crm_app.store.linked import any_linked
from crm_app.store.live import Changed, Message, Resync, hub
from crm_app.store.uow import UnitOfWork, unit_of_work

# What is shown beside a record: entity, the link that leads here, the columns, the heading.
RELATED: dict[str, tuple[tuple[str, str, tuple[str, ...], str], ...]] = {
    "account": (
        ("opportunity", "account_id", ("name", "stage_id", "expected_close_on", "amount_minor"), "Open deals"),
        ("contact", "account_id", ("name", "title", "phone"), "People"),
        ("account", "parent_id", ("name", "city"), "Daughter companies"),
    ),
    "contact": (
        ("opportunity", "primary_contact_id", ("name", "stage_id", "expected_close_on", "amount_minor"), "Open deals"),
    ),
}
_TIMELINES = {"account": "account_id", "contact": "contact_id"}
_MOST = 50


@dataclass(frozen=True)
class RecordHead:
    id: str = ""
    name: str = ""
    detail: str = ""
    mark: str = ""
    tint: int = 1


@dataclass(frozen=True)
class RelatedView:
    """`makes` names the entity that can be made from here, empty when the role may not."""

    title: str
    rows: list[RowView]
    more: bool
    makes: str
    link: str


class RecordState(AppState):
    """One tab's record. The address names it."""

    head: RecordHead = RecordHead()
    sections: list[SectionView] = []
    related: list[RelatedView] = []
    created: str = ""
    options: dict[str, list[dict[str, str]]] = {}
    statuses: dict[str, dict[str, Any]] = {}
    histories: dict[str, list[dict[str, str]]] = {}
    hints: dict[str, str] = {}
    is_loaded: bool = False
    is_missing: bool = False
    _entity: str = ""
    _values: dict[str, Any] = {}
    _moved_to: str = ""  # the address of the record that this one was merged into

    @rx.event
    async def load(self):
        """Opened, or another record is: a watch chained from here ends when the tab leaves the page."""
        entity = entity_at(self.router.url.path)
        if self._is_back:  # what the tab shows stays until it is read anew
            self._entity = entity.name
        elif (self._entity, self.head.id) != (entity.name, self._asked()):
            self._entity, self.head, self.sections, self.related = entity.name, RecordHead(), [], []
            self.options, self.statuses, self.histories, self.hints = {}, {}, {}, {}
            self.is_loaded = self.is_missing = False
            self._moved_to = ""
        return RecordState.watch

    def _asked(self) -> str:
        return str(self.router.url.path).rstrip("/").rpartition("/")[2]

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"record:{token}") as messages:
            async with self:
                await self._show(actor)
            if self._moved_to:
                yield rx.redirect(self._moved_to, replace=True)
            while (batch := await next_batch(messages, BEAT)) is not None:
                async with self:
                    actor = await self.actor()
                    if not await self._concerns(actor, batch):
                        continue
                    await self._show(actor)
                if self._moved_to:
                    yield rx.redirect(self._moved_to, replace=True)

    async def _concerns(self, actor: Actor, batch: Sequence[Message]) -> bool:
        """Whether something on this page became another."""
        beside = [(entity, link) for entity, link, *_ in RELATED.get(self._entity, ())]
        if link := _TIMELINES.get(self._entity):
            beside.append(("activity", link))
        about = {self._entity, *(entity for entity, _ in beside)}
        if any(isinstance(m, Resync) and (not m.entities or m.entities & about) for m in batch):
            return True
        changed: dict[str, list[UUID]] = {}
        for m in batch:
            if isinstance(m, Changed) and m.entity in about:
                changed.setdefault(m.entity, []).append(m.record_id)
        if not changed:
            return False
        if self.is_missing or not self.head.id:
            return self._entity in changed
        shown = {self.head.id, *(row.id for r in self.related for row in r.rows)}
        timeline = await self.get_state(Timeline)
        if any(str(i) in shown or timeline.shows(i) for ids in changed.values() for i in ids):
            return True
        async with unit_of_work(actor) as uow:
            for name, link in beside:
                ids = changed.get(name, ())
                if await any_linked(uow, registry.get(name), ids, link, UUID(self.head.id)):
                    return True
        return False

    async def _show(self, actor: Actor) -> None:
        """A fresh reading; only what became another is sent, and all of it the first time."""
        try:
            async with unit_of_work(actor) as uow:
                entity = await entity_of(uow, self._entity)
                values = await _read(uow, entity, self._asked())
                beside = [await _beside(uow, values["id"], *what) for what in RELATED.get(entity.name, ())]
                related = [r for r in beside if r.rows or r.makes != entity.name]
                if link := _TIMELINES.get(entity.name):
                    people = await _people(uow, entity, values)
                    await (await self.get_state(Timeline)).open(uow, link, values["id"], people)
        except NotFound:
            self._moved_to = await merged_into(actor, entity, self._asked())
            self.is_missing = not self._moved_to
            return
        self.is_missing, self._moved_to = False, ""
        if values["version"] != self._values.get("version") and self.histories:
            self.histories, self.hints = {}, {}
        is_first, self._values = not self._values, values
        fresh = {
            "head": _head(entity, values),
            "sections": _sections(entity, values, actor),
            "related": related,
            "created": show_date(actor.day_of(values["created_at"])),
            "is_loaded": True,
        }
        for name, value in fresh.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    @rx.event
    async def save(self, name: str, text: str, seen: str):
        """A field was edited in place; the answer goes to the field."""
        actor = await self.actor()
        if not self.is_loaded:  # typed before the server started anew, sent before the page was read again
            self._entity = entity_at(self.router.url.path).name
            await self._show(actor)
        view = next((f for s in self.sections for f in s.fields if f.name == name), None)
        if view is None or view.locked:
            self.statuses = {**self.statuses, name: fields.answer("error", CrmError("This field cannot be changed."))}
            return
        entity = registry.get(self._entity)
        done = await fields.save(actor, entity, UUID(self.head.id), name, text, seen, self._values)
        self.statuses = {**self.statuses, name: done}
        if done["state"] != "error":
            await self._show(actor)

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link while somebody types."""
        found = await fields.choices(await self.actor(), registry.get(self._entity), name, text)
        self.options = {**self.options, name: found}

    @rx.event
    async def ask_history(self, name: str):
        """Somebody rests on the label of a field."""
        actor, entity = await self.actor(), registry.get(self._entity)
        if not self.head.id:
            return
        rows = await fields.history_rows(actor, entity, UUID(self.head.id), name, self._values, utcnow())
        self.histories = {**self.histories, name: rows}
        self.hints = {**self.hints, name: fields.was(rows, actor.name)}

    @rx.event
    async def delete(self):
        """Into the trash; Undo brings it back. Refused while records that need it are there."""
        actor, entity = await self.actor(), registry.get(self._entity)
        record_id, name = self.head.id, self.head.name
        async with unit_of_work(actor) as uow:
            await records.delete(uow, entity, UUID(record_id))
        self.notify(f"{name} is in the trash", action="Undo", payload=f"restore:{entity.name}:{record_id}")
        return rx.redirect(f"/{entity.slug}")

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


async def _read(uow: UnitOfWork, entity: Entity, asked: str) -> dict[str, Any]:
    """The record's fields, with the names of what it links to; NotFound when the actor may not know of it."""
    try:
        record_id = UUID(asked)
    except ValueError:
        raise NotFound("There is no such record.") from None
    names = [*dict.fromkeys((entity.title, *(n for s in entity.form for n in s.fields), "created_at"))]
    page = await records.find(uow, entity, columns=names, where=entity.table.c.id == record_id, limit=1)
    if not page.rows:
        raise NotFound(f"This {entity.label.lower()} does not exist, or you may not see it.")
    return dict(page.rows[0])


async def _beside(
    uow: UnitOfWork, record_id: UUID, other: str, link: str, columns: tuple[str, ...], title: str
) -> RelatedView:
    entity = await entity_of(uow, other)
    if not uow.actor.can(f"{other}.read") or link not in entity.fields or entity.fields[link].masked:
        return RelatedView(title, [], False, "", link)
    where = entity.table.c[link] == record_id
    columns = tuple(n for n in columns if n in entity.fields)
    if entity.name == OPPORTUNITY.name:
        where = where & (entity.table.c.status == OpportunityStatus.open)
    wanted = [*columns, "currency"] if "currency" in entity.fields else list(columns)
    page = await records.find(uow, entity, columns=wanted, where=where, limit=_MOST)
    create = other if other != "opportunity" and uow.actor.can(f"{other}.create") else ""
    rows = [row_view(entity, r, columns, uow.actor) for r in page.rows]
    return RelatedView(title, rows, page.after is not None, create, link)


async def _people(uow: UnitOfWork, entity: Entity, values: dict[str, Any]) -> list[dict[str, str]]:
    """With whom something can be logged."""
    if entity.name == "contact":
        return [{"value": str(values["id"]), "label": values["name"]}]
    contact = await entity_of(uow, "contact")
    account = contact.spec("account_id")
    if not uow.actor.can("contact.read") or account is None or account.masked:
        return []
    where = contact.table.c.account_id == values["id"]
    page = await records.find(uow, contact, columns=("name",), where=where, limit=_MOST)
    return [{"value": str(r["id"]), "label": r["name"]} for r in page.rows]


def _head(entity: Entity, values: dict[str, Any]) -> RecordHead:
    name = str(values.get(entity.title) or entity.label)
    detail = ", ".join(str(values[n]) for n in ("title", "industry", "city", "sku", "family") if values.get(n))
    return RecordHead(str(values["id"]), name, detail, initials(name), tint(name))


def _sections(entity: Entity, values: dict[str, Any], actor: Actor) -> list[SectionView]:
    may = actor.can(f"{entity.name}.update")
    reading = "" if may else f"Your role may look at {entity.plural.lower()} but not change them."

    def locked(name: str) -> str:
        if not reading and name == "owner_id" and not actor.can(f"{entity.name}.assign"):
            return f"Your role may not give {entity.plural.lower()} to another owner."
        return reading or lock_of(entity, entity.fields[name])

    found = [
        SectionView(
            s.title,
            [field_view(entity.fields[n], values, actor, locked=locked(n)) for n in s.fields if n in values],
        )
        for s in entity.form
    ]
    return [s for s in found if s.fields]


notice_action("restore", RecordState.restore)
