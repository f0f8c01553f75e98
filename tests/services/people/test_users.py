"""Who may manage whom, and what a workspace never loses."""

import asyncio

import pytest
import sqlalchemy as sa

from crm_app.core.context import Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.customers.accounts import Account
from crm_app.models.people.users import USER, Role, Team, User, UserStatus
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.people import roles, sessions, teams, users
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.people.test_sessions import signed_in


async def status_of(actor, user_id):
    async with unit_of_work(actor) as uow:
        return (await uow.get(User, user_id)).status


async def test_everybody_sees_the_people_of_the_workspace_and_no_others(admin, alice, reader, mallory):
    async with unit_of_work(reader) as uow:
        listed = await users.listed(uow)
    assert {u.name for u in listed} == {"Ada Admin", "Maria", "Alice", "Bob", "Rita"}
    assert {(u.role, u.team) for u in listed if u.name == "Alice"} == {("Sales rep", "Sales")}
    async with unit_of_work(mallory) as uow:
        assert {u.name for u in await users.listed(uow)} == {"Ada Admin"}


@pytest.mark.parametrize("act", ["change", "disable", "enable", "remove"])
async def test_only_with_the_permission(workspace, alice, manager, bob, act):
    more = {"role_id": workspace.roles["rep"], "team_id": None} if act == "change" else {}
    for person in (alice, manager):
        with pytest.raises(Forbidden) as told:
            async with unit_of_work(person) as uow:
                await getattr(users, act)(uow, bob.user_id, **more)
        assert told.value.permission == "user.manage"


@pytest.mark.parametrize("act", ["disable", "enable", "remove"])
async def test_mallory_cannot_tell_that_alice_exists(mallory, alice, act):
    with pytest.raises(NotFound):
        async with unit_of_work(mallory) as uow:
            await getattr(users, act)(uow, alice.user_id)


async def test_no_user_is_given_the_role_or_team_of_another_workspace(admin, alice, mallory, workspace):
    async with unit_of_work(mallory) as uow:
        role = (await uow.execute(sa.select(Role).where(Role.name == "Admin"))).scalar_one()
        team = (await uow.execute(sa.select(Team))).scalar_one()
    for values in ({"role_id": role.id, "team_id": None}, {"role_id": workspace.roles["rep"], "team_id": team.id}):
        with pytest.raises(NotFound):
            async with unit_of_work(admin) as uow:
                await users.change(uow, alice.user_id, **values)


async def test_a_disabled_user_is_out_at_once_and_back_with_the_old_password(admin, alice):
    cookie = await signed_in(alice)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    assert await sessions.actor_of(cookie) is None
    assert await status_of(admin, alice.user_id) is UserStatus.disabled
    with pytest.raises(Exception, match="not right"):
        await signed_in(alice)
    async with unit_of_work(admin) as uow:
        await users.enable(uow, alice.user_id)
    assert await sessions.actor_of(cookie) is None
    assert await sessions.actor_of(await signed_in(alice)) is not None


async def test_the_last_admin_stays(workspace, admin):
    other = await workspace.person("Otto", role="admin")
    async with unit_of_work(admin) as uow:
        await users.change(uow, other.user_id, role_id=workspace.roles["rep"], team_id=None)
    with pytest.raises(Conflict, match="last one"):
        async with unit_of_work(admin) as uow:
            await users.change(uow, admin.user_id, role_id=workspace.roles["rep"], team_id=None)
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await users.disable(uow, admin.user_id)
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await users.remove(uow, admin.user_id)


async def test_two_admins_cannot_remove_each_other_at_once(workspace, admin):
    other = await workspace.person("Otto", role="admin")

    async def demote(by, whom):
        async with unit_of_work(by) as uow:
            await users.change(uow, whom.user_id, role_id=workspace.roles["rep"], team_id=None)

    told = await asyncio.gather(demote(admin, other), demote(other, admin), return_exceptions=True)
    assert sorted(type(t).__name__ for t in told) == ["Conflict", "NoneType"]


async def test_one_who_owns_records_is_disabled_but_not_removed(admin, alice):
    async with unit_of_work(alice) as uow:
        uow.add(Account(name="Globex", name_key="globex", sort_key="globex", owner_id=alice.user_id))
    with pytest.raises(Conflict, match="1 account"):
        async with unit_of_work(admin) as uow:
            await users.remove(uow, alice.user_id)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)


async def test_a_removed_user_leaves_the_list_and_the_address(workspace, admin, alice):
    async with unit_of_work(admin) as uow:
        address = (await uow.get(User, alice.user_id)).email
        await users.remove(uow, alice.user_id)
    await workspace.person("Alice", email=address)


async def test_one_address_is_one_person(workspace, admin, alice):
    async with unit_of_work(admin) as uow:
        address = (await uow.get(User, alice.user_id)).email
    with pytest.raises(Invalid) as told:
        await workspace.person("Double", email=address.upper())
    assert "email" in told.value.fields


