"""Activities: log what was done, plan what is next, complete, put off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import Draft, guards
from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Invalid
from crm_app.core.fields import MASKED
from crm_app.models.activities.activities import ACTIVITY, Activity, ActivityStatus, ActivityType
from crm_app.models.base import table_of
from crm_app.models.customers.contacts import Contact
from crm_app.models.people.users import User
from crm_app.services.platform import records
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

COMMENT = "comment"
_activities, _users, _types = table_of(Activity), table_of(User), table_of(ActivityType)
_contacts = table_of(Contact)


@dataclass(frozen=True, slots=True)
class Entry:
    """An activity as a timeline shows it."""

    id: UUID
    kind: str
    subject: str
    body: str
    status: ActivityStatus
    happens_at: datetime
    duration_minutes: int | None
    outcome: str
    owner_id: UUID
    owner_name: str
    contact_id: UUID | None
    contact_name: str
    version: int


@guards("activity_type")
async def renew_choices(uow: UnitOfWork, _draft: Draft) -> None:
    """They are the choices of an activity's kind."""
    await uow.renew_schema()


@guards("activity")
async def keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    """A kind the workspace knows, a subject, and a planned activity has a time to come or an owner who is late."""
    if draft.touches("kind"):
        known = (await uow.rows(sa.select(_types.c.key).where(_types.c.deleted_at.is_(None)))) or []
        keys = [r.key for r in known]
        if draft.values["kind"] not in keys:
            raise Invalid(kind=f"must be one of {', '.join(keys)}")
    if draft.touches("status"):
        done = draft.values["status"] == ActivityStatus.done
        draft.values["completed_at"] = uow.now if done else None


async def log(
    uow: UnitOfWork,
    *,
    kind: str,
    subject: str,
    body: str = "",
    opportunity_id: UUID | None = None,
    account_id: UUID | None = None,
    contact_id: UUID | None = None,
    outcome: str = "",
    duration_minutes: int | None = None,
    happens_at: datetime | None = None,
) -> Activity:
    """Something that was done; `happens_at` (UTC) defaults to now."""
    return await _create(
        uow,
        kind=kind,
        subject=subject,
        body=body,
        status=ActivityStatus.done,
        happens_at=happens_at or uow.now,
        outcome=outcome,
        duration_minutes=duration_minutes,
        opportunity_id=opportunity_id,
        account_id=account_id,
        contact_id=contact_id,
    )


async def plan(
    uow: UnitOfWork,
    *,
    kind: str,
    subject: str,
    due_at: datetime,
    body: str = "",
    opportunity_id: UUID | None = None,
    account_id: UUID | None = None,
    contact_id: UUID | None = None,
    owner_id: UUID | None = None,
) -> Activity:
    """Something to do at `due_at` (UTC)."""
    return await _create(
        uow,
        kind=kind,
        subject=subject,
        body=body,
        status=ActivityStatus.planned,
        happens_at=due_at,
        opportunity_id=opportunity_id,
        account_id=account_id,
        contact_id=contact_id,
        owner_id=owner_id or uow.actor.user_id,
    )


async def _create(uow: UnitOfWork, **values: Any) -> Activity:
    if not any(values.get(n) for n in ("opportunity_id", "account_id", "contact_id")):
        raise Invalid(opportunity_id="or an account or a contact is needed: an activity is with somebody")
    activity: Activity = await records.create(uow, ACTIVITY, values)
    return activity


async def complete(uow: UnitOfWork, activity_id: UUID, *, outcome: str = "") -> Activity:
    """Done now. Conflict when it is no longer planned."""
    activity = await uow.get(Activity, activity_id, lock=True)
    if activity.status is not ActivityStatus.planned:
        raise Conflict(f"This activity is {activity.status.value} already.")
    values = {"status": ActivityStatus.done, "happens_at": uow.now} | ({"outcome": outcome} if outcome else {})
    done: Activity = await records.update(uow, ACTIVITY, activity_id, values)
    return done


async def put_off(uow: UnitOfWork, activity_id: UUID, *, due_at: datetime) -> Activity:
    """Plan it for another time."""
    activity = await uow.get(Activity, activity_id, lock=True)
    if activity.status is not ActivityStatus.planned:
        raise Conflict(f"This activity is {activity.status.value} already.")
    moved: Activity = await records.update(uow, ACTIVITY, activity_id, {"happens_at": due_at})
    return moved


async def plan_again(uow: UnitOfWork, activity_id: UUID, *, due_at: datetime) -> Activity:
    """Take back that it was done or put off: planned for `due_at`, as it was. Its outcome goes."""
    values = {"status": ActivityStatus.planned, "happens_at": due_at, "outcome": ""}
    planned_again: Activity = await records.update(uow, ACTIVITY, activity_id, values)
    return planned_again


