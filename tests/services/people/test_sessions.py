"""Signing in, being throttled, being signed out from elsewhere."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import NotFound, Throttled, Unauthenticated
from crm_app.models.people.sessions import UserSession
from crm_app.models.people.users import User
from crm_app.services.people import sessions, users
from crm_app.store.uow import unit_of_work
from tests.people import PASSWORD


async def address_of(actor):
    async with unit_of_work(actor) as uow:
        return (await uow.get(User, actor.user_id)).email


async def signed_in(actor, ip="203.0.113.7", agent="Firefox"):
    token = await sessions.sign_in(await address_of(actor), PASSWORD, ip=ip, user_agent=agent)
    return f"theme=dark; {sessions.cookie_name()}={token}"


async def test_the_cookie_brings_back_the_person_with_rights_and_team(alice, bob):
    cookie = await signed_in(alice)
    visitor = await sessions.visitor_of(cookie, ip="198.51.100.1", user_agent="Phone", request_id="r1")
    actor = visitor.actor
    assert (actor.tenant_id, actor.user_id, actor.name) == (alice.tenant_id, alice.user_id, "Alice")
    assert actor.permissions == alice.permissions and actor.scope is alice.scope and bob.user_id in actor.team_ids
    assert (actor.time_zone, actor.currency) == ("Europe/Berlin", "EUR")
    assert (actor.ip, actor.user_agent, actor.request_id) == ("198.51.100.1", "Phone", "r1")
    assert visitor.role == "Sales rep" and visitor.workspace.startswith("Northwind")


@pytest.mark.parametrize("cookie", ["", "sid=", "sid=nonsense", "theme=dark", 'sid="\\', "xsid=1; other"])
async def test_anything_else_in_the_cookie_is_nobody(app_database, cookie):
    assert await sessions.actor_of(cookie) is None


async def test_the_token_itself_is_not_in_the_database(alice):
    cookie = await signed_in(alice)
    token = sessions.token_in(cookie)
    async with unit_of_work(alice) as uow:
        stored = await uow.scalar(sa.select(UserSession.token_hash))
    assert token not in stored and stored == sessions.digest(token)


async def test_case_and_accents_of_the_address_do_not_matter(workspace):
    actor = await workspace.person("Zoë", email=f"Zoe.Q.{workspace.tenant_id.hex[-8:]}@Example.com")
    assert await sessions.sign_in(f" zoe.q.{workspace.tenant_id.hex[-8:]}@example.COM ", PASSWORD, ip="192.0.2.3")
    assert actor.name == "Zoë"


@pytest.mark.parametrize("email", ["nobody@example.com", "not an address", "a\x00b@example.com", ""])
async def test_an_unknown_address_is_told_the_same_as_a_wrong_password(alice, email):
    with pytest.raises(Unauthenticated) as unknown:
        await sessions.sign_in(email, PASSWORD, ip="192.0.2.9")
    with pytest.raises(Unauthenticated) as wrong:
        await sessions.sign_in(await address_of(alice), "not her password", ip="192.0.2.9")
    assert str(unknown.value) == str(wrong.value)


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(alice):
    async def seconds(email):
        start = asyncio.get_running_loop().time()
        with pytest.raises(Unauthenticated):
            await sessions.sign_in(email, "not the password", ip="192.0.2.10")
        return asyncio.get_running_loop().time() - start

    await seconds("warm@example.com")
    known = min([await seconds(await address_of(alice)) for _ in range(3)])
    unknown = min([await seconds(f"nobody{i}@example.com") for i in range(3)])
    assert unknown > known / 2


async def test_five_failures_close_the_door_even_to_the_right_password(alice):
    email = await address_of(alice)
    for n in range(5):
        with pytest.raises(Unauthenticated):
            await sessions.sign_in(email, "wrong", ip=f"192.0.2.{n}")
    with pytest.raises(Throttled) as told:
        await sessions.sign_in(email, PASSWORD, ip="192.0.2.77")
    assert 800 < told.value.retry_after <= 901
    assert "min" in str(told.value)


async def test_a_hundred_guesses_at_once_are_no_way_around_it(alice):
    email = await address_of(alice)
    told = await asyncio.gather(
        *(sessions.sign_in(email, f"guess {n}", ip=f"198.51.100.{n}") for n in range(40)), return_exceptions=True
    )
    assert sum(isinstance(t, Unauthenticated) for t in told) <= 5
    assert sum(isinstance(t, Throttled) for t in told) >= 35


async def test_twenty_failures_from_one_address_close_it_for_all_names(alice):
    for n in range(20):
        with pytest.raises(Unauthenticated):
            await sessions.sign_in(f"name{n}@example.com", "wrong", ip="203.0.113.200")
    with pytest.raises(Throttled):
        await sessions.sign_in(await address_of(alice), PASSWORD, ip="203.0.113.200")
    assert await sessions.sign_in(await address_of(alice), PASSWORD, ip="203.0.113.201")


async def test_the_right_password_forgives_what_failed_here(alice):
    email = await address_of(alice)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                await sessions.sign_in(email, "wrong", ip="203.0.113.7")
        assert await sessions.sign_in(email, PASSWORD, ip="203.0.113.7")


async def test_the_wait_ends(alice, monkeypatch):
    email = await address_of(alice)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await sessions.sign_in(email, "wrong", ip="203.0.113.8")
    later = utcnow() + sessions.WINDOW + timedelta(seconds=2)
    monkeypatch.setattr(sessions, "utcnow", lambda: later)
    assert await sessions.sign_in(email, PASSWORD, ip="203.0.113.8")


async def test_sessions_are_listed_and_ended_one_by_one(alice):
    laptop, phone = await signed_in(alice, agent="Laptop"), await signed_in(alice, agent="Phone")
    here = await sessions.actor_of(laptop)
    async with unit_of_work(here) as uow:
        listed = await sessions.list_sessions(uow)
        assert [(s.user_agent, s.is_current) for s in listed] == [("Laptop", True), ("Phone", False)]
        await sessions.revoke(uow, listed[1].id)
    assert await sessions.actor_of(phone) is None
    assert await sessions.actor_of(laptop) is not None


async def test_nobody_ends_the_session_of_another(alice, bob, admin, mallory):
    cookie = await signed_in(alice)
    victim = await sessions.actor_of(cookie)
    for stranger in (bob, admin, mallory):
        with pytest.raises(NotFound):
            async with unit_of_work(stranger) as uow:
                await sessions.revoke(uow, victim.session_id)
    assert await sessions.actor_of(cookie) is not None


async def test_everywhere_else_is_signed_out_at_once(alice):
    cookies = [await signed_in(alice) for _ in range(3)]
    here = await sessions.actor_of(cookies[0])
    async with unit_of_work(here) as uow:
        assert await sessions.revoke_others(uow) == 2
    assert [await sessions.actor_of(c) is not None for c in cookies] == [True, False, False]


async def test_signing_out_ends_the_session_for_good(alice):
    cookie = await signed_in(alice)
    await sessions.sign_out(await sessions.actor_of(cookie))
    assert await sessions.actor_of(cookie) is None


async def test_a_session_ends_when_nobody_uses_it_and_at_its_limit(alice):
    cookie = await signed_in(alice)
    actor = await sessions.actor_of(cookie)
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.update(UserSession).values(expires_at=uow.now - timedelta(seconds=1)))
    assert await sessions.actor_of(cookie) is None

    cookie = await signed_in(alice)
    actor = await sessions.actor_of(cookie)
    long_ago = utcnow() - timedelta(days=29, hours=23)
    async with unit_of_work(alice) as uow:
        await uow.execute(
            sa.update(UserSession)
            .where(UserSession.id == actor.session_id)
            .values(created_at=long_ago, last_seen_at=utcnow() - timedelta(hours=5))
        )
    assert await sessions.actor_of(cookie) is not None
    async with unit_of_work(alice) as uow:
        ends = await uow.scalar(sa.select(UserSession.expires_at).where(UserSession.id == actor.session_id))
    assert abs(ends - (long_ago + timedelta(days=30))) < timedelta(seconds=1)


async def test_use_is_noted_once_a_minute(alice):
    cookie = await signed_in(alice)
    session_id = (await sessions.actor_of(cookie)).session_id

    async def last_seen():
        async with unit_of_work(alice) as uow:
            return await uow.scalar(sa.select(UserSession.last_seen_at).where(UserSession.id == session_id))

    first = await last_seen()
    await sessions.actor_of(cookie)
    assert await last_seen() == first
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.update(UserSession).values(last_seen_at=utcnow() - timedelta(seconds=90)))
    await sessions.actor_of(cookie, touch=False)
    assert await last_seen() < utcnow() - timedelta(seconds=80)
    await sessions.actor_of(cookie)
    assert await last_seen() > utcnow() - timedelta(seconds=10)


async def test_a_changed_role_counts_from_the_next_click(workspace, admin, alice):
    cookie = await signed_in(alice)
    async with unit_of_work(admin) as uow:
        await users.change(uow, alice.user_id, role_id=workspace.roles["read_only"], team_id=None)
    assert not (await sessions.actor_of(cookie)).can("opportunity.update")


async def test_the_same_address_in_two_workspaces_opens_the_one_the_password_is_of(workspace, mallory, alice):
    async with unit_of_work(mallory) as uow:
        role = (await sessions_role(uow)).id
        await users.add(
            uow, name="Alice too", email=await address_of(alice), role_id=role,
            password_hash=await sessions.passwords.hash_password("another good sentence"),
        )  # fmt: skip
    there = await sessions.sign_in(await address_of(alice), "another good sentence", ip="192.0.2.40")
    here = await sessions.sign_in(await address_of(alice), PASSWORD, ip="192.0.2.40")
    name = sessions.cookie_name()
    assert (await sessions.actor_of(f"{name}={there}")).tenant_id == mallory.tenant_id
    assert (await sessions.actor_of(f"{name}={here}")).tenant_id == alice.tenant_id


async def sessions_role(uow):
    from crm_app.models.people.users import Role

    return (await uow.execute(sa.select(Role).where(Role.name == "Sales rep"))).scalar_one()


async def test_an_older_hash_is_renewed_at_sign_in(alice):
    from passlib.hash import argon2

    weak = argon2.using(type="ID", memory_cost=8192, rounds=1, parallelism=1).hash(PASSWORD)
    async with unit_of_work(alice) as uow:
        (await uow.get(User, alice.user_id)).password_hash = weak
    await signed_in(alice)
    async with unit_of_work(replace(alice)) as uow:
        renewed = (await uow.get(User, alice.user_id)).password_hash
    assert renewed != weak and "m=19456" in renewed
    await signed_in(alice)


async def test_what_ended_long_ago_is_forgotten(alice):
    cookies = [await signed_in(alice) for _ in range(2)]
    ended = (await sessions.actor_of(cookies[1])).session_id
    with pytest.raises(Unauthenticated):
        await sessions.sign_in(await address_of(alice), "wrong", ip="192.0.2.77")
    async with unit_of_work(alice) as uow:
        long_ago = uow.now - timedelta(days=31)
        await uow.execute(sa.update(UserSession).where(UserSession.id == ended).values(revoked_at=long_ago))
    async with unit_of_work(alice, now=utcnow() + timedelta(days=2)) as uow:
        await sessions.sweep(uow)
        left = (await uow.execute(sa.select(UserSession.id))).scalars().all()
        attempts = await uow.scalar(sa.text("SELECT count(*) FROM sign_in_attempt WHERE ip = '192.0.2.77'"))
    assert left == [(await sessions.actor_of(cookies[0])).session_id] and attempts == 0


async def test_a_household_of_ipv6_is_one_place(alice):
    for n in range(20):
        with pytest.raises(Unauthenticated):
            await sessions.sign_in(f"name{n}@example.com", "wrong", ip=f"2001:db8:7:7::{n:x}")
    with pytest.raises(Throttled):
        await sessions.sign_in(await address_of(alice), PASSWORD, ip="2001:db8:7:7:aaaa::1")
