"""Entries of a timeline as the browser gets them, grouped by when they happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm_app.core.context import Actor
from crm_app.core.money import NBSP
from crm_app.core.text import initials, tint
from crm_app.models.activities.activities import ActivityStatus
from crm_app.services.activities.activities import Entry
from crm_app.services.activities.comments import Said
from crm_app.state.platform.fields import day_and_time

_TALKS = frozenset({"call", "meeting"})


@dataclass(frozen=True)
class ItemView:
    """`kind` picks the icon, `tone` its colour. `by_person`: somebody did it, the system did not. `is_due` offers to
    put it off. `about` names the deal that it happened with, on the page of its customer. `changes` are {"label",
    "old", "new"} of an edit. Of a comment `parts` are {"text", "href", "kind"}, where kind "name" is a colleague, and
    `mentions` {"id", "name"} those names as they stand in `text`."""

    id: str
    kind: str
    title: str
    when: str
    tone: str = ""
    late: bool = False
    text: str = ""
    by_person: bool = True
    is_planned: bool = False
    is_due: bool = False
    who: str = ""
    initials: str = ""
    tint: int = 1
    about: str = ""
    about_href: str = ""
    changes: list[dict[str, str]] = field(default_factory=list)
    parts: list[dict[str, str]] = field(default_factory=list)
    mentions: list[dict[str, str]] = field(default_factory=list)
    edited: bool = False
    may_edit: bool = False
    may_remove: bool = False


@dataclass(frozen=True)
class GroupView:
    title: str
    rows: list[ItemView]


def planned_view(entry: Entry, viewer: Actor, now: datetime) -> ItemView:
    late = entry.happens_at < now
    today = viewer.day_of(entry.happens_at) == viewer.day_of(now)
    return ItemView(
        id=str(entry.id),
        kind=entry.kind,
        title=entry.subject,
        when=due(entry.happens_at, viewer, now),
        tone="over" if late else "info",
        late=late,
        text="\n".join(t for t in (entry.body, "" if _is_named(entry) else _with(entry)) if t),
        is_planned=True,
        is_due=late or today,
        who=entry.owner_name,
        initials=initials(entry.owner_name),
        tint=tint(entry.owner_name),
    )


def done_view(entry: Entry, viewer: Actor, now: datetime) -> ItemView:
    length = f", {entry.duration_minutes}{NBSP}min" if entry.duration_minutes else ""
    whom = "" if _is_named(entry) else _with(entry)
    about = ", ".join(t for t in (entry.outcome, whom.replace("With", "with", 1) if entry.outcome else whom) if t)
    return ItemView(
        id=str(entry.id),
        kind=entry.kind,
        title=f"{entry.subject}{length}",
        when=day_and_time(entry.happens_at, viewer, now),
        tone="good" if entry.kind in _TALKS else "",
        text="\n".join(t for t in (entry.body, about) if t),
        is_planned=entry.status is ActivityStatus.planned,
        who=entry.owner_name,
        initials=initials(entry.owner_name),
        tint=tint(entry.owner_name),
    )


def said_view(said: Said, viewer: Actor, now: datetime) -> ItemView:
    sees_people = viewer.can("user.read")
    parts = [
        {"text": f"@{p.text}", "href": f"/users/{p.user_id}" if sees_people else "", "kind": "name"}
        if p.user_id
        else {"text": p.text, "href": "", "kind": ""}
        for p in said.parts
    ]
    return ItemView(
        id=str(said.id),
        kind="comment",
        title=said.by_name,
        when=day_and_time(said.happens_at, viewer, now),
        text=said.plain,
        who=said.by_name,
        initials=initials(said.by_name),
        tint=tint(said.by_name),
        parts=parts,
        mentions=[{"id": str(p.user_id), "name": p.text} for p in said.parts if p.user_id],
        edited=said.is_edited,
        may_edit=said.may_edit,
        may_remove=said.may_remove,
    )


def _is_named(entry: Entry) -> bool:
    """Whether the subject says already with whom it was."""
    return any(part in entry.subject for part in entry.contact_name.split())


def _with(entry: Entry) -> str:
    return f"With {entry.contact_name}" if entry.contact_name else ""


def due(moment: datetime, viewer: Actor, now: datetime) -> str:
    """Overdue 1 d, Overdue 3 h, Today 14:00, Tue 10:00, 11 Nov."""
    if moment >= now:
        return day_and_time(moment, viewer, now)
    days = (viewer.day_of(now) - viewer.day_of(moment)).days
    if days:
        return f"Overdue {days}{NBSP}d"
    hours = int((now - moment) / timedelta(hours=1))
    return f"Overdue {hours}{NBSP}h" if hours else "Overdue"


def grouped(
    planned: Sequence[ItemView], past: Iterable[tuple[datetime, ItemView]], viewer: Actor, now: datetime
) -> list[GroupView]:
    """Planned on top, then this week, last week, and by month."""
    groups: dict[str, list[ItemView]] = {"Planned": list(planned)} if planned else {}
    today = viewer.day_of(now)
    for moment, item in past:
        groups.setdefault(_period(viewer.day_of(moment), today), []).append(item)
    return [GroupView(title, rows) for title, rows in groups.items()]


def _period(day: date, today: date) -> str:
    monday = today - timedelta(days=today.weekday())
    if day >= monday:
        return "This week"
    if day >= monday - timedelta(days=7):
        return "Last week"
    return f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"


def local_moment(text: str, viewer: Actor) -> datetime | None:
    """What a datetime-local box holds, in UTC; None when it is empty."""
    if not text:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(viewer.time_zone)).astimezone(UTC)


def tomorrow_same_time(moment: datetime, viewer: Actor, now: datetime) -> datetime:
    """The clock of `moment` on the viewer's tomorrow; nine o'clock when it stood at midnight."""
    zone = ZoneInfo(viewer.time_zone)
    clock = moment.astimezone(zone).time()
    clock = clock.replace(hour=9) if (clock.hour, clock.minute) == (0, 0) else clock
    return datetime.combine(viewer.day_of(now) + timedelta(days=1), clock, zone).astimezone(UTC)
