"""What happened with a deal: activities, stages it went through, changes of its fields; and that of a customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStakeholder
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.services.activities import activities
from crm_app.services.activities.activities import Entry, With
from crm_app.services.activities.quick_log import TALKS
from crm_app.services.platform import history
from crm_app.services.platform.history import FieldChange, History, Mark
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

Shown = Literal["all", "talks", "mail", "changes"]
_KINDS: dict[str, tuple[str, ...]] = {"talks": TALKS, "mail": ("email",)}
_TOLD_BY_STAGES = ("stage_id",)  # what else such an entry changes follows from the stage
_NO_NEWS = frozenset({"requires_approval", "score", "qualification_score", "fit_score"})
_stays, _stages, _users = table_of(StageHistory), table_of(Stage), table_of(User)
_CUSTOMERS = {"account": "account_id", "contact": "primary_contact_id"}  # and the link of a deal to them
_deals, _stakes = table_of(Opportunity), table_of(OpportunityStakeholder)


@dataclass(frozen=True, slots=True)
class StageChange:
    """The deal came into a stage; without `from_name` it was made there."""

    id: UUID
    at: datetime
    from_name: str
    to_name: str
    to_kind: StageKind
    user_name: str
    deal_id: UUID
    deal_name: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Fields that were changed in one go."""

    id: UUID
    at: datetime
    user_name: str
    source: str
    changes: tuple[FieldChange, ...]


Event = Entry | StageChange | Edit


@dataclass(frozen=True)
class Timeline:
    """`planned` is in order of urgency, `past` latest first. `after` goes on below; None at the end. `edits` holds the
    names that the changes link to."""

    planned: Sequence[Entry]
    past: Sequence[Event]
    after: Mark | None
    edits: History


def mark_of(event: Event) -> Mark:
    return (event.happens_at if isinstance(event, Entry) else event.at), event.id


async def timeline(
    uow: UnitOfWork, opportunity_id: UUID, *, shown: Shown = "all", before: Mark | None = None, limit: int = 30
) -> Timeline:
    """A page of it; `before` is `after` of the page above. NotFound when the actor may not know of the deal."""
    await uow.get(Opportunity, opportunity_id)
    whose = With(opportunity_id=opportunity_id)
    most = limit + 1
    past: list[Event] = []
    edits = History((), {})
    if shown != "changes":
        past += await activities.done(uow, whose, kinds=_KINDS.get(shown, ()), before=before, limit=most)
    if shown in ("all", "changes"):
        past += await _stage_changes(uow, _stays.c.opportunity_id == opportunity_id, before, most)
    if shown == "changes":
        edits = await history.of_record(
            uow, OPPORTUNITY, opportunity_id, without=_NO_NEWS, unless=_TOLD_BY_STAGES, before=before, limit=most
        )
        past += _edits(edits)
    if edits.after is not None:  # edits below it are not read yet: nothing else from there may be told
        past = [e for e in past if mark_of(e) >= edits.after]
    past.sort(key=mark_of, reverse=True)
    after = mark_of(past[limit - 1]) if len(past) > limit else edits.after
    past = past[:limit]
    planned = await activities.planned(uow, whose) if before is None and shown != "changes" else ()
    if shown in _KINDS:
        planned = [p for p in planned if p.kind in _KINDS[shown]]
    return Timeline(planned, past, after, edits)


async def of_customer(
    uow: UnitOfWork, entity: Entity, record_id: UUID, *, before: Mark | None = None, limit: int = 30
) -> Timeline:
    """A page of what happened with an account or a contact: activities, and the stages that their deals went through,
    as far as this actor sees each of these. NotFound when the actor may not know of the record."""
    uow.require(f"{entity.name}.read")
    if entity.name not in _CUSTOMERS:
        raise Invalid(f"{entity.plural} have no deals.")
    await uow.get(entity.model, record_id)
    whose, most = With(**{f"{entity.name}_id": record_id}), limit + 1
    planned: Sequence[Entry] = ()
    past: list[Event] = []
    if uow.actor.can("activity.read"):
        planned = await activities.planned(uow, whose) if before is None else ()
        past += await activities.done(uow, whose, before=before, limit=most)
    if (deals := _deals_of(uow, entity, record_id)) is not None:
        mine = _stays.c.opportunity_id == sa.any_(sa.func.array(deals.scalar_subquery()))
        past += await _stage_changes(uow, mine, before, most)
    past.sort(key=mark_of, reverse=True)
    after = mark_of(past[limit - 1]) if len(past) > limit else None
    return Timeline(planned, past[:limit], after, History((), {}))


def _deals_of(uow: UnitOfWork, entity: Entity, record_id: UUID) -> sa.Select[tuple[UUID]] | None:
    """The deals of an account, or those a contact has a part in, that the actor sees; None for a role without deals."""
    hidden, masked = blind_spots(uow.actor, OPPORTUNITY.name)
    link, d = _CUSTOMERS[entity.name], _deals.c
    if not uow.actor.can("opportunity.read"):
        return None
    ways = [] if link in hidden | masked else [d[link] == record_id]
    if entity.name == "contact":
        parts = sa.select(_stakes.c.opportunity_id).where(
            _stakes.c.contact_id == record_id, _stakes.c.deleted_at.is_(None)
        )
        ways.append(d.id.in_(parts))
    found = sa.select(d.id).where(sa.or_(*ways), d.deleted_at.is_(None))
    seen = visible(OPPORTUNITY, uow.actor)
    return found if seen is None else found.where(seen)


async def _stage_changes(
    uow: UnitOfWork, whose: sa.ColumnElement[bool], before: Mark | None, limit: int
) -> list[StageChange]:
    left = _stages.alias("left")
    query = (
        sa.select(
            _stays.c.id,
            _stays.c.entered_at,
            sa.func.coalesce(left.c.name, "").label("from_name"),
            _stages.c.name.label("to_name"),
            _stages.c.kind,
            sa.func.coalesce(_users.c.name, "").label("user_name"),
            _deals.c.id.label("deal_id"),
            _deals.c.name.label("deal_name"),
        )
        .join(_stages, sa.and_(_stages.c.tenant_id == _stays.c.tenant_id, _stages.c.id == _stays.c.stage_id))
        .join(_deals, sa.and_(_deals.c.tenant_id == _stays.c.tenant_id, _deals.c.id == _stays.c.opportunity_id))
        .outerjoin(left, sa.and_(left.c.tenant_id == _stays.c.tenant_id, left.c.id == _stays.c.from_stage_id))
        .outerjoin(_users, sa.and_(_users.c.tenant_id == _stays.c.tenant_id, _users.c.id == _stays.c.moved_by_id))
        .where(whose)
    )
    if before is not None:
        query = query.where(sa.tuple_(_stays.c.entered_at, _stays.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(_stays.c.entered_at.desc(), _stays.c.id.desc()).limit(limit)
    return [
        StageChange(r.id, r.entered_at, r.from_name, r.to_name, r.kind, r.user_name, r.deal_id, r.deal_name)
        for r in await uow.rows(query)
    ]


def _edits(found: History) -> list[Edit]:
    grouped: dict[UUID, list[FieldChange]] = {}
    for change in found.changes:
        grouped.setdefault(change.entry_id, []).append(change)
    return [Edit(i, c[0].at, c[0].user_name, c[0].source, tuple(c)) for i, c in grouped.items()]
