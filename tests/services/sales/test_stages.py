"""Stages: order, chance, needed fields; what a pipeline cannot do without stays."""

import asyncio
import itertools

import pytest

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.services.sales import board, opportunities, stages
from crm_app.services.sales.opportunities import Closing, MissingFields
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal, stage_ids


@pytest.fixture
async def pipeline_id(admin):
    async with unit_of_work(admin) as uow:
        return (await board.pipelines(uow))[0]["id"]


async def listed(actor, pipeline_id):
    async with unit_of_work(actor) as uow:
        return await stages.listed(uow, pipeline_id)


async def names(actor, pipeline_id):
    return [s.name for s in await listed(actor, pipeline_id)]


async def test_a_new_stage_stands_before_the_ends(admin, pipeline_id):
    async with unit_of_work(admin) as uow:
        stage = await stages.add(uow, pipeline_id, name="  Legal   review ")
    assert await names(admin, pipeline_id) == [
        "Qualify", "Discovery", "Proposal", "Negotiation", "Contract", "Legal review", "Won", "Lost",
    ]  # fmt: skip
    assert stage.probability == 90  # that of Contract, until somebody says otherwise
    async with unit_of_work(admin) as uow:
        columns = (await board.board(uow, pipeline_id, with_ends=True)).columns
    assert [c.stage["name"] for c in columns][-3:] == ["Legal review", "Won", "Lost"]


async def test_two_stages_of_a_pipeline_never_have_the_same_name(admin, pipeline_id):
    with pytest.raises(Invalid, match="another stage"):
        async with unit_of_work(admin) as uow:
            await stages.add(uow, pipeline_id, name="proposal")
    at = await stage_ids(admin)
    with pytest.raises(Invalid, match="another stage"):
        async with unit_of_work(admin) as uow:
            await stages.change(uow, at["Qualify"], {"name": "WON"})


async def test_stages_are_put_in_order(admin, pipeline_id):
    at = await stage_ids(admin)
    wanted = [at[n] for n in ("Discovery", "Qualify", "Contract", "Proposal", "Negotiation")]
    async with unit_of_work(admin) as uow:
        await stages.reorder(uow, pipeline_id, wanted)
    assert [s.id for s in await listed(admin, pipeline_id)] == [*wanted, at["Won"], at["Lost"]]
    with pytest.raises(Conflict, match="meanwhile"):
        async with unit_of_work(admin) as uow:
            await stages.reorder(uow, pipeline_id, wanted[:-1])
    with pytest.raises(Conflict, match="meanwhile"):
        async with unit_of_work(admin) as uow:
            await stages.reorder(uow, pipeline_id, [*wanted[:-1], at["Won"]])


async def test_two_admins_at_once_leave_whole_pipelines(admin, pipeline_id):
    async def add(name):
        async with unit_of_work(admin) as uow:
            await stages.add(uow, pipeline_id, name=name)

    await asyncio.gather(*(add(f"Step {n}") for n in range(4)))
    async with unit_of_work(admin) as uow:
        columns = (await board.board(uow, pipeline_id, with_ends=True)).columns
    found = [c.stage["name"] for c in columns]
    assert len(found) == 11 and found[-2:] == ["Won", "Lost"]
    assert {f"Step {n}" for n in range(4)} <= set(found)


async def test_open_deals_follow_the_chance_of_their_stage(admin, manager, alice, pipeline_id):
    at = await stage_ids(admin)
    follower, stubborn, won = [await a_deal(alice, name) for name in ("Follower", "Stubborn", "Won already")]
    async with unit_of_work(manager) as uow:
        await records.update(uow, OPPORTUNITY, stubborn.id, {"probability": 60})
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, won.id, Closing())
    async with unit_of_work(admin) as uow:
        changed = await stages.change(uow, at["Qualify"], {"probability": 20})
    assert changed.followed == 1
    assert (await read_deal(alice, follower.id))["probability"] == 20
    assert (await read_deal(alice, follower.id))["version"] == follower.version + 1
    assert (await read_deal(alice, stubborn.id))["probability"] == 60
    assert (await read_deal(alice, won.id))["probability"] == 100
    async with unit_of_work(alice) as uow:
        totals = await board.stage_totals(uow, [at["Qualify"]])
    assert totals[at["Qualify"]].sums[0].weighted_minor == 1_000_000 * 20 // 100 + 1_000_000 * 60 // 100


