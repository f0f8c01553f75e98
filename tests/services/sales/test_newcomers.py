"""Names typed where a deal points to a record."""

import pytest

from crm_app.core import registry
from crm_app.core.errors import Forbidden, Invalid
from crm_app.models.customers.contacts import CONTACT, Contact
from crm_app.models.sales.competitors import Competitor
from crm_app.services.platform import finding, records
from crm_app.services.sales import newcomers
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal


async def test_a_person_joins_the_account_of_the_deals(alice):
    one, other = await a_deal(alice), await a_deal(alice)
    async with unit_of_work(alice) as uow:
        ida = await newcomers.by_name(uow, "contact", "Ida Berg", opportunity_ids=[one.id])
        uwe = await newcomers.by_name(uow, "contact", "Uwe", opportunity_ids=[one.id, other.id])
        made = [await uow.get(Contact, each) for each in (ida, uwe)]
        assert [(c.first_name, c.last_name, c.account_id) for c in made] == [
            ("Ida", "Berg", one.account_id),
            ("", "Uwe", None),
        ]
        assert [h.id for h in await newcomers.people(uow, [one.id])] == [ida]
        assert await newcomers.people(uow, []) == []


async def test_a_competitor_of_that_name_is_taken_and_another_made(alice):
    async with unit_of_work(alice) as uow:
        globex = await newcomers.by_name(uow, "competitor", "Globex")
        assert await newcomers.by_name(uow, "competitor", "GLOBEX") == globex
        initech = await newcomers.by_name(uow, "competitor", "Initech")
        assert initech != globex and (await uow.get(Competitor, initech)).name == "Initech"
        assert [h.id for h in await finding.choices(uow, registry.get("competitor"), "init")] == [initech]


async def test_nobody_else_is_made(admin, reader):
    async with unit_of_work(admin) as uow:
        with pytest.raises(Invalid):
            await newcomers.by_name(uow, "user", "Zaphod")
    async with unit_of_work(reader) as uow:
        with pytest.raises(Forbidden):
            await newcomers.by_name(uow, "contact", "Ida Berg")


async def test_strangers_learn_nothing_of_the_account(alice, carol, mallory):
    deal = await a_deal(alice)
    async with unit_of_work(alice) as uow:
        await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
    for stranger in (carol, mallory):
        async with unit_of_work(stranger) as uow:
            assert await newcomers.people(uow, [deal.id]) == []
            theirs = await newcomers.by_name(uow, "contact", "Ida", opportunity_ids=[deal.id])
            assert (await uow.get(Contact, theirs)).account_id is None


async def test_a_colleague_is_found_by_what_is_typed(alice):
    async with unit_of_work(alice) as uow:
        hits = await finding.choices(uow, registry.get("user"), "ali")
    assert [h.id for h in hits] == [alice.user_id]
