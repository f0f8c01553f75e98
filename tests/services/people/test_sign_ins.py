"""Who came in and who tried: kept for the person and for those who look after people, told to nobody else."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Forbidden, NotFound, Throttled, Unauthenticated
from crm_app.models.base import table_of
from crm_app.models.people.sessions import SignIn
from crm_app.models.people.users import User
from crm_app.services.people import api_tokens, sessions, sign_ins, signed_in, users
from crm_app.store.uow import unit_of_work
from tests.people import PASSWORD

_sign_ins = table_of(SignIn)


async def email_of(actor):
    async with unit_of_work(actor) as uow:
        return (await uow.get(User, actor.user_id)).email


async def told(actor):
    async with unit_of_work(actor) as uow:
        return [(t.outcome.value, t.way.value, t.ip, t.user_agent) for t in await sign_ins.mine(uow)]


async def fail(email, password="wrong", ip="192.0.2.66"):
    with pytest.raises((Unauthenticated, Throttled)):
        await sessions.sign_in(email, password, ip=ip, user_agent="Thief/1.0")


async def test_success_and_failure_are_told_to_the_person(alice):
    email = await email_of(alice)
    await fail(email)
    await sessions.sign_in(email, PASSWORD, ip="203.0.113.7", user_agent="Firefox/1")
    await api_tokens.sign_in(email, PASSWORD, ip="203.0.113.8", user_agent="App/1")
    assert await told(alice) == [
        ("success", "app", "203.0.113.8", "App/1"), ("success", "password", "203.0.113.7", "Firefox/1"),
        ("wrong_password", "password", "192.0.2.66", "Thief/1.0"),
    ]  # fmt: skip


async def test_what_was_typed_is_nowhere(alice, database):
    await fail(await email_of(alice), password="my other secret")
    await fail("stranger@example.com", password="my other secret")
    async with unit_of_work(alice) as uow:
        rows = await uow.rows(sa.select(sa.literal_column("sign_in::text")).select_from(_sign_ins))
        assert len(rows) == 1 and "secret" not in repr(rows) and "stranger" not in repr(rows)


async def test_a_flood_is_told_once(alice):
    email = await email_of(alice)
    for n in range(12):
        await fail(email, ip=f"192.0.2.{n}")
    outcomes = [t[0] for t in await told(alice)]
    assert outcomes == ["throttled"] + ["wrong_password"] * 5


async def test_one_address_in_two_workspaces_is_told_in_both_and_no_more(workspace, mallory, alice):
    email = await email_of(alice)
    async with unit_of_work(mallory) as uow:
        role_id = (await uow.get(User, mallory.user_id)).role_id
        twin = await users.add(uow, name="Alice there", email=email, role_id=role_id)
    await fail(email)
    assert [t[0] for t in await told(alice)] == ["wrong_password"]
    async with unit_of_work(mallory) as uow:
        lines, _ = await sign_ins.listed(uow)
    assert {line.user_id for line in lines if line.outcome != "success"} == {twin.id}


async def test_a_disabled_person_is_told_as_such_to_admins(admin, alice):
    email = await email_of(alice)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    await fail(email, password=PASSWORD)
    async with unit_of_work(admin) as uow:
        lines, _ = await sign_ins.listed(uow, failed_only=True)
    assert [(line.name, line.outcome.value) for line in lines] == [("Alice", "disabled")]


async def test_pages_meet(admin, alice):
    async with unit_of_work(alice) as uow:
        for _ in range(7):
            await sign_ins.record(uow, alice.user_id, "password")
    found, before = [], None
    while True:
        async with unit_of_work(admin) as uow:
            lines, before = await sign_ins.listed(uow, user_id=alice.user_id, before=before, limit=3)
        found += [line.id for line in lines]
        if before is None:
            break
    assert len(found) == len(set(found)) == 7


async def test_only_those_who_look_after_people_see_them(alice, manager, mallory, admin):
    await sessions.sign_in(await email_of(alice), PASSWORD, ip="203.0.113.7")
    for actor in (alice, manager):
        for ask in (sign_ins.listed, signed_in.listed):
            with pytest.raises(Forbidden):
                async with unit_of_work(actor) as uow:
                    await ask(uow)
    async with unit_of_work(mallory) as uow:
        lines, _ = await sign_ins.listed(uow, user_id=alice.user_id)
        assert lines == []
        assert alice.user_id not in {p.user_id for p in await signed_in.listed(uow)}


async def test_an_admin_ends_a_session_and_it_is_over_at_once(admin, alice, mallory):
    token = await sessions.sign_in(await email_of(alice), PASSWORD, ip="203.0.113.7")
    cookie = f"{sessions.cookie_name()}={token}"
    async with unit_of_work(admin) as uow:
        (place,) = [p for p in await signed_in.listed(uow) if p.user_id == alice.user_id]
    for actor in (mallory, alice):
        with pytest.raises((NotFound, Forbidden)):
            async with unit_of_work(actor) as uow:
                await signed_in.end(uow, place.id)
    assert await sessions.actor_of(cookie) is not None
    async with unit_of_work(admin) as uow:
        assert await signed_in.end(uow, place.id) == "Alice"
    assert await sessions.actor_of(cookie) is None
    with pytest.raises(NotFound):
        async with unit_of_work(admin) as uow:
            await signed_in.end(uow, place.id)


async def test_nobody_signs_out_those_who_may_do_more(admin, alice):
    token = await sessions.sign_in(await email_of(admin), PASSWORD, ip="203.0.113.7")
    helper = replace(alice, permissions=alice.permissions | {"user.manage"})
    async with unit_of_work(helper) as uow:
        place = next(p for p in await signed_in.listed(uow) if p.user_id == admin.user_id)
    for act, given in ((signed_in.end, place.id), (signed_in.end_all, admin.user_id)):
        with pytest.raises(Forbidden):
            async with unit_of_work(helper) as uow:
                await act(uow, given)
    assert await sessions.actor_of(f"{sessions.cookie_name()}={token}") is not None


async def test_a_year_later_they_are_forgotten(alice):
    async with unit_of_work(alice) as uow:
        await sign_ins.record(uow, alice.user_id, "password")
        now = uow.now
    async with unit_of_work(alice, now=now + timedelta(days=364)) as uow:
        await sessions.sweep(uow)
    assert len(await told(alice)) == 1
    async with unit_of_work(alice, now=now + timedelta(days=366)) as uow:
        await sessions.sweep(uow)
    assert await told(alice) == []


async def test_the_past_cannot_be_written_anew(alice):
    async with unit_of_work(alice) as uow:
        await sign_ins.record(uow, alice.user_id, "password")
    with pytest.raises(sa.exc.DBAPIError):
        async with unit_of_work(alice) as uow:
            await uow.execute(sa.update(_sign_ins).values(outcome="success"))