async def test_needed_fields_hold_a_deal_back(admin, alice, pipeline_id):
    at = await stage_ids(admin)
    async with unit_of_work(admin) as uow:
        await stages.change(uow, at["Proposal"], {"required_fields": ["next_step", "primary_contact_id", "next_step"]})
    row = next(s for s in await listed(admin, pipeline_id) if s.name == "Proposal")
    assert row.required_fields == ["primary_contact_id", "next_step"]
    deal = await a_deal(alice)
    with pytest.raises(MissingFields) as refusal:
        async with unit_of_work(alice) as uow:
            await opportunities.move(uow, [deal.id], to_stage_id=at["Proposal"])
    assert set(refusal.value.fields) == {"next_step", "primary_contact_id"}


@pytest.mark.parametrize("field", ["name", "amount_minor", "stage_id", "currency", "priority", "tenant_id", "nonsense"])
async def test_only_what_can_be_empty_is_asked_for(field, admin):
    at = await stage_ids(admin)
    with pytest.raises(Invalid, match="cannot be asked for"):
        async with unit_of_work(admin) as uow:
            await stages.change(uow, at["Proposal"], {"required_fields": [field]})


async def test_every_field_that_can_be_asked_for_has_a_label():
    labels = {f.name: f.label for f in stages.requirable_fields()}
    assert labels["primary_contact_id"] == "Primary contact" and labels["tags"] == "Tags"
    assert "account_id" not in labels and "priority" not in labels


async def test_the_ends_keep_their_chance_but_may_be_renamed(admin, pipeline_id):
    at = await stage_ids(admin)
    async with unit_of_work(admin) as uow:
        await stages.change(uow, at["Won"], {"name": "Signed"})
    assert "Signed" in await names(admin, pipeline_id)
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(admin) as uow:
            await stages.change(uow, at["Lost"], {"probability": 5, "rotting_days": 3})
    assert set(refusal.value.fields) == {"probability", "rotting_days"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"rotting_days": 0}, "rotting_days"),
        ({"rotting_days": 4000}, "rotting_days"),
        ({"probability": 101}, "probability"),
        ({"color": 9}, "color"),
        ({"name": "x" * 101}, "name"),
        ({"kind": "won"}, "kind"),
    ],
)
async def test_what_a_stage_cannot_be(values, field, admin):
    at = await stage_ids(admin)
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(admin) as uow:
            await stages.change(uow, at["Proposal"], values)
    assert field in refusal.value.fields


async def test_a_save_over_somebody_elses_is_refused(admin, pipeline_id):
    seen = next(s for s in await listed(admin, pipeline_id) if s.name == "Proposal")
    async with unit_of_work(admin) as uow:
        await stages.change(uow, seen.id, {"name": "Offer"}, version=seen.version)
    with pytest.raises(Conflict, match="meanwhile"):
        async with unit_of_work(admin) as uow:
            await stages.change(uow, seen.id, {"name": "Quote"}, version=seen.version)
    assert "Offer" in await names(admin, pipeline_id)


async def test_an_empty_stage_goes(admin, pipeline_id):
    at = await stage_ids(admin)
    async with unit_of_work(admin) as uow:
        await stages.remove(uow, at["Discovery"])
    assert await names(admin, pipeline_id) == ["Qualify", "Proposal", "Negotiation", "Contract", "Won", "Lost"]
    async with unit_of_work(admin) as uow:
        await stages.add(uow, pipeline_id, name="Discovery")  # its name is free again


async def test_a_stage_with_deals_stays(admin, alice, pipeline_id):
    at = await stage_ids(admin)
    await a_deal(alice, "One")
    with pytest.raises(Conflict, match=r"1 deal is in Qualify\. Move it"):
        async with unit_of_work(admin) as uow:
            await stages.remove(uow, at["Qualify"])
    await a_deal(alice, "Two")
    with pytest.raises(Conflict, match=r"2 deals are in Qualify"):
        async with unit_of_work(admin) as uow:
            await stages.remove(uow, at["Qualify"])


