"""The dialog that makes a record, drawn from the form of its declaration."""

import json
from typing import Any
from uuid import UUID, uuid4

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError
from crm_app.core.matching import rules_for
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.customers import duplicates
from crm_app.services.platform import operations, records
from crm_app.state.base import AppState
from crm_app.state.customers.alike import alike_view
from crm_app.state.platform.fields import choices, entity_for
from crm_app.state.platform.forms import complained, field_of, readable, refilled, values_of
from crm_app.store.uow import UnitOfWork, unit_of_work

_CLOSED = "closed"


class RecordForm(AppState):
    """`fields` is what is asked at once, `rest` what can be unfolded; both as state.platform.forms says."""

    is_open: bool = False
    title: str = ""
    error: str = ""
    fields: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    memory: str = ""  # what is made, for the browser to keep; empty while this state never asked
    watched: list[str] = []  # boxes that say whether the record is there already
    alike: list[dict[str, str]] = []  # records that look like what is typed
    _entity: str = ""
    _given: dict[str, str] = {}  # links that follow from the page it was opened on
    _operation: str = ""

    @rx.event
    async def ask(self, entity_name: str, link: str, record_id: str):
        """Open the form of this entity; the record it is opened on is filled in as `link`."""
        actor, entity = await self.actor(), registry.find(entity_name)
        if entity is None or entity.is_managed:
            return
        entity = await entity_for(actor, entity.name)
        self._entity, self.error, self.title = entity.name, "", f"New {entity.label.lower()}"
        self._given = {link: record_id} if link else {}
        names = [n for s in entity.form for n in s.fields if _is_asked(entity, n, actor) and n not in self._given]
        first = {*entity.form[0].fields} | {n for n in names if entity.fields[n].required}
        made = {n: _field(entity, n, actor) for n in names}
        self.fields = [f for n, f in made.items() if n in first]
        self.rest = [f for n, f in made.items() if n not in first]
        self.is_open, self._operation = True, str(uuid4())
        self._watch(entity)
        about = {"entity": self._entity, "given": self._given, "title": self.title, "operation": self._operation}
        self.memory = json.dumps({**about, "fields": self.fields, "rest": self.rest})

    @rx.event
    async def recall(self, memory: str, typed: dict[str, Any]):
        """The tab is back with an open form; a server that started anew is told what it is about."""
        self._take_up(memory, typed)

    def _take_up(self, memory: str, typed: dict[str, Any]) -> bool:
        """Be open as before, if this state never was; True when the form is open. What is made is checked as ever."""
        if memory and not self.memory:
            told = json.loads(memory)
            entity = registry.find(told["entity"])
            if entity is None or entity.is_managed:
                return False
            self._entity, self._given, self._operation = entity.name, told["given"], told["operation"]
            self.title, self.memory, self.is_open = told["title"], memory, True
            self.fields, self.rest = refilled(told["fields"], typed), refilled(told["rest"], typed)
            self._watch(entity)
        return self.is_open

    def _watch(self, entity: Entity) -> None:
        rules, self.alike = rules_for(entity.name), []
        asked = {f["name"] for f in (*self.fields, *self.rest)}
        self.watched = [n for n in rules.fields if n in asked] if rules else []

    @rx.event
    async def look(self, typed: dict[str, Any]):
        """Whether what is typed so far is there already; said beside the form, which goes on."""
        if not self.is_open or not self._entity:
            return
        actor, entity = await self.actor(), registry.get(self._entity)
        values = readable(entity.fields, {**{n: typed.get(n) for n in self.watched}, **self._given}, actor)
        try:
            async with unit_of_work(actor) as uow:
                found = await duplicates.similar(uow, entity, values, limit=3)
        except CrmError:  # who may make but not see is told nothing
            found = []
        self.alike = [alike_view(entity, m) for m in found]

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link, or tags, while somebody types."""
        if not self._entity:  # typed before the server started anew: it is told soon
            return
        spec = (await entity_for(await self.actor(), self._entity)).fields[name]
        if spec.choices:  # they are all there
            return
        found = await choices(await self.actor(), registry.get(self._entity), name, text)
        found = [o for o in found if o["value"]]
        self.fields = [{**f, "options": found} if f["name"] == name else f for f in self.fields]
        self.rest = [{**f, "options": found} if f["name"] == name else f for f in self.rest]

    @rx.event
    async def submit(self, given: dict[str, Any]):
        """What is wrong is shown at its field and the dialog stays."""
        if not self._take_up(given.pop("memory", ""), given):
            return None  # pressed twice
        actor = await self.actor()
        entity = await entity_for(actor, self._entity)
        asked = [f["name"] for f in (*self.fields, *self.rest)]
        given = {**given, **self._given}
        try:
            specs = {n: entity.fields[n] for n in (*asked, *self._given) if n in entity.fields}
            values = {n: v for n, v in values_of(specs, given, actor).items() if v not in (None, "", [])}
            async with unit_of_work(actor) as uow:
                made = await self._make(uow, entity, values)
        except CrmError as refusal:
            fields, error = complained([*self.fields, *self.rest], refusal, given)
            self.fields, self.rest, self.error = fields[: len(self.fields)], fields[len(self.fields) :], error
            return None
        self.is_open, self.memory = False, _CLOSED
        self.notify(f"{made['title']} was created")
        return None if self._given else rx.redirect(f"/{entity.slug}/{made['id']}")

    async def _make(self, uow: UnitOfWork, entity: Entity, values: dict[str, Any]) -> dict[str, str]:
        """Once for this form, also when the answer was lost and it is sent again."""
        operation = UUID(self._operation)
        if (before := await operations.begin(uow, operation)) is not None:
            return before
        record = await records.create(uow, entity, values)
        made = {"id": str(record.id), "title": str(getattr(record, entity.title))}
        await operations.keep(uow, operation, made)
        return made

    @rx.event
    async def leave(self):
        self.is_open, self.memory = False, _CLOSED


def _is_asked(entity: Entity, name: str, actor: Actor) -> bool:
    """Whoever may not give records away is the owner of what they make."""
    return name not in entity.readonly and (name != "owner_id" or actor.can(f"{entity.name}.assign"))


def _field(entity: Entity, name: str, actor: Actor) -> dict[str, Any]:
    """The field with what a new record would get by itself."""
    spec = entity.fields[name]
    if name == "owner_id":
        return field_of(spec, required=False, value=str(actor.user_id), text=actor.name)
    usual = {"currency": actor.currency, "is_active": "yes"}
    text = actor.currency if spec.currency_field else ""
    return field_of(spec, required=spec.required, text=text, value=usual.get(name, ""), hint=_hint(spec, actor))


def _hint(spec: FieldSpec, actor: Actor) -> str:
    """What an admin wrote for whoever fills it in, or how it is written where its box does not say."""
    if spec.help:
        return spec.help
    if spec.kind is Kind.datetime:
        return f"In your time zone, {actor.time_zone.replace('_', ' ')}"
    return ""