@dataclass(frozen=True, slots=True)
class With:
    """Whose activities: one of the three. Ask for that record first: whoever sees it sees what was done with it."""

    opportunity_id: UUID | None = None
    account_id: UUID | None = None
    contact_id: UUID | None = None

    def condition(self, actor: Actor) -> sa.ColumnElement[bool]:
        """An account's are also those of its deals and people, as far as this actor sees these."""
        for name in ("opportunity_id", "contact_id"):
            if (value := getattr(self, name)) is not None:
                same: sa.ColumnElement[bool] = _activities.c[name] == value
                return same
        if self.account_id is None:
            raise ValueError("activities with whom?")
        parts = [_activities.c.account_id == self.account_id]
        parts += [_of_account(n, self.account_id, actor) for n in ("opportunity", "contact")]
        return sa.or_(*parts)


def _of_account(name: str, account_id: UUID, actor: Actor) -> sa.ColumnElement[bool]:
    entity = registry.get(name)
    hidden, masked = blind_spots(actor, name)
    if not actor.can(f"{name}.read") or "account_id" in hidden | masked:
        return sa.false()
    t = entity.table
    mine = sa.select(t.c.id).where(t.c.account_id == account_id, t.c.deleted_at.is_(None))
    if (seen := visible(entity, actor)) is not None:
        mine = mine.where(seen)
    # As an array the ids are found first, and each link has its own index.
    found: sa.ColumnElement[bool] = _activities.c[f"{name}_id"] == sa.any_(sa.func.array(mine.scalar_subquery()))
    return found


async def planned(uow: UnitOfWork, whose: With, *, limit: int = 50) -> Sequence[Entry]:
    """What is to do, the most urgent first."""
    query = _entries(uow, whose).where(_activities.c.status == ActivityStatus.planned)
    query = query.order_by(_activities.c.happens_at, _activities.c.id).limit(limit)
    return [_seen(uow, r) for r in await uow.rows(query)]


async def done(
    uow: UnitOfWork,
    whose: With,
    *,
    kinds: Sequence[str] = (),
    before: tuple[datetime, UUID] | None = None,
    limit: int = 30,
) -> Sequence[Entry]:
    """What was done, latest first; `before` is (happens_at, id) of the entry under which to go on."""
    a = _activities
    query = _entries(uow, whose).where(a.c.status == ActivityStatus.done)
    if kinds:
        query = query.where(a.c.kind.in_(kinds))
    if before is not None:
        query = query.where(sa.tuple_(a.c.happens_at, a.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(a.c.happens_at.desc(), a.c.id.desc()).limit(limit)
    return [_seen(uow, r) for r in await uow.rows(query)]


async def count(uow: UnitOfWork, whose: With) -> int:
    """Planned and done together."""
    uow.require("activity.read")
    query = sa.select(sa.func.count()).select_from(_activities)
    found = query.where(
        whose.condition(uow.actor), _activities.c.deleted_at.is_(None), _activities.c.status != ActivityStatus.cancelled
    )
    return int(await uow.scalar(found))


async def any_of(uow: UnitOfWork, whose: With, activity_ids: Sequence[UUID]) -> bool:
    """Whether one of these activities belongs there: what an open page asks before it reads anew."""
    uow.require("activity.read")
    if not activity_ids:
        return False
    mine = sa.and_(_activities.c.id.in_(list(activity_ids)), whose.condition(uow.actor))
    return bool(await uow.scalar(sa.select(sa.exists().where(mine))))


def _seen(uow: UnitOfWork, row: sa.Row[Any]) -> Entry:
    """Without the texts that the role does not see."""
    hidden, masked = blind_spots(uow.actor, ACTIVITY.name)
    blind = hidden | masked
    values = dict(row._mapping)
    for name in blind.intersection(("body", "outcome")):
        values[name] = MASKED if name in masked and values[name] else ""
    if "duration_minutes" in blind:
        values["duration_minutes"] = None
    return Entry(**values | ({"contact_id": None, "contact_name": ""} if "contact_id" in blind else {}))


def _entries(uow: UnitOfWork, whose: With) -> sa.Select[Any]:
    uow.require("activity.read")
    a, u, c = _activities, _users, _contacts
    return (
        sa.select(
            a.c.id, a.c.kind, a.c.subject, a.c.body, a.c.status, a.c.happens_at, a.c.duration_minutes, a.c.outcome,
            a.c.owner_id, u.c.name.label("owner_name"), a.c.contact_id,
            sa.func.coalesce(c.c.name, "").label("contact_name"), a.c.version,
        )
        .join(u, sa.and_(u.c.tenant_id == a.c.tenant_id, u.c.id == a.c.owner_id))
        .outerjoin(c, sa.and_(c.c.tenant_id == a.c.tenant_id, c.c.id == a.c.contact_id))
        .where(whose.condition(uow.actor), a.c.deleted_at.is_(None))
    )  # fmt: skip
