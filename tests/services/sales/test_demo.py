"""The demo workspace: whole, believable, and made once."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.sales.facts import StageHistory, StageTotal
from crm_app.models.sales.opportunities import Health, Opportunity, OpportunityLine, OpportunityStatus
from crm_app.models.sales.pipelines import Stage
from crm_app.services.people import sessions
from crm_app.services.sales.demo import build, story
from crm_app.services.sales.demo.companies import COMPANIES
from crm_app.services.sales.health import is_rotting
from crm_app.store.uow import UnitOfWork, unit_of_work

_deals, _stays, _lines = table_of(Opportunity), table_of(StageHistory), table_of(OpportunityLine)


async def test_the_demo_workspace_is_whole(app_database: None) -> None:
    now = utcnow()
    await build.create(now=now)
    token = await sessions.sign_in(build.ADMIN.email, build.PASSWORD)
    actor = await sessions.actor_of(f"{sessions.cookie_name()}={token}")
    assert actor is not None
    async with unit_of_work(actor) as uow:
        for model, count in ((Account, len(COMPANIES)), (Contact, 3 * len(COMPANIES)), (Opportunity, story.DEALS)):
            assert await _count(uow, table_of(model)) == count
        open_deals = (
            (await uow.execute(sa.select(_deals).where(_deals.c.status == OpportunityStatus.open))).mappings().all()
        )
        health = Counter(d["health"] for d in open_deals)
        assert min(health[h] for h in Health) >= 5, health
        assert any(d["expected_close_on"] < now.date() for d in open_deals)
        assert any(d["next_activity_at"] and d["next_activity_at"] < now for d in open_deals)
        days = {
            r.id: r.rotting_days
            for r in await uow.rows(sa.select(table_of(Stage).c.id, table_of(Stage).c.rotting_days))
        }
        stuck = [
            d
            for d in open_deals
            if is_rotting(now=now, stage_entered_at=d["stage_entered_at"], rotting_days=days[d["stage_id"]])
        ]
        assert len(open_deals) // 10 <= len(stuck) <= len(open_deals) // 2
        await _facts_agree(uow)
        oldest = await uow.scalar(sa.select(sa.func.min(_deals.c.created_at)))
        assert now - oldest > timedelta(days=550)
        assert await uow.scalar(sa.select(sa.func.max(_deals.c.created_at))) <= now
    for person in build.SIGN_INS:
        assert await sessions.sign_in(person.email, build.PASSWORD)
    assert not await build.ensure(now=now)  # somebody works here already


async def _count(uow: UnitOfWork, table: sa.Table) -> int:
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(table)))


async def _facts_agree(uow: UnitOfWork) -> None:
    """The lines add up to the amounts, the totals to the deals, and each deal stands where its last stay is."""
    sums = (
        sa.select(_lines.c.opportunity_id, sa.func.sum(_lines.c.amount_minor).label("amount"))
        .group_by(_lines.c.opportunity_id)
        .subquery()
    )
    off = (
        sa.select(sa.func.count())
        .select_from(_deals.join(sums, sums.c.opportunity_id == _deals.c.id))
        .where(sums.c.amount != _deals.c.amount_minor)
    )
    assert await uow.scalar(off) == 0
    totals = table_of(StageTotal)
    assert await uow.scalar(sa.select(sa.func.sum(totals.c.amount_minor))) == await uow.scalar(
        sa.select(sa.func.sum(_deals.c.amount_minor))
    )
    lasting = (
        sa.select(sa.func.count())
        .select_from(_deals.join(_stays, _stays.c.opportunity_id == _deals.c.id))
        .where(_stays.c.left_at.is_(None), _stays.c.stage_id == _deals.c.stage_id)
    )
    assert await uow.scalar(lasting) == story.DEALS
    assert await uow.scalar(sa.select(sa.func.count()).where(_stays.c.left_at < _stays.c.entered_at)) == 0


def test_one_seed_tells_one_story() -> None:
    now = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    told = story.tell(build.SEED, now)
    assert told == story.tell(build.SEED, now)
    assert told.deals != story.tell(build.SEED + 1, now).deals
    assert all(step.at <= now for step in told.steps)
