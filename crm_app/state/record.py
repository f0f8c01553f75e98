"""Any record as a page, drawn from its declaration: fields in place, what belongs to it, its timeline."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity
from crm_app.core.related import related_lists
from crm_app.services.activities import activities
from crm_app.services.activities.activities import With
from crm_app.services.platform.schema import entity_of
from crm_app.state import list_neighbours
from crm_app.state import record_views as views
from crm_app.state.base import AppState
from crm_app.state.customers.duplicates import merged_into
from crm_app.state.lists import RecordList
from crm_app.state.live import next_batch
from crm_app.state.platform import fields
from crm_app.state.platform.fields import SectionView
from crm_app.state.presence import BEAT
from crm_app.state.record_parts import parts_of, topics_of
from crm_app.state.record_views import RecordHead, RelatedView
from crm_app.state.records import entity_at
from crm_app.state.timeline import Timeline
from crm_app.store.linked import any_linked
from crm_app.store.live import Changed, Message, Resync, hub
from crm_app.store.uow import UnitOfWork, unit_of_work

TIMELINES = {name.removesuffix("_id"): name for name in With.__slots__}  # entity -> the link of its activities


class RecordState(AppState):
    """One tab's record: the one that the address names, or the one that was opened beside a list."""

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
    place: str = ""  # in the list one came from: "3 of 20"
    before_href: str = ""
    after_href: str = ""
    _is_page: bool = False  # and not beside a list
    _kind: str = ""  # the name of the entity
    _record: str = ""  # the id that is asked for
    _values: dict[str, Any] = {}
    _moved_to: str = ""  # the address of the record that this one was merged into

    @rx.event
    async def load(self):
        """Opened, or another record is: a watch chained from here ends when the tab leaves the page."""
        self._is_page = True
        self._ask_address()
        return RecordState.watch

    def _ask_address(self) -> None:
        path = self.router.url.path
        self._ask(entity_at(path).name, str(path).rstrip("/").rpartition("/")[2])

    def _ask(self, kind: str, record: str) -> None:
        """Forget what is shown of another record; of the same one it stays until it is read anew."""
        if not self._is_back and (self._kind, self._record) != (kind, record):
            self.head, self.sections, self.related = RecordHead(), [], []
            self.options, self.statuses, self.histories, self.hints = {}, {}, {}, {}
            self.is_loaded = self.is_missing = False
            self._moved_to, self._values = "", {}
        self._kind, self._record = kind, record

    @rx.event
    async def open(self, entity_name: str, record_id: str):
        """Show a record beside a list."""
        if registry.find(entity_name) is None:
            return None
        self._is_page = False
        self._ask(entity_name, record_id)
        return RecordState.watch

    @rx.event
    async def reread(self):
        """The record as it is now."""
        await self._show(await self.actor())

    @rx.event
    async def close(self):
        """The panel beside the list was closed."""
        self._ask("", "")

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
        if not self._kind:
            return False
        about = {self._kind, "activity", *topics_of(self._kind)}
        about |= {r.entity for r in related_lists(registry.get(self._kind))}
        if any(isinstance(m, Resync) and (not m.entities or m.entities & about) for m in batch):
            return True
        changed: dict[str, list[UUID]] = {}
        for m in batch:
            if isinstance(m, Changed) and m.entity in about:
                changed.setdefault(m.entity, []).append(m.record_id)
        if self.is_missing or not self.head.id or not changed:
            return self._kind in changed
        return await self._shows_one_of(actor, changed)

    async def _shows_one_of(self, actor: Actor, changed: Mapping[str, Sequence[UUID]]) -> bool:
        shown = {self.head.id, *(row.id for r in self.related for row in (*r.rows, *r.brief))}
        timeline = await self.get_state(Timeline)
        if any(str(i) in shown or timeline.shows(i) for ids in changed.values() for i in ids):
            return True
        mine = UUID(self.head.id)
        async with unit_of_work(actor) as uow:
            if (link := TIMELINES.get(self._kind)) and actor.can("activity.read"):
                whose = With(**{link: mine})
                if await activities.any_of(uow, whose, changed.get("activity", ())):
                    return True
            for r in related_lists(registry.get(self._kind)):
                if await any_linked(uow, registry.get(r.entity), changed.get(r.entity, ()), r.link, mine):
                    return True
        return False

    async def _show(self, actor: Actor) -> None:
        """A fresh reading; only what became another is sent, and all of it the first time."""
        if not self._kind:
            return
        try:
            async with unit_of_work(actor) as uow:
                entity = await entity_of(uow, self._kind)
                values = await views.read(uow, entity, self._record)
                head = await views.head(uow, entity, values)
                related = await views.related(uow, entity, values["id"])
                if (link := TIMELINES.get(entity.name)) and actor.can("activity.read"):
                    people = await views.people(uow, entity, values)
                    await (await self.get_state(Timeline)).open(uow, link, values["id"], people)
                around = await self._around(uow, entity, values["id"])
                for part in parts_of(entity.name):
                    await part.opens(self, uow, entity, values)
        except NotFound:
            self._moved_to = await merged_into(actor, registry.get(self._kind), self._record)
            self.is_missing = not self._moved_to
            return
        self.is_missing, self._moved_to = False, ""
        if values["version"] != self._values.get("version") and self.histories:
            self.histories, self.hints = {}, {}
        is_first, self._values = not self._values, values
        fresh = {
            "head": head,
            "sections": views.sections(entity, values, actor),
            "related": related,
            "created": views.created(values, actor),
            "is_loaded": True,
            **around,
        }
        for name, value in fresh.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    async def _around(self, uow: UnitOfWork, entity: Entity, record_id: UUID) -> dict[str, str]:
        """The way through the list one came from: the one that the address tells, or that of this tab."""
        came = await self.get_state(RecordList)
        view = list_neighbours.came_from(self.router.url.query_parameters)
        if view is None and came.shows(entity.name):
            view = came.looked_through()
        if not self._is_page or view is None:
            return list_neighbours.NOWHERE
        return await list_neighbours.around(uow, entity, view, record_id)

    @rx.event
    async def save(self, name: str, text: str, seen: str):
        """A field was edited in place; the answer goes to the field."""
        actor = await self.actor()
        if not self.is_loaded:  # typed before the server started anew, sent before the page was read again
            if not self._kind:
                self._ask_address()
            await self._show(actor)
        entity = registry.get(self._kind)
        done = await fields.save_shown(
            actor, entity, self.head.id, name, text, seen, sections=self.sections, values=self._values
        )
        self.statuses = {**self.statuses, name: done}
        if done["state"] != "error":
            await self._show(actor)

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link while somebody types."""
        found = await fields.choices(await self.actor(), registry.get(self._kind), name, text)
        self.options = {**self.options, name: found}

    @rx.event
    async def ask_history(self, name: str):
        """Somebody rests on the label of a field."""
        actor, entity = await self.actor(), registry.get(self._kind)
        if not self.head.id:
            return
        rows = await fields.history_rows(actor, entity, UUID(self.head.id), name, self._values, utcnow())
        self.histories = {**self.histories, name: rows}
        self.hints = {**self.hints, name: fields.was(rows, actor.name)}
