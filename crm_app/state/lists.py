"""Any entity as a list, drawn from its declaration: windowed, sorted, searched, edited in place, kept up to date.

The address holds the whole view; everything that changes it goes there, and the list follows.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx

from crm_app.core.conditions import AllOf, Clause, Condition, edit, explain, explain_clause
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Forbidden
from crm_app.core.registry import Entity, Kind
from crm_app.core.views import View, columns_of, dump, fit, from_address, to_address
from crm_app.services.platform import lists, saved_views
from crm_app.services.platform.lists import Totals
from crm_app.services.platform.records import Mark, Page
from crm_app.services.platform.saved_views import Named
from crm_app.state import list_cells, list_neighbours
from crm_app.state.base import AppState, internal
from crm_app.state.live import next_batch
from crm_app.state.platform import fields
from crm_app.state.platform.conditions import name_of
from crm_app.state.presence import BEAT
from crm_app.state.records import entity_at
from crm_app.store.live import Changed, Message, Resync, hub
from crm_app.store.uow import unit_of_work

_PAGE = 100
_MOST = 200  # rows that one question of a browser gets
_FEEDS = 4  # readings kept for a browser that was busy when they came
_MARKS = 400
GONE_VIEW = "The view of this address is not there any more, or it is somebody else's own. This is the whole list."


class RecordList(AppState):
    """One tab's list."""

    columns: list[dict[str, Any]] = []
    feeds: list[dict[str, Any]] = []
    total: int = 0
    count: str = ""
    sums: dict[str, dict[str, str]] = {}
    query: str = ""
    sort: str = ""
    descending: bool = False
    density: str = ""
    statuses: dict[str, dict[str, Any]] = {}
    options: dict[str, list[dict[str, str]]] = {}
    note: str = ""
    refused: str = ""
    is_loaded: bool = False
    is_filtered: bool = False
    chips: list[dict[str, str]] = []
    open_id: str = ""  # the record beside the list
    tail: str = ""  # what the addresses of its records end with
    view_id: str = ""
    view_name: str = ""
    may_keep: bool = False
    is_changed: bool = False
    _entity: str = ""
    _view: View = View()
    _base: View = View()
    _marks: dict[int, Mark] = {}
    _sight: tuple[int, int] = (0, _PAGE)
    _gen: str = ""
    _is_whole: bool = False  # whether the rows that were read last are all there are

    @rx.event
    async def load(self):
        """Opened, or its address changed: a watch chained from here ends when the tab leaves the page."""
        entity = entity_at(self.router.url.path)
        if self._is_back:  # what the tab shows stays until it is read anew
            self._entity = entity.name
        elif entity.name != self._entity:
            self._entity, self._gen, self.feeds, self.columns = entity.name, "", [], []
            self.is_loaded, self.count, self.sums, self.total = False, "", {}, 0
            self.statuses, self.options = {}, {}
        return RecordList.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"records:{token}") as messages:
            async with self:
                await self._take_address(actor)
                await self._show(actor)
            async with self:
                await self._sum_up(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                if not any(self._concerns(m) for m in batch):
                    continue
                async with self:
                    actor = await self.actor()
                    if any(isinstance(m, Resync) for m in batch):  # its fields may be others now
                        await self._take_address(actor)
                    await self._show(actor)
                async with self:
                    await self._sum_up(actor)

    def _concerns(self, message: Message) -> bool:
        if isinstance(message, Resync):
            return not message.entities or self._entity in message.entities
        return isinstance(message, Changed) and message.entity == self._entity

    async def _take_address(self, actor: Actor) -> None:
        """What the address asks for, without what is not there for this actor."""
        asked = self.router.url.query_parameters
        try:
            async with unit_of_work(actor) as uow:
                entity = await lists.entity_of(uow, self._entity)
                named = await saved_views.named(uow, entity, asked.get("view", ""))
                self._base, gone = fit(named.view, entity)
                view, missing = fit(from_address(asked, self._base), entity)
                lists.check(uow, entity, view.filter)
                widths = await lists.widths(uow, entity)
                titles = await lists.titles_in(uow, entity, view.filter)
        except Forbidden as refusal:
            self.refused, self.is_loaded = str(refusal), True
            return
        except CrmError as refusal:
            view, missing, widths, titles = replace(self._base, filter=View().filter), [], {}, {}
            self.notify(str(refusal), kind="error")
        self.refused = ""
        self._view = view
        self.view_id, self.view_name, self.may_keep = named.id, named.name, named.may_change
        self.is_changed = to_address(view, self._base) != {}
        self.tail = list_neighbours.tail(view)
        gen = repr((self._entity, dump(replace(view, density="", columns=()))))
        if gen != self._gen:
            self._gen, self._sight = gen, (0, _PAGE)
        self._marks = {}
        self.note = GONE_VIEW if named.is_gone else _note([*gone, *missing], entity)
        self.columns = list_cells.columns(entity, columns_of(view, entity), actor, widths)
        self.chips = _chips(view.filter, entity, actor, titles)
        self.query, self.density = view.query, view.density
        self.sort, self.descending = view.sort or entity.title, view.descending
        self.is_filtered = bool(view.query) or view.filter != View().filter

    async def _show(self, actor: Actor) -> None:
        """The rows in sight, read anew; what was read before is old."""
        if self.refused:
            return
        self._marks = {}
        first, end = self._sight
        page, entity = await self._read(actor, first, end)
        if not page.rows and first:
            first, self._sight = 0, (0, _PAGE)
            page, entity = await self._read(actor, 0, _PAGE)
        self._feed(entity, actor, page, first, fresh=True)
        self._is_whole = first == 0 and page.after is None
        if self._is_whole:
            self.total = len(page.rows)
        else:
            self.total = max(self.total, first + len(page.rows))
        self.is_loaded = True

    async def _read(self, actor: Actor, first: int, end: int) -> tuple[Page, Entity]:
        """Rows first to end of the view: from the nearest mark that is known, forwards or backwards."""
        limit = max(1, min(end - first, _MOST))
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, self._entity)
            near = max((i for i in self._marks if i <= first), default=0)
            behind = min((i for i in self._marks if i > first + limit), default=None)
            if behind is not None and behind - first - limit < first - near:
                page = await lists.page(
                    uow, entity, self._view, before=self._marks[behind], offset=behind - first - limit - 1, limit=limit
                )
            else:
                page = await lists.page(
                    uow, entity, self._view, after=self._marks.get(near), offset=first - near, limit=limit
                )
        return page, entity

    def _feed(self, entity: Entity, actor: Actor, page: Page, first: int, *, fresh: bool) -> None:
        """Hand the rows to the browser, and remember where they stand: mark i is that of row i - 1."""
        if len(self._marks) > _MARKS:
            self._marks = {}
        if page.first is not None and page.last is not None:
            self._marks = {**self._marks, first + 1: page.first, first + len(page.rows): page.last}
        names = columns_of(self._view, entity)
        rows = [list_cells.row(entity, r, names, actor) for r in page.rows]
        feed = {"n": time.time_ns() // 1000, "gen": self._gen, "start": first, "rows": rows, "fresh": fresh}
        if fresh and self.is_loaded and self.feeds and _same(self.feeds, feed):
            return
        self.feeds = [feed] if fresh else [*self.feeds[1 - _FEEDS :], feed]

    async def _sum_up(self, actor: Actor) -> None:
        """Count and sums over all that match; after the rows, which nobody should wait for."""
        if self.refused:
            return
        is_first = not self.count
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, self._entity)
            found = await lists.totals(uow, entity, self._view)
        fresh = {
            "total": self.total if self._is_whole else found.count,  # a row of this moment comes with the next reading
            "count": list_cells.counted(entity, found.count),
            "sums": _sums(entity, found, actor),
        }
        for name, value in fresh.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    @rx.event
    async def rows_at(self, first: int, end: int):
        """Rows that came into sight."""
        if self.refused or not self._entity or not 0 <= first < end:
            return
        actor = await self.actor()
        self._sight = (first, min(end, first + _MOST))
        page, entity = await self._read(actor, *self._sight)
        self._feed(entity, actor, page, first, fresh=False)

    @rx.event
    async def search(self, text: str):
        """The address follows what is typed."""
        return self.to(replace(self._view, query=text.strip()[:100]))

    @rx.event
    async def show_all(self):
        """Without filter and search."""
        return self.to(replace(self._view, query="", filter=View().filter))

    @rx.event
    async def drop(self, place: int):
        """Without one part of the filter, by its place among the chips."""
        whole = self._view.filter
        if not 0 <= place < len(self.chips):
            return None
        path = (place,) if isinstance(whole, AllOf) else ()
        return self.to(replace(self._view, filter=edit.remove(whole, path)))

    @rx.event
    async def sort_by(self, column: str):
        """Up, then down."""
        down = self.sort == column and not self.descending
        return self.to(replace(self._view, sort=column, descending=down))

    @rx.event
    async def save(self, place: str, text: str, seen: str):
        """A cell was edited; the answer goes to the cell."""
        record_id, _, name = place.partition(".")
        actor = await self.actor()
        column = next((c for c in self.columns if c["name"] == name), None)
        if column is None or not column["edit"]:
            refusal = fields.answer("error", CrmError("This field cannot be changed here."))
            self.statuses = {**self.statuses, place: refusal}
            return
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, self._entity)
            values = await list_cells.values_of(uow, entity, UUID(record_id), name)
        done = await fields.save(actor, entity, UUID(record_id), name, text, seen, values)
        self.statuses = {place: done}
        if done["state"] != "error":
            await self._show(actor)

    @rx.event
    async def search_link(self, place: str, text: str):
        """Choices of a link, or tags, while somebody types in a cell."""
        name = place.partition(".")[2]
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, self._entity)
        spec = entity.fields.get(name)
        if spec is None or spec.kind not in (Kind.link, Kind.choices):
            return
        self.options = {place: await fields.choices(actor, entity, name, text)}

    @rx.event
    async def widen(self, column: str, width: int):
        """Remember the width of a column; for this person, on every device."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            entity = await lists.entity_of(uow, self._entity)
            await lists.set_width(uow, entity, column, width)

    @internal
    def shows(self, entity_name: str) -> bool:
        """Whether this tab looked through a list of these records last."""
        return self._entity == entity_name and bool(self._gen)

    @internal
    def looked_through(self) -> View:
        """What the list shows."""
        return self._view

    @internal
    def rebase(self, named: Named, entity: Entity) -> bool:
        """The saved view one looks through is this now; True when it says something else than before."""
        before = self._base
        self._base = fit(named.view, entity)[0]
        self.view_id, self.view_name, self.may_keep = named.id, named.name, named.may_change
        return self._base != before

    @internal
    def at(self, view_id: str):
        """The event that shows a saved view as it is."""
        path = str(self.router.url.path).rstrip("/")
        return rx.redirect(path + (f"?{urlencode({'view': view_id})}" if view_id else ""), replace=True)

    @internal
    def to(self, view: View):
        """The event that shows this view: its address."""
        here = {"view": self.view_id, "open": self.open_id}
        query = {k: v for k, v in here.items() if v} | to_address(view, self._base)
        path = str(self.router.url.path).rstrip("/")
        return rx.redirect(path + (f"?{urlencode(query)}" if query else ""), replace=True)


def _same(feeds: Sequence[Mapping[str, Any]], fresh: Mapping[str, Any]) -> bool:
    """Whether the browser has all this already."""
    last = feeds[-1]
    return len(feeds) == 1 and all(last[k] == fresh[k] for k in ("gen", "start", "rows"))


def _chips(whole: Condition, entity: Entity, actor: Actor, titles: Mapping[UUID, str]) -> list[dict[str, str]]:
    """The parts of a filter as {"label", "text"}: a single comparison in two halves, anything else as a sentence."""
    told: dict[str, Any] = {
        "names": name_of(titles),
        "currency": actor.currency,
        "time_zone": actor.time_zone,
    }
    found = []
    for part in whole.items if isinstance(whole, AllOf) else (whole,):
        if isinstance(part, Clause):
            label, text = explain_clause(part, entity, **told)
        else:
            label, text = "Where", explain(part, entity, **told)
        found.append({"label": label, "text": text})
    return found


def _note(gone: Sequence[str], entity: Entity) -> str:
    if not gone:
        return ""
    labels = [entity.fields[n].label if n in entity.fields else n for n in dict.fromkeys(gone)]
    what = "a field" if len(labels) == 1 else f"{len(labels)} fields"
    return f"Shown without {what} that is not there for you: {', '.join(labels)}."


def _sums(entity: Entity, found: Totals, actor: Actor) -> dict[str, dict[str, str]]:
    return {n: list_cells.summed(entity.fields[n], s, actor) for n, s in found.columns.items()}
