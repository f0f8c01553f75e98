"""Settings, Tags: all of the workspace, and one name for what has two."""

import json
from typing import Any

import reflex as rx

from crm_app.core.errors import Invalid
from crm_app.services.platform import tags
from crm_app.state.base import AppState, notice_action
from crm_app.state.platform.fields import tag_choice
from crm_app.store.uow import unit_of_work


class TagsState(AppState):
    """The page. `chosen` is the tag in the dialog; `joins` the line that says what it would become one with, empty
    until the name of another is given."""

    found: list[dict[str, str]] = []
    chosen: str = ""
    given: str = ""
    joins: str = ""
    is_open: bool = False
    errors: dict[str, str] = {}
    is_loaded: bool = False

    @rx.event
    async def load(self):
        if not self._is_back:
            self.is_open, self.errors = False, {}
        with self.telling():
            await self._read()
        self.is_loaded = True

    async def _read(self) -> None:
        async with unit_of_work(await self.actor()) as uow:
            self.found = [tag_choice(t) for t in await tags.listed(uow)]

    @rx.event
    async def open(self, name: str):
        self.chosen, self.given, self.joins, self.errors, self.is_open = name, name, "", {}, True

    @rx.event
    async def cancel(self):
        self.is_open = False

    @rx.event
    async def save(self, form: dict[str, Any]):
        """A free name is given at once; that of another tag after a second press, for the two cannot be parted."""
        old, new = self.chosen, " ".join(str(form.get("tag", "")).split())
        with self.telling():
            await self._read()
            other = next((t for t in self.found if t["value"] == new and new != old), None)
            if other is not None and self.given != new:
                self.joins = (
                    f"“{new}” is there already, on {other['hint']}. “{old}” becomes the same tag;"
                    " they cannot be told apart again."
                )
                self.given = new
                return
            self.given = new
            if not new:
                raise Invalid(tag="is needed")
            changed = await self._rename(old, new)
            self.is_open = False
            back = {} if other else {"action": "Undo", "payload": f"rename_tag:{json.dumps([new, old])}"}
            self.notify(f"“{old}” is “{new}” now: {_records(changed)} changed", **back)

    async def _rename(self, old: str, new: str) -> int:
        async with unit_of_work(await self.actor()) as uow:
            changed = await tags.rename(uow, old, new)
        await self._read()
        return changed

    @rx.event
    async def undo(self, payload: str):
        """The name from before."""
        now, before = json.loads(payload)
        with self.telling():
            if any(t["value"] == before for t in self.found):
                raise Invalid(f"Somebody gave “{before}” to records since, so it stays “{now}”.")
            changed = await self._rename(now, before)
            self.notify(f"“{before}” again: {_records(changed)} changed")


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"


notice_action("rename_tag", TagsState.undo)
