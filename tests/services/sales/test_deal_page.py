"""What the page of a deal reads."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Forbidden, NotFound
from crm_app.models.base import table_of
from crm_app.models.people.users import Role
from crm_app.models.sales.opportunities import OPPORTUNITY, StakeholderRole
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.platform import records
from crm_app.services.sales import deal_page, lines, opportunities, stakeholders
from crm_app.services.sales.board import Filters
from crm_app.store.uow import unit_of_work


async def read(actor, record_id, now=None):
    async with unit_of_work(actor, now=now) as uow:
        return await deal_page.page(uow, record_id)


async def test_names_stand_beside_the_links(alice, account, deal):
    page = await read(alice, deal.id)
    assert page.values["account_id__title"] == "Kessler & Wohlgemuth"
    assert page.values["owner_id__title"] == page.values["created_by_id__title"] == "Alice"
    assert page.values["primary_contact_id__title"] is None
    assert page.pipeline_name == "New business"
    assert (page.values["amount_minor"], page.weighted_minor) == (18_450_000, 1_845_000)


async def test_colleagues_read_it_and_strangers_cannot_tell_it_exists(bob, carol, mallory, reader, deal):
    assert (await read(bob, deal.id)).values["id"] == (await read(reader, deal.id)).values["id"] == deal.id
    for stranger in (carol, mallory):
        with pytest.raises(NotFound):
            await read(stranger, deal.id)


async def test_a_deal_in_the_trash_is_gone(admin, deal):
    async with unit_of_work(admin) as uow:
        await opportunities.throw_away(uow, deal.id, reason="twice")
    with pytest.raises(NotFound):
        await read(admin, deal.id)


async def test_days_are_counted_for_each_stage_and_the_present_one_runs(alice, deal, stages):
    start = deal.created_at
    for days, name in ((6, "Discovery"), (28, "Proposal"), (30, "Discovery")):
        async with unit_of_work(alice, now=start + timedelta(days=days)) as uow:
            await opportunities.move(uow, [deal.id], to_stage_id=stages[name])
    page = await read(alice, deal.id, now=start + timedelta(days=35, hours=1))
    days = {s.name: s.days for s in page.stages}
    assert days == {
        "Qualify": 6, "Discovery": 22 + 5, "Proposal": 2, "Negotiation": None, "Contract": None, "Won": None,
        "Lost": None,
    }  # fmt: skip
    assert (page.stage.name, page.days_in_stage, page.stage.rotting_days) == ("Discovery", 5, 14)


async def test_the_gate_says_what_the_next_stage_still_wants(admin, alice, deal, stages, make, account):
    async with unit_of_work(admin) as uow:
        wanted = ["primary_contact_id", "next_step", "lead_source"]
        await records.update(uow, STAGE, stages["Discovery"], {"required_fields": wanted})
        await records.update(uow, OPPORTUNITY, deal.id, {"lead_source": "Trade fair"})
    gate = (await read(alice, deal.id)).gate
    assert gate.stage.name == "Discovery"
    assert gate.fields == (("primary_contact_id", False), ("next_step", False), ("lead_source", True))
    assert gate.missing == ["primary_contact_id", "next_step"]
    async with unit_of_work(alice) as uow:
        await opportunities.win(uow, deal.id, opportunities.Closing())
    assert (await read(alice, deal.id)).gate is None


async def test_people_of_the_deal_come_before_people_of_the_account(alice, account, deal, make):
    names = {}
    for name in ("Anna", "Bert", "Cleo", "Dora"):
        names[name] = await make(alice, "contact", last_name=name, account_id=account.id, mobile="+49 170 1234567")
    outsider = await make(alice, "contact", last_name="Emil")
    async with unit_of_work(alice) as uow:
        await stakeholders.add(uow, deal.id, outsider.id, role=StakeholderRole.blocks)
        await stakeholders.add(uow, deal.id, names["Cleo"].id, role=StakeholderRole.decides)
        await records.update(uow, OPPORTUNITY, deal.id, {"primary_contact_id": names["Bert"].id})
    people = (await read(alice, deal.id)).people
    assert [(p.name, p.role, p.is_primary) for p in people] == [
        ("Cleo", StakeholderRole.decides, False),
        ("Emil", StakeholderRole.blocks, False),
        ("Bert", None, True),
        ("Anna", None, False),
        ("Dora", None, False),
    ]
    assert people[0].phone.endswith("1234567")


async def test_lines_come_in_their_order_with_their_sum(alice, deal):
    async with unit_of_work(alice) as uow:
        for name in ("Shelves", "Robots", "Training"):
            await lines.add(uow, deal.id, name=name, unit_price_minor=100_00)
    page = await read(alice, deal.id)
    assert [x.name for x in page.lines] == ["Shelves", "Robots", "Training"]
    assert page.lines_minor == 300_00


async def test_a_field_the_role_may_not_see_is_not_there(admin, workspace, deal):
    async with unit_of_work(admin) as uow:
        rep = workspace.roles["rep"]
        hidden = {
            "field_rights": dict.fromkeys(("opportunity.amount_minor", "opportunity.primary_competitor_id"), "hidden")
        }
        await uow.execute(sa.update(table_of(Role)).where(table_of(Role).c.id == rep).values(**hidden))
    alice = await workspace.acting(deal.owner_id)
    page = await read(alice, deal.id)
    assert not {"amount_minor", "primary_competitor_id", "primary_competitor_id__title"} & set(page.values)
    assert page.weighted_minor is None


async def test_the_page_is_one_query(alice, deal):
    from crm_app.store.engine import engine

    sent = []
    sa.event.listen(engine().sync_engine, "before_cursor_execute", lambda *a: sent.append(a[2]))
    await read(alice, deal.id)
    assert len([s for s in sent if "set_config" not in s]) == 1


class TestNeighbours:
    @pytest.fixture
    async def column(self, make, alice, account, next_month):
        """Five deals, the last made on top."""
        made = [
            await make(
                alice, "opportunity", name=f"Deal {n}", account_id=account.id, amount_minor=n * 1000_00,
                expected_close_on=next_month,
            )
            for n in range(1, 6)
        ]  # fmt: skip
        return list(reversed(made))

    async def around(self, actor, record_id, filters=None):
        async with unit_of_work(actor) as uow:
            page = await deal_page.page(uow, record_id)
            return await deal_page.neighbours(uow, page.values, filters)

    async def test_the_order_is_that_of_the_column(self, alice, column):
        ids = [d.id for d in column]
        assert await self.around(alice, ids[0]) == deal_page.Neighbours(None, ids[1], 1, 5)
        assert await self.around(alice, ids[2]) == deal_page.Neighbours(ids[1], ids[3], 3, 5)
        assert await self.around(alice, ids[4]) == deal_page.Neighbours(ids[3], None, 5, 5)

    async def test_filters_of_the_board_hold(self, alice, column):
        ids = [d.id for d in column]
        large = Filters(least_minor=3000_00)
        assert await self.around(alice, ids[2], large) == deal_page.Neighbours(ids[1], None, 3, 3)
        assert (await self.around(alice, ids[4], large)).place == 0

    async def test_what_the_viewer_cannot_see_is_no_neighbour(self, admin, carol, column, make, next_month):
        client = await make(carol, "account", name="Carol's client")
        hers = await make(
            carol, "opportunity", name="Carol's", account_id=client.id, amount_minor=1_00, expected_close_on=next_month
        )
        assert await self.around(carol, hers.id) == deal_page.Neighbours(None, None, 1, 1)
        assert (await self.around(admin, hers.id)).total == 6


async def test_only_people_with_the_right_read_deals(alice, deal):
    from dataclasses import replace

    with pytest.raises(Forbidden):
        await read(replace(alice, permissions=frozenset()), deal.id)
