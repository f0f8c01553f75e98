"""Cards are put where somebody wants them: between, on top, several at once, or not at all."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event
from crm_app.models.sales.opportunities import OPPORTUNITY, OpportunityStatus
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.services.sales import board, opportunities
from crm_app.services.sales.opportunities import Closing, MissingFields
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal


async def move(actor, *deals, to, after=None, seen_in=None, now=None):
    async with unit_of_work(actor, now=now) as uow:
        return await opportunities.move(
            uow, [d.id for d in deals], to_stage_id=to, after_id=after.id if after else None, seen_in=seen_in
        )


async def column(actor, stage_id) -> list[str]:
    """The names in a column from top to bottom, as the board shows them."""
    async with unit_of_work(actor) as uow:
        stage = await uow.get(STAGE.model, stage_id)
        shown = await board.board(uow, stage.pipeline_id, with_ends=True, window=200)
    return [c["name"] for col in shown.columns if col.stage["id"] == stage_id for c in col.cards]


@pytest.fixture
async def four(alice):
    """A, B, C, D from top to bottom of the first column."""
    made = {name: await a_deal(alice, name) for name in "DCBA"}
    return [made[n] for n in "ABCD"]


async def test_between_two_cards_on_top_and_at_the_end(alice, stages, four):
    a, b, c, d = four
    here = stages["Qualify"]
    assert await column(alice, here) == ["A", "B", "C", "D"]
    await move(alice, d, to=here, after=a)
    assert await column(alice, here) == ["A", "D", "B", "C"]
    await move(alice, c, to=here)
    assert await column(alice, here) == ["C", "A", "D", "B"]
    await move(alice, c, to=here, after=b)
    assert await column(alice, here) == ["A", "D", "B", "C"]
    await move(alice, a, to=here, after=a)  # dropped where it was
    assert await column(alice, here) == ["A", "D", "B", "C"]


async def test_into_another_stage_below_a_card(alice, stages, four):
    a, b, c, _d = four
    there = stages["Proposal"]
    await move(alice, a, to=there)
    await move(alice, b, to=there, after=a)
    await move(alice, c, to=there, after=a)
    assert await column(alice, there) == ["A", "C", "B"]
    assert await column(alice, stages["Qualify"]) == ["D"]
    row = await read_deal(alice, a.id)
    assert (row["probability"], row["version"]) == (50, 2)


async def test_a_neighbour_that_went_elsewhere_means_on_top(alice, stages, four):
    a, b, c, _ = four
    await move(alice, a, to=stages["Proposal"])
    await move(alice, c, to=stages["Qualify"], after=a)
    assert (await column(alice, stages["Qualify"]))[0] == "C"
    assert b.name == "B"


async def test_several_keep_the_order_they_were_chosen_in(alice, stages, four):
    a, b, c, d = four
    result = await move(alice, d, a, b, to=stages["Proposal"])
    assert [m.name for m in result.moved] == ["D", "A", "B"]
    assert await column(alice, stages["Proposal"]) == ["D", "A", "B"]
    await move(alice, c, b, to=stages["Proposal"], after=d)
    assert await column(alice, stages["Proposal"]) == ["D", "C", "B", "A"]


async def test_one_card_chosen_twice_is_moved_once(alice, stages, four):
    a = four[0]
    result = await move(alice, a, a, to=stages["Proposal"])
    assert len(result.moved) == 1
    assert (await read_deal(alice, a.id))["version"] == 2


async def test_the_same_gap_again_and_again(alice, stages, four):
    """Halving the distance a hundred times: the column is numbered anew when it gets tight, and keeps its order."""
    a, _b, c, d = four
    here, expected = stages["Qualify"], ["A", "B", "C", "D"]
    for i in range(100):
        card = (c, d)[i % 2]
        expected.remove(card.name)
        expected.insert(1, card.name)
        await move(alice, card, to=here, after=a)
    assert await column(alice, here) == expected


async def test_cards_at_one_place_are_told_apart(admin, alice, stages, four):
    """Two people who add at once may give two cards the same place; a third still lands where it is dropped."""
    _a, _b, _c, _d = four
    deals = table_of(OPPORTUNITY.model)
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.update(deals).values(position=7.0))
    first, second, *_ = await column(alice, stages["Qualify"])
    rest = [x for x in four if x.name not in (first, second)]
    top = next(x for x in four if x.name == first)
    await move(alice, rest[0], to=stages["Qualify"], after=top)
    assert (await column(alice, stages["Qualify"]))[:3] == [first, rest[0].name, second]


async def test_a_probability_of_ones_own_stays(alice, deal, stages):
    async with unit_of_work(alice) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"probability": 66})
    await move(alice, deal, to=stages["Proposal"])
    assert (await read_deal(alice, deal.id))["probability"] == 66


async def test_a_colleagues_move_is_a_conflict_that_names_them(alice, bob, deal, stages):
    await move(bob, deal, to=stages["Proposal"])
    with pytest.raises(Conflict, match=r"Bob moved Warehouse roll-out to Proposal") as conflict:
        await move(alice, deal, to=stages["Contract"], seen_in={deal.id: stages["Qualify"]})
    assert conflict.value.current == {"stage_id": str(stages["Proposal"])}
    assert (await read_deal(alice, deal.id))["stage_id"] == stages["Proposal"]


async def test_a_deal_closed_meanwhile_is_a_conflict_that_names_who_closed_it(alice, bob, deal, stages):
    async with unit_of_work(bob) as uow:
        await opportunities.win(uow, deal.id, Closing())
    with pytest.raises(Conflict, match=r"Bob closed Warehouse roll-out as won"):
        await move(alice, deal, to=stages["Contract"], seen_in={deal.id: stages["Qualify"]})
    with pytest.raises(Conflict, match=r"Bob closed"):
        await move(alice, deal, to=stages["Contract"])


async def test_a_closed_deal_is_dragged_back_into_the_pipeline(alice, deal, stages):
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing(details="signed"))
    await move(alice, deal, to=stages["Contract"], seen_in={deal.id: stages["Won"]})
    row = await read_deal(alice, deal.id)
    assert (row["status"], row["probability"], row["actual_close_on"]) == (OpportunityStatus.open, 90, None)
    assert (row["win_loss_reason_id"], row["win_loss_details"]) == (None, "")


async def test_dragging_back_a_closed_deal_is_reopening_it(alice, deal, stages):
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing())
    mover = replace(alice, permissions=alice.permissions - {"opportunity.close"})
    with pytest.raises(Forbidden) as refusal:
        await move(mover, deal, to=stages["Contract"], seen_in={deal.id: stages["Won"]})
    assert refusal.value.permission == "opportunity.close"


async def test_what_the_stage_asks_for_is_named(admin, alice, deal, stages):
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Proposal"], {"required_fields": ["next_step", "campaign"]})
    with pytest.raises(MissingFields) as missing:
        await move(alice, deal, to=stages["Proposal"])
    assert set(missing.value.fields) == {"next_step", "campaign"}
    async with unit_of_work(alice) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"next_step": "Send it", "campaign": "Fair"})
    await move(alice, deal, to=stages["Proposal"])
    async with unit_of_work(alice) as uow:  # within the stage nothing is asked for again
        await records.update(uow, OPPORTUNITY, deal.id, {"next_step": ""})
    await move(alice, deal, to=stages["Proposal"])


async def test_of_several_the_others_are_moved(admin, alice, bob, stages, four):
    a, b, c, d = four
    await move(bob, b, to=stages["Contract"])
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Proposal"], {"required_fields": ["next_step"]})
        await records.update(uow, OPPORTUNITY, a.id, {"next_step": "Go"})
        await records.update(uow, OPPORTUNITY, b.id, {"next_step": "Go"})
    seen = {x.id: stages["Qualify"] for x in four}
    result = await move(alice, a, b, c, to=stages["Proposal"], seen_in=seen)
    assert [m.name for m in result.moved] == ["A"]
    assert set(result.blocked) == {b.id, c.id}
    assert "moved B to Contract" in result.blocked[b.id]
    assert "next_step" in result.blocked[c.id] or "needs more" in result.blocked[c.id]
    assert await column(alice, stages["Proposal"]) == ["A"]
    assert d.name in await column(alice, stages["Qualify"])


async def test_who_may_not_is_refused(reader, carol, mallory, alice, deal, stages):
    with pytest.raises(Forbidden) as refusal:
        await move(reader, deal, to=stages["Proposal"])
    assert refusal.value.permission == "opportunity.move"
    with pytest.raises(NotFound):
        await move(carol, deal, to=stages["Proposal"])
    with pytest.raises(NotFound):
        await move(mallory, deal, to=stages["Proposal"])
    with pytest.raises(NotFound):
        await move(alice, deal, to=new_id())


async def test_ends_are_not_moved_into(alice, deal, stages):
    for end in ("Won", "Lost"):
        with pytest.raises(Invalid) as refusal:
            await move(alice, deal, to=stages[end])
        assert set(refusal.value.fields) == {"stage_id"}


async def test_a_deal_in_the_trash_is_not_moved(admin, alice, deal, stages):
    async with unit_of_work(admin) as uow:
        await opportunities.throw_away(uow, deal.id, reason="twice")
    with pytest.raises(NotFound):
        await move(alice, deal, to=stages["Proposal"])


async def test_a_move_is_one_fact_and_a_shuffle_is_none(admin, alice, deal, stages):
    await move(alice, deal, to=stages["Proposal"])
    await move(alice, deal, to=stages["Proposal"])
    query = sa.select(table_of(Event)).where(table_of(Event).c.name == "opportunity.stage_changed")
    async with unit_of_work(admin) as uow:
        facts = (await uow.execute(query)).mappings().all()
    assert [f["payload"] for f in facts] == [
        {"from_stage_id": str(stages["Qualify"]), "to_stage_id": str(stages["Proposal"])}
    ]


async def test_who_waited_does_not_turn_the_clock_back(alice, bob, deal, stages):
    """Bob's move began later but came first; alice's began earlier and had to wait for the row."""
    early = deal.created_at + timedelta(hours=1)
    await move(bob, deal, to=stages["Proposal"], now=early + timedelta(seconds=2))
    await move(alice, deal, to=stages["Contract"], now=early)
    row = await read_deal(alice, deal.id)
    assert row["stage_id"] == stages["Contract"]
    assert row["stage_entered_at"] > early + timedelta(seconds=2)
