"""What activities mean for a deal: when somebody last dealt with it, and what is planned next."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from crm_app.models.activities.activities import Activity, ActivityStatus
from crm_app.models.base import table_of
from crm_app.models.sales.opportunities import Opportunity, OpportunityStatus
from crm_app.services.platform.bulk import update_each
from crm_app.services.sales.health import health_of
from crm_app.store.uow import UnitOfWork

_deals, _activities = table_of(Opportunity), table_of(Activity)
_AT_ONCE = 2_000  # an import may bring activities of every deal
_FACTS = (
    "last_activity_at",
    "next_activity_at",
    "next_activity_kind",
    "next_activity_subject",
    "health",
    "health_changes_at",
)


async def refresh(uow: UnitOfWork, opportunity_ids: Iterable[UUID]) -> int:
    """Work out the facts of these deals anew; writes only those that changed. Returns how many. Safe to repeat."""
    ids = sorted(set(opportunity_ids))
    return sum([await _refresh(uow, ids[i : i + _AT_ONCE]) for i in range(0, len(ids), _AT_ONCE)])


async def _refresh(uow: UnitOfWork, ids: list[UUID]) -> int:
    rows = []
    for deal in (await uow.execute(_current(ids))).mappings().all():
        facts = _facts_of(uow, deal)
        if any(deal[n] != v for n, v in facts.items()):
            rows.append({"id": deal["id"], **facts, "version": deal["version"] + 1})
            uow.changed("opportunity", deal["id"], deal["version"] + 1)
    if rows:
        await uow.execute(update_each(_deals, rows))
    return len(rows)


def _current(ids: list[UUID]) -> sa.Select[tuple[object, ...]]:
    """The deals, locked, each with its latest done and its next planned activity."""
    a = _activities
    mine = sa.and_(a.c.tenant_id == _deals.c.tenant_id, a.c.opportunity_id == _deals.c.id, a.c.deleted_at.is_(None))
    last = (
        sa.select(sa.func.max(a.c.happens_at))
        .where(mine, a.c.status == ActivityStatus.done)
        .scalar_subquery()
        .label("last")
    )
    upcoming = (
        sa.select(a.c.happens_at, a.c.kind, a.c.subject)
        .where(mine, a.c.status == ActivityStatus.planned)
        .order_by(a.c.happens_at)
        .limit(1)
        .lateral("upcoming")
    )
    return (
        sa.select(
            _deals.c.id, _deals.c.version, _deals.c.status, _deals.c.expected_close_on,
            *(_deals.c[n] for n in _FACTS), last, upcoming.c.happens_at, upcoming.c.kind, upcoming.c.subject,
        )
        .select_from(_deals.outerjoin(upcoming, sa.true()))
        .where(_deals.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Uuid()))), _deals.c.deleted_at.is_(None))
        .order_by(_deals.c.id)
        .with_for_update(of=_deals)
    )  # fmt: skip


def _facts_of(uow: UnitOfWork, deal: sa.RowMapping) -> dict[str, object]:
    health, changes_at = health_of(
        is_open=deal["status"] is OpportunityStatus.open,
        now=uow.now,
        expected_close_on=deal["expected_close_on"],
        next_activity_at=deal["happens_at"],
    )
    return {
        "last_activity_at": deal["last"],
        "next_activity_at": deal["happens_at"],
        "next_activity_kind": deal["kind"] or "",
        "next_activity_subject": deal["subject"] or "",
        "health": health,
        "health_changes_at": changes_at,
    }


async def refresh_due(uow: UnitOfWork, *, limit: int = 500) -> int:
    """Deals whose health changes by time alone and whose time has come; the clock asks for this."""
    due = (
        sa.select(_deals.c.id)
        .where(
            _deals.c.status == OpportunityStatus.open,
            _deals.c.deleted_at.is_(None),
            _deals.c.health_changes_at.is_not(None),
            _deals.c.health_changes_at <= uow.now,
        )
        .order_by(_deals.c.health_changes_at)
        .limit(limit)
    )
    return await refresh(uow, [r.id for r in await uow.rows(due)])
