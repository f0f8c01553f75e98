"""Any entity as a list, drawn from its declaration: search, sort, load more, kept up to date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity, Kind
from crm_app.core.text import initials, tint
from crm_app.services.platform import finding, records
from crm_app.services.platform.records import Page
from crm_app.state.base import AppState
from crm_app.state.live import next_batch
from crm_app.state.platform.fields import field_view
from crm_app.state.presence import BEAT
from crm_app.store.live import Changed, Message, Resync, hub
from crm_app.store.uow import unit_of_work

_PAGE = 50
_HITS = 200  # most rows that a search shows


@dataclass(frozen=True)
class CellView:
    """`mark` are the initials of a person or company, empty for none."""

    text: str
    href: str = ""
    mark: str = ""
    tint: int = 1


@dataclass(frozen=True)
class RowView:
    """`cells` are in the order of the declaration's columns, the first names the record."""

    id: str
    cells: list[CellView]


def entity_at(path: str) -> Entity:
    """The entity of an address like /accounts or /accounts/<id>."""
    entity = registry.by_slug(path.strip("/").partition("/")[0])
    if entity is None:
        raise NotFound("There is no such page.")
    return entity


def row_view(entity: Entity, values: Mapping[str, Any], columns: Sequence[str], actor: Actor) -> RowView:
    return RowView(str(values["id"]), [_cell(entity, name, values, actor) for name in columns])


def _cell(entity: Entity, name: str, values: Mapping[str, Any], actor: Actor) -> CellView:
    spec = entity.fields[name]
    view = field_view(spec, values, actor)
    if name == entity.title:
        own = f"/{entity.slug}/{values['id']}"
        return CellView(view.shown, own, initials(view.shown) if _has_face(entity.name) else "", tint(view.shown))
    face = spec.kind is Kind.link and _has_face(spec.target) and view.shown
    return CellView(view.shown, view.href, initials(view.shown) if face else "", tint(view.shown))


def _has_face(entity_name: str) -> bool:
    return entity_name in ("account", "contact", "user")


class RecordList(AppState):
    """One tab's list. The address holds entity, search and sort."""

    rows: list[RowView] = []
    query: str = ""
    sort: str = ""
    descending: bool = False
    has_more: bool = False
    count: str = ""
    is_loaded: bool = False
    _entity: str = ""
    _after: tuple[Any, UUID] | None = None

    @rx.event
    async def load(self):
        """Opened, or its address changed: a watch chained from here ends when the tab leaves the page."""
        entity = entity_at(self.router.url.path)
        if self._is_back:  # what the tab shows stays until it is read anew
            self._entity = entity.name
        elif entity.name != self._entity:
            self._entity, self.rows, self.is_loaded, self.count = entity.name, [], False, ""
        asked = self.router.url.query_parameters
        self.query = asked.get("q", "").strip()[:100]
        self.sort, self.descending = asked.get("sort", "").removeprefix("-"), asked.get("sort", "").startswith("-")
        if self.sort not in entity.columns:
            self.sort, self.descending = "", False
        return RecordList.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"records:{token}") as messages:
            async with self:
                await self._show(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                async with self:
                    actor = await self.actor()
                    if any(self._concerns(m) for m in batch):
                        await self._show(actor)

    def _concerns(self, message: Message) -> bool:
        if isinstance(message, Resync):
            return not message.entities or self._entity in message.entities
        return isinstance(message, Changed) and message.entity == self._entity

    async def _show(self, actor: Actor) -> None:
        """The first page, or as much as is shown already."""
        page = await self._page(actor, limit=max(_PAGE, len(self.rows)))
        entity = registry.get(self._entity)
        rows = [row_view(entity, r, entity.columns, actor) for r in page.rows]
        if rows != self.rows or not self.is_loaded:
            self.rows = rows
        self._end(page)

    async def _page(self, actor: Actor, *, limit: int, after: tuple[Any, UUID] | None = None) -> Page:
        entity = registry.get(self._entity)
        async with unit_of_work(actor) as uow:
            where = None
            if self.query:
                hits = await finding.search(uow, self.query, kinds=(entity.name,), limit=_HITS)
                where = entity.table.c.id.in_([h.id for h in hits])
            return await records.find(
                uow, entity, where=where, sort=self.sort, descending=self.descending, after=after, limit=limit
            )

    def _end(self, page: Page) -> None:
        self._after, self.has_more, self.is_loaded = page.after, page.after is not None, True
        entity, n = registry.get(self._entity), len(self.rows)
        what = entity.label.lower() if n == 1 else entity.plural.lower()
        self.count = f"The first {n} {what}" if self.has_more else f"{n} {what}"

    @rx.event
    async def more(self):
        """The next page below."""
        if self._after is None:
            return
        actor = await self.actor()
        page = await self._page(actor, limit=_PAGE, after=self._after)
        entity = registry.get(self._entity)
        self.rows = [*self.rows, *(row_view(entity, r, entity.columns, actor) for r in page.rows)]
        self._end(page)

    @rx.event
    async def search(self, text: str):
        """The address follows what is typed."""
        return rx.redirect(self._address(q=text.strip()), replace=True)

    @rx.event
    async def sort_by(self, column: str):
        """Up, then down."""
        down = (self.sort or registry.get(self._entity).title) == column and not self.descending
        return rx.redirect(self._address(sort=f"-{column}" if down else column), replace=True)

    def _address(self, **changed: str) -> str:
        now = {"q": self.query, "sort": ("-" if self.descending else "") + self.sort if self.sort else ""}
        query = {k: v for k, v in (now | changed).items() if v}
        return f"/{registry.get(self._entity).slug}" + (f"?{urlencode(query)}" if query else "")
