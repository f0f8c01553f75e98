"""Saved views of a list: their tabs, and what becomes of a view that was changed."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx

from crm_app.core.errors import Forbidden
from crm_app.services.platform import lists, saved_views
from crm_app.services.platform.saved_views import MINE
from crm_app.state.base import AppState, id_of, notice_action
from crm_app.state.lists import RecordList
from crm_app.state.records import entity_at
from crm_app.store.uow import unit_of_work


class ListViews(AppState):
    """`tabs` and `others` are {"id", "name", "href", "shared", "may", "pinned"}; `others` have no tab."""

    tabs: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    asks: str = ""  # "new" or "rename", empty while nothing is asked
    name: str = ""
    named_id: str = ""
    errors: dict[str, str] = {}

    @rx.event
    async def load(self):
        """Opened, or another view is: the tabs as they are now."""
        await self._show()
        if not self._is_back:
            self.asks = ""

    async def _show(self) -> None:
        actor, entity = await self.actor(), entity_at(self.router.url.path)
        try:
            async with unit_of_work(actor) as uow:
                found = await saved_views.of(uow, await lists.entity_of(uow, entity.name))
                rows = [
                    {
                        "id": str(v.id),
                        "name": v.name,
                        "href": _address(entity.slug, str(v.id)),
                        "shared": v.is_shared,
                        "may": saved_views.may_change(uow, v),
                        "pinned": v.place is not None,
                    }
                    for v in found
                ]
        except Forbidden:
            rows = []
        here = [_fixed("", "All", entity.slug)]
        if "owner_id" in entity.fields:
            here.append(_fixed(MINE, "Mine", entity.slug))
        self.tabs = [*here, *(r for r in rows if r["pinned"])]
        self.others = [r for r in rows if not r["pinned"]]

    @rx.event
    async def keep(self):
        """What is shown becomes what the view is."""
        shown = await self.get_state(RecordList)
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.change(uow, id_of(shown.view_id, "view"), shown._view)
            self.notify(f"{saved.name} is saved")
            return self._to(saved.about, str(saved.id))

    @rx.event
    async def put_back(self):
        """The view as it was saved."""
        shown = await self.get_state(RecordList)
        return self._to(shown._entity, shown.view_id)

    def _to(self, entity_name: str, view_id: str) -> Any:
        entity = entity_at(self.router.url.path)
        return rx.redirect(_address(entity.slug, view_id), replace=True) if entity.name == entity_name else None

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
        shown, name = await self.get_state(RecordList), str(given.get("view-name", ""))
        asked, _, view_id = str(given.get("memory") or f"{self.asks}:{self.named_id}").partition(":")
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                if asked == "rename":
                    await saved_views.rename(uow, id_of(view_id, "view"), name)
                else:
                    entity = await lists.entity_of(uow, shown._entity)
                    saved = await saved_views.create(
                        uow, entity, shown._view, name=name, is_shared=given.get("view-shared") is not None
                    )
            self.asks = ""
            await self._show()
            if asked != "rename":
                self.notify(f"{saved.name} is saved")
                return self._to(saved.about, str(saved.id))
            if shown.view_id == view_id:
                shown.view_name = " ".join(name.split())
        return None

    @rx.event
    async def recall(self, memory: str, given: dict[str, Any]):
        """The dialog was open when the server started anew."""
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
        shown = await self.get_state(RecordList)
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.delete(uow, id_of(view_id, "view"))
            self.notify(f"The view {saved.name} is deleted", action="Undo", payload=f"view:{view_id}")
            await self._show()
            return self._to(saved.about, "") if shown.view_id == view_id else None

    @rx.event
    async def restore(self, view_id: str):
        """Undo of a deletion, from the notice."""
        with self.telling():
            async with unit_of_work(await self.actor()) as uow:
                saved = await saved_views.restore(uow, UUID(view_id))
            await self._show()
            return self._to(saved.about, view_id)


def _address(slug: str, view_id: str) -> str:
    return f"/{slug}" + (f"?{urlencode({'view': view_id})}" if view_id else "")


def _fixed(view_id: str, name: str, slug: str) -> dict[str, Any]:
    """A tab that every list has."""
    return {
        "id": view_id, "name": name, "href": _address(slug, view_id), "shared": True, "may": False, "pinned": True,
    }  # fmt: skip


notice_action("view", ListViews.restore)
