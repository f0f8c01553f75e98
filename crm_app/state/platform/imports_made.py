"""Past imports, and taking one back."""

from typing import Any

import reflex as rx

from crm_app.core.errors import CrmError
from crm_app.services.platform.imports import batches, reverting
from crm_app.services.platform.imports.writing import importer
from crm_app.state.base import AppState, id_of
from crm_app.state.platform import import_words as words
from crm_app.store.uow import unit_of_work

NOTHING: dict[str, Any] = {"lines": [], "kept": [], "kept_count": 0}


class ImportsMade(AppState):
    """`asked` is the batch that the question before taking back is about."""

    batches: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"id": "", "name": "", "what": ""}
    busy: str = ""  # the id of the batch that is being taken back
    outcome: dict[str, Any] = NOTHING
    taken_back: str = ""  # the id of the batch that `outcome` is about
    is_loaded: bool = False

    @rx.event
    async def load(self):
        await self._read()
        self.is_loaded = True

    async def _read(self) -> None:
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            found = await batches.listed(uow)
        may_revert = actor.can("import.revert")
        self.batches = [words.batch(b, actor.time_zone, may_revert=may_revert) for b in found]

    @rx.event
    async def ask(self, batch_id: str):
        """The question before an import is taken back."""
        await self._read()
        known = next((b for b in self.batches if b["id"] == batch_id and b["is_there"]), None)
        if known is not None:
            self.asked = {n: known[n] for n in ("id", "name", "what")}

    @rx.event
    async def keep(self):
        self.asked = {"id": "", "name": "", "what": ""}

    @rx.event
    async def close(self):
        """The outcome was read."""
        self.outcome = NOTHING

    @rx.event(background=True)
    async def revert(self):
        """Take the asked batch back; what somebody worked on since is kept and listed."""
        async with self:
            if self.busy or not self.asked["id"]:
                return
            actor, batch_id, name = await self.actor(), self.asked["id"], self.asked["name"]
            self.busy, self.asked = batch_id, {"id": "", "name": "", "what": ""}
        try:
            async with unit_of_work(importer(actor), silent=True) as uow:
                done = await reverting.revert(uow, id_of(batch_id, "import"))
        except CrmError as refusal:
            async with self:
                self.notify(str(refusal), kind="error")
        else:
            async with self:
                self.outcome, self.taken_back = words.reverted(done), batch_id
                self.notify(f"{name} was taken back")
        finally:
            async with self:
                self.busy = ""
                await self._read()
