"""What is done and planned with a deal shows on the deal: by handler after each activity, by the clock as time goes."""

from datetime import UTC, datetime, time, timedelta

import pytest

from crm_app.core.errors import Conflict, Invalid
from crm_app.models.activities.activities import ACTIVITY, ActivityStatus
from crm_app.models.sales.opportunities import OPPORTUNITY, Health
from crm_app.services.activities import activities
from crm_app.services.platform import records
from crm_app.services.sales import activity_facts, opportunities
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal
from tests.services.sales.pulse import assert_sound
from tests.work import work_off


async def facts(actor, deal) -> tuple[object, ...]:
    await work_off()
    row = await read_deal(actor, deal.id)
    return row["next_activity_at"], row["next_activity_kind"], row["next_activity_subject"], row["health"]


@pytest.fixture
def soon() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)


async def plan(actor, deal, due_at, subject="Call them", kind="call"):
    async with unit_of_work(actor) as uow:
        return await activities.plan(uow, kind=kind, subject=subject, due_at=due_at, opportunity_id=deal.id)


async def test_what_is_planned_next_shows_on_the_deal(alice, deal, soon):
    assert await facts(alice, deal) == (None, "", "", Health.risk)
    later = await plan(alice, deal, soon + timedelta(days=1), "Visit", "meeting")
    assert await facts(alice, deal) == (later.happens_at, "meeting", "Visit", Health.good)
    sooner = await plan(alice, deal, soon)
    assert await facts(alice, deal) == (soon, "call", "Call them", Health.good)
    async with unit_of_work(alice) as uow:
        await activities.put_off(uow, sooner.id, due_at=soon + timedelta(days=9))
    assert (await facts(alice, deal))[:2] == (later.happens_at, "meeting")
    async with unit_of_work(alice) as uow:
        await activities.complete(uow, later.id, outcome="Went well")
    assert (await facts(alice, deal))[0] == soon + timedelta(days=9)
    async with unit_of_work(alice) as uow:
        await activities.complete(uow, sooner.id)
    assert await facts(alice, deal) == (None, "", "", Health.risk)


async def test_what_was_done_last_shows_on_the_deal(alice, deal, soon):
    async with unit_of_work(alice) as uow:
        now = uow.now
        for days in (5, 2, 8):
            happened = now - timedelta(days=days)
            await activities.log(uow, kind="call", subject="Talked", opportunity_id=deal.id, happens_at=happened)
    await work_off()
    assert (await read_deal(alice, deal.id))["last_activity_at"] == now - timedelta(days=2)


async def test_an_activity_that_goes_elsewhere_leaves_the_first_deal(admin, alice, deal, soon):
    other = await a_deal(alice, "Other")
    planned = await plan(alice, deal, soon)
    await work_off()
    async with unit_of_work(alice) as uow:
        await records.update(uow, ACTIVITY, planned.id, {"opportunity_id": other.id})
    assert (await facts(alice, deal))[0] is None
    assert (await facts(alice, other))[0] == soon
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACTIVITY, planned.id)
    assert (await facts(alice, other))[0] is None
    async with unit_of_work(admin) as uow:
        await records.restore(uow, ACTIVITY, planned.id)
    assert (await facts(alice, other))[0] == soon


async def test_done_once(alice, deal, soon):
    planned = await plan(alice, deal, soon)
    async with unit_of_work(alice) as uow:
        done = await activities.complete(uow, planned.id)
        assert (done.status, done.completed_at) == (ActivityStatus.done, uow.now)
    for again in (activities.complete, lambda uow, i: activities.put_off(uow, i, due_at=soon)):
        with pytest.raises(Conflict, match="done already"):
            async with unit_of_work(alice) as uow:
                await again(uow, planned.id)


async def test_an_activity_is_with_somebody_and_of_a_known_kind(alice, deal):
    with pytest.raises(Invalid):
        async with unit_of_work(alice) as uow:
            await activities.log(uow, kind="call", subject="With whom?")
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await activities.log(uow, kind="seance", subject="?", opportunity_id=deal.id)
    assert set(refusal.value.fields) == {"kind"}


# -- time alone


async def pass_to(admin, moment) -> int:
    async with unit_of_work(admin, now=moment) as uow:
        return await activity_facts.refresh_due(uow)


async def test_a_plan_that_passes_makes_the_deal_overdue(admin, alice, deal, soon):
    await plan(alice, deal, soon)
    await work_off()
    assert await pass_to(admin, soon - timedelta(seconds=1)) == 0
    assert (await read_deal(alice, deal.id))["health"] is Health.good
    assert await pass_to(admin, soon + timedelta(seconds=2)) == 1
    row = await read_deal(alice, deal.id)
    assert (row["health"], row["health_changes_at"]) == (Health.overdue, None)
    assert await pass_to(admin, soon + timedelta(days=9)) == 0  # nothing changes any more
    await assert_sound(admin)


async def test_a_close_date_that_passes_makes_the_deal_overdue(admin, alice, deal, next_month):
    end_of_day = datetime.combine(next_month + timedelta(days=1), time(), UTC)
    assert await pass_to(admin, end_of_day - timedelta(seconds=1)) == 0
    assert await pass_to(admin, end_of_day) == 1
    assert (await read_deal(alice, deal.id))["health"] is Health.overdue
    await assert_sound(admin)


async def test_a_later_close_date_makes_it_well_again(admin, alice, deal, next_month):
    late = datetime.combine(next_month + timedelta(days=5), time(), UTC)
    await pass_to(admin, late)
    async with unit_of_work(alice, now=late) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"expected_close_on": next_month + timedelta(days=60)})
    assert (await read_deal(alice, deal.id))["health"] is Health.risk
    await assert_sound(admin)


async def test_closed_deals_and_those_in_the_trash_are_left_alone(admin, alice, deal, next_month):
    thrown = await a_deal(alice, "Thrown")
    async with unit_of_work(admin) as uow:
        await opportunities.win(uow, deal.id, Closing())
        await opportunities.throw_away(uow, thrown.id)
    assert await pass_to(admin, datetime.combine(next_month + timedelta(days=400), time(), UTC)) == 0
    async with unit_of_work(alice) as uow:
        await activities.log(uow, kind="note", subject="Thanks", opportunity_id=deal.id)
    await work_off()
    assert (await read_deal(alice, deal.id))["health"] is Health.good


async def test_many_at_once_in_portions(admin, alice, make, account, next_month):
    for i in range(7):
        await a_deal(alice, f"D{i}", account=f"A{i}")
    late = datetime.combine(next_month + timedelta(days=5), time(), UTC)
    async with unit_of_work(admin, now=late) as uow:
        assert [await activity_facts.refresh_due(uow, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    await assert_sound(admin)


async def test_open_screens_hear_of_it_and_the_log_does_not(admin, alice, deal, soon):
    """Facts are worked out, nobody changed them: they raise the version for screens and stay out of the audit log."""
    from crm_app.services.platform import audit

    await plan(alice, deal, soon)
    await work_off()
    assert (await read_deal(alice, deal.id))["version"] == 2
    async with unit_of_work(admin) as uow:
        assert [e["action"] for e in await audit.history(uow, "opportunity", deal.id)] == ["create"]
