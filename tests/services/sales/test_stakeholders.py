"""Who has a part in a deal."""

import pytest

from crm_app.core.errors import Forbidden, Invalid, NotFound
from crm_app.models.sales.opportunities import StakeholderRole
from crm_app.services.platform import audit
from crm_app.services.sales import deal_page, stakeholders
from crm_app.store.uow import unit_of_work


@pytest.fixture
async def contact(make, alice, account):
    return await make(alice, "contact", first_name="Annegret", last_name="Wohlgemuth", account_id=account.id)


@pytest.fixture
async def part(alice, deal, contact):
    async with unit_of_work(alice) as uow:
        return await stakeholders.add(uow, deal.id, contact.id, role=StakeholderRole.decides)


async def parts(actor, deal):
    async with unit_of_work(actor) as uow:
        page = await deal_page.page(uow, deal.id)
    return [(p.name, p.role, p.note) for p in page.people if p.role]


async def test_a_part_is_given_changed_and_taken_away(alice, bob, deal, part):
    async with unit_of_work(bob) as uow:
        await stakeholders.change(uow, part.id, role=StakeholderRole.champion, note="  Wants it by May ")
    assert await parts(alice, deal) == [("Annegret Wohlgemuth", StakeholderRole.champion, "Wants it by May")]
    async with unit_of_work(alice) as uow:
        await stakeholders.remove(uow, part.id)
    assert await parts(alice, deal) == []
    async with unit_of_work(alice) as uow:
        await stakeholders.put_back(uow, part.id)
    assert len(await parts(alice, deal)) == 1


async def test_nobody_has_two_parts_in_a_deal(alice, deal, contact, part):
    with pytest.raises(Invalid, match="already"):
        async with unit_of_work(alice) as uow:
            await stakeholders.add(uow, deal.id, contact.id)
    async with unit_of_work(alice) as uow:
        await stakeholders.remove(uow, part.id)
    async with unit_of_work(alice) as uow:
        await stakeholders.add(uow, deal.id, contact.id, role=StakeholderRole.user)
    with pytest.raises(Invalid, match="already"):
        async with unit_of_work(alice) as uow:
            await stakeholders.put_back(uow, part.id)


async def test_looking_is_not_changing(reader, deal, contact, part):
    for act in (
        lambda uow: stakeholders.add(uow, deal.id, contact.id),
        lambda uow: stakeholders.change(uow, part.id, note="x"),
        lambda uow: stakeholders.remove(uow, part.id),
    ):
        with pytest.raises(Forbidden):
            async with unit_of_work(reader) as uow:
                await act(uow)


async def test_strangers_cannot_tell_that_there_is_a_part(carol, mallory, deal, contact, part):
    for stranger in (carol, mallory):
        for act in (
            lambda uow: stakeholders.add(uow, deal.id, contact.id),
            lambda uow: stakeholders.change(uow, part.id, note="x"),
            lambda uow: stakeholders.remove(uow, part.id),
        ):
            with pytest.raises(NotFound):
                async with unit_of_work(stranger) as uow:
                    await act(uow)


async def test_a_contact_of_another_tenant_cannot_be_named(alice, mallory, make, deal):
    theirs = await make(mallory, "contact", last_name="Foreign")
    with pytest.raises(NotFound):
        async with unit_of_work(alice) as uow:
            await stakeholders.add(uow, deal.id, theirs.id)


async def test_it_is_audited(admin, part):
    async with unit_of_work(admin) as uow:
        log = await audit.history(uow, "opportunity_stakeholder", part.id)
    assert [e["action"] for e in log] == ["create"]