async def test_a_deal_in_the_trash_can_come_back_after_its_stage_is_gone(admin, manager, alice, pipeline_id):
    at = await stage_ids(admin)
    deal = await a_deal(alice, stage_id=at["Proposal"])
    async with unit_of_work(manager) as uow:
        await opportunities.throw_away(uow, deal.id)
    async with unit_of_work(admin) as uow:
        await stages.remove(uow, at["Proposal"])
    async with unit_of_work(manager) as uow:
        await records.restore(uow, OPPORTUNITY, deal.id)
    assert (await read_deal(alice, deal.id))["stage_id"] == at["Discovery"]
    async with unit_of_work(alice) as uow:
        found = await board.board(uow, pipeline_id)
    column = next(c for c in found.columns if c.stage["id"] == at["Discovery"])
    assert [c["id"] for c in column.cards] == [deal.id] and column.totals.deals == 1


async def test_an_undo_does_not_lead_into_a_removed_stage(admin, alice, pipeline_id):
    at = await stage_ids(admin)
    deal = await a_deal(alice)
    async with unit_of_work(alice) as uow:
        moved = (await opportunities.move(uow, [deal.id], to_stage_id=at["Proposal"])).moved
    async with unit_of_work(admin) as uow:
        await stages.remove(uow, at["Qualify"])
    with pytest.raises(Conflict, match="removed meanwhile"):
        async with unit_of_work(alice) as uow:
            await opportunities.step_back(uow, moved)
    assert (await read_deal(alice, deal.id))["stage_id"] == at["Proposal"]


async def test_the_ends_and_the_last_open_stage_stay(admin, pipeline_id):
    at = await stage_ids(admin)
    for end in ("Won", "Lost"):
        with pytest.raises(Conflict, match="every pipeline needs"):
            async with unit_of_work(admin) as uow:
                await stages.remove(uow, at[end])
    for name in ("Discovery", "Proposal", "Negotiation", "Contract"):
        async with unit_of_work(admin) as uow:
            await stages.remove(uow, at[name])
    with pytest.raises(Conflict, match="only open stage"):
        async with unit_of_work(admin) as uow:
            await stages.remove(uow, at["Qualify"])


async def test_the_generic_writes_keep_the_same_rules(admin, pipeline_id):
    at = await stage_ids(admin)
    with pytest.raises(Conflict, match="every pipeline needs"):
        async with unit_of_work(admin) as uow:
            await records.delete(uow, STAGE, at["Won"])
    with pytest.raises(Invalid, match="from the start"):
        async with unit_of_work(admin) as uow:
            await records.create(uow, STAGE, {"name": "Won again", "pipeline_id": pipeline_id, "kind": "won"})
    with pytest.raises(Conflict, match="every pipeline needs"):
        async with unit_of_work(admin) as uow:
            await records.update(uow, STAGE, at["Lost"], {"is_active": False})


async def test_only_admins_arrange_stages(admin, reader, alice, manager, pipeline_id):
    at = await stage_ids(admin)
    acts = (
        lambda uow: stages.add(uow, pipeline_id, name="Mine"),
        lambda uow: stages.change(uow, at["Qualify"], {"name": "Mine"}),
        lambda uow: stages.reorder(uow, pipeline_id, [at["Qualify"]]),
        lambda uow: stages.remove(uow, at["Qualify"]),
    )
    for actor, act in itertools.product((reader, alice, manager), acts):
        with pytest.raises(Forbidden):
            async with unit_of_work(actor) as uow:
                await act(uow)
    assert len(await listed(reader, pipeline_id)) == 7


async def test_another_tenant_cannot_tell_they_exist(admin, mallory, pipeline_id):
    at = await stage_ids(admin)
    for act in (
        lambda uow: stages.listed(uow, pipeline_id),
        lambda uow: stages.add(uow, pipeline_id, name="Mine"),
        lambda uow: stages.change(uow, at["Qualify"], {"name": "Mine"}),
        lambda uow: stages.reorder(uow, pipeline_id, []),
        lambda uow: stages.remove(uow, at["Qualify"]),
    ):
        with pytest.raises(NotFound):
            async with unit_of_work(mallory) as uow:
                await act(uow)
