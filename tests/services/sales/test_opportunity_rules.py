"""What every deal must be (blueprint, 6.1 and 6.2), whoever writes it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.money import MAX_MINOR
from crm_app.models.base import table_of
from crm_app.models.platform.workspaces import Workspace
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, OpportunityStatus
from crm_app.services.platform import records
from crm_app.services.sales import opportunities
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal


async def change(actor, deal, now=None, **values):
    async with unit_of_work(actor, now=now) as uow:
        return await records.update(uow, OPPORTUNITY, deal.id, values)


async def refused(actor, deal, now=None, **values) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        await change(actor, deal, now, **values)
    return refusal.value.fields


async def test_a_new_deal_gets_what_follows_by_itself(alice, stages):
    deal = await a_deal(alice)
    assert (deal.stage_id, deal.probability, deal.probability_is_manual) == (stages["Qualify"], 10, False)
    assert (deal.status, deal.currency, deal.owner_id) == (OpportunityStatus.open, "EUR", alice.user_id)
    assert (deal.health, deal.stage_entered_at) == (Health.risk, deal.created_at)
    assert deal.number == f"OPP-{alice.day_of(deal.created_at).year}-0001"


async def test_name_account_amount_and_close_date_are_asked_for_at_once(alice):
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await records.create(uow, OPPORTUNITY, {})
    assert {"name", "account_id", "amount_minor", "expected_close_on"} <= set(refusal.value.fields)


# -- numbers


async def test_numbers_run_on_in_each_workspace_by_itself(alice, bob, mallory):
    numbers = [(await a_deal(actor)).number for actor in (alice, bob, alice)]
    assert [n[-4:] for n in numbers] == ["0001", "0002", "0003"]
    assert (await a_deal(mallory)).number[-4:] == "0001"


async def test_the_prefix_is_the_workspaces_own(admin):
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.update(table_of(Workspace)).values(number_prefix="DEAL"))
    assert (await a_deal(admin)).number.startswith("DEAL-")


async def test_a_number_of_ones_own_is_kept_and_not_given_again(alice):
    first = await a_deal(alice)
    taken = first.number[:-4] + "0002"
    assert (await a_deal(alice, number=taken)).number == taken
    await a_deal(alice, number=first.number[:-4] + "0017")
    assert (await a_deal(alice)).number[-4:] == "0018"
    assert (await a_deal(alice)).number[-4:] == "0019"


async def test_a_number_is_there_once(alice, bob, mallory):
    deal = await a_deal(alice, number="ACME-7")
    with pytest.raises(Invalid) as refusal:
        await a_deal(bob, number="ACME-7")
    assert set(refusal.value.fields) == {"number"}
    assert set(await refused(bob, await a_deal(bob), number="ACME-7")) == {"number"}
    await a_deal(mallory, number="ACME-7")
    async with unit_of_work(replace(alice, permissions=frozenset({"*"}))) as uow:
        await opportunities.throw_away(uow, deal.id)
    await a_deal(bob, number="ACME-7")  # free again
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(replace(alice, permissions=frozenset({"*"}))) as uow:
            await records.restore(uow, OPPORTUNITY, deal.id)
    assert set(refusal.value.fields) == {"number"}


@pytest.mark.parametrize("number", ["A 1", "A/1", "Ä-1", "A_1", "A-1\n", "-" * 51, "а-1"])
async def test_a_number_is_letters_digits_and_hyphens(alice, number):
    assert set(await refused(alice, await a_deal(alice), number=number)) == {"number"}
    with pytest.raises(Invalid) as refusal:
        await a_deal(alice, number=number)
    assert "number" in refusal.value.fields


async def test_the_database_holds_the_format_too(admin, deal):
    async with unit_of_work(admin) as uow:
        with pytest.raises(sa.exc.IntegrityError):
            await uow.execute(sa.update(OPPORTUNITY.table).values(number="A 1"))


# -- money


@pytest.mark.parametrize("amount", [0, -1, MAX_MINOR + 1])
async def test_an_amount_is_more_than_zero_and_up_to_the_cap(alice, deal, amount):
    assert set(await refused(alice, deal, amount_minor=amount)) == {"amount_minor"}
    with pytest.raises(Invalid):
        await a_deal(alice, amount_minor=amount)


@pytest.mark.parametrize("amount", [1, MAX_MINOR])
async def test_the_least_and_the_most_fit(alice, deal, amount):
    assert (await change(alice, deal, amount_minor=amount)).amount_minor == amount


@pytest.mark.parametrize("currency", ["EURO", "eur", "XXX", "", "€", "123"])
async def test_a_currency_is_of_iso_4217(alice, deal, currency):
    assert set(await refused(alice, deal, currency=currency)) == {"currency"}


# -- probability


async def test_below_the_stage_asks_for_a_right(alice, manager, deal):
    assert "10 % of Qualify" in (await refused(alice, deal, probability=9))["probability"]
    with pytest.raises(Invalid):
        await a_deal(alice, probability=9)
    assert (await change(alice, deal, probability=10)).probability_is_manual is False
    assert (await change(alice, deal, probability=40)).probability_is_manual is True
    assert (await change(manager, deal, probability=0)).probability == 0
    assert (await a_deal(manager, probability=0)).probability_is_manual is True


@pytest.mark.parametrize("probability", [-1, 101])
async def test_a_probability_is_a_percentage(manager, deal, probability):
    assert set(await refused(manager, deal, probability=probability)) == {"probability"}


async def test_a_closed_deal_keeps_its_probability(manager, deal):
    async with unit_of_work(manager) as uow:
        await opportunities.win(uow, deal.id, Closing())
    assert set(await refused(manager, deal, probability=90)) == {"probability"}


# -- close dates


async def test_the_close_date_lies_within_two_years(alice, deal):
    async with unit_of_work(alice) as uow:
        today = uow.today
    assert set(await refused(alice, deal, expected_close_on=today - timedelta(days=1))) == {"expected_close_on"}
    assert set(await refused(alice, deal, expected_close_on=today + timedelta(days=731))) == {"expected_close_on"}
    for day in (today, today + timedelta(days=730)):
        assert (await change(alice, deal, expected_close_on=day)).expected_close_on == day


async def test_today_is_the_day_where_the_person_lives(alice, deal):
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)  # already the 2nd in Berlin
    berlin = replace(alice, time_zone="Europe/Berlin")
    assert await refused(berlin, deal, late, expected_close_on=date(2026, 6, 1))
    assert await change(replace(alice, time_zone="UTC"), deal, late, expected_close_on=date(2026, 6, 1))


async def test_an_overdue_deal_stays_editable_and_draggable(alice, deal, stages, next_month):
    late = datetime.combine(next_month, datetime.min.time(), UTC) + timedelta(days=90)
    assert (await change(alice, deal, late, name="Still alive", amount_minor=5)).name == "Still alive"
    same = await change(alice, deal, late, name="Again", expected_close_on=next_month)  # the form sends it unchanged
    assert same.expected_close_on == next_month
    async with unit_of_work(alice, now=late) as uow:
        await opportunities.move(uow, [deal.id], to_stage_id=stages["Proposal"])
        await opportunities.win(uow, deal.id, Closing())
    assert (await read_deal(alice, deal.id))["status"] is OpportunityStatus.won


async def test_a_deal_that_never_was_on_time_cannot_be_made(alice):
    async with unit_of_work(alice) as uow:
        yesterday = uow.today - timedelta(days=1)
    with pytest.raises(Invalid) as refusal:
        await a_deal(alice, expected_close_on=yesterday)
    assert set(refusal.value.fields) == {"expected_close_on"}


# -- owner and stage


async def test_giving_a_deal_away_takes_the_right_to(alice, bob, manager, deal):
    with pytest.raises(Forbidden) as refusal:
        await change(alice, deal, owner_id=bob.user_id)
    assert refusal.value.permission == "opportunity.assign"
    with pytest.raises(Forbidden):
        await a_deal(alice, owner_id=bob.user_id)
    assert (await change(manager, deal, owner_id=bob.user_id)).owner_id == bob.user_id
    assert (await change(alice, deal, owner_id=alice.user_id)).owner_id == alice.user_id  # to take one needs none


async def test_the_stage_is_chosen_at_the_start_and_moved_afterwards(alice, stages):
    deal = await a_deal(alice, stage_id=stages["Proposal"])
    assert (deal.stage_id, deal.probability) == (stages["Proposal"], 50)
    assert set(await refused(alice, deal, stage_id=stages["Contract"])) == {"stage_id"}
    with pytest.raises(Invalid):
        await a_deal(alice, stage_id=stages["Won"])


async def test_two_people_who_start_at_once_get_two_numbers(alice, bob):
    import asyncio

    made = await asyncio.gather(*(a_deal(actor, account=f"A {i}") for i, actor in enumerate([alice, bob] * 8)))
    assert len({d.number for d in made}) == 16
