"""What becomes of what hangs on a record that is thrown away; the trash, the way back, the end."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import Conflict, Forbidden, NotFound
from crm_app.jobs.delivery import system_actor
from crm_app.models.activities.activities import ACTIVITY, Activity
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.platform.trash import TrashedAlong
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStakeholder
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.activities import activities
from crm_app.services.platform import merges, records, trash, trash_rules
from crm_app.services.platform.trash_rules import Fate
from crm_app.services.sales import opportunities, stakeholders
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal

MONTH = timedelta(days=30)


async def thrown(actor, entity, record_id):
    async with unit_of_work(actor) as uow:
        await records.delete(uow, entity, record_id)


async def put_back(actor, entity, record_id):
    async with unit_of_work(actor) as uow:
        await records.restore(uow, entity, record_id)


async def lies_in(actor, **narrowed):
    async with unit_of_work(actor) as uow:
        return [(t.entity, t.title) for t in await trash.listed(uow, **narrowed)]


async def rows(actor, query):
    async with unit_of_work(actor) as uow:
        return await uow.rows(query)


@pytest.fixture
async def deal(admin):
    return await a_deal(admin, "Roll-out", account="Kessler")


@pytest.fixture
async def berg(admin, deal):
    """A person with a part in the deal, its primary contact, with a call of his."""
    async with unit_of_work(admin) as uow:
        contact = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
        await records.update(uow, OPPORTUNITY, deal.id, {"primary_contact_id": contact.id})
        await stakeholders.add(uow, deal.id, contact.id)
        await activities.log(uow, kind="call", subject="With Berg", contact_id=contact.id)
    return contact


async def test_an_account_with_deals_is_protected_and_says_by_what(admin, deal, berg):
    async with unit_of_work(admin) as uow:
        found = await trash_rules.weigh(uow, ACCOUNT, deal.account_id)
    assert [(h.entity, h.count, h.fate) for h in found] == [
        ("opportunity", 1, Fate.protects), ("contact", 1, Fate.stays),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="1 opportunity still belongs"):
        await thrown(admin, ACCOUNT, deal.account_id)


async def test_a_stage_in_use_is_protected(admin, deal):
    with pytest.raises(Conflict):
        await thrown(admin, STAGE, deal.stage_id)


async def test_a_person_who_goes_is_taken_off_the_deals_and_comes_back_to_them(admin, deal, berg):
    async with unit_of_work(admin) as uow:
        found = await trash_rules.weigh(uow, CONTACT, berg.id)
    assert (Fate.unlinked, "opportunity", 1) in [(h.fate, h.entity, h.count) for h in found]
    await thrown(admin, CONTACT, berg.id)
    assert (await read_deal(admin, deal.id))["primary_contact_id"] is None
    await put_back(admin, CONTACT, berg.id)
    assert (await read_deal(admin, deal.id))["primary_contact_id"] == berg.id
    assert await rows(admin, sa.select(table_of(TrashedAlong))) == []


async def test_who_took_the_place_meanwhile_keeps_it(admin, deal, berg):
    await thrown(admin, CONTACT, berg.id)
    async with unit_of_work(admin) as uow:
        other = await records.create(uow, CONTACT, {"last_name": "Ott"})
        await records.update(uow, OPPORTUNITY, deal.id, {"primary_contact_id": other.id})
    await put_back(admin, CONTACT, berg.id)
    assert (await read_deal(admin, deal.id))["primary_contact_id"] == other.id


async def test_activities_go_with_their_deal_and_come_back_but_for_those_thrown_away_before(admin, deal):
    async with unit_of_work(admin) as uow:
        kept = await activities.log(uow, kind="call", subject="Kept", opportunity_id=deal.id)
        planned = await activities.plan(uow, kind="task", subject="Plan", due_at=uow.now, opportunity_id=deal.id)
        before = await activities.log(uow, kind="call", subject="Thrown away before", opportunity_id=deal.id)
        await records.delete(uow, ACTIVITY, before.id)
    a = table_of(Activity)
    alive = sa.select(a.c.id).where(a.c.opportunity_id == deal.id, a.c.deleted_at.is_(None)).order_by(a.c.id)
    async with unit_of_work(admin) as uow:
        await opportunities.throw_away(uow, deal.id, reason="twice")
    assert await rows(admin, alive) == []
    assert await lies_in(admin) == [("opportunity", "Roll-out"), ("activity", "Thrown away before")]
    async with unit_of_work(admin) as uow:
        assert (await trash.listed(uow))[0].along == 2
    await put_back(admin, OPPORTUNITY, deal.id)
    assert [r.id for r in await rows(admin, alive)] == [kept.id, planned.id]
    assert await lies_in(admin) == [("activity", "Thrown away before")]


async def test_the_trash_is_narrowed_and_read_page_by_page(admin, manager):
    async with unit_of_work(manager) as uow:
        made = [await records.create(uow, CONTACT, {"last_name": f"Person {n}"}) for n in range(5)]
        company = await records.create(uow, ACCOUNT, {"name": "Kessler"})
    for n, record in enumerate(made):
        async with unit_of_work(manager, now=utcnow() - timedelta(days=5 - n)) as uow:
            await records.delete(uow, CONTACT, record.id)
    await thrown(admin, ACCOUNT, company.id)
    assert len(await lies_in(admin)) == 6
    assert await lies_in(admin, entity_name="account") == [("account", "Kessler")]
    assert len(await lies_in(admin, by_id=manager.user_id)) == 5
    assert len(await lies_in(admin, since=utcnow() - timedelta(days=2, hours=1))) == 3
    async with unit_of_work(admin) as uow:
        first = await trash.listed(uow, limit=4)
        rest = await trash.listed(uow, limit=4, before=(first[-1].deleted_at, first[-1].id))
        assert [t.id for t in (*first, *rest)] == [t.id for t in await trash.listed(uow)]
        assert await trash.who(uow) == [(admin.user_id, "Ada Admin"), (manager.user_id, "Maria")]


async def test_what_was_merged_is_not_in_the_trash(admin):
    async with unit_of_work(admin) as uow:
        one, two = [await records.create(uow, CONTACT, {"last_name": "Twin"}) for _ in range(2)]
        await merges.merge(uow, CONTACT, one.id, [two.id], {})
    assert await lies_in(admin) == []


async def test_strangers_and_reps_see_no_trash(admin, alice, carol, mallory, reader, manager):
    async with unit_of_work(alice) as uow:
        person = await records.create(uow, CONTACT, {"last_name": "Secret"})
    await thrown(manager, CONTACT, person.id)
    assert await lies_in(manager) == [("contact", "Secret")]
    for stranger in (alice, carol, reader, mallory):
        assert await lies_in(stranger) == []
    with pytest.raises(Forbidden):
        await lies_in(alice, entity_name="contact")
    for stranger, refusal in ((alice, Forbidden), (mallory, NotFound)):
        with pytest.raises(refusal):
            async with unit_of_work(stranger) as uow:
                await trash_rules.weigh(uow, CONTACT, person.id)
        with pytest.raises(refusal):
            await put_back(stranger, CONTACT, person.id)
        with pytest.raises(refusal):
            async with unit_of_work(stranger) as uow:
                await trash.purge(uow, CONTACT, person.id)


async def test_for_good_only_with_the_right_to_it_and_out_of_the_trash(admin, manager, deal, berg):
    with pytest.raises(Conflict, match="not in the trash"):
        async with unit_of_work(admin) as uow:
            await trash.purge(uow, CONTACT, berg.id)
    await thrown(admin, CONTACT, berg.id)
    with pytest.raises(Forbidden):
        async with unit_of_work(manager) as uow:
            await trash.purge(uow, CONTACT, berg.id)
    async with unit_of_work(admin) as uow:
        assert await trash.purge(uow, CONTACT, berg.id) == "Berg"
    with pytest.raises(NotFound):
        await put_back(admin, CONTACT, berg.id)
    parts, a = table_of(OpportunityStakeholder), table_of(Activity)
    assert await rows(admin, sa.select(parts.c.id)) == []
    assert [r.contact_id for r in await rows(admin, sa.select(a.c.contact_id))] == [None]


async def test_after_thirty_days_it_goes_with_all_that_is_its_own(admin, deal, berg):
    async with unit_of_work(admin) as uow:
        await activities.log(uow, kind="call", subject="About it", opportunity_id=deal.id)
        await opportunities.throw_away(uow, deal.id)
        await records.delete(uow, ACCOUNT, deal.account_id)
    clock = system_actor(admin.tenant_id)
    async with unit_of_work(clock, now=utcnow() + MONTH - timedelta(hours=1)) as uow:
        assert await trash.sweep(uow) == 0
    async with unit_of_work(clock, now=utcnow() + MONTH + timedelta(hours=1)) as uow:
        assert await trash.sweep(uow) >= 1
    deals, a = table_of(Opportunity), table_of(Activity)
    assert await rows(admin, sa.select(deals.c.id)) == []
    assert [r.subject for r in await rows(admin, sa.select(a.c.subject))] == ["With Berg"]
    assert await rows(admin, sa.select(ACCOUNT.table.c.id)) == []
    async with unit_of_work(admin) as uow:
        contact = await records.read(uow, CONTACT, berg.id)
        assert contact.account_id is None
    assert await lies_in(admin) == []
