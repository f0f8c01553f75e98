"""Drops come twice, at once, and from many hands: each counts once and none is lost."""

import asyncio
import random
from collections import Counter

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict, CrmError, Unauthenticated
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.services.sales import drops, undo
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import retrying, unit_of_work
from tests.services.sales.deals import a_deal, read_deal
from tests.services.sales.pulse import assert_sound

_deals = table_of(Opportunity)


async def drop(actor, operation, deals, to, **how):
    return await retrying(actor, lambda uow: drops.move(uow, operation, [d.id for d in deals], to_stage_id=to, **how))


async def test_sent_twice_it_counts_once_and_is_answered_twice(admin, alice, deal, stages):
    operation = new_id()
    first = await drop(alice, operation, [deal], stages["Proposal"])
    again = await drop(alice, operation, [deal], stages["Proposal"], seen_in={deal.id: stages["Qualify"]})
    assert first == again
    assert first.names == ["Warehouse roll-out"]
    assert (await read_deal(alice, deal.id))["version"] == 2
    events = table_of(Event)
    async with unit_of_work(admin) as uow:
        moved = sa.select(sa.func.count()).where(events.c.name == "opportunity.stage_changed")
        assert await uow.scalar(moved) == 1


async def test_sent_many_times_at_once_it_counts_once(alice, deal, stages):
    operation = new_id()
    answers = await asyncio.gather(*(drop(alice, operation, [deal], stages["Proposal"]) for _ in range(8)))
    assert all(a == answers[0] for a in answers)
    assert (await read_deal(alice, deal.id))["version"] == 2


async def test_a_refused_drop_may_be_tried_again_under_its_id(admin, alice, deal, stages):
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Proposal"], {"required_fields": ["next_step"]})
    operation = new_id()
    with pytest.raises(CrmError):
        await drop(alice, operation, [deal], stages["Proposal"])
    done = await drop(alice, operation, [deal], stages["Proposal"], values={"next_step": "Send it"})
    assert done.names == ["Warehouse roll-out"]
    row = await read_deal(alice, deal.id)
    assert (row["stage_id"], row["next_step"]) == (stages["Proposal"], "Send it")


async def test_several_close_together_or_not_at_all(alice, bob, deal):
    other = await a_deal(alice, "Other")
    async with unit_of_work(bob) as uow:
        await drops.close(uow, new_id(), [other.id], won=True, closing=Closing())
    with pytest.raises(Conflict):
        async with unit_of_work(alice) as uow:
            await drops.close(uow, new_id(), [deal.id, other.id], won=True, closing=Closing())
    assert (await read_deal(alice, deal.id))["status"] == "open"


async def test_closed_twice_under_one_id_it_is_closed_once(alice, deal):
    operation = new_id()
    for _ in range(2):
        async with unit_of_work(alice) as uow:
            done = await drops.close(uow, operation, [deal.id], won=True, closing=Closing())
        assert done.names == ["Warehouse roll-out"]


async def test_nobody_drops_nothing(workspace, deal, stages):
    with pytest.raises(Unauthenticated):
        await drop(system_actor(workspace.tenant_id), new_id(), [deal], stages["Proposal"])


async def test_sixteen_people_move_many_deals_at_once(admin, alice, bob, stages):
    """No move is lost, none is made twice, nobody is told of a deadlock, and the totals are right at the end."""
    made = [await a_deal(alice, f"D{i}") for i in range(12)]
    open_stages = [i for n, i in stages.items() if n not in ("Won", "Lost")]
    moves: Counter[object] = Counter()

    async def person(number: int) -> None:
        dice = random.Random(number)
        actor = (admin, alice, bob)[number % 3]
        for _ in range(10):
            chosen = dice.sample(made, dice.randrange(1, 4))
            operation = new_id()
            try:
                if dice.random() < 0.15:
                    await retrying(
                        actor,
                        lambda uow, o=operation, c=chosen: drops.close(
                            uow, o, [d.id for d in c], won=True, closing=Closing()
                        ),
                    )
                    moves.update(d.id for d in chosen)
                    await retrying(actor, lambda uow, o=operation: undo.undo(uow, o))
                    moves.update(d.id for d in chosen)
                else:
                    values = {"amount_minor": dice.randrange(1, 10**6)} if dice.random() < 0.05 else None
                    after = dice.choice(made).id
                    done = await drop(actor, operation, chosen, dice.choice(open_stages), after_id=after, values=values)
                    blocked = set(done.blocked)
                    moves.update(d.id for d in chosen if str(d.id) not in blocked)
                    moves.update(d.id for d in chosen if values)
            except CrmError:
                continue

    await asyncio.gather(*(person(n) for n in range(16)))
    await assert_sound(admin)
    async with unit_of_work(admin) as uow:
        versions = {r.id: r.version for r in await uow.rows(sa.select(_deals.c.id, _deals.c.version))}
    assert versions == {d.id: 1 + moves[d.id] for d in made}


async def test_edits_of_one_deal_at_once_all_count(alice, deal):
    """Read, add, write: the row is locked before it is read."""

    async def add() -> None:
        async with unit_of_work(alice) as uow:
            held = await uow.get(Opportunity, deal.id, lock=True)
            await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": held.amount_minor + 1})

    await asyncio.gather(*(add() for _ in range(12)))
    assert (await read_deal(alice, deal.id))["amount_minor"] == deal.amount_minor + 12


async def test_a_lock_shows_what_was_written_meanwhile(alice, bob, deal):
    async with unit_of_work(alice) as uow:
        seen = await uow.get(Opportunity, deal.id)
        assert seen.amount_minor == 18_450_000
        async with unit_of_work(bob) as other:
            await records.update(other, OPPORTUNITY, deal.id, {"amount_minor": 5})
        held = await uow.get(Opportunity, deal.id, lock=True)
        assert held.amount_minor == 5
