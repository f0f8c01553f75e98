"""Pipelines: added with stages to start from, put in order, rested; never while deals would vanish from the board."""

import itertools

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.sales.pipelines import PIPELINE
from crm_app.services.platform import records
from crm_app.services.sales import board, opportunities, pipelines, stages
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, stage_ids


async def added(actor, name="Renewals"):
    async with unit_of_work(actor) as uow:
        return await pipelines.create(uow, name=name, description="What runs out this year")


async def names_on_the_board(actor):
    async with unit_of_work(actor) as uow:
        return [p["name"] for p in await board.pipelines(uow)]


async def test_a_new_pipeline_can_be_sold_in_at_once(admin):
    made = await added(admin)
    async with unit_of_work(admin) as uow:
        listed = await pipelines.listed(uow)
        its_stages = await stages.listed(uow, made.id)
    assert [(p.name, p.open_stages, p.open_deals, p.is_active) for p in listed] == [
        ("New business", 5, 0, True),
        ("Renewals", 5, 0, True),
    ]
    assert [s.kind.value for s in its_stages] == ["open"] * 5 + ["won", "lost"]
    deal = await a_deal(admin, stage_id=its_stages[1].id)
    assert deal.pipeline_id == made.id and deal.probability == 25


async def test_two_pipelines_never_have_the_same_name(admin):
    await added(admin)
    with pytest.raises(Invalid) as refusal:
        await added(admin, "  renewals ")
    assert refusal.value.fields == {"name": "another pipeline has this name"}
    with pytest.raises(Invalid, match="required"):
        await added(admin, "   ")


async def test_an_order_is_kept(admin):
    made = await added(admin)
    async with unit_of_work(admin) as uow:
        first, second = await pipelines.listed(uow)
        await pipelines.reorder(uow, [second.id, first.id])
    assert await names_on_the_board(admin) == ["Renewals", "New business"]
    with pytest.raises(Conflict, match="meanwhile"):
        async with unit_of_work(admin) as uow:
            await pipelines.reorder(uow, [made.id])


async def test_a_resting_pipeline_leaves_the_board_and_comes_back(admin):
    made = await added(admin)
    async with unit_of_work(admin) as uow:
        await pipelines.deactivate(uow, made.id)
    assert await names_on_the_board(admin) == ["New business"]
    async with unit_of_work(admin) as uow:
        assert [p.is_active for p in await pipelines.listed(uow)] == [True, False]
        await pipelines.activate(uow, made.id)
    assert await names_on_the_board(admin) == ["New business", "Renewals"]


async def test_new_deals_do_not_start_in_a_resting_pipeline(admin):
    made = await added(admin)
    async with unit_of_work(admin) as uow:
        await pipelines.deactivate(uow, (await pipelines.listed(uow))[0].id)
    assert (await a_deal(admin)).pipeline_id == made.id


async def test_open_deals_keep_their_pipeline_on_the_board(admin, alice):
    await added(admin)
    deals = [await a_deal(alice, "One"), await a_deal(alice, "Two")]
    async with unit_of_work(admin) as uow:
        first = (await pipelines.listed(uow))[0]
        assert first.open_deals == 2
    with pytest.raises(Conflict, match=r"2 open deals are in New business\. Move them"):
        async with unit_of_work(admin) as uow:
            await pipelines.deactivate(uow, first.id)
    async with unit_of_work(alice) as uow:
        for deal in deals:
            await opportunities.win(uow, deal.id, Closing())
    async with unit_of_work(admin) as uow:
        await pipelines.deactivate(uow, first.id)
    assert await names_on_the_board(admin) == ["Renewals"]


async def test_the_last_active_pipeline_stays(admin):
    async with unit_of_work(admin) as uow:
        only = (await pipelines.listed(uow))[0]
    with pytest.raises(Conflict, match="only pipeline in use"):
        async with unit_of_work(admin) as uow:
            await pipelines.deactivate(uow, only.id)


async def test_a_new_name_is_in_the_audit_log(admin):
    made = await added(admin)
    async with unit_of_work(admin) as uow:
        await pipelines.change(uow, made.id, name="Extensions")
    log = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        row = (await uow.rows(sa.select(log.c.changes).where(log.c.record_id == made.id, log.c.action == "update")))[0]
    assert row.changes["name"] == ["Renewals", "Extensions"]


async def test_deal_counts_are_of_what_one_may_see(admin, alice, carol):
    await a_deal(alice)
    await a_deal(carol)
    async with unit_of_work(carol) as uow:
        assert (await pipelines.listed(uow))[0].open_deals == 1
    async with unit_of_work(admin) as uow:
        assert (await pipelines.listed(uow))[0].open_deals == 2


async def test_only_admins_arrange_pipelines(admin, reader, alice, manager):
    async with unit_of_work(admin) as uow:
        only = (await pipelines.listed(uow))[0]
    acts = (
        lambda uow: pipelines.create(uow, name="Mine"),
        lambda uow: pipelines.change(uow, only.id, name="Mine"),
        lambda uow: pipelines.deactivate(uow, only.id),
        lambda uow: pipelines.reorder(uow, [only.id]),
    )
    for actor, act in itertools.product((reader, alice, manager), acts):
        with pytest.raises(Forbidden):
            async with unit_of_work(actor) as uow:
                await act(uow)
    async with unit_of_work(reader) as uow:
        assert [p.name for p in await pipelines.listed(uow)] == ["New business"]


async def test_another_tenant_cannot_tell_it_exists(admin, mallory):
    made = await added(admin)
    async with unit_of_work(mallory) as uow:
        assert [p.name for p in await pipelines.listed(uow)] == ["New business"]
    for act in (
        lambda uow: pipelines.change(uow, made.id, name="Mine"),
        lambda uow: pipelines.deactivate(uow, made.id),
        lambda uow: stages.listed(uow, made.id),
    ):
        with pytest.raises(NotFound):
            async with unit_of_work(mallory) as uow:
                await act(uow)
    with pytest.raises(Conflict):
        async with unit_of_work(mallory) as uow:
            await pipelines.reorder(uow, [made.id])


async def test_a_pipeline_with_stages_is_not_thrown_away(admin):
    made = await added(admin)
    with pytest.raises(Conflict, match="7 stages"):
        async with unit_of_work(admin) as uow:
            await records.delete(uow, PIPELINE, made.id)


async def test_stages_of_the_first_pipeline_are_in_order(admin):
    assert list(await stage_ids(admin)) == [
        "Qualify", "Discovery", "Proposal", "Negotiation", "Contract", "Won", "Lost",
    ]  # fmt: skip
