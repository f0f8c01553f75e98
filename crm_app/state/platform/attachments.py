"""Files of the record that a page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError
from crm_app.core.registry import Entity
from crm_app.services.platform import attachments
from crm_app.services.platform.attachments import Attached
from crm_app.state.base import AppState, internal, notice_action
from crm_app.state.record_parts import opens_with_record
from crm_app.store.uow import UnitOfWork, unit_of_work

_TABLES = ("csv", "tsv", "xlsx", "xls", "ods", "xlsm")


@dataclass(frozen=True)
class FileView:
    """`preview` is "image", "pdf" or empty; `icon` one of components.platform.attachments.ICONS."""

    id: str
    name: str
    detail: str
    by: str
    icon: str
    preview: str
    href: str
    may_remove: bool


NO_FILE = FileView("", "", "", "", "", "", "", may_remove=False)


class Attachments(AppState):
    """The state of the page opens it with its record, and again whenever "attachment" is heard of with its id."""

    files: list[FileView] = []
    file_ids: list[str] = []
    file_url: str = ""  # where files of this record are sent to
    may_attach: bool = False
    looked_at: FileView = NO_FILE
    _about: tuple[str, str] | None = None  # the name of the entity, the record

    @internal
    async def open(self, uow: UnitOfWork, entity: Entity, record_id: UUID) -> None:
        """Show the files of a record that the actor sees; sends nothing when nothing changed."""
        found = await attachments.listed(uow, entity, record_id)
        is_first = not self.file_url
        self._about = (entity.name, str(record_id))
        files = [_view(f, uow.actor, uow.now) for f in found]
        fresh: dict[str, Any] = {
            "files": files,
            "file_ids": [f.id for f in files],
            "file_url": f"/api/files/{entity.slug}/{record_id}",
            "may_attach": attachments.may_attach(uow, entity),
        }
        if not is_first and self.file_url != fresh["file_url"]:
            self.looked_at = NO_FILE
        for name, value in fresh.items():
            if is_first or getattr(self, name) != value:
                setattr(self, name, value)

    async def _again(self) -> None:
        actor = await self.actor()
        if self._about is not None:
            async with unit_of_work(actor) as uow:
                await self.open(uow, registry.get(self._about[0]), UUID(self._about[1]))

    @rx.event
    async def sent(self, file_id: str, name: str):
        """The browser has sent one."""
        await self._again()

    @rx.event
    async def look(self, file_id: str):
        """Show it here."""
        self.looked_at = next((f for f in self.files if f.id == file_id and f.preview), NO_FILE)

    @rx.event
    async def leave(self):
        """The preview is closed."""
        self.looked_at = NO_FILE

    @rx.event
    async def remove(self, file_id: str):
        """Into the trash; Undo brings it back."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            gone = await attachments.remove(uow, UUID(file_id))
        self.looked_at = NO_FILE
        await self._again()
        self.notify(f"{gone.name} is in the trash", action="Undo", payload=f"file-back:{file_id}")

    @rx.event
    async def put_back(self, file_id: str):
        """From the notice."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            back = await attachments.put_back(uow, UUID(file_id))
        try:
            await self._again()
        except CrmError:  # the page shows another record by now
            self._about = None
        self.notify(f"{back.name} is back")


def _view(file: Attached, actor: Actor, now: datetime) -> FileView:
    day, today = actor.day_of(file.created_at), actor.day_of(now)
    when = f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b} {day.year}"
    return FileView(
        id=str(file.id),
        name=file.name,
        detail=f"{show_size(file.size)}, {when}",
        by=f"{file.type.label}, attached by {file.by_name}" if file.by_name else file.type.label,
        icon=_icon(file),
        preview=file.type.preview,
        href=f"/api/files/{file.id}",
        may_remove=file.may_remove,
    )


def show_size(size: int) -> str:
    """Bytes as people say it: 412 KB, 1.8 MB."""
    if size < 1024:
        return f"{size}\u00a0bytes"
    if size < 1024**2:
        return f"{-(-size // 1024)}\u00a0KB"
    return f"{size / 1024**2:.1f}\u00a0MB" if size < 10 * 1024**2 else f"{size // 1024**2}\u00a0MB"


def _icon(file: Attached) -> str:
    if file.type.preview:
        return file.type.preview
    return "table" if file.name.rpartition(".")[2].lower() in _TABLES else "file"


@opens_with_record(about=(attachments.TOPIC,))
async def show_files(page: AppState, uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> None:
    await (await page.get_state(Attachments)).open(uow, entity, values["id"])


notice_action("file-back", Attachments.put_back)
