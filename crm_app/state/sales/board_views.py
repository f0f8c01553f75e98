"""What boards show, read once for all tabs of this process that see the same.

A view answers one question. Tabs that ask it get its snapshot, and after every change the same ops. Each tab looks at
its own session before it takes them in: a view knows nobody, it only reads as somebody who may see what they see.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.services.sales import board
from crm_app.services.sales.board import Filters
from crm_app.state.live import next_batch
from crm_app.state.sales import cards, filters
from crm_app.store.live import Changed, Resync, hub, put
from crm_app.store.uow import unit_of_work
from crm_app.store.visibility import Sight, sight

log = logging.getLogger(__name__)
_PATIENCE = 3600.0
_SPACE = 0.05  # seconds from one reading of changes to the next; the first after a silence waits for nothing
_AFTER_FAILURE = 1.0
_views: dict["Question", "View"] = {}


@dataclass(frozen=True)
class Question:
    """All that decides what a board shows: two tabs with equal questions show the same."""

    sight: Sight
    time_zone: str  # what is today, hence overdue
    currency: str
    pipeline: str  # as the address names it; "" is the first
    filters: Filters
    with_ends: bool

    @classmethod
    def of(cls, actor: Actor, query: Mapping[str, str]) -> "Question":
        return cls(
            sight(actor), actor.time_zone, actor.currency, query.get("p", ""),
            filters.parse(query, actor.currency, actor.user_id), query.get("ends") == "1",
        )  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """The stages of a pipeline, by id: rotting days of those shown (0 for none), kind and name of all."""

    limits: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def card(self, row: Mapping[str, Any], viewer: Actor, now: datetime) -> dict[str, Any]:
        return cards.card(row, viewer, now, self.limits.get(str(row["stage_id"])) or None)

    def figures(self, totals: Mapping[UUID, board.Totals], currency: str) -> dict[str, dict[str, Any]]:
        """Of every shown stage, empty ones too."""
        empty = board.Totals()
        return {s: cards.totals(totals.get(UUID(s), empty), currency) for s in self.limits}

    def sums(self, totals: Mapping[UUID, board.Totals], currency: str) -> dict[str, str]:
        """Of the whole board."""
        parts = {kind: [t for s, t in totals.items() if self.kinds.get(str(s)) == kind] for kind in ("open", "won")}
        return cards.board_sums(board.merged(parts["open"]), board.merged(parts["won"]), currency)


@dataclass(frozen=True)
class Snapshot:
    """A whole board. `pipeline` is None where none is set up."""

    pipelines: list[dict[str, str]]
    people: Sequence[Mapping[str, Any]]
    pipeline: Mapping[str, Any] | None = None
    shape: Shape = field(default_factory=Shape)
    columns: list[dict[str, Any]] = field(default_factory=list)
    figures: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What changed: ops for the board, and the figures of the whole of it."""

    ops: tuple[dict[str, Any], ...]
    sums: dict[str, str]


