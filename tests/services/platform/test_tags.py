"""Tags of a workspace: suggested as far as one sees them, renamed and joined over all kinds of records."""

from dataclasses import replace

import pytest

from crm_app.core.context import Scope
from crm_app.core.errors import Forbidden, Invalid
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import history, records, tags
from crm_app.store.uow import unit_of_work


async def account(actor, name, *given):
    async with unit_of_work(actor) as uow:
        return (await records.create(uow, ACCOUNT, {"name": name, "tags": list(given)})).id


async def tags_of(actor, record_id, *, in_trash=False):
    async with unit_of_work(actor) as uow:
        return (await uow.get(ACCOUNT.model, record_id, in_trash=in_trash)).tags


async def suggested(actor, text):
    async with unit_of_work(actor) as uow:
        return [(t.name, t.count) for t in await tags.suggested(uow, text)]


async def test_those_that_begin_so_come_first_then_those_used_most(alice):
    await account(alice, "A", "fair 2027", "vip")
    await account(alice, "B", "trade fair", "vip")
    await account(alice, "C", "trade fair", "VIP")
    async with unit_of_work(alice) as uow:
        await records.create(uow, CONTACT, {"last_name": "Weber", "tags": ["vip"]})
    assert await suggested(alice, "Fair ") == [("fair 2027", 1), ("trade fair", 2)]
    assert await suggested(alice, "") == [("vip", 3), ("trade fair", 2), ("VIP", 1), ("fair 2027", 1)]
    assert await suggested(alice, "%") == []


async def test_nobody_is_suggested_what_they_may_not_see(alice, bob, mallory):
    await account(alice, "A", "secret plan")
    assert await suggested(alice, "se") == [("secret plan", 1)]
    assert await suggested(replace(bob, scope=Scope.own), "se") == [] and await suggested(mallory, "se") == []
    for right in ("hidden", "masked"):
        assert await suggested(alice.with_field_rights({"account.tags": right}), "se") == []


async def test_two_names_become_one_in_every_record(admin, alice, mallory):
    one, both = await account(alice, "A", "key", "vip"), await account(alice, "B", "vip", "V.I.P.", "key")
    gone, other = await account(alice, "C", "V.I.P."), await account(mallory, "M", "V.I.P.")
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACCOUNT, gone)
    async with unit_of_work(alice) as uow:
        person = (await records.create(uow, CONTACT, {"last_name": "Weber", "tags": ["V.I.P.", "key"]})).id
    async with unit_of_work(admin) as uow:
        assert await tags.rename(uow, "V.I.P.", " vip ") == 3
    async with unit_of_work(admin) as uow:
        assert [(t.name, t.count) for t in await tags.listed(uow)] == [("key", 3), ("vip", 3)]
        assert (await uow.get(CONTACT.model, person)).tags == ["key", "vip"]
        changes = (await history.of_field(uow, CONTACT, person, "tags")).changes
        assert changes[0].new == ["key", "vip"] and changes[0].user_name == admin.name
    assert await tags_of(admin, one) == ["key", "vip"] and await tags_of(admin, both) == ["vip", "key"]
    assert await tags_of(admin, gone, in_trash=True) == ["vip"]
    assert await tags_of(mallory, other) == ["V.I.P."]


@pytest.mark.parametrize("to", ["", "a; b", "a, b", "x" * 61])
async def test_what_is_no_tag_is_refused(admin, to):
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await tags.rename(uow, "vip", to)


async def test_only_who_manages_the_workspace_puts_tags_in_order(alice):
    async with unit_of_work(alice) as uow:
        for refused in (lambda: tags.listed(uow), lambda: tags.rename(uow, "a", "b")):
            with pytest.raises(Forbidden):
                await refused()
