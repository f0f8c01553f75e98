"""Settings, Audit log: who changed what, narrowed by the address, with a value put back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.core.dates import parse_date, show_moment
from crm_app.core.fields import show_value
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import initials, label_of, tint
from crm_app.models.base import new_id
from crm_app.services.platform import audit_export, audit_log
from crm_app.services.platform.audit_log import ACTIONS, NOBODY, SOURCES, Asked, Entry, LogPage, in_words
from crm_app.services.platform.history import FieldChange, Mark
from crm_app.state.base import AppState
from crm_app.state.list_export import handed_over
from crm_app.state.platform import fields
from crm_app.state.platform.places import place_of
from crm_app.store.uow import unit_of_work

SYSTEM = "system"
_KEYS = ("who", "what", "record", "act", "by", "from", "until")
_LONGEST = 300  # characters of a value that are shown


@dataclass(frozen=True)
class ChangeView:
    """A field, what it was and what it became; `back` is set where the old value can be put back."""

    name: str
    label: str
    old: str
    new: str
    back: bool = False


@dataclass(frozen=True)
class EntryView:
    """A line of the log. `more` counts the changes that the line has no room for."""

    key: str
    when: str
    who: str
    who_initials: str
    who_tint: int
    act: str
    kind: str
    title: str
    href: str
    source: str
    place: str
    ip: str
    request: str
    first: list[ChangeView] = field(default_factory=list)
    changes: list[ChangeView] = field(default_factory=list)
    more: int = 0


NOTHING = EntryView("", "", "", "", 1, "", "", "", "", "", "", "", "")


class AuditLogState(AppState):
    """The audit log page. `chosen` is what the panel shows; `marks` lead back through the pages that were turned."""

    entries: list[EntryView] = []
    chosen: EntryView = NOTHING
    query: dict[str, str] = {}
    people: list[dict[str, str]] = []
    kinds: list[dict[str, str]] = []
    record_title: str = ""
    has_older: bool = False
    has_newer: bool = False
    refused: str = ""
    is_loaded: bool = False
    may_export: bool = False
    back: dict[str, str] = {}  # the value that is about to be put back: label, old, now, name, seen
    _marks: list[Mark] = []
    _after: Mark | None = None

    @rx.event
    async def load(self):
        self.query = {k: v[:80] for k in _KEYS if (v := self.router.url.query_parameters.get(k, ""))}
        if not self._is_back:
            self.chosen, self.back, self._marks = NOTHING, {}, []
        await self._read()

    async def _read(self) -> None:
        actor, now = await self.actor(), utcnow()
        if not actor.can("audit.read"):
            self.refused, self.is_loaded = (
                "Your role does not let you read the audit log. An admin can change that.",
                True,
            )
            return
        async with unit_of_work(actor, now=now) as uow:
            everybody = await audit_log.people(uow)
            asked = _asked(self.query, actor)
            page = await audit_log.listed(uow, asked, before=self._marks[-1] if self._marks else None)
        self.refused, self.may_export = "", actor.can(audit_export.EXPORT)
        self.people = [{"value": SYSTEM, "label": NOBODY}]
        self.people += [{"value": str(p.id), "label": p.name} for p in everybody]
        self.kinds = [
            {"value": e.name, "label": e.plural} for e in sorted(registry.all_entities(), key=lambda e: e.plural)
        ]
        self.entries = [_line(e, page, actor) for e in page.entries]
        self._after = page.after
        self.has_older, self.has_newer = page.after is not None, bool(self._marks)
        self.record_title = next((e.title for e in page.entries if e.title), "") if asked.record_id else ""
        self.is_loaded = True

    @rx.event
    async def narrow(self, form: dict[str, Any]):
        """The filter form was sent; the address holds it."""
        asked = {k: str(form.get(f"log-{k}") or "").strip() for k in _KEYS}
        return _go(asked | {"record": self.query.get("record", "")})

    @rx.event
    async def drop(self, key: str):
        return _go({k: v for k, v in self.query.items() if k != key})

    @rx.event
    async def older(self):
        if self._after is not None:
            self._marks = [*self._marks, self._after]
            self.chosen = NOTHING
            await self._read()

    @rx.event
    async def newest(self):
        self._marks, self.chosen = [], NOTHING
        await self._read()

    @rx.event
    async def newer(self):
        self._marks, self.chosen = self._marks[:-1], NOTHING
        await self._read()

    @rx.event
    async def export(self):
        """What the filter shows as a file: a short one at once, a long one in the background."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                made = await audit_export.start(uow, _asked(self.query, actor), operation_id=new_id())
            return await handed_over(self, actor, made)
        return None

    @rx.event
    async def choose(self, key: str):
        self.chosen = next((e for e in self.entries if e.key == key), NOTHING)

    @rx.event
    async def close(self):
        self.chosen = NOTHING

    @rx.event
    async def ask_back(self, key: str, name: str):
        """What putting the old value back would change, before it is done."""
        actor = await self.actor()
        with self.telling():
            async with unit_of_work(actor) as uow:
                found = await audit_log.restorable(uow, _mark(key), name)
            self.back = {
                "key": key,
                "name": name,
                "label": found.spec.label,
                "title": found.title,
                "old": _told(found.spec, found.old, found.names, actor, found.currency),
                "now": _told(found.spec, found.now, found.names, actor, found.currency),
                "seen": audit_log.stands(found.now),
            }

    @rx.event
    async def keep(self):
        self.back = {}

    @rx.event
    async def put_back(self, form: dict[str, Any]):
        """`back` names the entry, the field and what the person saw there."""
        key, _, rest = str(form.get("back", "")).partition(" ")
        name, _, seen = rest.partition(" ")
        actor = await self.actor()
        self.back = {}
        with self.telling():
            async with unit_of_work(actor) as uow:
                found = await audit_log.restore(uow, _mark(key), name, seen=seen)
            self.notify(f"{found.spec.label} of {found.title} is what it was")
        self._marks, self.chosen = [], NOTHING
        await self._read()


