"""Saved views of a list or a board: their tabs, and what becomes of a view that was changed."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.errors import Forbidden
from crm_app.services.platform import lists, saved_views
from crm_app.services.platform.saved_views import MINE
from crm_app.state.base import AppState, id_of, notice_action
from crm_app.state.live import next_batch
from crm_app.state.presence import BEAT
from crm_app.state.view_screens import Screen, Shown, screen_at
from crm_app.store.live import Changed, Resync, hub
from crm_app.store.uow import unit_of_work

_HEARS = frozenset({saved_views.LIVE})


class ListViews(AppState):
    """`tabs` and `others` are {"id", "name", "href", "shared", "may", "pinned", "fixed"}; `others` have no tab."""

    tabs: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    asks: str = ""  # "new" or "rename", empty while nothing is asked
    name: str = ""
    named_id: str = ""
    errors: dict[str, str] = {}
    _knows: bool = False  # whether this server opened the page, and so knows what is asked

    @rx.event
    async def load(self):
        """Opened, or another view is: a watch chained from here ends when the tab leaves the page."""
        if not self._is_back:
            self.asks, self._knows = "", True
        return ListViews.watch

    @rx.event(background=True)
    async def watch(self):
        """The tabs as they are now, and whenever somebody keeps, names, shares or deletes a view."""
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"views:{token}", (Changed, Resync), about=_HEARS) as messages:
            async with self:
                await self._show()
            while (batch := await next_batch(messages, BEAT)) is not None:
                heard = [m for m in batch if isinstance(m, Changed) or not m.entities or m.entities & _HEARS]
                if not heard:
                    continue
                async with self:
                    await self._show()
                    event = await self._follow(heard)
                if event is not None:
                    yield event

    def _screen(self) -> Screen:
        return screen_at(self.router.url.path)

    async def _shown(self) -> Shown:
        return cast("Shown", await self.get_state(self._screen().state))

    async def _show(self) -> None:
        actor, screen = await self.actor(), self._screen()
        entity = registry.get(screen.entity)
        try:
            async with unit_of_work(actor) as uow:
                found = await saved_views.of(uow, entity, screen.kind)
                rows = [
                    {
                        "id": str(v.id),
                        "name": v.name,
                        "href": screen.address(str(v.id)),
                        "shared": v.is_shared,
                        "may": saved_views.may_change(uow, v),
                        "pinned": v.place is not None,
                        "fixed": False,
                    }
                    for v in found
                ]
        except Forbidden:
            rows = []
        here = [_fixed("", "All", screen)]
        if "owner_id" in entity.fields:
            here.append(_fixed(MINE, "Mine", screen))
        self.tabs = [*here, *(r for r in rows if r["pinned"])]
        self.others = [r for r in rows if not r["pinned"]]

    async def _follow(self, heard: Sequence[Changed | Resync]) -> Any:
        """The view one looks through may be another now, or gone: what one sees without having changed it follows, what
        one changed stays as it is."""
        screen, shown = self._screen(), await self._shown()
        asked = str(self.router.url.query_parameters.get("view", ""))
        touched = any(isinstance(m, Resync) or str(m.record_id) == shown.view_id for m in heard)
        if not touched or asked in ("", MINE) or asked != shown.view_id:
            return None
        try:
            async with unit_of_work(await self.actor()) as uow:
                entity = await lists.entity_of(uow, screen.entity)
                named = await saved_views.named(uow, entity, asked, screen.kind)
        except Forbidden:
            return None
        seen, was_changed, name = shown.looked_through(), shown.is_changed, shown.view_name
        is_other = shown.rebase(named, entity)
        if named.is_gone:
            self.notify(f"The view {name} is not there for you any more. What you see stays: save it to keep it.")
            return shown.to(seen)
        if not is_other:
            return None
        if not was_changed:
            return screen.load
        self.notify(f"The view {named.name} was changed meanwhile. What you see stays; Reset shows it as it is now.")
        return shown.to(seen)

    @rx.event
    async def keep(self):
        """What is shown becomes what the view is."""
        screen, shown = self._screen(), await self._shown()
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.change(uow, id_of(shown.view_id, "view"), shown.looked_through())
                entity = await lists.entity_of(uow, screen.entity)
                named = await saved_views.named(uow, entity, str(saved.id), screen.kind)
            shown.rebase(named, entity)
            self.notify(f"{saved.name} is saved")
            return shown.at(str(saved.id))

    @rx.event
    async def put_back(self):
        """The view as it was saved."""
        shown = await self._shown()
        return shown.at(shown.view_id)

    @rx.event
    async def ask_new(self):
        """A name for what is shown."""
        self.asks, self.name, self.named_id, self.errors = "new", "", "", {}

    @rx.event
    async def ask_rename(self, view_id: str):
        known = next((v for v in (*self.tabs, *self.others) if v["id"] == view_id), None)
        if known is not None:
            self.asks, self.name, self.named_id, self.errors = "rename", known["name"], view_id, {}

    @rx.event
    async def leave(self):
        self.asks, self.errors = "", {}

    @rx.event
    async def submit(self, given: dict[str, Any]):
        """A name was given, for a new view or another one for an old."""
        screen, shown, name = self._screen(), await self._shown(), str(given.get("view-name", ""))
        asked, _, view_id = str(given.get("memory") or f"{self.asks}:{self.named_id}").partition(":")
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                if asked == "rename":
                    await saved_views.rename(uow, id_of(view_id, "view"), name)
                else:
                    saved = await saved_views.create(
                        uow, await lists.entity_of(uow, screen.entity), shown.looked_through(), name=name,
                        kind=screen.kind, is_shared=given.get("view-shared") is not None,
                    )  # fmt: skip
            self.asks = ""
            await self._show()
            if asked != "rename":
                self.notify(f"{saved.name} is saved")
                return shown.at(str(saved.id))
            if shown.view_id == view_id:
                shown.view_name = " ".join(name.split())
        return None

    @rx.event
    async def recall(self, memory: str, given: dict[str, Any]):
        """The dialog was open when the server started anew, or when the page was loaded anew: then it is closed."""
        if self._knows:
            return
        self.asks, _, self.named_id = memory.partition(":")
        self.name = str(given.get("view-name", ""))[:60]

    @rx.event
    async def set_shared(self, view_id: str, is_shared: bool):
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.share(uow, id_of(view_id, "view"), is_shared)
            self.notify(f"{saved.name} is {'shared with everybody' if is_shared else 'private now'}")
            await self._show()

    @rx.event
    async def set_pinned(self, view_id: str, is_pinned: bool):
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                await saved_views.pin(uow, id_of(view_id, "view"), is_pinned)
            await self._show()

    @rx.event
    async def move(self, view_id: str, by: int):
        """The tab one to the left (-1) or to the right (1)."""
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                await saved_views.move(uow, id_of(view_id, "view"), by)
            await self._show()

    @rx.event
    async def delete(self, view_id: str):
        """Gone, with Undo; who looks through it sees the whole list."""
        shown = await self._shown()
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.delete(uow, id_of(view_id, "view"))
            self.notify(f"The view {saved.name} is deleted", action="Undo", payload=f"view:{view_id}")
            await self._show()
            if shown.view_id == view_id:
                shown.view_id = ""
                return shown.at("")
        return None

    @rx.event
    async def restore(self, view_id: str):
        """Undo of a deletion, from the notice."""
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.restore(uow, UUID(view_id))
            await self._show()
            screen = self._screen()
            is_here = (screen.entity, screen.kind) == (saved.about, saved.kind)
            return (await self._shown()).at(view_id) if is_here else None


def _fixed(view_id: str, name: str, screen: Screen) -> dict[str, Any]:
    """A tab that every list and board has."""
    return {
        "id": view_id, "name": name, "href": screen.address(view_id), "shared": True, "may": False, "pinned": True,
        "fixed": True,
    }  # fmt: skip


notice_action("view", ListViews.restore)
