"""The filter of a list while somebody builds it: a draft, how many records it finds, and back into the address."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import reflex as rx

from crm_app.core import conditions
from crm_app.core.conditions import AllOf, Condition, edit
from crm_app.core.conditions.tree import children
from crm_app.core.errors import CrmError, Forbidden, Invalid
from crm_app.core.views import ALL, View
from crm_app.services.platform import finding, lists
from crm_app.state import list_cells
from crm_app.state.base import AppState
from crm_app.state.lists import RecordList
from crm_app.state.platform import conditions as drafts
from crm_app.state.platform.conditions import Drawing, Ground
from crm_app.store.uow import unit_of_work

_REST = 0.25  # seconds without another change, after which it is counted
_WHOLE = -1


class ListFilters(AppState):
    """`tree`, `fields` and `options` are those of kit.condition_builder; `anchor` is where the panel stands."""

    tree: dict[str, Any] = {}
    fields: dict[str, list[dict[str, str]]] = {}
    options: dict[str, list[dict[str, str]]] = {}
    anchor: str = ""
    found: str = ""
    memory: str = ""  # the draft, for a server that started anew while somebody was at it
    focus: str = ""
    is_open: bool = False
    is_part: bool = False
    is_changed: bool = False
    _draft: Condition | None = None
    _part: edit.Path = ()
    _strict: bool = False
    _asked: int = 0

    async def _ground(self) -> tuple[RecordList, Ground]:
        shown = await self.get_state(RecordList)
        async with unit_of_work(await self.actor()) as uow:
            entity = await lists.entity_of(uow, shown._entity)
            return shown, await drafts.ground(uow, entity)

    @rx.event
    async def ask(self, place: int):
        """The panel opens: for the whole filter (-1), or for the part with that place among the chips."""
        shown, ground = await self._ground()
        draft = edit.boxed(shown._view.filter)
        is_list = isinstance(draft, AllOf)
        self._part, self._strict, self.options = (), False, {}
        begin = ""
        self.is_part = place != _WHOLE and is_list and 0 <= place < len(draft.items)
        if self.is_part:
            self._part, begin = (place,), str(place)
        elif draft == AllOf():
            draft, begin = drafts.act(draft, ground, {"do": "add", "path": ""}), "0"
        self.anchor = f"[data-chip='{place}']" if place != _WHOLE else "[data-filter]"
        self._asked += 1
        self.focus = f"{begin} {self._asked}" if begin else ""
        self.fields = drafts.offered(ground)
        self.is_open, self.is_changed, self.found = True, False, ""
        await self._draw(draft, ground)
        return ListFilters.count

    async def _draw(self, draft: Condition, ground: Ground) -> None:
        self._draft = draft
        self.memory = json.dumps(conditions.dump(draft), separators=(",", ":"))
        async with unit_of_work(ground.actor) as uow:
            titles = await drafts.titles(uow, ground, draft)
        try:
            node, entity = edit.at(draft, self._part), drafts.entity_at(draft, self._part, ground)
        except Invalid:  # the part itself is gone
            self._part, self.is_part = (), False
            node, entity = draft, ground.entity
        self.tree = Drawing(ground, titles, self._strict).node(node, entity, self._part)

    @rx.event
    async def change(self, deed: dict[str, Any]):
        """One edit of the draft, as kit.condition_builder tells it."""
        if not self.is_open and deed.get("do") != "keep":  # typed a moment before the panel was closed
            return None
        _, ground = await self._ground()
        with self.telling():
            draft = self._draft or edit.boxed(conditions.parse(json.loads(str(deed.get("memory") or "{}"))))
            changed = drafts.act(draft, ground, deed)
            if deed.get("do") in ("add", "field", "remove"):
                self.options = {}
            self.is_open = self.is_changed = True
            if self.is_part and len(children(changed)) < len(children(draft)):
                self._part, self.is_part = (), False  # it was the part itself that went
            await self._draw(changed, ground)
        return ListFilters.count

    @rx.event
    async def look_up(self, path: str, text: str):
        """Records that a comparison with a link may name."""
        _, ground = await self._ground()
        with self.telling():
            place = drafts.path_of(path)
            node = edit.at(self._draft or AllOf(), place)
            entity = drafts.entity_at(self._draft or AllOf(), place, ground)
            spec = entity.fields.get(getattr(node, "field", ""))
            target = ground.within.get(spec.target) if spec else None
            if target is None:
                self.options = {**self.options, path: []}
                return
            async with unit_of_work(ground.actor) as uow:
                hits = await finding.choices(uow, target, text[:200])
            me = [{"value": "me", "label": "Me", "hint": ""}] if target.name == "user" and not text.strip() else []
            rows = [{"value": str(h.id), "label": h.title, "hint": h.detail} for h in hits]
            self.options = {**self.options, path: [*me, *rows]}

    @rx.event(background=True)
    async def count(self):
        """How many records the draft would show, once nobody has changed it for a moment."""
        async with self:
            self._asked += 1
            mine = self._asked
        await asyncio.sleep(_REST)
        async with self:
            if mine != self._asked or not self.is_open or self._draft is None:
                return
            shown, ground = await self._ground()
            asked = View(query=shown._view.query, filter=drafts.valid(self._draft, ground))
        try:
            async with unit_of_work(ground.actor) as uow:
                number = await lists.count(uow, ground.entity, asked)
        except (Invalid, Forbidden):
            return
        async with self:
            if mine == self._asked:
                self.found = list_cells.counted(ground.entity, number)

    @rx.event
    async def apply(self):
        """The list follows; what still waits for a value is told at its place instead."""
        shown, ground = await self._ground()
        draft = self._draft
        if draft is None:
            self._close()
            return None
        if not drafts.is_ready(draft, ground):
            self._strict = True
            await self._draw(draft, ground)
            return None
        try:
            async with unit_of_work(ground.actor) as uow:
                lists.check(uow, ground.entity, edit.plain(draft))
        except CrmError as refusal:
            self.notify(str(refusal), kind="error")
            return None
        self._close()
        return shown.to(replace(shown._view, filter=edit.plain(draft)))

    @rx.event
    async def clear(self):
        """Without any filter; from a chip, without that part."""
        shown = await self.get_state(RecordList)
        part = self._part if self.is_part else ()
        self._close()
        whole = edit.boxed(shown._view.filter)
        try:
            left = edit.plain(edit.remove(whole, part)) if part else ALL
        except Invalid:
            left = ALL
        return shown.to(replace(shown._view, filter=left))

    @rx.event
    async def leave(self):
        """The filter in force stays."""
        self._close()

    def _close(self) -> None:
        self.is_open, self.memory, self._draft = False, "", None
