"""The live page of a deal: read at once, edited in place, kept up to date while others work on it."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.models.activities.activities import ACTIVITY
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY, OpportunityStatus
from crm_app.services.platform.schema import entity_of
from crm_app.services.sales import deal_page, drops
from crm_app.services.sales.opportunities import MissingFields
from crm_app.state import list_neighbours
from crm_app.state.base import AppState
from crm_app.state.live import next_batch
from crm_app.state.platform import fields
from crm_app.state.platform.attachments import Attachments
from crm_app.state.platform.fields import SectionView
from crm_app.state.presence import BEAT, TOPIC, Presence, look
from crm_app.state.sales import deal_views, filters
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.board_address import BoardAddress
from crm_app.state.sales.board_answers import BoardAnswers
from crm_app.state.sales.deal_dialog import MISSING, DealDialog, wanted
from crm_app.state.sales.deal_parts import DealParts
from crm_app.state.sales.deal_views import ActionView, DealHead, GateView, Step
from crm_app.state.timeline import Timeline
from crm_app.store.linked import any_linked
from crm_app.store.live import Changed, Message, Resync, Signal, hub
from crm_app.store.uow import UnitOfWork, unit_of_work

_BESIDE = ("opportunity", "account", "contact", "attachment", "comment")  # told with the id of what is shown
_ABOUT = frozenset({*_BESIDE, "activity", "stage", "pipeline", "user", "competitor"})


class DealState(AppState):
    """One tab's deal. The address names it, and the list one came from."""

    head: DealHead = DealHead()
    steps: list[Step] = []
    gate: GateView = GateView()
    sections: list[SectionView] = []
    created: str = ""
    action: ActionView = ActionView()
    options: dict[str, list[dict[str, str]]] = {}
    statuses: dict[str, dict[str, Any]] = {}
    histories: dict[str, list[dict[str, str]]] = {}
    hints: dict[str, str] = {}
    viewers: list[dict[str, Any]] = []
    place: str = ""
    before_href: str = ""
    after_href: str = ""
    is_loaded: bool = False
    is_missing: bool = False
    _values: dict[str, Any] = {}
    _contacts: list[UUID] = []

    @rx.event
    async def load(self):
        """Opened, or another deal is: a watch chained from here ends when the tab leaves the page."""
        if self.head.id != self._asked() and not self._is_back:
            self._reset()
        return DealState.watch

    def _asked(self) -> str:
        return str(self.router.url.path).rstrip("/").rpartition("/")[2]

    def _query(self) -> dict[str, str]:
        return {k: v for k, v in self.router.url.query_parameters.items() if isinstance(v, str)}

    def _reset(self) -> None:
        self.is_loaded = self.is_missing = False
        self.head, self.sections, self.steps = DealHead(), [], []
        self.options, self.statuses, self.histories, self.hints = {}, {}, {}, {}

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor = await self.actor()
            token, asked, query = self.router.session.client_token, self._asked(), self._query()
        tab, place = secrets.token_hex(6), f"deal:{asked}"
        with hub.subscribe(actor.tenant_id, f"deal:{token}") as messages:
            try:
                async with self:
                    self.viewers = []
                    await self._show(actor, asked, query)
                await look(actor, tab, place)
                await self._follow(messages, asked, query, tab, place)
            finally:
                await asyncio.shield(look(actor, tab, ""))

    async def _follow(
        self, messages: asyncio.Queue[Message | None], asked: str, query: dict[str, str], tab: str, place: str
    ) -> None:
        """Until the tab leaves: what changes is read anew under the viewer's own rights, once per burst."""
        beat, others = time.monotonic(), Presence("")
        while (batch := await next_batch(messages, BEAT)) is not None:
            async with self:
                actor = await self.actor()  # a revoked session ends here
                others.me = str(actor.user_id)
                if await self._concerns(actor, batch):
                    await self._show(actor, asked, query)
                words = [m for m in batch if isinstance(m, Signal) and m.topic == TOPIC and m.body["k"] != tab]
                newcomers = [w for w in words if others.hear(w.body)]
                here = others.at("deal:").get(asked, [])
                if here != self.viewers:
                    self.viewers = here
            if newcomers or time.monotonic() - beat >= BEAT:
                beat = time.monotonic()
                await look(actor, tab, place)

    async def _concerns(self, actor: Actor, batch: Sequence[Message]) -> bool:
        """Whether something on this page became another."""
        if any(isinstance(m, Resync) and (not m.entities or m.entities & _ABOUT) for m in batch):
            return True
        changed: dict[str, list[UUID]] = {}
        for m in batch:
            if isinstance(m, Changed) and m.entity in _ABOUT:
                changed.setdefault(m.entity, []).append(m.record_id)
        if not changed:
            return False
        if self.is_missing or not self._values or changed.keys() - {*_BESIDE, "activity"}:
            return True
        shown = {self._values["id"], self._values["account_id"], *self._contacts}
        if any(i in shown for name in _BESIDE for i in changed.get(name, ())):
            return True
        timeline = await self.get_state(Timeline)
        if any(timeline.shows(i) for i in changed.get("activity", ())):
            return True
        async with unit_of_work(actor) as uow:
            return await any_linked(
                uow, ACTIVITY, changed.get("activity", ()), "opportunity_id", self._values["id"]
            ) or await any_linked(uow, CONTACT, changed.get("contact", ()), "account_id", self._values["account_id"])

    async def _show(self, actor: Actor, asked: str, query: dict[str, str]) -> None:
        """A fresh reading; only what became another is sent. The first one of this state is sent whole, for the tab may
        have come back from another server and show something older."""
        try:
            async with unit_of_work(actor) as uow:
                page = await deal_page.page(uow, _uuid(asked))
                board, back = await self._board(query)
                around = await _around(uow, page.values, query, board)
                timeline = await self.get_state(Timeline)
                people = [{"value": str(p.contact_id), "label": p.name} for p in page.people]
                await (await self.get_state(Attachments)).open(uow, OPPORTUNITY, page.values["id"])
                planned = await timeline.open(uow, "opportunity_id", page.values["id"], people)
        except NotFound:
            self.is_missing = True
            return
        self.is_missing = False
        is_first = not self._values
        changed = page.values["version"] != self._values.get("version")
        self._values = dict(page.values)
        self._contacts = [p.contact_id for p in page.people]
        self._put(
            is_first,
            head=deal_views.head(page, actor, back or filters.address(str(page.values["pipeline_id"]), board)),
            steps=deal_views.steps(page),
            gate=deal_views.gate(page),
            sections=deal_views.sections(page, actor),
            created=deal_views.created(page, actor),
            action=deal_views.action(page, planned, actor),
            is_loaded=True,
            **around,
        )
        if changed and self.histories:
            self.histories, self.hints = {}, {}
        (await self.get_state(DealParts)).show(page)

    async def _board(self, query: dict[str, str]) -> tuple[dict[str, str], str]:
        """The filters of the board one came from, in the address, or those of the board in this tab; and its
        address."""
        if list_neighbours.came_from(query) is not None:
            return {}, ""
        if query.get("list") == "board" and not query.keys() & set(filters.KEYS):
            shown = dict((await self.get_state(BoardState)).query)
            return shown, (await self.get_state(BoardAddress)).here() if shown else ""
        return query, ""

    def _put(self, is_first: bool, **values: Any) -> None:
        for name, value in values.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    @rx.event
    async def save(self, name: str, text: str, seen: str):
        """A field was edited in place; the answer goes to the field, the new values come with the live feed."""
        actor = await self.actor()
        if not self.is_loaded:  # typed before the server started anew, sent before the page was read again
            await self._show(actor, self._asked(), self._query())
        done = await fields.save_shown(
            actor, OPPORTUNITY, self.head.id, name, text, seen, sections=self.sections, values=self._values
        )
        self.statuses = {**self.statuses, name: done}
        if done["state"] != "error":
            await self._show_again(actor)

    async def _show_again(self, actor: Actor) -> None:
        """With the answer and not after it, so that no old value flashes up."""
        await self._show(actor, self.head.id, self._query())

    @rx.event
    async def search(self, name: str, text: str):
        """Choices of a link while somebody types; the account's own people first."""
        actor = await self.actor()
        found = await fields.choices(actor, OPPORTUNITY, name, text)
        if name == "primary_contact_id" and not text.strip():
            parts = await self.get_state(DealParts)
            found = [found[0], *({**p, "hint": ""} for p in parts.known())]
        self.options = {**self.options, name: found}

    @rx.event
    async def ask_history(self, name: str):
        """Somebody rests on the label of a field."""
        actor = await self.actor()
        if not self.head.id:
            return
        rows = await fields.history_rows(actor, OPPORTUNITY, UUID(self.head.id), name, self._values, utcnow())
        self.histories = {**self.histories, name: rows}
        self.hints = {**self.hints, name: fields.was(rows, actor.name)}

    @rx.event
    async def go_to(self, stage_id: str):
        """A stage of the bar was pressed: move, close or reopen."""
        step = next((s for s in self.steps if s.id == stage_id), None)
        if step is None or step.now:
            return None
        actor = await self.actor()
        if step.look.startswith(("won", "lost")):
            return BoardAnswers.close_one(self.head.id, self.head.name, step.look.split()[0])
        if self.head.status != OpportunityStatus.open.value:
            return await self._reopen(actor, UUID(stage_id))
        operation, seen = str(uuid4()), {UUID(self.head.id): self._values["stage_id"]}
        try:
            async with unit_of_work(actor) as uow:
                await drops.move(uow, UUID(operation), [UUID(self.head.id)], to_stage_id=UUID(stage_id), seen_in=seen)
        except MissingFields as refusal:
            await self._ask_missing(refusal, step, operation)
            return None
        await self._show_again(actor)
        self.notify(f"{self.head.name} moved to {step.name}", action="Undo", payload=f"undo:{operation}")
        return None

    async def _ask_missing(self, refusal: MissingFields, step: Step, operation: str) -> None:
        dialog = await self.get_state(DealDialog)
        dialog.ask(
            MISSING,
            title=f"Move to {step.name}",
            about=self.head.name,
            confirm=f"Move to {step.name}",
            fields=wanted(refusal, await self.actor()),
            operation=operation,
            ids=[self.head.id],
            stage=step.id,
        )

    @rx.event
    async def reopen(self):
        """Back into the last open stage."""
        await self._reopen(await self.actor(), None)

    async def _reopen(self, actor: Actor, stage_id: UUID | None) -> None:
        operation = uuid4()
        async with unit_of_work(actor) as uow:
            await drops.reopen(uow, operation, UUID(self.head.id), to_stage_id=stage_id)
        await self._show_again(actor)
        self.notify(f"{self.head.name} is open again", action="Undo", payload=f"undo:{operation}")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such deal.") from None


def _many(total: int) -> str:
    return "1000+" if total >= 1000 else str(total)


async def _around(
    uow: UnitOfWork, values: Mapping[str, Any], query: dict[str, str], board: dict[str, str]
) -> dict[str, str]:
    """The way through the list one came from, or through the column of the board."""
    if (came := list_neighbours.came_from(query)) is not None:
        return await list_neighbours.around(uow, await entity_of(uow, OPPORTUNITY.name), came, values["id"])
    found = await deal_page.neighbours(uow, values, filters.parse(board, uow.actor.currency, uow.actor.user_id))
    return {
        "place": f"{found.place} of {_many(found.total)}" if found.place else "",
        "before_href": _address(found.before, query),
        "after_href": _address(found.after, query),
    }


def _address(record_id: UUID | None, query: dict[str, str]) -> str:
    """The neighbour's page, with the list one came from; empty when there is none."""
    if record_id is None:
        return ""
    return f"/opportunities/{record_id}" + (f"?{urlencode(query, safe=',')}" if query else "")
