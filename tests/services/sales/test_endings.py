"""Deals are won, lost, reopened; and a step back leaves no trace that it was ever otherwise."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event
from crm_app.models.sales.competitors import ReasonKind, WinLossReason
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, Opportunity, OpportunityStatus
from crm_app.services.activities import activities
from crm_app.services.platform import records
from crm_app.services.sales import drops, opportunities, undo
from crm_app.services.sales.opportunities import MOVED_FIELDS, Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal
from tests.work import work_off

_deals = table_of(Opportunity)


async def reason(actor, kind: ReasonKind) -> UUID:
    reasons = table_of(WinLossReason)
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(reasons.c.id).where(reasons.c.kind == kind).limit(1))


async def stays(actor, deal_id) -> list[tuple[object, ...]]:
    s = table_of(StageHistory)
    query = (
        sa.select(s.c.stage_id, s.c.entered_at, s.c.left_at)
        .where(s.c.opportunity_id == deal_id)
        .order_by(s.c.entered_at)
    )
    async with unit_of_work(actor) as uow:
        return [tuple(r) for r in await uow.rows(query)]


async def test_won_today_with_everything_said(alice, deal, stages):
    why = await reason(alice, ReasonKind.won)
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing(reason_id=why, details="They liked us"))
        today = uow.today
    row = await read_deal(alice, deal.id)
    assert (row["status"], row["stage_id"], row["probability"]) == (OpportunityStatus.won, stages["Won"], 100)
    assert (row["actual_close_on"], row["health"], row["health_changes_at"]) == (today, Health.good, None)
    assert (row["win_loss_reason_id"], row["win_loss_details"]) == (why, "They liked us")


async def test_lost_only_with_a_reason_of_that_kind(alice, deal, stages):
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await opportunities.lose(uow, deal.id, Closing())
    assert set(refusal.value.fields) == {"win_loss_reason_id"}
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await opportunities.lose(uow, deal.id, Closing(reason_id=await reason(alice, ReasonKind.won)))
    assert set(refusal.value.fields) == {"win_loss_reason_id"}
    async with unit_of_work(alice) as uow:
        await opportunities.lose(uow, deal.id, Closing(reason_id=await reason(alice, ReasonKind.lost)))
    row = await read_deal(alice, deal.id)
    assert (row["status"], row["stage_id"], row["probability"]) == (OpportunityStatus.lost, stages["Lost"], 0)


async def test_the_day_may_be_an_earlier_one_and_no_later_one(alice, deal):
    async with unit_of_work(alice) as uow:
        today = uow.today
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await opportunities.win(uow, deal.id, Closing(on=today + timedelta(days=1)))
    assert set(refusal.value.fields) == {"actual_close_on"}
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing(on=today - timedelta(days=9)))
    assert (await read_deal(alice, deal.id))["actual_close_on"] == today - timedelta(days=9)


async def test_what_is_named_must_be_there(alice, deal):
    lost = await reason(alice, ReasonKind.lost)
    for closing in (Closing(reason_id=new_id()), Closing(reason_id=lost, competitor_id=new_id())):
        with pytest.raises((NotFound, Invalid)):
            async with unit_of_work(alice) as uow:
                await opportunities.lose(uow, deal.id, closing)
    assert (await read_deal(alice, deal.id))["status"] is OpportunityStatus.open


async def test_details_that_are_too_odd_are_refused(alice, deal):
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(alice) as uow:
            await opportunities.win(uow, deal.id, Closing(details="half\ud800"))
    assert set(refusal.value.fields) == {"win_loss_details"}


async def test_closed_is_closed(alice, deal):
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing())
    for end in (opportunities.win, opportunities.lose):
        with pytest.raises(Conflict, match="already won"):
            async with unit_of_work(alice) as uow:
                await end(
                    uow,
                    deal.id,
                    Closing(
                        reason_id=await reason(
                            alice, ReasonKind(end.__name__.replace("win", "won").replace("lose", "lost"))
                        )
                    ),
                )


async def test_the_database_holds_that_a_closed_deal_has_its_day(admin, deal):
    async with unit_of_work(admin) as uow:
        with pytest.raises(sa.exc.IntegrityError):
            await uow.execute(sa.update(OPPORTUNITY.table).values(status=OpportunityStatus.won))


async def test_who_may_not_is_refused(reader, mallory, carol, deal):
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(reader) as uow:
            await opportunities.win(uow, deal.id, Closing())
    assert refusal.value.permission == "opportunity.close"
    for stranger in (mallory, carol):
        with pytest.raises(NotFound):
            async with unit_of_work(stranger) as uow:
                await opportunities.win(uow, deal.id, Closing())


async def test_reopened_where_it_last_stood(alice, deal, stages):
    async with unit_of_work(alice) as uow:
        await opportunities.move(uow, [deal.id], to_stage_id=stages["Negotiation"])
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing(reason_id=await reason(alice, ReasonKind.won), details="x"))
    async with unit_of_work(alice) as uow:
        await opportunities.reopen(uow, deal.id)
    row = await read_deal(alice, deal.id)
    assert (row["stage_id"], row["status"], row["probability"]) == (stages["Negotiation"], OpportunityStatus.open, 70)
    assert (row["actual_close_on"], row["win_loss_reason_id"], row["win_loss_details"]) == (None, None, "")
    with pytest.raises(Conflict, match="open already"):
        async with unit_of_work(alice) as uow:
            await opportunities.reopen(uow, deal.id)


async def test_reopened_it_follows_its_stage_again(alice, deal, stages):
    """A probability somebody set by hand belonged to the deal as it was; it does not outlive the closing."""
    async with unit_of_work(alice) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"probability": 66})
        await opportunities.win(uow, deal.id, Closing())
        await opportunities.reopen(uow, deal.id)
    async with unit_of_work(alice) as uow:
        await opportunities.move(uow, [deal.id], to_stage_id=stages["Contract"])
    assert (await read_deal(alice, deal.id))["probability"] == 90


async def test_an_end_is_no_place_to_reopen_into(alice, deal, stages):
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing())
    for end in ("Won", "Lost"):
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(alice) as uow:
                await opportunities.reopen(uow, deal.id, to_stage_id=stages[end])
        assert set(refusal.value.fields) == {"stage_id"}


async def test_closing_is_one_fact(admin, alice, deal):
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, Closing())
    events = table_of(Event)
    async with unit_of_work(admin) as uow:
        facts = await uow.rows(sa.select(events.c.payload).where(events.c.name == "opportunity.closed"))
    assert [f.payload for f in facts] == [{"status": "won", "amount_minor": 18_450_000, "currency": "EUR"}]


# -- a step back


@pytest.mark.parametrize("act", ["move", "shuffle", "win", "lose", "reopen"])
async def test_undone_everything_is_as_before_the_history_too(alice, deal, stages, act):
    async with unit_of_work(alice) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"probability": 66})
        if act == "reopen":
            await opportunities.win(uow, deal.id, Closing(reason_id=await reason(alice, ReasonKind.won), details="y"))
    before, stays_before = await read_deal(alice, deal.id), await stays(alice, deal.id)
    operation = new_id()
    async with unit_of_work(alice) as uow:
        if act in ("move", "shuffle"):
            to = stages["Proposal" if act == "move" else "Qualify"]
            await drops.move(uow, operation, [deal.id], to_stage_id=to)
        elif act == "reopen":
            await drops.reopen(uow, operation, deal.id)
        else:
            kind = {"win": ReasonKind.won, "lose": ReasonKind.lost}[act]
            how = Closing(reason_id=await reason(alice, kind), details="x")
            await drops.close(uow, operation, [deal.id], won=act == "win", closing=how)
    assert (await read_deal(alice, deal.id))["version"] > before["version"]
    async with unit_of_work(alice) as uow:
        await undo.undo(uow, operation)
    after = await read_deal(alice, deal.id)
    assert {n: after[n] for n in MOVED_FIELDS} == {n: before[n] for n in MOVED_FIELDS}
    stamps = {"version", "updated_at", "updated_by_id"}
    assert {n for n in before if before[n] != after[n]} <= stamps
    assert await stays(alice, deal.id) == stays_before


async def test_several_are_undone_together(alice, stages):
    made = [await a_deal(alice, name) for name in "ABC"]
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [d.id for d in made], to_stage_id=stages["Proposal"])
    async with unit_of_work(alice) as uow:
        back = await undo.undo(uow, operation)
    assert {m.name for m in back} == {"A", "B", "C"}
    assert {(await read_deal(alice, d.id))["stage_id"] for d in made} == {stages["Qualify"]}


async def test_undone_once(alice, deal, stages):
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    async with unit_of_work(alice) as uow:
        await undo.undo(uow, operation)
    with pytest.raises(Conflict, match="nothing to undo"):
        async with unit_of_work(alice) as uow:
            await undo.undo(uow, operation)


async def test_what_a_colleague_put_elsewhere_is_not_undone(admin, alice, bob, deal, stages):
    """Refused by the name of who did it, not of who touched the deal last."""
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    async with unit_of_work(bob) as uow:
        await drops.move(uow, new_id(), [deal.id], to_stage_id=stages["Negotiation"])
    async with unit_of_work(admin) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": 5})
    with pytest.raises(Conflict, match="Bob changed Warehouse roll-out since"):
        async with unit_of_work(alice) as uow:
            await undo.undo(uow, operation)
    assert (await read_deal(alice, deal.id))["stage_id"] == stages["Negotiation"]


async def test_there_and_back_by_a_colleague_is_not_undone(alice, bob, deal, stages):
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    for name in ("Negotiation", "Proposal"):
        async with unit_of_work(bob) as uow:
            await drops.move(uow, new_id(), [deal.id], to_stage_id=stages[name])
    with pytest.raises(Conflict, match="Bob changed"):
        async with unit_of_work(alice) as uow:
            await undo.undo(uow, operation)


async def test_what_a_colleague_wrote_elsewhere_stays_when_it_is_undone(alice, bob, deal, stages):
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": 5, "next_step": "Call"})
    async with unit_of_work(alice) as uow:
        await undo.undo(uow, operation)
    row = await read_deal(alice, deal.id)
    assert (row["stage_id"], row["amount_minor"], row["next_step"]) == (stages["Qualify"], 5, "Call")


async def test_a_probability_set_by_hand_since_is_not_undone(alice, bob, deal, stages):
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"probability": 77})
    with pytest.raises(Conflict, match="Bob changed"):
        async with unit_of_work(alice) as uow:
            await undo.undo(uow, operation)


async def test_what_follows_by_itself_does_not_stand_in_the_way(alice, bob, deal, stages):
    """A handler works out next activity and health, the column is numbered anew: neither is anybody's change."""
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
        due = uow.now + timedelta(days=2)
    async with unit_of_work(bob) as uow:
        await activities.plan(uow, kind="call", subject="Call them", due_at=due, opportunity_id=deal.id)
    await work_off()
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.update(_deals).where(_deals.c.id == deal.id).values(position=_deals.c.position + 1024))
    moved = await read_deal(alice, deal.id)
    assert (moved["version"], moved["health"]) == (3, Health.good)
    async with unit_of_work(alice) as uow:
        await undo.undo(uow, operation)
    row = await read_deal(alice, deal.id)
    assert (row["stage_id"], row["next_activity_at"], row["health"]) == (stages["Qualify"], due, Health.good)


async def test_only_ones_own_step_is_taken_back(alice, bob, mallory, deal, stages):
    operation = new_id()
    async with unit_of_work(alice) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    for stranger in (bob, mallory):
        with pytest.raises(Conflict, match="nothing to undo"):
            async with unit_of_work(stranger) as uow:
                await undo.undo(uow, operation)


async def test_thrown_away_and_back_with_its_activities_and_history(admin, alice, make, deal, stages):
    async with unit_of_work(alice) as uow:
        await opportunities.move(uow, [deal.id], to_stage_id=stages["Proposal"])
        now = uow.now
    note = await make(alice, "activity", kind="note", subject="Met", happens_at=now, opportunity_id=deal.id)
    history = await stays(alice, deal.id)
    async with unit_of_work(admin) as uow:
        gone = await opportunities.throw_away(uow, deal.id, reason="twice")
        assert gone.delete_reason == "twice"
    async with unit_of_work(admin) as uow:
        await records.restore(uow, OPPORTUNITY, deal.id)
    async with unit_of_work(alice) as uow:
        kept = await uow.get(type(note), note.id)
        assert kept.opportunity_id == deal.id
    assert await stays(alice, deal.id) == history
