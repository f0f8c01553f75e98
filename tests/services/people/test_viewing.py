"""Looking as another person: what they see, nothing written whatever is tried, told in the log, over by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.registry import get
from crm_app.models.base import table_of
from crm_app.models.people.sessions import UserSession
from crm_app.models.people.users import User
from crm_app.services.people import api_keys, profile, sessions, users, viewing
from crm_app.services.platform import lists, records
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

ACCOUNT, DEAL = get("account"), get("opportunity")
_sessions = table_of(UserSession)


async def signed_in(person) -> str:
    async with unit_of_work(person) as uow:
        return f"{sessions.cookie_name()}={await sessions.open_session(uow, person.user_id)}"


async def visitor(cookie):
    return await sessions.visitor_of(cookie, ip="203.0.113.7", user_agent="Tests/1.0", touch=False)


async def looks_as(admin, person):
    """The admin's cookie, and whom it stands for now."""
    cookie = await signed_in(admin)
    async with unit_of_work((await visitor(cookie)).actor) as uow:
        await viewing.begin(uow, person.user_id)
    return cookie, (await visitor(cookie)).actor


async def test_one_sees_what_they_see_and_no_more(admin, alice, carol):
    hers, his = await a_deal(alice, "Hers"), await a_deal(carol, "Of another team")
    _, actor = await looks_as(admin, alice)
    assert (actor.user_id, actor.looker_id, actor.scope) == (alice.user_id, admin.user_id, alice.scope)
    assert actor.permissions == {p for p in alice.permissions if p.endswith(".read")}
    async with unit_of_work(actor) as uow:
        found = {r["id"] for r in (await records.find(uow, DEAL)).rows}
    assert hers.id in found and his.id not in found


async def test_nothing_is_written_whatever_right_is_claimed(admin, alice):
    deal = await a_deal(alice, "Hers")
    _, actor = await looks_as(admin, alice)
    writes = (
        lambda uow: records.create(uow, ACCOUNT, {"name": "Mine"}),
        lambda uow: records.update(uow, DEAL, deal.id, {"name": "x"}),
        lambda uow: profile.change(uow, name="Somebody else"),
        lambda uow: profile.set_preference(uow, "x", 1),
        lambda uow: sessions.revoke_others(uow),
        lambda uow: api_keys.create(uow, name="For later", scopes=["*"]),
        lambda uow: lists.set_width(uow, DEAL, "name", 200),
        lambda uow: uow.execute(sa.text("UPDATE crm_user SET name = 'x'")),
        lambda uow: uow.execute(sa.text("SELECT crm_note('user', gen_random_uuid(), 'export', '{}')")),
    )
    for claimed in (actor, replace(actor, permissions=frozenset({"*"}))):
        for write in writes:
            with pytest.raises(Forbidden):
                async with unit_of_work(claimed) as uow:
                    await write(uow)
    async with unit_of_work(alice) as uow:
        assert (await uow.get(User, alice.user_id)).name == "Alice"


async def test_it_ends_by_hand_and_by_itself(admin, alice):
    cookie, actor = await looks_as(admin, alice)
    await viewing.end(actor)
    assert (await visitor(cookie)).actor.user_id == admin.user_id
    cookie, actor = await looks_as(admin, alice)
    async with unit_of_work(admin) as uow:
        past = {"viewing_until": utcnow() - timedelta(seconds=1)}
        await uow.execute(sa.update(_sessions).where(_sessions.c.id == actor.session_id).values(past))
    back = (await visitor(cookie)).actor
    assert (back.user_id, back.looker_id) == (admin.user_id, None) and back.can("user.manage")


async def test_it_ends_when_the_person_is_disabled_and_with_the_session(admin, alice, bob):
    cookie, _ = await looks_as(admin, alice)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    assert (await visitor(cookie)).actor.user_id == admin.user_id
    cookie, actor = await looks_as(admin, bob)
    await sessions.sign_out(actor)
    assert await sessions.visitor_of(cookie) is None


async def test_the_log_tells_of_it(admin, alice):
    _, actor = await looks_as(admin, alice)
    await viewing.end(actor)
    async with unit_of_work(admin) as uow:
        told = await uow.rows(
            sa.text("SELECT user_id, action, record_id FROM audit_log WHERE action LIKE 'view%' ORDER BY at")
        )
    assert [tuple(t) for t in told] == [
        (admin.user_id, "view", alice.user_id), (admin.user_id, "view_end", alice.user_id)
    ]  # fmt: skip


async def test_who_may_and_as_whom(admin, alice, bob, manager, mallory, workspace):
    async def tries(who, whom, refusal):
        actor = (await visitor(await signed_in(who))).actor
        if who is bob:
            actor = replace(actor, permissions=actor.permissions | {"user.view_as"})
        with pytest.raises(refusal):
            async with unit_of_work(actor) as uow:
                await viewing.begin(uow, whom)

    await tries(alice, bob.user_id, Forbidden)
    await tries(manager, bob.user_id, Forbidden)
    await tries(bob, admin.user_id, Forbidden)  # may do more
    await tries(mallory, alice.user_id, NotFound)
    await tries(admin, mallory.user_id, NotFound)
    await tries(admin, admin.user_id, Invalid)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    await tries(admin, alice.user_id, Conflict)
    with pytest.raises(Forbidden):  # a key of a program, a job
        async with unit_of_work(admin) as uow:
            await viewing.begin(uow, bob.user_id)


async def test_one_look_at_a_time(admin, alice, bob):
    _, actor = await looks_as(admin, alice)
    for claimed in (actor, replace(actor, permissions=frozenset({"*"}))):
        with pytest.raises(Forbidden):
            async with unit_of_work(claimed) as uow:
                await viewing.begin(uow, bob.user_id)


async def test_being_seen_is_noted_of_the_one_who_looks(admin, alice):
    async with unit_of_work(alice) as uow:
        before = (await uow.get(User, alice.user_id)).last_seen_at
    cookie, actor = await looks_as(admin, alice)
    async with unit_of_work(admin) as uow:
        old = {"last_seen_at": utcnow() - timedelta(hours=1)}
        await uow.execute(sa.update(_sessions).where(_sessions.c.id == actor.session_id).values(old))
    assert (await sessions.actor_of(cookie)).user_id == alice.user_id
    async with unit_of_work(alice) as uow:
        assert (await uow.get(User, alice.user_id)).last_seen_at == before
