"""What happened with a record, as items of its timeline."""

from collections.abc import Sequence
from datetime import datetime

from crm_app.core.context import Actor
from crm_app.core.fields import show_value
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.activities.activities import Entry
from crm_app.services.activities.comments import Said
from crm_app.services.platform.history import History, Mark
from crm_app.services.sales.deal_timeline import Edit, Event, StageChange, mark_of
from crm_app.state.activities.timeline_views import ItemView, done_view, said_view
from crm_app.state.platform.fields import day_and_time


def moment_of(event: Event | Said) -> Mark:
    """Where it stands: when it happened, and its id."""
    return (event.happens_at, event.id) if isinstance(event, Said) else mark_of(event)


def joined(
    past: Sequence[Event], after: Mark | None, said: Sequence[Said], limit: int
) -> tuple[list[Event | Said], Mark | None]:
    """Two pages as one, the latest first, and where it goes on. `after` is where that of `past` does; `said` holds one
    more than `limit` when there are more. Nothing is told from below where one of them ends."""
    ends = [m for m in (after, moment_of(said[limit - 1]) if len(said) > limit else None) if m is not None]
    both = sorted([*past, *said], key=moment_of, reverse=True)
    if ends:
        both = [e for e in both if moment_of(e) >= max(ends)]
    if len(both) > limit:
        return both[:limit], moment_of(both[limit - 1])
    return both, max(ends, default=None)


def item_of(
    event: Event | Said, names: History, actor: Actor, now: datetime, *, is_deal: bool = False
) -> tuple[datetime, ItemView]:
    """`is_deal`: the timeline is that of the deal itself, which need not be named."""
    at = moment_of(event)[0]
    if isinstance(event, Said):
        return at, said_view(event, actor, now)
    if isinstance(event, Entry):
        return at, done_view(event, actor, now)
    if isinstance(event, StageChange):
        return at, _stage_view(event, actor, now, is_deal=is_deal)
    return at, _edit_view(event, names, actor, now)


def _stage_view(event: StageChange, actor: Actor, now: datetime, *, is_deal: bool) -> ItemView:
    is_end = event.to_kind is not StageKind.open
    title = (
        f"{event.to_name}, from {event.from_name}"
        if is_end
        else f"{event.from_name} to {event.to_name}"
        if event.from_name
        else f"Created in {event.to_name}"
    )
    return ItemView(
        id=str(event.id),
        kind=event.to_kind.value if is_end else "stage",
        title=title,
        when=day_and_time(event.at, actor, now),
        tone={StageKind.won: "good", StageKind.lost: "over"}.get(event.to_kind, ""),
        text=event.user_name,
        by_person=False,
        about="" if is_deal else event.deal_name,
        about_href="" if is_deal else f"/{OPPORTUNITY.slug}/{event.deal_id}",
    )


def _edit_view(event: Edit, names: History, actor: Actor, now: datetime) -> ItemView:
    changes = [
        {
            "label": c.spec.label if len(event.changes) > 1 else "",  # the title names it
            "old": show_value(c.spec, c.old, currency=actor.currency, time_zone=actor.time_zone, names=names.name_of),
            "new": show_value(c.spec, c.new, currency=actor.currency, time_zone=actor.time_zone, names=names.name_of),
        }
        for c in event.changes
    ]
    labels = [c.spec.label for c in event.changes]
    return ItemView(
        id=str(event.id),
        kind="edit",
        title=f"{event.user_name or event.source} changed {', '.join(labels).lower()}",
        when=day_and_time(event.at, actor, now),
        by_person=False,
        changes=changes,
    )