async def test_nobody_hands_out_more_than_they_have(workspace, admin):
    async with unit_of_work(admin) as uow:
        helper = await roles.create(
            uow, name="Help desk", scope=Scope.team, permissions={"user.manage", "user.read", "role.read", "team.read"}
        )
    desk = await workspace.person("Dora", role_id=helper.id)
    rep = await workspace.person("Rob")
    for role in ("admin", "manager", "read_only"):
        with pytest.raises(Forbidden):
            async with unit_of_work(desk) as uow:
                await users.add(uow, name="X", email="x@example.com", role_id=workspace.roles[role])
    for victim in (admin, rep):
        for act in (users.disable, users.enable, users.remove):
            with pytest.raises(Forbidden):
                async with unit_of_work(desk) as uow:
                    await act(uow, victim.user_id)
    with pytest.raises(Forbidden):
        async with unit_of_work(desk) as uow:
            await users.change(uow, desk.user_id, role_id=workspace.roles["admin"], team_id=None)


async def test_users_are_closed_to_the_generic_verbs(admin, alice, workspace):
    for attempt in (
        lambda uow: records.update(uow, USER, alice.user_id, {"role_id": workspace.roles["admin"]}),
        lambda uow: records.delete(uow, USER, alice.user_id),
        lambda uow: records.create(uow, USER, {"name": "X", "email": "x@example.com"}),
    ):
        with pytest.raises(Forbidden):
            async with unit_of_work(admin) as uow:
                await attempt(uow)


async def test_changes_of_a_user_are_on_record_without_the_password(workspace, admin, alice):
    async with unit_of_work(admin) as uow:
        await users.change(uow, alice.user_id, role_id=workspace.roles["manager"], team_id=None)
    async with unit_of_work(admin) as uow:
        entries = (
            (await uow.execute(sa.select(AuditEntry).where(AuditEntry.record_id == alice.user_id))).scalars().all()
        )
    made, changed = sorted(entries, key=lambda e: e.at)
    assert made.changes["password_hash"] == [None, "***"]
    assert changed.user_id == admin.user_id and changed.ip == "203.0.113.7" and changed.user_agent == "Tests/1.0"
    assert changed.changes["role_id"] == [str(workspace.roles["rep"]), str(workspace.roles["manager"])]


async def test_roles_of_ones_own(admin, alice, workspace):
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name=" Analyst ", scope=Scope.all, permissions={"opportunity.read"})
    assert role.name == "Analyst" and not role.is_system
    person = await workspace.person("Anna", role_id=role.id)
    assert person.permissions == {"opportunity.read"} and person.scope is Scope.all
    async with unit_of_work(admin) as uow:
        await roles.change(uow, role.id, name="Analyst", scope=Scope.own, permissions={"account.read"})
    assert (await workspace.acting(person.user_id)).permissions == {"account.read"}
    with pytest.raises(Conflict, match="1 people"):
        async with unit_of_work(admin) as uow:
            await roles.delete(uow, role.id)
    async with unit_of_work(admin) as uow:
        await users.change(uow, person.user_id, role_id=workspace.roles["rep"], team_id=None)
        await roles.delete(uow, role.id)
    async with unit_of_work(alice) as uow:
        assert [r.name for r in await roles.listed(uow)] == ["Admin", "Manager", "Sales rep", "Read only"]


async def test_roles_refuse_what_makes_no_sense(admin, alice, workspace):
    for wrong in ({"opportunity.fly"}, {"*"}, {"user.update"}, {"@manager"}):
        with pytest.raises(Invalid):
            async with unit_of_work(admin) as uow:
                await roles.create(uow, name="Odd", scope=Scope.own, permissions=wrong)
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await roles.create(uow, name="manager", scope=Scope.own, permissions=())
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await roles.change(uow, workspace.roles["rep"], name="Rep", scope=Scope.all, permissions=())
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await roles.create(uow, name="Mine", scope=Scope.all, permissions={"user.manage"})


async def test_every_permission_asked_for_in_the_code_exists():
    import re
    from pathlib import Path

    import crm_app

    asked = set()
    for file in Path(crm_app.__file__).parent.rglob("*.py"):
        asked |= set(re.findall(r"""(?:require|\.can)\(["']([a-z_]+\.[a-z_]+)["']""", file.read_text()))
    assert asked and asked <= set(roles.catalogue())


async def test_teams_form_a_tree(admin, alice, workspace):
    async with unit_of_work(admin) as uow:
        north = await teams.create(uow, name="North", parent_id=workspace.team_id, region="Nordics")
    with pytest.raises(Invalid, match="below"):
        async with unit_of_work(admin) as uow:
            await teams.change(uow, workspace.team_id, name="Sales", manager_id=None, parent_id=north.id)
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await teams.create(uow, name=" north ")
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await teams.create(uow, name="Mine")
    async with unit_of_work(alice) as uow:
        rows = {t.name: t for t in await teams.listed(uow)}
    assert (rows["North"].parent, rows["North"].region, rows["Sales"].manager) == ("Sales", "Nordics", "Maria")
    assert rows["Sales"].members == 4


async def test_a_manager_sees_the_teams_below(admin, workspace, manager):
    async with unit_of_work(admin) as uow:
        north = await teams.create(uow, name="North", parent_id=workspace.team_id)
    nora = await workspace.person("Nora", team_id=north.id)
    assert nora.user_id in (await workspace.acting(manager.user_id)).team_ids
    assert manager.user_id not in nora.team_ids
    async with unit_of_work(admin) as uow:
        await teams.delete(uow, north.id)
    assert nora.user_id not in (await workspace.acting(manager.user_id)).team_ids
