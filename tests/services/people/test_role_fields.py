"""What a role may do with fields: given by those who have as much, copied along, in force from the next click on."""

from dataclasses import replace

import pytest

from crm_app.core.context import FieldRight, Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.registry import get
from crm_app.services.people import role_fields, roles, users
from crm_app.services.people.roles import catalogue
from crm_app.services.platform import records
from crm_app.services.platform.schema import entity_of
from crm_app.store.uow import unit_of_work

CONTACT = get("contact")
RIGHTS = ["contact.read", "contact.update", "contact.create"]


@pytest.fixture
async def role(admin):
    async with unit_of_work(admin) as uow:
        return await roles.create(uow, name="Call centre", scope=Scope.all, permissions=RIGHTS)


async def give(actor, role, **rights):
    async with unit_of_work(actor) as uow:
        return await role_fields.change(uow, role.id, "contact", rights)


async def test_it_is_in_force_from_the_next_click_on(admin, role, workspace):
    await give(admin, role, phone="hidden", email="masked", title="read")
    dora = await workspace.person("Dora", role_id=role.id)
    async with unit_of_work(dora) as uow:
        entity = await entity_of(uow, "contact")
        assert "phone" not in entity.fields and entity.fields["email"].masked and "title" in entity.readonly
    async with unit_of_work(admin) as uow:
        lines = {x.name: x for x in await role_fields.listed(uow, role.id, "contact")}
    assert (lines["phone"].right, lines["email"].right, lines["title"].right) == ("hidden", "masked", "read")
    assert lines["mobile"].right is FieldRight.write
    await give(admin, role, phone="write", email="write", title="write")
    assert (await workspace.acting(dora.user_id)).hidden_fields == frozenset()


async def test_what_names_a_record_is_hidden_from_nobody(admin, role):
    async with unit_of_work(admin) as uow:
        lines = {x.name: x for x in await role_fields.listed(uow, role.id, "contact")}
    assert FieldRight.hidden not in lines[CONTACT.title].choices
    for rights in ({CONTACT.title: "hidden"}, {"phone": "everything"}, {"nonsense": "read"}, {"created_at": "write"}):
        with pytest.raises(Invalid):
            await give(admin, role, **rights)


async def test_nobody_gives_more_than_they_have(admin, role, mallory, alice, manager):
    await give(admin, role, phone="hidden")
    half = replace(admin, permissions=frozenset(catalogue()), hidden_fields=frozenset({"contact.phone"}))
    with pytest.raises((Forbidden, Invalid)):
        await give(half, role, phone="masked")
    await give(half, role, email="hidden")
    for actor, refusal in ((mallory, NotFound), (alice, Forbidden), (manager, Forbidden)):
        with pytest.raises(refusal):
            await give(actor, role, phone="write")


async def test_a_role_that_sees_more_is_not_handed_out(admin, role, alice):
    half = replace(admin, permissions=frozenset(catalogue()), masked_fields=frozenset({"contact.phone"}))
    with pytest.raises(Forbidden):
        async with unit_of_work(half) as uow:
            await users.change(uow, alice.user_id, role_id=role.id, team_id=None)
    with pytest.raises(Forbidden):
        async with unit_of_work(half) as uow:
            await roles.create(uow, name="Mine", scope=Scope.all, permissions=RIGHTS)


async def test_a_copy_has_them_too(admin, role):
    await give(admin, role, phone="hidden")
    async with unit_of_work(admin) as uow:
        copy = await roles.create(uow, name="Copy", scope=Scope.own, permissions=RIGHTS, like_id=role.id)
    assert copy.field_rights == {"contact.phone": "hidden"}


async def test_the_roles_of_every_workspace_stay(admin, workspace):
    async with unit_of_work(admin) as uow:
        rep = next(r for r in await roles.listed(uow) if r.id == workspace.roles["rep"])
    with pytest.raises(Conflict):
        await give(admin, rep, phone="hidden")


async def test_nobody_locks_themselves_out(admin, workspace):
    wide = sorted(p for p in catalogue())
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Second admin", scope=Scope.all, permissions=wide)
    second = await workspace.person("Sue", role_id=role.id)
    with pytest.raises(Conflict):
        async with unit_of_work(second) as uow:
            await roles.change(uow, role.id, name="Second admin", scope=Scope.all, permissions=["contact.read"])
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await users.change(uow, admin.user_id, role_id=role.id, team_id=None)
    async with unit_of_work(second) as uow:
        await roles.change(uow, role.id, name="Second admin", scope=Scope.all, permissions=[*wide[:-1], "role.manage"])
        assert (await roles.holders(uow))[role.id] == ["Sue"]


async def test_a_masked_value_is_not_written_back(admin, role, workspace):
    async with unit_of_work(admin) as uow:
        contact = await records.create(uow, CONTACT, {"last_name": "Berg", "phone": "+4930123456"})
    await give(admin, role, phone="masked")
    dora = await workspace.person("Dora", role_id=role.id)
    with pytest.raises(Invalid):
        async with unit_of_work(dora) as uow:
            await records.update(uow, await entity_of(uow, "contact"), contact.id, {"phone": "•••"})