def _go(query: Mapping[str, str]) -> Any:
    kept = {k: query[k] for k in _KEYS if query.get(k)}
    return rx.redirect("/settings/audit" + (f"?{urlencode(kept)}" if kept else ""))


def _asked(query: Mapping[str, str], actor: Actor) -> Asked:
    """What cannot be read is left out: an old link opens the log, not an error."""
    who = query.get("who", "")
    return Asked(
        user_id=_uuid(who),
        is_system=who == SYSTEM,
        entity=query.get("what", ""),
        record_id=_uuid(query.get("record", "")),
        action=query.get("act", "") if query.get("act") in ACTIONS else "",
        source=query.get("by", "") if query.get("by") in SOURCES else "",
        since=_midnight(query.get("from", ""), actor),
        until=_midnight(query.get("until", ""), actor, days=1),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _midnight(text: str, actor: Actor, *, days: int = 0) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return datetime.combine(day + timedelta(days=days), time.min, ZoneInfo(actor.time_zone)).astimezone(UTC)


def _key(mark: Mark) -> str:
    return f"{mark[0].isoformat()}_{mark[1]}"


def _mark(key: str) -> Mark:
    moment, _, entry_id = key.partition("_")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(entry_id)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC), UUID(int=0)


def _line(entry: Entry, page: LogPage, actor: Actor) -> EntryView:
    entity = registry.find(entry.entity)
    may_back = entity is not None and entry.action == "update" and entry.is_there and not entity.is_managed
    may_back = may_back and actor.can(f"{entry.entity}.update")
    told = [
        ChangeView(
            c.spec.name, c.spec.label, _told(c.spec, c.old, page.names, actor, entry.currency),
            _told(c.spec, c.new, page.names, actor, entry.currency),
            bool(may_back and entity and _is_settable(entity, c)),
        )
        for c in entry.changes
    ]  # fmt: skip
    who = entry.user_name or NOBODY
    has_page = entity is not None and entry.is_there and fields.has_page(entry.entity)
    return EntryView(
        key=_key(entry.mark),
        when=show_moment(entry.at, actor.time_zone),
        who=who,
        who_initials=initials(who) if entry.user_name else "–",
        who_tint=tint(who),
        act=ACTIONS.get(entry.action, label_of(entry.action)),
        kind=entity.label if entity else label_of(entry.entity),
        title=entry.title,
        href=f"/{entity.slug}/{entry.record_id}" if has_page and entity else "",
        source=SOURCES.get(entry.source, label_of(entry.source)),
        place=place_of(entry.user_agent) if entry.user_agent else "",
        ip=entry.ip,
        request=entry.request_id,
        first=told[:1],
        changes=told,
        more=max(0, len(told) - 1),
    )


def _is_settable(entity: Entity, change: FieldChange) -> bool:
    name = change.spec.name
    return name in entity.fields and name not in entity.readonly and change.old != audit_log.MASKED


def _told(spec: FieldSpec, value: Any, names: Mapping[UUID, str], actor: Actor, currency: str) -> str:
    """A value in words; empty for none."""
    if value == audit_log.MASKED:
        return "hidden"
    if spec.kind is Kind.json or isinstance(value, dict):
        text = in_words(value)
    else:
        text = show_value(
            spec, value, currency=currency or actor.currency, time_zone=actor.time_zone,
            names=lambda _, record_id: names.get(record_id, "a deleted record"),
        )  # fmt: skip
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