class View:
    """The reader of one question. `actor` is whoever of its tabs came first."""

    def __init__(self, actor: Actor, question: Question) -> None:
        self.actor, self.question = actor, question
        self.tabs: set[asyncio.Queue[Any]] = set()
        self._shape: Shape | None = None
        self._figures: dict[str, dict[str, Any]] = {}
        self._shown = asyncio.Event()
        self._reading = asyncio.Lock()
        self._waiting: asyncio.Task[Snapshot] | None = None
        self._task = asyncio.create_task(self._follow(), name="board view")

    async def snapshot(self) -> Snapshot:
        """Read after it was asked for; who asks before that reading begins shares it."""
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.create_task(self._snapshot(), name="board snapshot")
        return await asyncio.shield(self._waiting)

    async def _snapshot(self) -> Snapshot:
        async with self._reading:
            self._waiting = None
            found = await read(self.actor, self.question)
        self._shape, self._figures = found.shape, dict(found.figures)
        self._shown.set()
        return found

    async def _follow(self) -> None:
        """Until the last tab has left: what changes is read anew, once for all of them."""
        key = f"board view {secrets.token_hex(6)}"
        with hub.subscribe(self.question.sight.tenant_id, key, (Changed, Resync)) as messages:
            await self._shown.wait()
            while True:
                batch = await next_batch(messages, _PATIENCE, urgent=(Changed,))
                begun = time.monotonic()
                try:
                    await self._take(batch or [])
                except Exception:
                    log.exception("a board could not read what changed; its tabs read all anew")
                    await asyncio.sleep(_AFTER_FAILURE)
                    self._tell(Resync())
                await asyncio.sleep(max(0.0, begun + _SPACE - time.monotonic()))

    async def _take(self, batch: Sequence[Any]) -> None:
        if any(isinstance(m, Resync) and (not m.entities or "opportunity" in m.entities) for m in batch):
            self._tell(Resync())
        elif changed := {m.record_id for m in batch if isinstance(m, Changed) and m.entity == "opportunity"}:
            async with self._reading:
                told = await self._changes(sorted(changed))
            self._tell(told)

    async def _changes(self, changed: Sequence[UUID]) -> Told:
        """Where changed deals are now, or that they left this board; and the figures that are others now."""
        assert self._shape is not None
        shape, now, wanted = self._shape, utcnow(), self.question.filters
        async with unit_of_work(self.actor, now=now) as uow:
            rows = await board.cards(uow, changed, wanted)
            totals = await board.stage_totals(uow, [UUID(s) for s in shape.kinds], wanted)
        here = {r["id"]: r for r in rows if str(r["stage_id"]) in shape.limits}
        ops: list[dict[str, Any]] = [
            {"op": "put", "card": shape.card(here[i], self.actor, now)} if i in here else {"op": "del", "id": str(i)}
            for i in changed
        ]
        figures = shape.figures(totals, self.question.currency)
        if others := {s: f for s, f in figures.items() if self._figures.get(s) != f}:
            ops.append({"op": "totals", "stages": others})
        self._figures = figures
        return Told(tuple(ops), shape.sums(totals, self.question.currency))

    def _tell(self, message: Told | Resync) -> None:
        for tab in list(self.tabs):
            put(tab, message)

    def end(self) -> None:
        self._task.cancel()


@contextlib.asynccontextmanager
async def joined(actor: Actor, question: Question, tab: asyncio.Queue[Any]) -> AsyncIterator[View]:
    """The view of this question; `tab` is told Told and Resync meanwhile."""
    view = _views.get(question)
    if view is None:
        view = _views[question] = View(actor, question)
    view.tabs.add(tab)
    try:
        yield view
    finally:
        view.tabs.discard(tab)
        if not view.tabs:
            if _views.get(question) is view:
                del _views[question]
            view.end()


async def read(actor: Actor, question: Question) -> Snapshot:
    """The whole board as this actor sees it now. The actor must have the sight of the question."""
    assert sight(actor) == question.sight
    now = utcnow()
    async with unit_of_work(actor, now=now) as uow:
        known = await board.pipelines(uow)
        chosen = next((p for p in known if str(p["id"]) == question.pipeline), known[0] if known else None)
        people = await board.owners(uow)
        found = await board.board(uow, chosen["id"], question.filters, with_ends=question.with_ends) if chosen else None
    pipelines = [{"id": str(p["id"]), "name": p["name"]} for p in known]
    if found is None:
        return Snapshot(pipelines, people)
    shape = Shape(
        {str(c.stage["id"]): c.stage["rotting_days"] or 0 for c in found.columns},
        {str(s["id"]): s["kind"].value for s in found.stages},
        {str(s["id"]): s["name"] for s in found.stages},
    )
    return Snapshot(
        pipelines, people, found.pipeline, shape, cards.columns(found, actor, now),
        shape.figures(found.totals, question.currency), shape.sums(found.totals, question.currency),
    )  # fmt: skip
