"""The live board of a tab: a snapshot, then small ops; docs/how-to/board-protocol.md describes both."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx
from reflex_base.constants.state import FIELD_MARKER

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, CrmError, Forbidden
from crm_app.core.text import initials, tint
from crm_app.models.platform.saved_views import ViewKind
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.sales import board, drops, undo
from crm_app.services.sales.opportunities import MissingFields
from crm_app.state.base import AppState, internal, notice_action, visitor_at
from crm_app.state.live import next_batch
from crm_app.state.presence import BEAT, TOPIC, Presence, look
from crm_app.state.sales import board_address, board_views, filters
from crm_app.state.sales.board_address import Asked, BoardAddress
from crm_app.state.sales.board_views import Question, Snapshot, Told
from crm_app.state.sales.deal_dialog import MISSING, DealDialog, wanted
from crm_app.state.view_screens import Screen, add_screen
from crm_app.store.live import Resync, Signal, hub
from crm_app.store.uow import UnitOfWork, is_passing, retrying, unit_of_work
from crm_app.store.visibility import sight

log = logging.getLogger(__name__)
_AFTER_FAILURE = 1.0  # seconds
_RING = 20  # ops kept in the state; a tab that missed more asks for a fresh board
_RING_SECONDS = 2.0
Look = tuple[datetime, Sequence[Mapping[str, Any]], Mapping[UUID, board.Totals]]


class BoardState(AppState):
    """One tab's board. The address holds pipeline and filters; changing them goes through the address."""

    columns: list[dict[str, Any]] = []
    base: int = 0
    ops: list[dict[str, Any]] = []
    pipeline_id: str = ""
    pipeline_name: str = ""
    pipelines: list[dict[str, str]] = []
    owners: list[dict[str, str]] = []
    chips: list[dict[str, str]] = []
    query: dict[str, str] = {}
    sums: dict[str, str] = {}
    viewers: list[dict[str, Any]] = []
    locked: str = ""
    is_loaded: bool = False
    shows_ends: bool = False
    _sequence: int = 0
    _shape: board_views.Shape = board_views.Shape()
    _figures: dict[str, dict[str, Any]] = {}  # of each stage, as last told
    _settled: dict[str, dict[str, Any]] = {}  # cards of the last answer to a drop, which come again as a change
    _deals_seen: dict[str, list[dict[str, Any]]] = {}

    @rx.event
    async def load(self):
        """Opened or its address changed: a watch chained from here ends when the tab leaves the page."""
        return BoardState.watch

    @rx.event(background=True)
    async def watch(self):
        tab = secrets.token_hex(6)
        async with self:
            router = self.router
            address = _query_of(router)
            self.viewers, self._deals_seen = [], {}
        actor = (await visitor_at(router)).actor
        with hub.subscribe(actor.tenant_id, f"board:{router.session.client_token}", (Signal,)) as messages:
            try:
                while await self._follow(messages, router, address, tab):
                    pass
            finally:
                await asyncio.shield(look(actor, tab, ""))

    async def _follow(self, messages: asyncio.Queue[Any], router: Any, address: dict[str, str], tab: str) -> bool:
        """Until the tab leaves, or, and then True, until it must begin anew: its actor sees other things now, or the
        database was away."""
        try:
            actor = (await visitor_at(router)).actor
            asked = await board_address.read(actor, address)
            question = Question.of(actor, asked.query)
            async with board_views.joined(actor, question, messages) as view:
                snapshot = await view.snapshot()
                async with self:
                    self._lay(snapshot, actor, asked.query)
                    await self._take(asked, actor)
                    place = f"board:{self.pipeline_id}"
                await look(actor, tab, place)
                return await self._listen(messages, router, view, tab, place)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("a board lost the database, trying again: %s", error)
            await asyncio.sleep(_AFTER_FAILURE)
            return True

    async def _listen(
        self, messages: asyncio.Queue[Any], router: Any, view: board_views.View, tab: str, place: str
    ) -> bool:
        beat, others = time.monotonic(), Presence("")
        while (batch := await next_batch(messages, BEAT, urgent=(Told, Resync))) is not None:
            visitor = await visitor_at(router)  # a revoked session ends here
            if sight(visitor.actor) != view.question.sight:
                return True
            is_stale = any(isinstance(m, Resync) for m in batch)
            snapshot = await view.snapshot() if is_stale else None
            async with self:
                self.take(visitor)
                others.me = str(visitor.actor.user_id)
                if snapshot is not None:
                    self._lay(snapshot, visitor.actor, self.query)
                else:
                    for told in batch:
                        if isinstance(told, Told):
                            self._hear(told)
                is_asked = self._see(others, [m for m in batch if isinstance(m, Signal) and m.topic == TOPIC], tab)
            if is_asked or time.monotonic() - beat >= BEAT:
                beat = time.monotonic()
                await look(visitor.actor, tab, place)
        return False

    def _lay(self, found: Snapshot, actor: Actor, query: Mapping[str, str]) -> None:
        """A fresh snapshot."""
        wanted = filters.parse(query, actor.currency, actor.user_id)
        self.pipelines = found.pipelines
        people = [(str(u["id"]), u["name"], u["name"]) for u in found.people]
        self.owners = [
            {"id": i, "name": shown, "initials": initials(name), "tint": str(tint(name))}
            for i, shown, name in [(filters.ME, "Me", actor.name), *people]
        ]
        self.query, self.is_loaded, self.shows_ends = dict(query), True, query.get("ends") == "1"
        names = {u["id"]: u["name"] for u in found.people}
        if filters.has_me(query) and actor.user_id is not None:
            names[actor.user_id] = "Me"
        self.chips = filters.chips(wanted, names, actor.currency)
        self.locked = "" if actor.can("opportunity.move") else "Your role may look at deals but not move them."
        self._sequence = _later(self._sequence)
        if found.pipeline is not None:
            self.pipeline_id, self.pipeline_name = str(found.pipeline["id"]), found.pipeline["name"]
        self._shape, self._figures, self._settled = found.shape, dict(found.figures), {}
        self._sum_up(found.sums)
        answers = [o for o in self.ops if o["op"] == "settle"]  # the page may not have seen them yet
        self.columns, self.base, self.ops = found.columns, self._sequence, []
        self.push(*answers)

    def _hear(self, told: Told) -> None:
        """What changed, without what this tab was told already in answer to its own drop."""
        ops = []
        for op in told.ops:
            if op["op"] == "put" and self._settled.get(op["card"]["id"]) == op["card"]:
                continue
            if op["op"] == "totals":
                others = {s: f for s, f in op["stages"].items() if self._figures.get(s) != f}
                self._figures = self._figures | others
                if not others:
                    continue
                ops.append({"op": "totals", "stages": others})
            else:
                ops.append(op)
        self._sum_up(told.sums)
        self.push(*ops)

    def _sum_up(self, sums: Mapping[str, str]) -> None:
        """The figures of the whole board; sends nothing when they are what they were."""
        if sums != self.sums:
            self.sums = {**sums}

    @internal
    def push(self, *ops: dict[str, Any]) -> None:
        now = time.time()
        numbered = []
        for op in ops:
            self._sequence += 1
            numbered.append({**op, "seq": self._sequence, "at": now})
        if numbered:
            recent = [o for o in self.ops if now - o["at"] < _RING_SECONDS]
            self.ops = [*recent, *numbered][-max(_RING, len(numbered)) :]

    def _see(self, others: Presence, words: Sequence[Signal], tab: str) -> bool:
        """Who looks at this board, and at which deals; True when a newcomer wants to hear of us."""
        newcomers = [w for w in words if w.body["k"] != tab and others.hear(w.body)]
        here = others.at("board:").get(self.pipeline_id, [])
        if here != self.viewers:
            self.viewers = here
        deals = others.at("deal:")
        if deals != self._deals_seen:
            self.push({"op": "presence", "who": {**{deal: [] for deal in self._deals_seen}, **deals}})
            self._deals_seen = deals
        return bool(newcomers)

    @rx.event
    async def move(
        self, ids: list[str], stage: str, index: int, after: str | None, seen: dict[str, Any], operation: str
    ):
        """Cards were dropped into a stage."""

        async def work(uow: UnitOfWork) -> tuple[drops.Drop, Look]:
            done = await drops.move(
                uow,
                UUID(operation),
                [UUID(i) for i in ids],
                to_stage_id=UUID(stage),
                after_id=UUID(after) if after else None,
                seen_in={UUID(i): UUID(s["s"]) for i, s in seen.items()},
            )
            return done, await self._look(uow, ids)

        try:
            actor = await self.actor()
            await self._begin(actor)
            done, found = await retrying(actor, work)
        except MissingFields as refusal:
            self.push({"op": "settle", "op_id": operation, "outcome": "ask"})
            await self._ask_missing(refusal, ids, stage, after, operation)
        except CrmError as refusal:
            await self._refuse(refusal, ids, operation)
        else:
            self._answer(actor, ids, operation, "done", found)
            self._tell_moved(done, stage, operation)

    async def _ask_missing(
        self, refusal: MissingFields, ids: Sequence[str], stage: str, after: str | None, operation: str
    ) -> None:
        """Only the fields the stage wants; Cancel lets the cards go back."""
        await self._begin(await self.actor())
        name = self._shape.names.get(stage, "this stage")
        titles = await self.titles(await self.actor(), ids)
        dialog = await self.get_state(DealDialog)
        dialog.ask(
            MISSING,
            title=f"Move to {name}",
            about=titles[0] if titles else "",
            confirm=f"Move to {name}",
            fields=wanted(refusal, await self.actor()),
            operation=operation,
            ids=ids,
            stage=stage,
            after=after or "",
        )

    @internal
    async def settle(self, actor: Actor, ids: Sequence[str], operation: str, outcome: str = "done") -> None:
        """Answer a drop with where the cards are now, and the figures."""
        await self._begin(actor)
        async with unit_of_work(actor) as uow:
            found = await self._look(uow, ids)
        self._answer(actor, ids, operation, outcome, found)

    async def _look(self, uow: UnitOfWork, ids: Sequence[str]) -> Look:
        """What these cards and the figures are now: in the transaction that moved them, as another one would make the
        answer wait."""
        wanted = filters.parse(self.query, uow.actor.currency, uow.actor.user_id)
        rows = await board.cards(uow, [UUID(i) for i in ids], wanted)
        return uow.now, rows, await board.stage_totals(uow, [UUID(s) for s in self._shape.kinds], wanted)

    def _answer(self, actor: Actor, ids: Sequence[str], operation: str, outcome: str, found: Look) -> None:
        now, rows, totals = found
        shape = self._shape
        shown = [shape.card(r, actor, now) for r in rows if str(r["stage_id"]) in shape.limits]
        self._settled = {c["id"]: c for c in shown}
        answer = {"op": "settle", "op_id": operation, "outcome": outcome, "cards": shown}
        answer["gone"] = [i for i in ids if i not in self._settled]
        figures = shape.figures(totals, actor.currency)
        others = {s: f for s, f in figures.items() if self._figures.get(s) != f}
        self._figures = figures
        self._sum_up(shape.sums(totals, actor.currency))
        self.push(answer, *([{"op": "totals", "stages": others}] if others else []))

    @internal
    async def titles(self, actor: Actor, ids: Sequence[str]) -> list[str]:
        """Of these deals, as far as the actor sees them."""
        async with unit_of_work(actor) as uow:
            return [r["name"] for r in await board.cards(uow, [UUID(i) for i in ids])]

    async def _refuse(self, refusal: CrmError, ids: Sequence[str], operation: str) -> None:
        """The cards go back to where they really are, and the notice says why."""
        outcome = "conflict" if isinstance(refusal, Conflict) else "refused"
        if isinstance(refusal, Forbidden):
            self.locked = str(refusal)
        self.notify(str(refusal), kind="error")
        await self.settle(await self.actor(), ids, operation, outcome)

    def _tell_moved(self, done: drops.Drop, stage: str, operation: str) -> None:
        name = self._shape.names.get(stage, "another stage")
        what = done.names[0] if len(done.names) == 1 else f"{len(done.names)} deals"
        if done.names:
            self.notify(f"{what} moved to {name}", action="Undo", payload=f"undo:{operation}")
        if done.blocked:
            why = next(iter(done.blocked.values()))
            self.notify(f"{len(done.blocked)} could not be moved: {why}", kind="error")

    @rx.event
    async def undo(self, operation: str):
        """Take back a drop, from its notice."""
        try:
            actor = await self.actor()
            back = await retrying(actor, lambda uow: undo.undo(uow, UUID(operation)))
        except CrmError as refusal:
            self.notify(str(refusal), kind="error")
        else:
            self.notify(f"{back[0].name if len(back) == 1 else f'{len(back)} deals'}: undone")

    @rx.event
    async def load_more(self, stage: str, last: str | None):
        """The next cards of a column; its first ones when all that were loaded went elsewhere."""
        actor = await self.actor()
        now, wanted = utcnow(), filters.parse(self.query, actor.currency, actor.user_id)
        async with unit_of_work(actor, now=now) as uow:
            rows, more = await board.more_cards(uow, UUID(stage), UUID(last) if last else None, wanted)
        page = [self._shape.card(r, actor, now) for r in rows]
        self.push({"op": "page", "stage": stage, "cards": page, "more": more})

    @rx.event
    async def resync(self):
        """The tab missed ops."""
        actor = await self.actor()
        await self._read(actor, dict(self.query))

    async def _begin(self, actor: Actor) -> None:
        """A server that starts again may be asked before the watch of the tab has read the board."""
        if not self.is_loaded:
            asked = await board_address.read(actor, _query_of(self.router))
            await self._read(actor, asked.query)
            await self._take(asked, actor)

    async def _take(self, asked: Asked, actor: Actor) -> None:
        (await self.get_state(BoardAddress)).lay(asked, self.pipeline_id, actor.currency)

    async def _read(self, actor: Actor, query: Mapping[str, str]) -> None:
        self._lay(await board_views.read(actor, Question.of(actor, query)), actor, query)

    @internal  # and last: below it the name no longer means the type
    def dict(self, include_computed: bool = True, initial: bool = False, **more: Any) -> Any:
        """What a page that opens is sent of this state: the columns come with the snapshot of its watch; those of the
        page before are old, and half of all that a reload would carry."""
        whole = super().dict(include_computed=include_computed, initial=initial, **more)
        whole[self.get_full_name()] |= {"columns" + FIELD_MARKER: [], "ops" + FIELD_MARKER: []}
        return whole


def _query_of(router: Any) -> dict[str, str]:
    return {k: v for k, v in router.url.query_parameters.items() if isinstance(v, str)}


def _later(sequence: int) -> int:
    """A number above every one that this board was told, also by a server that has forgotten it."""
    return max(sequence + 1, time.time_ns() // 1_000_000)


notice_action("undo", BoardState.undo)
add_screen(Screen("/pipeline", OPPORTUNITY.name, ViewKind.board, BoardAddress, BoardState.load))
