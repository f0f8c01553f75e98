"""The timeline beside a record, and the quick log above it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.fields import show_value
from crm_app.core.text import label_of
from crm_app.models.activities.activities import Activity
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.activities import activities, quick_log
from crm_app.services.activities.activities import Entry, With
from crm_app.services.platform import operations
from crm_app.services.platform.history import History, Mark
from crm_app.services.sales import deal_timeline
from crm_app.services.sales.deal_timeline import Edit, Event, StageChange, mark_of
from crm_app.state.activities.timeline_views import (
    GroupView,
    ItemView,
    done_view,
    grouped,
    local_moment,
    planned_view,
    tomorrow_same_time,
)
from crm_app.state.base import AppState, internal, notice_action
from crm_app.state.platform.fields import answer, day_and_time, sentence
from crm_app.store.uow import UnitOfWork, unit_of_work

_PAGE = 30
_DRAFT = "draft:"  # before the link and the record, in the name under which the browser keeps what is being typed
ALL, CHANGES = "all", "changes"


class Timeline(AppState):
    """Of one deal, account or contact at a time; the page's own state opens it and says when to read anew."""

    groups: list[GroupView] = []
    shown: str = ALL
    count: int = 0
    has_more: bool = False
    kinds: list[dict[str, str]] = []
    people: list[dict[str, str]] = []
    store: str = ""
    answered: dict[str, Any] = {}
    may_log: bool = False
    _whose: dict[str, str] = {}  # the link that leads here, as {"opportunity_id": "..."}
    _planned: list[ItemView] = []
    _past: list[tuple[datetime, ItemView]] = []
    _after: Mark | None = None

    @internal
    def whose(self) -> With:
        return With(**{name: UUID(value) for name, value in self._whose.items()})

    @internal
    async def open(
        self, uow: UnitOfWork, link: str, record_id: UUID, people: Sequence[dict[str, str]]
    ) -> Sequence[Entry]:
        """Show the activities that point to the record over `link`; read anew when it is open already. Returns what is
        planned."""
        whose = {link: str(record_id)}
        if is_other := whose != self._whose:
            self.groups, self.has_more = [], False
            self._whose, self.shown, self._past = whose, ALL, []
            self.store = f"{_DRAFT}{link}:{record_id}"
            self.may_log = uow.actor.can("activity.create")
            self.kinds = [
                {"value": k["key"], "label": k["name"], "icon": k["icon"]} for k in await quick_log.kinds(uow)
            ]
        if is_other or list(people) != self.people:
            self.people = list(people)
        self.count = await activities.count(uow, self.whose())
        return await self._read(uow)

    async def _read(self, uow: UnitOfWork) -> Sequence[Entry]:
        """The first page, or as much as is shown already."""
        planned, past, names = await self._page(uow, None, limit=max(_PAGE, len(self._past)))
        self._planned = [planned_view(e, uow.actor, uow.now) for e in planned]
        self._past = [_item(e, names, uow.actor, uow.now) for e in past]
        self._regroup(uow.actor, uow.now)
        return planned

    async def _page(
        self, uow: UnitOfWork, before: Mark | None, *, limit: int
    ) -> tuple[Sequence[Entry], Sequence[Event], History]:
        whose = self.whose()
        if whose.opportunity_id:
            found = await deal_timeline.timeline(
                uow, whose.opportunity_id, shown=self.shown, before=before, limit=limit
            )
            self._after = found.after
            return found.planned, found.past, found.edits
        done = await activities.done(uow, whose, before=before, limit=limit + 1)
        self._after = mark_of(done[limit - 1]) if len(done) > limit else None
        return await activities.planned(uow, whose), done[:limit], History((), {})

    def _regroup(self, actor: Actor, now: datetime) -> None:
        groups = grouped(self._planned, self._past, actor, now)
        if groups != self.groups:
            self.groups = groups
        if (more := self._after is not None) != self.has_more:
            self.has_more = more

    @rx.event
    async def show(self, what: str):
        """All, talks, mail or changes."""
        actor = await self.actor()
        self.shown, self._past, self._after = what, [], None
        async with unit_of_work(actor) as uow:
            await self._read(uow)

    @rx.event
    async def older(self):
        """The page below."""
        if self._after is None:
            return
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            _, past, names = await self._page(uow, self._after, limit=_PAGE)
            self._past = [*self._past, *(_item(e, names, actor, uow.now) for e in past)]
            self._regroup(actor, uow.now)

    @rx.event
    async def log(self, given: dict[str, Any]):
        """Written down in the quick log, once for every operation id; the draft stays in the browser until this is
        answered."""
        actor = await self.actor()
        try:
            minutes = str(given.get("minutes") or "").strip()
            async with unit_of_work(actor) as uow:
                if await operations.begin(uow, UUID(str(given.get("operation")))) is not None:
                    self.answered = answer("saved")
                    return
                await quick_log.write(
                    uow,
                    _whose(str(given.get("store"))),
                    kind=str(given["kind"]),
                    text=str(given.get("text") or ""),
                    contact_id=UUID(str(given["who"])) if given.get("who") else None,
                    outcome=str(given.get("outcome") or ""),
                    duration_minutes=int(minutes) if minutes else None,
                    happens_at=local_moment(str(given.get("at") or ""), actor),
                )
        except CrmError as refusal:
            self.answered = {**answer("error", refusal), "message": _complaint(refusal)}
            return
        except ValueError:
            self.answered = answer("error", Invalid("Check the minutes and the time."))
            return
        self.answered = answer("saved")

    @internal
    def shows(self, activity_id: UUID) -> bool:
        wanted = str(activity_id)
        return any(i.id == wanted for i in self._planned) or any(i.id == wanted for _, i in self._past)

    @rx.event
    async def done(self, activity_id: str):
        """A planned activity was done."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            due_at = (await uow.get(Activity, UUID(activity_id), lock=True)).happens_at
            activity = await activities.complete(uow, UUID(activity_id))
        self.notify(
            f"{activity.subject}: done", action="Undo", payload=f"plan-again:{activity_id}@{due_at.isoformat()}"
        )

    @rx.event
    async def put_off(self, activity_id: str):
        """To tomorrow, at the same time of day."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            activity = await uow.get(Activity, UUID(activity_id))
            before = activity.happens_at
            await activities.put_off(uow, activity.id, due_at=tomorrow_same_time(before, actor, uow.now))
        payload = f"plan-again:{activity_id}@{before.isoformat()}"
        self.notify(f"{activity.subject}: put off to tomorrow", action="Undo", payload=payload)

    @rx.event
    async def plan_again(self, what: str):
        """From the notice: "<id>@<moment>", as it was planned before."""
        activity_id, _, moment = what.partition("@")
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await activities.plan_again(uow, UUID(activity_id), due_at=datetime.fromisoformat(moment))


def _whose(store: str) -> With:
    """From the name of the draft, for a server that started anew has not opened the timeline yet."""
    link, _, record_id = store.removeprefix(_DRAFT).partition(":")
    if link not in With.__slots__:
        raise ValueError(f"{store!r} names no draft")
    return With(**{link: UUID(record_id)})


def _complaint(refusal: CrmError) -> str:
    if isinstance(refusal, Invalid) and refusal.fields:
        name, message = next(iter(refusal.fields.items()))
        names = {"happens_at": "A day", "text": "A text", "duration_minutes": "The duration"}
        return f"{names.get(name, label_of(name))} {message}."
    return sentence(refusal)


def _item(event: Event, names: History, actor: Actor, now: datetime) -> tuple[datetime, ItemView]:
    at = mark_of(event)[0]
    if isinstance(event, Entry):
        return at, done_view(event, actor, now)
    if isinstance(event, StageChange):
        return at, _stage_view(event, actor, now)
    return at, _edit_view(event, names, actor, now)


def _stage_view(event: StageChange, actor: Actor, now: datetime) -> ItemView:
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


notice_action("plan-again", Timeline.plan_again)
