"""What is done with the records chosen in a list: fields changed, thrown away; how far it is, how it ended, and back.

Whoever does it may go on working, or leave: it goes on, and the list shows it again.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity, Kind
from crm_app.core.views import View, dump, load, without
from crm_app.models.platform.bulk import BulkStatus
from crm_app.services.platform import bulk_operations, schema
from crm_app.services.platform.bulk_operations import MOST_IDS, Progress
from crm_app.state.base import AppState, id_of, internal, notice_action
from crm_app.state.list_bulk_views import (
    NOTHING,
    changes_of,
    editable,
    field_to_change,
    progress_view,
    reasons_view,
)
from crm_app.state.list_cells import counted
from crm_app.state.lists import RecordList
from crm_app.state.live import next_batch
from crm_app.state.platform import fields
from crm_app.state.platform.forms import complained, refilled
from crm_app.state.presence import BEAT
from crm_app.state.records import entity_at
from crm_app.store.live import Message, Signal, hub
from crm_app.store.uow import unit_of_work

_CLOSED = "closed"
_EDIT, _DELETE = "edit", "delete"


class ListBulk(AppState):
    """`fields` are those chosen to be changed, as state.platform.forms says; `offered` those that could be."""

    asking: str = ""  # edit or delete while the dialog is open
    heading: str = ""
    error: str = ""
    fields: list[dict[str, Any]] = []
    offered: list[dict[str, str]] = []
    memory: str = ""
    running: dict[str, Any] = NOTHING
    is_result_open: bool = False
    reasons: list[dict[str, Any]] = []
    picks: int = 0  # grows when the selection has been dealt with
    _ids: list[str] = []
    _all: bool = False
    _operation: str = ""
    _entity: str = ""
    _chosen: dict[str, Any] = {}

    @rx.event
    async def load(self):
        """The list opens: what is still under way there is shown again."""
        actor, entity = await self.actor(), entity_at(self.router.url.path)
        if self._is_back:
            self._entity = entity.name
        elif entity.name != self._entity:
            self._entity, self._ids, self._all, self.asking, self.is_result_open = entity.name, [], False, "", False
        async with unit_of_work(actor) as uow:
            found = await bulk_operations.latest(uow, entity)
        running = progress_view(entity, found) if found is not None and found.status is BulkStatus.running else NOTHING
        if running != self.running:
            self.running = running
        return ListBulk.follow if running["id"] else None

    @rx.event
    async def pick(self, ids: list[str], is_all: bool):
        """What is chosen in the table: these, or all that match but these."""
        self._ids, self._all = [str(i) for i in ids[: MOST_IDS + 1]], bool(is_all)

    # -- Asked ---------------------------------------------------------------------------------------------------

    @rx.event
    async def ask(self, field: str):
        """Open the dialog that changes fields; with the one that was asked for, if any."""
        actor = await self.actor()
        if not (entity := await self._choose(actor)):
            return
        self.asking, self.error, self.fields = _EDIT, "", []
        self.offered = [{"value": n, "label": entity.fields[n].label} for n in editable(entity, actor)]
        if field in entity.fields:
            self._add(entity, field, actor)
        self._remember()

    @rx.event
    async def ask_delete(self):
        actor = await self.actor()
        if await self._choose(actor):
            self.asking, self.error, self.fields = _DELETE, "", []
            self._remember()

    async def _choose(self, actor: Actor) -> Entity | None:
        """Fix what is chosen and name it; a dialog means what it says, whatever is picked behind it."""
        async with unit_of_work(actor) as uow:
            entity = await schema.entity_of(uow, self._entity) if self._entity else None
        shown = await self.get_state(RecordList)
        if entity is None or not (self._ids or self._all):
            self.notify("Choose the records again: the connection was lost in between.", kind="error")
            return None
        with self.telling():
            ids, view = self.chosen(shown._view)
            self._operation = str(uuid4())
            self._chosen = {"ids": [str(i) for i in ids], "view": dump(view) if view else None}
            self.heading = counted(entity, shown.total - self.left_out() if view else len(ids))
            return entity
        return None

    def _remember(self) -> None:
        """For a server that starts anew while the dialog is open."""
        about = {
            "entity": self._entity, "operation": self._operation, "chosen": self._chosen, "asking": self.asking,
            "heading": self.heading, "fields": self.fields, "offered": self.offered,
        }  # fmt: skip
        self.memory = json.dumps(about)

    @rx.event
    async def recall(self, memory: str, typed: dict[str, Any]):
        """The tab is back with an open dialog."""
        self._take_up(memory, typed)

    def _take_up(self, memory: str, typed: Mapping[str, Any]) -> bool:
        if memory and memory != _CLOSED and not self.memory:
            told = json.loads(memory)
            if registry.find(told["entity"]) is None:
                return False
            self._entity, self._operation, self._chosen = told["entity"], told["operation"], told["chosen"]
            self.asking, self.heading, self.offered, self.memory = (
                told["asking"],
                told["heading"],
                told["offered"],
                memory,
            )
            self.fields = [{**f, "mode": str(typed.get(f"{f['name']}_mode", f["mode"]))} for f in told["fields"]]
            self.fields = refilled(self.fields, typed)
        return bool(self.asking)

    @rx.event
    async def take_field(self, name: str):
        """One more field to change."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await schema.entity_of(uow, self._entity)
        if name in editable(entity, actor) and all(f["name"] != name for f in self.fields):
            self._add(entity, name, actor)
            self._remember()

    def _add(self, entity: Entity, name: str, actor: Actor) -> None:
        self.fields, self.error = [*self.fields, field_to_change(entity.fields[name], actor)], ""

    @rx.event
    async def drop_field(self, name: str):
        self.fields = [f for f in self.fields if f["name"] != name]
        self._remember()

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link, or tags, while somebody types."""
        actor = await self.actor()
        spec = (await fields.entity_for(actor, self._entity)).spec(name)
        if spec is None or spec.choices or spec.kind not in (Kind.link, Kind.choices):
            return
        found = await fields.choices(actor, registry.get(self._entity), name, text)
        options = [o for o in found if o["value"]]
        self.fields = [{**f, "options": options} if f["name"] == name else f for f in self.fields]

    @rx.event
    async def leave(self):
        """The dialog is closed, nothing is done."""
        self.asking, self.memory = "", _CLOSED

    # -- Done ----------------------------------------------------------------------------------------------------

    @rx.event
    async def submit(self, given: dict[str, Any]):
        """Begin. What is wrong with a value is shown at its field, and the dialog stays."""
        if not self._take_up(given.pop("memory", ""), given):
            return None  # pressed twice
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                entity = await schema.entity_of(uow, self._entity)
                chosen = self._named()
                operation = id_of(self._operation, "operation")
                if self.asking == _DELETE:
                    begun = await bulk_operations.delete(uow, entity, operation_id=operation, **chosen)
                else:
                    changes = changes_of(entity, self.fields, given, actor)
                    begun = await bulk_operations.edit(uow, entity, changes, operation_id=operation, **chosen)
        except CrmError as refusal:
            told, self.error = complained(self.fields, refusal, given)
            self.fields = [{**f, "mode": str(given.get(f"{f['name']}_mode", f["mode"]))} for f in told]
            return None
        self.asking, self.memory = "", _CLOSED
        self._ids, self._all, self.picks = [], False, self.picks + 1
        return await self._show(actor, begun)

    def _named(self) -> dict[str, Any]:
        """The chosen records, as the service takes them."""
        if self._chosen.get("view") is not None:
            return {"view": load(self._chosen["view"])}
        try:
            return {"record_ids": [UUID(i) for i in self._chosen["ids"]]}
        except ValueError as error:
            raise Invalid("Choose the records again.") from error

    async def _show(self, actor: Actor, progress: Progress) -> Any:
        """How far it is, or how it ended: without a hitch in one sentence, else with the reasons."""
        entity = registry.get(progress.entity)
        self.running = progress_view(entity, progress)
        if progress.status is BulkStatus.running:
            return ListBulk.follow
        if progress.status is BulkStatus.done and not progress.blocked:
            payload = {"action": "Undo", "payload": f"undo-bulk:{progress.id}"} if progress.can_undo else {}
            self.notify(self.running["title"], **payload)
            self.running = NOTHING
            return None
        async with unit_of_work(actor) as uow:
            found = await bulk_operations.blocked(uow, progress.id)
        self.reasons, self.is_result_open = reasons_view(entity, found), True
        return None

    @rx.event(background=True)
    async def follow(self):
        """Until it ends, told by whoever works on it."""
        async with self:
            actor, token, operation = await self.actor(), self.router.session.client_token, self.running["id"]
        if not operation:
            return
        with hub.subscribe(actor.tenant_id, f"bulk:{token}", (Signal,)) as messages:
            batch: Sequence[Message] | None = [Signal(bulk_operations.WORK, {"id": operation})]
            while batch is not None:
                if not batch or any(_is_about(m, operation) for m in batch):
                    async with self:
                        actor = await self.actor()
                        async with unit_of_work(actor) as uow:
                            found = await bulk_operations.read(uow, UUID(operation))
                        if self.running["id"] != operation:
                            return
                        if found.status is not BulkStatus.running:
                            await self._show(actor, found)
                            return
                        self.running = progress_view(registry.get(found.entity), found)
                batch = await next_batch(messages, BEAT)

    @rx.event
    async def cancel(self):
        """Stop it; what is done stays until it is undone."""
        await self._act(bulk_operations.cancel)

    @rx.event
    async def resume(self):
        """Go on where it stopped."""
        self.is_result_open = False
        return await self._act(bulk_operations.resume)

    async def _act(self, verb: Any) -> Any:
        actor = await self.actor()
        if not self.running["id"]:
            return None
        with self.telling():
            async with unit_of_work(actor) as uow:
                found = await verb(uow, UUID(self.running["id"]))
            if found.status is BulkStatus.running:
                self.running = progress_view(registry.get(found.entity), found)
                return ListBulk.follow
            return await self._show(actor, found)
        return None

    @rx.event
    async def undo(self, bulk_id: str):
        """Put back what it changed."""
        actor, self.is_result_open = await self.actor(), False
        with self.telling():
            wanted = id_of(bulk_id or self.running["id"], "operation")
            async with unit_of_work(actor) as uow:
                begun = await bulk_operations.undo(uow, wanted, operation_id=uuid4())
            return await self._show(actor, begun)
        return None

    @rx.event
    async def close(self):
        """The result was read."""
        self.is_result_open, self.running = False, NOTHING

    @internal
    def chosen(self, shown: View) -> tuple[list[UUID], View | None]:
        """The selection as it is now: ids, or a view when all that match are meant, without those taken out of it."""
        try:
            ids = [UUID(i) for i in self._ids]
        except ValueError as error:
            raise Invalid("Choose the records again.") from error
        return ([], without(shown, ids)) if self._all else (ids, None)

    @internal
    def left_out(self) -> int:
        """How many were taken out of all that match."""
        return len(self._ids) if self._all else 0


notice_action("undo-bulk", ListBulk.undo)


def _is_about(message: Message, operation: str) -> bool:
    if isinstance(message, Signal):
        return message.topic == bulk_operations.WORK and message.body.get("id") == operation
    return True
