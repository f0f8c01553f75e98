"""The timeline beside a record, and the quick log above it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity
from crm_app.core.text import label_of
from crm_app.models.activities.activities import Activity
from crm_app.services.activities import activities, comments, quick_log
from crm_app.services.activities.activities import COMMENT, Entry, With
from crm_app.services.activities.comments import Mention, Said
from crm_app.services.people import onlookers
from crm_app.services.platform import operations
from crm_app.services.platform.history import History, Mark
from crm_app.services.sales import deal_timeline
from crm_app.services.sales.deal_timeline import Event
from crm_app.state.activities.timeline_views import (
    GroupView,
    ItemView,
    grouped,
    local_moment,
    planned_view,
    tomorrow_same_time,
)
from crm_app.state.base import AppState, internal, notice_action
from crm_app.state.platform.fields import answer, sentence
from crm_app.state.record_parts import opens_with_record
from crm_app.state.timeline_items import item_of, joined
from crm_app.store.uow import UnitOfWork, unit_of_work

_PAGE = 30
_DRAFT = "draft:"  # before the link and the record, in the name under which the browser keeps what is being typed
ALL, COMMENTS = "all", "comments"


class Timeline(AppState):
    """Of one record at a time: activities, where the entity has them, and comments; the page's own state opens it and
    says when to read anew."""

    groups: list[GroupView] = []
    shown: str = ALL
    count: int = 0
    has_more: bool = False
    kinds: list[dict[str, str]] = []
    people: list[dict[str, str]] = []
    store: str = ""
    answered: dict[str, Any] = {}
    may_log: bool = False
    mentionable: list[dict[str, str]] = []  # colleagues whose names begin like what is typed after "@"
    remark_answer: dict[str, Any] = {}
    _whose: dict[str, str] = {}  # the link that leads here, as {"opportunity_id": "..."}
    _planned: list[ItemView] = []
    _past: list[tuple[datetime, ItemView]] = []
    _after: Mark | None = None

    @internal
    def whose(self) -> With:
        return With(**{name: UUID(value) for name, value in self._whose.items()})

    @internal
    def subject(self) -> tuple[Entity, UUID]:
        """The record whose timeline it is."""
        link, record_id = next(iter(self._whose.items()))
        return registry.get(link.removesuffix("_id")), UUID(record_id)

    @internal
    async def open(
        self, uow: UnitOfWork, link: str, record_id: UUID, people: Sequence[dict[str, str]]
    ) -> Sequence[Entry]:
        """Show what was said of the record, and the activities that point to it over `link` ("<entity>_id"); read anew
        when it is open already. Returns what is planned."""
        whose = {link: str(record_id)}
        if is_other := whose != self._whose:
            self.groups, self.has_more = [], False
            self._whose, self.shown, self._past = whose, ALL, []
            self.store = f"{_DRAFT}{link}:{record_id}"
            self.kinds = await _kinds(uow, link)
            self.may_log = bool(self.kinds)
        if is_other or list(people) != self.people:
            self.people = list(people)
        return await self._read(uow)

    async def _read(self, uow: UnitOfWork) -> Sequence[Entry]:
        """The first page, or as much as is shown already."""
        planned, past, names = await self._page(uow, None, limit=max(_PAGE, len(self._past)))
        self._planned = [planned_view(e, uow.actor, uow.now) for e in planned]
        self._past = [self._item(e, names, uow.actor, uow.now) for e in past]
        self._regroup(uow.actor, uow.now)
        return planned

    async def _page(
        self, uow: UnitOfWork, before: Mark | None, *, limit: int
    ) -> tuple[Sequence[Entry], Sequence[Event | Said], History]:
        entity, record_id = self.subject()
        total, said = await comments.page(uow, entity, record_id, before=before, limit=limit + 1)
        planned: Sequence[Entry] = ()
        past: Sequence[Event] = ()
        after: Mark | None = None
        names = History((), {})
        has_activities = next(iter(self._whose)) in With.__slots__ and uow.actor.can("activity.read")
        if has_activities and before is None:
            total += await activities.count(uow, self.whose())
        if has_activities and self.shown != COMMENTS:
            if entity.name == "opportunity":
                shown: Any = self.shown
                found = await deal_timeline.timeline(uow, record_id, shown=shown, before=before, limit=limit)
            else:
                found = await deal_timeline.of_customer(uow, entity, record_id, before=before, limit=limit)
            planned, past, after, names = found.planned, found.past, found.after, found.edits
        if before is None and total != self.count:
            self.count = total
        both, self._after = joined(past, after, said if self.shown in (ALL, COMMENTS) else (), limit)
        return planned, both, names

    def _item(self, event: Event | Said, names: History, actor: Actor, now: datetime) -> tuple[datetime, ItemView]:
        return item_of(event, names, actor, now, is_deal="opportunity_id" in self._whose)

    def _regroup(self, actor: Actor, now: datetime) -> None:
        groups = grouped(self._planned, self._past, actor, now)
        if groups != self.groups:
            self.groups = groups
        if (more := self._after is not None) != self.has_more:
            self.has_more = more

    @rx.event
    async def show(self, what: str):
        """All, talks, mail, comments or changes."""
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
            self._past = [*self._past, *(self._item(e, names, actor, uow.now) for e in past)]
            self._regroup(actor, uow.now)

    @rx.event
    async def log(self, given: dict[str, Any]):
        """Written down in the quick log, once for every operation id; the draft stays in the browser until this is
        answered."""
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                if await operations.begin(uow, UUID(str(given.get("operation")))) is None:
                    await _write(uow, given)
        except CrmError as refusal:
            self.answered = {**answer("error", refusal), "message": _complaint(refusal)}
            return
        except ValueError:
            self.answered = answer("error", Invalid("Check the minutes and the time."))
            return
        if self._whose:  # the live feed brings it too, but not to a tab that is just coming back
            async with unit_of_work(actor) as uow:
                await self._read(uow)
        self.answered = answer("saved")

    @rx.event
    async def search_people(self, letters: str):
        """Somebody types a name after "@": colleagues who see the record."""
        actor = await self.actor()
        entity, record_id = self.subject()
        async with unit_of_work(actor) as uow:
            found = await onlookers.named(uow, entity, record_id, letters[:40])
        self.mentionable = [{"value": str(p.id), "label": p.name, "hint": p.title} for p in found]

    @rx.event
    async def edit_comment(self, comment_id: str, text: str, mentions: list[dict[str, str]]):
        """Its author has other words; the live feed shows them."""
        actor = await self.actor()
        try:
            async with unit_of_work(actor) as uow:
                await comments.edit(uow, UUID(comment_id), text, mentions=_mentions(mentions))
        except CrmError as refusal:
            self.remark_answer = {**answer("error", refusal), "message": _complaint(refusal), "id": comment_id}
            return
        async with unit_of_work(actor) as uow:
            await self._read(uow)
        self.remark_answer = {**answer("saved"), "id": comment_id}

    @rx.event
    async def remove_comment(self, comment_id: str):
        """Into the trash; Undo brings it back."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await comments.remove(uow, UUID(comment_id))
        self.notify("The comment is in the trash", action="Undo", payload=f"comment-back:{comment_id}")

    @rx.event
    async def put_comment_back(self, comment_id: str):
        """From the notice."""
        actor = await self.actor()
        async with unit_of_work(actor) as uow:
            await comments.put_back(uow, UUID(comment_id))

    @internal
    def shows(self, record_id: UUID) -> bool:
        """An activity, or a deal that something happened with."""
        wanted = str(record_id)
        shown = [*self._planned, *(i for _, i in self._past)]
        return any(i.id == wanted or i.about_href.endswith(wanted) for i in shown)

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


