"""A list as a file: asked for from the list, fetched at once or from one's own exports when it is written."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago
from crm_app.core.errors import CrmError
from crm_app.core.views import View
from crm_app.models.platform.exports import ExportStatus
from crm_app.services.platform import export_keeping, exporting
from crm_app.services.platform.exporting import Export
from crm_app.state.base import AppState, id_of, notice_action
from crm_app.state.list_bulk import ListBulk
from crm_app.state.list_cells import counted, number
from crm_app.state.lists import RecordList
from crm_app.state.live import next_batch
from crm_app.state.platform.import_words import size
from crm_app.state.presence import BEAT
from crm_app.store.live import Message, Signal, hub
from crm_app.store.uow import signal, unit_of_work

_FORMS = {"xlsx": "Excel", "csv": "CSV", "pdf": "PDF"}


class ListExport(AppState):
    """The dialog of a list."""

    is_open: bool = False
    heading: str = ""
    about: str = ""
    form: str = "xlsx"
    error: str = ""
    _entity: str = ""
    _view: View = View()
    _ids: list[UUID] | None = None
    _operation: str = ""

    @rx.event
    async def ask(self, is_chosen: bool):
        """Open the dialog: for all of the list as it is filtered, or for the chosen records."""
        shown, chosen = await self.get_state(RecordList), await self.get_state(ListBulk)
        entity = registry.find(shown._entity)
        if entity is None:
            return
        ids: list[UUID] = []
        view: View | None = shown._view
        left_out = chosen.left_out() if is_chosen else 0
        if is_chosen:
            with self.telling():
                ids, view = chosen.chosen(shown._view)
        if not (ids or view):
            self.notify("Choose the records again: the connection was lost in between.", kind="error")
            return
        self._entity, self._view, self._ids = entity.name, view or shown._view, None if view else ids
        self.heading = counted(entity, shown.total - left_out if view else len(ids))
        narrowed = ", only what fits its filter" if view and shown.is_filtered else ""
        self.about = f"With the columns and the order of this list{narrowed}."
        self.is_open, self.error, self._operation = True, "", str(uuid4())

    @rx.event
    async def choose(self, form: str):
        if form in _FORMS:
            self.form = form

    @rx.event
    async def leave(self):
        self.is_open = False

    @rx.event
    async def submit(self):
        """Few rows come at once; many are written in the background."""
        if not self.is_open or not self._entity:
            return None
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                made = await exporting.start(
                    uow, registry.get(self._entity), self._view, self.form,
                    operation_id=id_of(self._operation, "operation"), record_ids=self._ids,
                )  # fmt: skip
            given = await handed_over(self, actor, made)
        except CrmError as refusal:
            self.error = str(refusal)
            return None
        self.is_open = False
        return given


async def handed_over(state: AppState, actor: Actor, made: Export) -> Any:
    """What was asked for: a short file at once, of a long one word when it is there."""
    if made.total <= exporting.DIRECT[made.form]:
        made = await export_keeping.keep_now(actor, made.id)
    if made.status is ExportStatus.done:
        return [_fetched(actor, made)]
    state.notify(
        f"{made.name} is being written: {number(made.total)} rows. You may go on meanwhile.",
        action="Show", payload="exports:",
    )  # fmt: skip
    return Exports.follow(str(made.id))


class Exports(AppState):
    """One's own files, newest first."""

    files: list[dict[str, Any]] = []
    is_listed: bool = False
    _so_far: dict[str, int] = {}  # how far those are that are being written

    @rx.event
    async def load(self):
        await self._read(await self.actor())
        return Exports.watch

    @rx.event(background=True)
    async def watch(self):
        """Keep the page up to date while it is open."""
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"exports:{token}", (Signal,)) as messages:
            async with self:  # once more: a file may have been made before this listened
                await self._read(actor)
            while (batch := await next_batch(messages, BEAT)) is not None:
                if rows := _rows(batch):
                    async with self:
                        await self._read(await self.actor(), rows)

    @rx.event(background=True)
    async def follow(self, export_id: str):
        """Say when the file is there, to whoever stays on the list."""
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"export {export_id[:36]}:{token}", (Signal,)) as messages:
            batch: list[Message] | None = []
            while batch is not None:
                if not batch or export_id in _rows(batch):
                    async with self:
                        actor = await self.actor()
                        async with unit_of_work(actor) as uow:
                            found = await exporting.find(uow, id_of(export_id, "export"))
                        if found is None:  # cancelled
                            return
                        if found.status is not ExportStatus.running:
                            self._say(found)
                            return
                batch = await next_batch(messages, BEAT)

    def _say(self, found: Export) -> None:
        if found.status is ExportStatus.failed:
            self.notify(f"{found.name}: {found.error}", kind="error")
        else:
            text = f"{found.name} is ready: {number(found.rows)} rows"
            self.notify(text, action="Download", payload=f"export:{found.id}")

    async def _read(self, actor: Actor, rows: dict[str, int] | None = None) -> None:
        now = utcnow()
        async with unit_of_work(actor, now=now) as uow:
            found = await exporting.listed(uow)
        running = {str(f.id) for f in found if f.status is ExportStatus.running}
        self._so_far = {i: n for i, n in (self._so_far | (rows or {})).items() if i in running}
        self.files = [_line(f, actor, self._so_far.get(str(f.id), 0), now) for f in found]
        self.is_listed = True

    @rx.event
    async def fetch(self, export_id: str):
        """Hand the file to the browser."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                found = await exporting.read(uow, id_of(export_id, "export"))
            return _fetched(actor, found)
        return None

    @rx.event
    async def cancel(self, export_id: str):
        """Stop what is being written; nothing of it stays."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await exporting.cancel(uow, id_of(export_id, "export"))
            self.notify("The export is cancelled. Nothing of it is kept.")
            await signal(actor, exporting.WORK, {"id": export_id, "rows": 0})
        await self._read(actor)

    @rx.event
    async def discard(self, export_id: str):
        """Throw the file away."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                await exporting.discard(uow, id_of(export_id, "export"))
        await self._read(actor)


def _fetched(actor: Actor, made: Export) -> Any:
    return rx.download(url=export_keeping.address_of(actor, made.id), filename=made.name)


def _rows(batch: list[Any]) -> dict[str, int]:
    """What was told of exports: rows by id."""
    told = [m.body for m in batch if isinstance(m, Signal) and m.topic == exporting.WORK]
    return {str(b["id"]): int(b["rows"]) for b in told}


def _line(f: Export, actor: Actor, rows: int, now: datetime) -> dict[str, Any]:
    entity = registry.find(f.entity)
    is_done, is_running = f.status is ExportStatus.done, f.status is ExportStatus.running
    count = f.rows if is_done else f.total
    percent = min(99, rows * 100 // f.total) if f.total else 0
    what = counted(entity, count) if entity else "1 entry" if count == 1 else f"{number(count)} entries"
    return {
        "id": str(f.id),
        "name": f.name,
        "kind": _FORMS.get(f.form, f.form),
        "about": f"{percent} % of {what}" if is_running else f"{what}, {size(f.size)}" if is_done else what,
        "since": show_ago(f.created_at, now, actor.time_zone),
        "href": export_keeping.address_of(actor, f.id) if is_done else "",
        "is_running": is_running,
        "percent": percent,
        "error": f.error,
    }


notice_action("export", Exports.fetch)
notice_action("exports", lambda _: rx.redirect("/exports"))
