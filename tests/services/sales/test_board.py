"""The board shows each viewer their own deals, under any filter, with totals that agree with the cards."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import EvalContext, matches, parse
from crm_app.core.context import Actor, Scope
from crm_app.core.errors import Forbidden, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, Opportunity
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.services.sales import board, opportunities, pipelines
from crm_app.services.sales.board import Filters
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.services.sales.pulse import summed

_deals = table_of(Opportunity)


@pytest.fixture
async def pipeline(admin):
    async with unit_of_work(admin) as uow:
        return (await board.pipelines(uow))[0]["id"]


@pytest.fixture
async def crowd(admin, alice, bob, carol, stages) -> list[Any]:
    """Thirty deals of three people, over all open stages, with all that filters look at."""
    dice = random.Random(5)
    made = []
    names = [n for n in stages if n not in ("Won", "Lost")]
    for i in range(30):
        actor = (alice, bob, carol)[i % 3]
        deal = await a_deal(
            actor, f"{dice.choice(['Roll-out', 'Renewal', 'Pilot %', 'großes Lager'])} {i}",
            account=dice.choice(["Kessler", "Wohlgemuth", "ACME_1"]), amount_minor=dice.randrange(1, 50) * 100_000,
            currency=dice.choice(["EUR", "USD"]), stage_id=stages[dice.choice(names)],
            tags=dice.choice([[], ["fair"], ["fair", "big deal"]]),
        )  # fmt: skip
        made.append(deal)
    async with unit_of_work(admin) as uow:
        for i, deal in enumerate(made):
            days = timedelta(days=i * 9)
            health = list(Health)[i % 3]
            await uow.execute(
                sa.update(_deals)
                .where(_deals.c.id == deal.id)
                .values(health=health, expected_close_on=uow.today + days)
            )
        for deal in made[:3]:
            await opportunities.win(uow, deal.id, Closing())
        await opportunities.throw_away(uow, made[-1].id, reason="twice")
    return made


def every_filter(alice: Actor, bob: Actor, today: Any) -> list[Filters]:
    """Each filter by itself, and every pair of them."""
    single: list[dict[str, Any]] = [
        {"owners": (alice.user_id,)}, {"owners": (alice.user_id, bob.user_id)}, {"text": "roll"}, {"text": "GROSSES"},
        {"text": "kess"}, {"text": "%"}, {"text": "_1"}, {"least_minor": 2_000_000}, {"most_minor": 2_000_000},
        {"closes_from": today + timedelta(days=60)}, {"closes_until": today + timedelta(days=120)}, {"tag": "big deal"},
        {"health": ("risk",)}, {"health": ("good", "overdue")},
    ]  # fmt: skip
    pairs = [{**a, **b} for a, b in combinations(single, 2) if not set(a) & set(b)]
    return [Filters(), *(Filters(**f) for f in single), *(Filters(**f) for f in pairs)]


async def test_filters_mean_what_the_condition_language_says(admin, alice, bob, pipeline, crowd):
    async with unit_of_work(admin) as uow:
        rows = [dict(r) for r in (await uow.execute(sa.select(_deals).where(_deals.c.deleted_at.is_(None)))).mappings()]
        accounts = {r["id"]: dict(r) for r in (await uow.execute(sa.select(table_of(Account)))).mappings()}
        ctx = EvalContext(uow.today, uow.now, admin.user_id, admin.time_zone)
        hits = 0
        for filters in every_filter(alice, bob, uow.today):
            shown = await board.board(uow, pipeline, filters, with_ends=True, window=100)
            data = filters.condition()
            wanted = {
                r["id"]
                for r in rows
                if data is None
                or matches(
                    parse(data), r, OPPORTUNITY, ctx, related=lambda row, relation: [accounts[row[relation.link]]]
                )
            }
            assert {c["id"] for column in shown.columns for c in column.cards} == wanted, filters
            hits += 0 < len(wanted) < len(rows)
    assert hits > 40  # the filters tell deals apart


async def test_totals_agree_with_the_cards_for_every_viewer_and_filter(
    admin, manager, alice, bob, carol, pipeline, crowd
):
    own = replace(alice, scope=Scope.own)
    for viewer in (admin, manager, alice, own, carol):
        async with unit_of_work(viewer) as uow:
            for filters in every_filter(alice, bob, uow.today)[:30]:
                shown = await board.board(uow, pipeline, filters, with_ends=True, window=100)
                for column in shown.columns:
                    counted: dict[str, list[int]] = {}
                    for card in column.cards:
                        sums = counted.setdefault(card["currency"], [0, 0, 0])
                        sums[0] += 1
                        sums[1] += card["amount_minor"]
                        sums[2] += card["amount_minor"] * card["probability"] // 100
                    assert {
                        s.currency: [s.deals, s.amount_minor, s.weighted_minor] for s in column.totals.sums
                    } == counted
                    health: dict[str, int] = {}
                    for card in column.cards:
                        health[str(card["health"])] = health.get(str(card["health"]), 0) + card["amount_minor"]
                    assert column.totals.by_health == health


async def test_kept_totals_say_what_counting_says(admin, alice, bob, stages, crowd):
    """A filter that changes nothing forces the live count."""
    for viewer in (admin, alice):
        async with unit_of_work(viewer) as uow:
            for filters in (Filters(), Filters(owners=(bob.user_id,)), Filters(health=("risk",))):
                assert filters.fits_totals
                kept = await board.stage_totals(uow, list(stages.values()), filters)
                live = await board.stage_totals(uow, list(stages.values()), replace(filters, least_minor=1))
                assert summed(kept) == summed(live)
                assert {s: t.by_health for s, t in kept.items()} == {s: t.by_health for s, t in live.items()}


async def test_each_sees_their_own_teams_deals(admin, manager, alice, bob, carol, reader, pipeline, crowd):
    async def seen(actor: Actor) -> set[Any]:
        async with unit_of_work(actor) as uow:
            shown = await board.board(uow, pipeline, with_ends=True, window=100)
            return {c["owner_id"] for column in shown.columns for c in column.cards}

    everybody = {alice.user_id, bob.user_id, carol.user_id}
    assert await seen(admin) == await seen(reader) == everybody
    assert await seen(alice) == await seen(manager) == {alice.user_id, bob.user_id}
    assert await seen(replace(alice, scope=Scope.own)) == {alice.user_id}
    assert await seen(carol) == {carol.user_id}


async def test_a_stranger_finds_no_board_and_nothing_on_her_own(mallory, admin, pipeline, crowd, stages):
    with pytest.raises(NotFound):
        async with unit_of_work(mallory) as uow:
            await board.board(uow, pipeline)
    async with unit_of_work(mallory) as uow:
        assert await board.cards(uow, [d.id for d in crowd]) == []
        assert await board.stage_totals(uow, list(stages.values())) == {}
        assert await board.more_cards(uow, stages["Qualify"], crowd[0].id) == ([], False)
        assert await board.more_cards(uow, stages["Qualify"], None) == ([], False)
        assert pipeline not in {p["id"] for p in await board.pipelines(uow)}
        assert admin.user_id not in {o["id"] for o in await board.owners(uow)}


async def test_who_may_not_read_deals_sees_no_board(alice, pipeline, stages):
    blind = replace(alice, permissions=frozenset({"pipeline.read", "stage.read"}))
    async with unit_of_work(blind) as uow:
        for act in (
            board.board(uow, pipeline), board.cards(uow, []), board.more_cards(uow, stages["Qualify"], None),
            board.stage_totals(uow, list(stages.values())),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await act


@pytest.mark.parametrize("filters", [Filters(), Filters(least_minor=1_000_000)], ids=["all", "some"])
async def test_pages_of_a_column_are_complete_and_in_order(alice, stages, pipeline, filters):
    dice = random.Random(1)
    for i in range(23):
        await a_deal(alice, f"D{i}", amount_minor=dice.choice([500_000, 1_500_000]))
    async with unit_of_work(alice) as uow:  # several at one place, as after two people added at once
        await uow.execute(sa.update(_deals).values(position=sa.func.trunc(_deals.c.position / 3000)))
    async with unit_of_work(alice) as uow:
        whole = await board.board(uow, pipeline, filters, window=100)
        column = next(c for c in whole.columns if c.stage["id"] == stages["Qualify"])
        wanted = [c["id"] for c in column.cards]
        first = next(
            c
            for c in (await board.board(uow, pipeline, filters, window=5)).columns
            if c.stage["id"] == stages["Qualify"]
        )
        found, more = [c["id"] for c in first.cards], first.has_more
        while more:
            page, more = await board.more_cards(uow, stages["Qualify"], found[-1], filters, window=5)
            found += [c["id"] for c in page]
        assert found == wanted
        assert column.totals.deals == len(wanted)
        from_the_top, _ = await board.more_cards(uow, stages["Qualify"], None, filters, window=100)
        assert [c["id"] for c in from_the_top] == wanted


async def test_cards_show_what_the_board_shows(alice, carol, pipeline, crowd):
    async with unit_of_work(alice) as uow:
        shown = await board.board(uow, pipeline, with_ends=True, window=100)
        on_board = {c["id"]: dict(c) for column in shown.columns for c in column.cards}
        by_id = {c["id"]: dict(c) for c in await board.cards(uow, [d.id for d in crowd])}
    assert by_id == on_board
    async with unit_of_work(alice) as uow:
        assert await board.cards(uow, [new_id()]) == []
        assert [c["id"] for c in await board.cards(uow, list(on_board), Filters(text="kessler"))]


async def test_a_stage_at_rest_is_off_the_board_and_its_deals_are_not_lost(admin, alice, pipeline, deal, stages):
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Contract"], {"is_active": False})
        shown = await board.board(uow, pipeline)
    assert "Contract" not in [c.stage["name"] for c in shown.columns]
    assert [c["id"] for column in shown.columns for c in column.cards] == [deal.id]


async def test_pipelines_in_their_order_without_those_at_rest(admin, pipeline):
    async with unit_of_work(admin) as uow:
        second = await pipelines.create(uow, name="Renewals")
        third = await pipelines.create(uow, name="Partners")
    async with unit_of_work(admin) as uow:
        await pipelines.reorder(uow, [third.id, pipeline, second.id])
        await pipelines.deactivate(uow, second.id)
    async with unit_of_work(admin) as uow:
        assert [p["id"] for p in await board.pipelines(uow)] == [third.id, pipeline]


async def test_deals_of_another_pipeline_are_on_that_one(admin, alice, pipeline, deal):
    async with unit_of_work(admin) as uow:
        other = await pipelines.create(uow, name="Renewals")
        there = (await board.stages(uow, other.id))[0]["id"]
    async with unit_of_work(alice) as uow:
        await opportunities.move(uow, [deal.id], to_stage_id=there)
    async with unit_of_work(alice) as uow:
        assert (await board.board(uow, pipeline)).columns[0].cards == []
        assert [c["id"] for c in (await board.board(uow, other.id)).columns[0].cards] == [deal.id]
    assert registry.get("opportunity") is OPPORTUNITY
