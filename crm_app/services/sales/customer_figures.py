"""What an account or a contact is worth and when one talked: key figures of their pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.conditions import AllOf, AnyOf, Clause, Condition, Related
from crm_app.core.registry import Entity
from crm_app.models.activities.activities import ACTIVITY, Activity, ActivityStatus
from crm_app.models.base import table_of
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStatus
from crm_app.services.activities.activities import With
from crm_app.services.platform.figures import Figure, Measure, figures
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_deals, _activities = table_of(Opportunity), table_of(Activity)
_LINKS = {"account": "account_id", "contact": "primary_contact_id"}
_TALKS = ("call", "email", "meeting")
_SILENT = 30  # days without a talk after which somebody should look


@figures("account", "contact", place=10)
async def _business(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> Sequence[Figure]:
    """Open and won amounts of the deals that the actor sees, by currency."""
    link = _LINKS[entity.name]
    hidden, masked = blind_spots(uow.actor, OPPORTUNITY.name)
    if not uow.actor.can("opportunity.read") or {"amount_minor", link} & (hidden | masked):
        return []
    d = _deals
    query = (
        sa.select(d.c.status, d.c.currency, sa.func.sum(d.c.amount_minor), sa.func.count())
        .where(d.c[link] == values["id"], d.c.deleted_at.is_(None))
        .group_by(d.c.status, d.c.currency)
    )
    if (seen := visible(OPPORTUNITY, uow.actor)) is not None:
        query = query.where(seen)
    sums: dict[OpportunityStatus, dict[str, int]] = {s: {} for s in OpportunityStatus}
    deals = dict.fromkeys(OpportunityStatus, 0)
    for status, currency, amount, count in await uow.rows(query):
        sums[status][currency] = int(amount)
        deals[status] += count

    def one(label: str, status: OpportunityStatus) -> Figure:
        n = deals[status]
        behind = AllOf((_here(link, values["id"]), Clause("status", "eq", status.value)))
        note = f"{n} {'deal' if n == 1 else 'deals'}" if n else ""
        return Figure(label, Measure.money, sums[status], note, "muted", OPPORTUNITY.name if n else "", behind)

    return [one("Open pipeline", OpportunityStatus.open), one("Won", OpportunityStatus.won)]


def _here(link: str, record_id: UUID) -> Condition:
    return Clause(link, "eq", str(record_id))


@figures("account", "contact", place=20)
async def _touch(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> Sequence[Figure]:
    """The last talk, what is planned next, and the tasks that wait."""
    if not uow.actor.can("activity.read"):
        return []
    a, link = _activities, f"{entity.name}_id"
    whose = With(**{link: values["id"]})
    is_planned = a.c.status == ActivityStatus.planned
    is_talk = sa.and_(a.c.status == ActivityStatus.done, a.c.kind.in_(_TALKS))
    is_task = sa.and_(is_planned, a.c.kind == "task")
    query = sa.select(
        sa.func.max(a.c.happens_at).filter(is_talk).label("last"),
        sa.func.min(a.c.happens_at).filter(is_planned).label("next"),
        sa.func.count().filter(is_task).label("tasks"),
        sa.func.count().filter(sa.and_(is_task, a.c.happens_at < uow.now)).label("late"),
    ).where(whose.condition(uow.actor), a.c.deleted_at.is_(None))
    row = (await uow.rows(query))[0]
    behind = AllOf(
        (
            _around(link, values["id"]),
            Clause("kind", "eq", "task"),
            Clause("status", "eq", ActivityStatus.planned.value),
        )
    )
    tasks = Figure(
        "Open tasks", Measure.number, row.tasks, f"{row.late} overdue" if row.late else "", "over" if row.late else "",
        ACTIVITY.name if row.tasks else "", behind,
    )  # fmt: skip
    return [_last(uow, row.last), _next(uow, row.next), tasks]


def _around(link: str, record_id: UUID) -> Condition:
    """Activities with the record itself or, for an account, about its deals and with its people: as With has it."""
    here = _here(link, record_id)
    if link != "account_id":
        return here
    return AnyOf((here, Related("opportunity", "some", here), Related("contact", "some", here)))


def _last(uow: UnitOfWork, at: datetime | None) -> Figure:
    if at is None:
        return Figure("Last talk", Measure.moment, None)
    days = (uow.today - uow.actor.day_of(at)).days
    return Figure("Last talk", Measure.moment, at, *((f"{days} d ago", "over") if days >= _SILENT else ()))


def _next(uow: UnitOfWork, at: datetime | None) -> Figure:
    if at is not None and at < uow.now:
        return Figure("Next activity", Measure.moment, at, "overdue", "over")
    return Figure("Next activity", Measure.moment, at, *(() if at else ("none planned", "risk")))


@figures("opportunity", place=10)
async def _deal(_: UnitOfWork, __: Entity, values: Mapping[str, Any]) -> Sequence[Figure]:
    """What stands in the head of a deal, from its own fields."""
    found = []
    if isinstance(amount := values.get("amount_minor"), int):
        found.append(Figure("Amount", Measure.money, {values["currency"]: amount}))
    if isinstance(chance := values.get("probability"), int):
        found.append(Figure("Probability", Measure.percent, chance))
    if day := values.get("expected_close_on"):
        found.append(Figure("Close date", Measure.day, day))
    return found