async def _kinds(uow: UnitOfWork, link: str) -> list[dict[str, str]]:
    """What may be written down here: activities where the entity has them, and comments."""
    found = []
    if link in With.__slots__ and uow.actor.can("activity.create"):
        known = [k for k in await quick_log.kinds(uow) if k["key"] != COMMENT]
        found = [{"value": k["key"], "label": k["name"], "icon": k["icon"]} for k in known]
    if uow.actor.can("comment.create"):
        found.append({"value": COMMENT, "label": "Comment", "icon": "comment"})
    return found


async def _write(uow: UnitOfWork, given: Mapping[str, Any]) -> None:
    """What the quick log gave. ValueError for a time or minutes that are none."""
    minutes = str(given.get("minutes") or "").strip()
    link, record_id = _subject(str(given.get("store")))
    entity, text = registry.get(link.removesuffix("_id")), str(given.get("text") or "")
    mentions = _mentions(given.get("mentions"))
    if given["kind"] == COMMENT:
        await comments.add(uow, entity, record_id, text, mentions=mentions)
        return
    written = await quick_log.write(
        uow,
        With(**{link: record_id}),
        kind=str(given["kind"]),
        text=text,
        contact_id=UUID(str(given["who"])) if given.get("who") else None,
        outcome=str(given.get("outcome") or ""),
        duration_minutes=int(minutes) if minutes else None,
        happens_at=local_moment(str(given.get("at") or ""), uow.actor),
    )
    await comments.tell_mentioned(uow, entity, record_id, text, mentions=mentions, source_id=written.id)


def _subject(store: str) -> tuple[str, UUID]:
    """From the name of the draft, for a server that started anew has not opened the timeline yet."""
    link, _, record_id = store.removeprefix(_DRAFT).partition(":")
    if registry.find(link.removesuffix("_id")) is None:
        raise ValueError(f"{store!r} names no draft")
    return link, UUID(record_id)


def _mentions(given: Any) -> list[Mention]:
    """As the browser sends them; what is none is left out."""
    rows = [r for r in given if isinstance(r, dict)] if isinstance(given, list) else []
    return [Mention(UUID(str(r.get("id"))), str(r.get("name"))[:120]) for r in rows[:200] if r.get("name")]


def _complaint(refusal: CrmError) -> str:
    if isinstance(refusal, Invalid) and refusal.fields:
        name, message = next(iter(refusal.fields.items()))
        names = {"happens_at": "A day", "text": "The text", "duration_minutes": "The duration"}
        return f"{names.get(name, label_of(name))} {message}."
    return sentence(refusal)


notice_action("plan-again", Timeline.plan_again)
notice_action("comment-back", Timeline.put_comment_back)


@opens_with_record(about=(comments.TOPIC,))
async def show_comments(page: AppState, uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> None:
    """Where the page opens no timeline of activities, its comments are one."""
    link = f"{entity.name}_id"
    if link not in With.__slots__ or not uow.actor.can("activity.read"):
        await (await page.get_state(Timeline)).open(uow, link, values["id"], ())
