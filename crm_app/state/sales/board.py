"""The live board of a tab: a snapshot, then small ops; docs/how-to/board-protocol.md describes both."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, CrmError, Forbidden
from crm_app.core.text import initials, tint
from crm_app.services.sales import board, drops, undo
from crm_app.services.sales.board import Filters
from crm_app.services.sales.opportunities import MissingFields
from crm_app.state.base import AppState, internal, notice_action
from crm_app.state.live import next_batch
from crm_app.state.presence import BEAT, TOPIC, Presence, look
from crm_app.state.sales import cards, filters
from crm_app.state.sales.deal_dialog import MISSING, DealDialog, wanted
from crm_app.store.live import Changed, Message, Resync, Signal, hub
from crm_app.store.uow import retrying, unit_of_work

_RING = 20  # ops kept in the state; a tab that missed more asks for a fresh board
_RING_SECONDS = 2.0


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
    _limits: dict[str, int] = {}  # shown stage -> rotting days, 0 for none
    _kinds: dict[str, str] = {}  # every stage of the pipeline -> open, won, lost
    _deals_seen: dict[str, list[dict[str, Any]]] = {}

    @rx.event
    async def load(self):
        """Opened or its address changed: a watch chained from here ends when the tab leaves the page."""
        return BoardState.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor = await self.actor()
            token = self.router.session.client_token
            tab = secrets.token_hex(6)
            query = {k: v for k, v in self.router.url.query_parameters.items() if isinstance(v, str)}
        wanted = filters.parse(query, actor.currency)
        with hub.subscribe(actor.tenant_id, f"board:{token}") as messages:
            try:
                async with self:
                    self.viewers, self._deals_seen = [], {}
                    await self._show(actor, query, wanted)
                    place = f"board:{self.pipeline_id}"
                await look(actor, tab, place)
                await self._follow(messages, query, wanted, tab, place)
            finally:
                await asyncio.shield(look(actor, tab, ""))

    async def _follow(
        self, messages: asyncio.Queue[Message | None], query: dict[str, str], wanted: Filters, tab: str, place: str
    ) -> None:
        """Until the tab leaves: what changes is read anew under the viewer's own rights, once per burst."""
        beat, others = time.monotonic(), Presence("")
        while (batch := await next_batch(messages, BEAT)) is not None:
            async with self:
                actor = await self.actor()  # a revoked session ends here
                others.me = str(actor.user_id)
                if any(isinstance(m, Resync) and (not m.entities or "opportunity" in m.entities) for m in batch):
                    await self._show(actor, query, wanted)
                elif changed := {m.record_id for m in batch if isinstance(m, Changed) and m.entity == "opportunity"}:
                    self.push(*await self._changes(actor, sorted(changed), wanted))
                is_asked = self._see(others, [m for m in batch if isinstance(m, Signal) and m.topic == TOPIC], tab)
            if is_asked or time.monotonic() - beat >= BEAT:
                beat = time.monotonic()
                await look(actor, tab, place)

    async def _show(self, actor: Actor, query: dict[str, str], wanted: Filters) -> None:
        """A fresh snapshot."""
        now = utcnow()
        async with unit_of_work(actor, now=now) as uow:
            known = await board.pipelines(uow)
            chosen = next((p for p in known if str(p["id"]) == query.get("p")), known[0] if known else None)
            people = await board.owners(uow)
            found = await board.board(uow, chosen["id"], wanted, with_ends=query.get("ends") == "1") if chosen else None
        self.pipelines = [{"id": str(p["id"]), "name": p["name"]} for p in known]
        self.owners = [
            {"id": str(u["id"]), "name": u["name"], "initials": initials(u["name"]), "tint": str(tint(u["name"]))}
            for u in people
        ]
        self.query, self.is_loaded, self.shows_ends = query, True, query.get("ends") == "1"
        self.chips = filters.chips(wanted, {u["id"]: u["name"] for u in people}, actor.currency)
        self.locked = "" if actor.can("opportunity.move") else "Your role may look at deals but not move them."
        self._sequence = _later(self._sequence)
        if found is None:
            self.columns, self.ops, self.base = [], [], self._sequence
            return
        self.pipeline_id, self.pipeline_name = str(found.pipeline["id"]), found.pipeline["name"]
        self._limits = {str(c.stage["id"]): c.stage["rotting_days"] or 0 for c in found.columns}
        self._kinds = {str(i): kind.value for i, kind in found.kinds.items()}
        self._sum_up(found.totals, actor)
        self.columns, self.base, self.ops = cards.columns(found, actor, now), self._sequence, []

    async def _changes(self, actor: Actor, changed: Sequence[UUID], wanted: Filters) -> list[dict[str, Any]]:
        """Ops for changed deals: where they are now, or that they left this board; and the totals with them."""
        now = utcnow()
        async with unit_of_work(actor, now=now) as uow:
            rows = await board.cards(uow, changed, wanted)
            totals = await board.stage_totals(uow, [UUID(s) for s in self._kinds], wanted)
        here = {r["id"]: r for r in rows if str(r["stage_id"]) in self._limits}
        ops: list[dict[str, Any]] = [
            {"op": "put", "card": self._card(here[i], actor, now)} if i in here else {"op": "del", "id": str(i)}
            for i in changed
        ]
        return [*ops, self._totals_op(totals, actor)]

    def _sum_up(self, totals: Mapping[UUID, board.Totals], actor: Actor) -> None:
        """The figures of the whole board; sends nothing when they are what they were."""
        parts = {kind: [t for s, t in totals.items() if self._kinds.get(str(s)) == kind] for kind in ("open", "won")}
        sums = cards.board_sums(board.merged(parts["open"]), board.merged(parts["won"]), actor.currency)
        if sums != self.sums:
            self.sums = sums

    def _totals_op(self, totals: Mapping[UUID, board.Totals], actor: Actor) -> dict[str, Any]:
        self._sum_up(totals, actor)
        empty = board.Totals()
        return {
            "op": "totals",
            "stages": {s: cards.totals(totals.get(UUID(s), empty), actor.currency) for s in self._limits},
        }

    def _card(self, row: Mapping[str, Any], actor: Actor, now: Any) -> dict[str, Any]:
        return cards.card(row, actor, now, self._limits.get(str(row["stage_id"])) or None)

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
        try:
            actor = await self.actor()
            done = await retrying(
                actor,
                lambda uow: drops.move(
                    uow,
                    UUID(operation),
                    [UUID(i) for i in ids],
                    to_stage_id=UUID(stage),
                    after_id=UUID(after) if after else None,
                    seen_in={UUID(i): UUID(s["s"]) for i, s in seen.items()},
                ),
            )
        except MissingFields as refusal:
            self.push({"op": "settle", "op_id": operation, "outcome": "ask"})
            await self._ask_missing(refusal, ids, stage, after, operation)
        except CrmError as refusal:
            await self._refuse(refusal, ids, operation)
        else:
            await self.settle(actor, ids, operation)
            self._tell_moved(done, stage, operation)

    async def _ask_missing(
        self, refusal: MissingFields, ids: Sequence[str], stage: str, after: str | None, operation: str
    ) -> None:
        """Only the fields the stage wants; Cancel lets the cards go back."""
        name = next((c["name"] for c in self.columns if c["id"] == stage), "this stage")
        titles = [c["t"] for col in self.columns for c in col["cards"] if c["id"] in ids]
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
        """Answer a drop with where the cards are now, and the totals."""
        wanted = filters.parse(self.query, actor.currency)
        now = utcnow()
        async with unit_of_work(actor, now=now) as uow:
            rows = {r["id"]: r for r in await board.cards(uow, [UUID(i) for i in ids], wanted)}
            totals = await board.stage_totals(uow, [UUID(s) for s in self._kinds], wanted)
        shown = [self._card(r, actor, now) for r in rows.values() if str(r["stage_id"]) in self._limits]
        kept = {c["id"] for c in shown}
        answer = {"op": "settle", "op_id": operation, "outcome": outcome, "cards": shown}
        self.push(answer | {"gone": [i for i in ids if i not in kept]}, self._totals_op(totals, actor))

    async def _refuse(self, refusal: CrmError, ids: Sequence[str], operation: str) -> None:
        """The cards go back to where they really are, and the notice says why."""
        outcome = "conflict" if isinstance(refusal, Conflict) else "refused"
        if isinstance(refusal, Forbidden):
            self.locked = str(refusal)
        self.notify(str(refusal), kind="error")
        await self.settle(await self.actor(), ids, operation, outcome)

    def _tell_moved(self, done: drops.Drop, stage: str, operation: str) -> None:
        name = next((c["name"] for c in self.columns if c["id"] == stage), "another stage")
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
        now, wanted = utcnow(), filters.parse(self.query, actor.currency)
        async with unit_of_work(actor, now=now) as uow:
            rows, more = await board.more_cards(uow, UUID(stage), UUID(last) if last else None, wanted)
        page = [self._card(r, actor, now) for r in rows]
        self.push({"op": "page", "stage": stage, "cards": page, "more": more})

    @rx.event
    async def resync(self):
        """The tab missed ops."""
        actor = await self.actor()
        await self._show(actor, self.query, filters.parse(self.query, actor.currency))


def _later(sequence: int) -> int:
    """A number above every one that this board was told, also by a server that has forgotten it."""
    return max(sequence + 1, time.time_ns() // 1_000_000)


notice_action("undo", BoardState.undo)
