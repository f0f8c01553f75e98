"""The notification centre of every page, and what a person chooses to be told of."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import show_ago, show_date
from crm_app.core.text import initials, tint
from crm_app.integrations import smtp
from crm_app.services.platform import notifications
from crm_app.services.platform.notifications import Told
from crm_app.state.base import AppState
from crm_app.state.live import next_batch
from crm_app.store.live import Message, Personal, Resync, hub
from crm_app.store.uow import unit_of_work

_PAGE = 30
_PATIENCE = 120.0  # seconds between two looks at the session while nothing happens


@dataclass(frozen=True)
class LineView:
    """`sign` is the icon of the kind; `mark` are the initials of who did it, empty for nobody."""

    id: str
    sentence: str
    record: str
    text: str
    when: str
    href: str
    is_read: bool
    sign: str
    mark: str
    tint: int


@dataclass(frozen=True)
class DayView:
    title: str
    lines: list[LineView]


class Bell(AppState):
    """Loaded by every page; the panel reads its lines when it is opened."""

    unread: int = 0
    is_open: bool = False
    days: list[DayView] = []
    has_more: bool = False
    is_read_once: bool = False
    _told: list[Told] = []
    _opened_at: str = ""

    @rx.event
    async def load(self):
        """A watch chained from here ends when the tab leaves the page; on another page the panel is closed, unless it
        was opened there already."""
        if not self._is_back and self.is_open and self._opened_at != str(self.router.url.path):
            self.is_open = False
        return Bell.watch

    @rx.event(background=True)
    async def watch(self):
        async with self:
            actor, token = await self.actor(), self.router.session.client_token
        with hub.subscribe(actor.tenant_id, f"bell:{token}", (Personal, Resync)) as messages:
            async with self:
                await self._arrive(actor)
                await self._show(actor, is_first=True)
            while (batch := await next_batch(messages, _PATIENCE)) is not None:
                async with self:
                    actor = await self.actor()
                    if any(_concerns(m, actor) for m in batch):
                        await self._show(actor)

    async def _arrive(self, actor: Actor) -> None:
        """Whoever opens a record has read what they were told of it."""
        slug, _, rest = str(self.router.url.path).strip("/").partition("/")
        entity = registry.by_slug(slug)
        try:
            record_id = UUID(rest.rstrip("/"))
        except ValueError:
            return
        if entity is not None:
            async with unit_of_work(actor) as uow:
                await notifications.read_about(uow, entity, record_id)

    async def _show(self, actor: Actor, *, is_first: bool = False) -> None:
        async with unit_of_work(actor) as uow:
            unread = await notifications.unread(uow)
            if self.is_open:
                self._told = await notifications.listed(uow, limit=max(_PAGE, len(self._told)))
        if is_first or unread != self.unread:
            self.unread = unread
        if self.is_open:
            self._draw(actor)

    def _draw(self, actor: Actor) -> None:
        days = _by_day(self._told, actor)
        if days != self.days or not self.is_read_once:
            self.days = days
        self.is_read_once = True

    @rx.event
    async def toggle(self):
        """The bell was pressed."""
        actor = await self.actor()
        self.is_open = not self.is_open
        if self.is_open:
            self._opened_at = str(self.router.url.path)
            async with unit_of_work(actor) as uow:
                self._told = await notifications.listed(uow, limit=_PAGE)
            self.has_more = len(self._told) == _PAGE
            self._draw(actor)

    @rx.event
    async def close(self):
        self.is_open = False

    @rx.event
    async def older(self):
        """The lines below."""
        actor = await self.actor()
        if not self._told:
            return
        last = self._told[-1]
        async with unit_of_work(actor) as uow:
            more = await notifications.listed(uow, before=(last.created_at, last.id), limit=_PAGE)
        self._told, self.has_more = [*self._told, *more], len(more) == _PAGE
        self._draw(actor)

    @rx.event
    async def read(self, line_id: str):
        """A line was followed to what it tells of."""
        await self._mark(line_id, read=True)
        self.is_open = False

    @rx.event
    async def mark(self, line_id: str, read: bool):
        """Read, or not after all."""
        await self._mark(line_id, read=read)

    async def _mark(self, line_id: str, *, read: bool) -> None:
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await notifications.mark(uow, [UUID(line_id)], read=read)
        await self._show(actor)

    @rx.event
    async def mark_all(self):
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await notifications.mark_all_read(uow)
        await self._show(actor)


class NoticeChoices(AppState):
    """On the profile page: rows of {"name", "label", "app", "mail"}."""

    notice_rows: list[dict[str, Any]] = []
    mail_leaves: bool = False

    @rx.event
    async def load(self):
        async with unit_of_work(await self.actor()) as uow:
            found = await notifications.choices(uow)
        self.notice_rows = [
            {"name": c.kind.name, "label": c.kind.label, "app": c.in_app, "mail": c.by_mail} for c in found
        ]
        self.mail_leaves = smtp.is_configured()

    @rx.event
    async def choose(self, name: str, where: str, is_on: bool):
        """A tick was set or taken away; `where` is app or mail."""
        actor = await self.actor()
        row = next((r for r in self.notice_rows if r["name"] == name), None)
        if row is None or where not in ("app", "mail"):
            return
        row = {**row, where: is_on}
        async with unit_of_work(actor) as uow:
            await notifications.choose(uow, name, in_app=row["app"], by_mail=row["mail"])
        self.notice_rows = [row if r["name"] == name else r for r in self.notice_rows]


def _concerns(message: Message, actor: Actor) -> bool:
    if isinstance(message, Personal):
        return message.is_for(actor.user_id)
    return isinstance(message, Resync) and not message.entities


def _by_day(told: list[Told], actor: Actor) -> list[DayView]:
    now = utcnow()
    today = actor.day_of(now)
    days: dict[str, list[LineView]] = {}
    for line in told:
        view = LineView(
            id=str(line.id),
            sentence=line.sentence,
            record=line.record,
            text=line.text,
            when=_when(line, actor, today),
            href=line.href,
            is_read=line.is_read,
            sign=line.kind.icon,
            mark=initials(line.by_name) if line.by_name else "",
            tint=tint(line.by_name),
        )
        days.setdefault(_day(actor.day_of(line.created_at), today), []).append(view)
    return [DayView(title, lines) for title, lines in days.items()]


def _when(line: Told, actor: Actor, today: date) -> str:
    if actor.day_of(line.created_at) == today:
        return show_ago(line.created_at, utcnow(), actor.time_zone)
    return f"{line.created_at.astimezone(ZoneInfo(actor.time_zone)):%H:%M}"


def _day(day: date, today: date) -> str:
    if day == today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else show_date(day)
