"""A run finds the pairs; people merge them or tell them apart for good."""

from dataclasses import replace

import pytest

from crm_app.core.errors import Conflict, Forbidden, NotFound
from crm_app.core.matching import Band
from crm_app.jobs.duplicates import scan_duplicates
from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.customers.duplicates import ScanStatus
from crm_app.services.customers import duplicates_pairs
from crm_app.services.platform import merges, records
from crm_app.store.uow import unit_of_work


async def make(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, entity, values)


async def scan(actor, entity=CONTACT):
    async with unit_of_work(actor) as uow:
        run = await duplicates_pairs.start(uow, entity)
    await scan_duplicates.func(str(actor.tenant_id), str(run.id))


async def shown(actor, entity=CONTACT, band=Band.sure, **more):
    async with unit_of_work(actor) as uow:
        return await duplicates_pairs.listed(uow, entity, band, **more)


@pytest.fixture
async def people(alice, bob):
    """Two of one e-mail, one of nearly their name, and one of the same name but nothing else."""
    one = await make(alice, CONTACT, first_name="Jana", last_name="Weber", email="jana@acme.com")
    two = await make(bob, CONTACT, first_name="Jana", last_name="Wéber", email="Jana@ACME.com", phone="+4922112345")
    odd = await make(alice, CONTACT, first_name="Jana", last_name="Weber")
    far = await make(alice, CONTACT, first_name="Peter", last_name="Krause", email="p@x.com")
    return one, two, odd, far


async def test_a_run_finds_pairs_in_two_bands(manager, people):
    one, two, odd, _ = people
    await scan(manager)
    (sure,) = await shown(manager)
    assert {sure.first_id, sure.second_id} == {one.id, two.id}
    assert sure.reasons == ("same e-mail", "same name")
    check = await shown(manager, band=Band.check)
    assert [{p.first_id, p.second_id} for p in check] == [{one.id, odd.id}, {two.id, odd.id}]
    async with unit_of_work(manager) as uow:
        assert await duplicates_pairs.counts(uow, CONTACT) == {Band.sure: 1, Band.check: 2}
        last = await duplicates_pairs.latest(uow, CONTACT)
        assert (last.status, last.done, last.total, last.found) == (ScanStatus.done, 4, 4, 3)
    assert await shown(manager, pair_ids=[sure.id]) == []


async def test_told_apart_is_told_for_good(manager, people):
    await scan(manager)
    (pair,) = await shown(manager)
    async with unit_of_work(manager) as uow:
        await duplicates_pairs.tell_apart(uow, pair.id)
    assert await shown(manager) == []
    await scan(manager)
    assert await shown(manager) == []
    async with unit_of_work(manager) as uow:
        await duplicates_pairs.reopen(uow, pair.id)
    assert await shown(manager) == [pair]


async def test_what_is_merged_or_mended_is_no_pair(manager, alice, people):
    one, two, odd, _ = people
    await scan(manager)
    async with unit_of_work(manager) as uow:
        done = await merges.merge(uow, CONTACT, one.id, [two.id], {})
    assert await shown(manager) == []
    async with unit_of_work(manager) as uow:
        await merges.unmerge(uow, done.id)
    assert len(await shown(manager)) == 1
    async with unit_of_work(manager) as uow:
        await records.update(uow, CONTACT, odd.id, {"first_name": "Theodor", "last_name": "Altmann"})
    await scan(manager)
    assert await shown(manager, band=Band.check) == []


async def test_one_run_at_a_time_and_by_right(manager, alice):
    async with unit_of_work(manager) as uow:
        await duplicates_pairs.start(uow, ACCOUNT)
    with pytest.raises(Conflict):
        async with unit_of_work(manager) as uow:
            await duplicates_pairs.start(uow, ACCOUNT)
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await duplicates_pairs.start(uow, ACCOUNT)
    await scan_duplicates.func(str(manager.tenant_id), str(new_id()))  # gone meanwhile: nothing happens


async def test_who_does_not_see_both_sees_no_pair(manager, alice, carol, mallory, people):
    mighty = replace(carol, permissions=frozenset({"*"}))
    await scan(manager)
    assert len(await shown(alice)) == 1  # bob is of her team
    (pair,) = await shown(manager)
    for stranger in (mighty, mallory):
        assert await shown(stranger) == []
        with pytest.raises(NotFound):
            async with unit_of_work(stranger) as uow:
                await duplicates_pairs.tell_apart(uow, pair.id)
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await duplicates_pairs.tell_apart(uow, pair.id)


async def test_a_hidden_field_is_no_reason(manager, people):
    await scan(manager)
    blind = replace(manager, hidden_fields=frozenset({"contact.email"}))
    (pair,) = await shown(blind)
    assert pair.reasons == ("same name",)
