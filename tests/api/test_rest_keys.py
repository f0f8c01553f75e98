"""API keys: who they act for, how far they reach, how they end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from crm_app.core.context import Source
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.people.api_keys import ApiKey
from crm_app.models.people.users import Role
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.people import api_callers, api_keys, roles, users
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work


def maker(actor):
    return replace(actor, permissions=actor.permissions | {api_keys.CREATE})


async def made(actor, **given):
    async with unit_of_work(maker(actor)) as uow:
        return await api_keys.create(uow, **{"name": "Sync", "scopes": ["*"], **given})


async def test_a_key_is_told_once_and_kept_as_a_digest(alice):
    token, view = await made(alice)
    assert token.startswith("sck_") and view.hint == token[-4:] and view.state == "live"
    async with unit_of_work(alice) as uow:
        row = (await uow.execute(sa.select(ApiKey))).scalar_one()
        assert token not in repr(row) and len(row.token_hash) == 64
        told = await uow.scalar(sa.select(AuditEntry.changes).where(AuditEntry.entity == "api_key"))
    assert told["token_hash"] == [None, "***"] and told["name"] == [None, "Sync"]


async def test_it_acts_as_its_person_and_is_seen_to_be_used(program, base_url, alice):
    client = await program(alice)
    assert (await client.get("/accounts/")).status_code == 200
    async with unit_of_work(alice) as uow:
        row = (await uow.execute(sa.select(ApiKey))).scalar_one()
    assert row.last_used_at is not None and row.last_used_ip == "127.0.0.1"


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer sck_nonsense", "Bearer a.b.c", "Basic YTpi", "sck_x"])
async def test_anything_else_is_nobody(base_url, sent):
    async with httpx.AsyncClient(base_url=f"{base_url}/api") as client:
        answer = await client.get("/accounts/", headers={"authorization": sent} if sent else {})
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error_code"] == "unauthenticated"


async def test_the_cookie_of_a_person_opens_nothing(browser, alice):
    alices = await browser(alice)
    assert (await alices.http.get("/api/me")).status_code == 200
    assert (await alices.http.get("/api/accounts/")).status_code == 401
    own = {"origin": alices.base_url, "content-type": "application/json"}
    assert (await alices.http.post("/api/accounts/", headers=own, content=b"{}")).status_code in (401, 405)


async def test_a_token_beside_a_cookie_takes_the_cookie_away(browser, program, alice, bob):
    alices, bobs = await browser(alice), await program(bob)
    both = await alices.http.get("/api/me", headers={"authorization": bobs.headers["authorization"]})
    assert both.json()["name"] == "Bob" and both.json()["permissions"] == sorted(bob.permissions)
    wrong = await alices.http.get("/api/me", headers={"authorization": "Bearer sck_wrong"})
    assert wrong.status_code == 401


async def test_revoked_at_once(program, alice):
    client = await program(alice)
    for _ in range(2):
        assert (await client.get("/accounts/")).status_code == 200
    async with unit_of_work(maker(alice)) as uow:
        (key,) = await api_keys.listed(uow)
        await api_keys.revoke(uow, key.id)
    assert (await client.get("/accounts/")).status_code == 401
    async with unit_of_work(maker(alice)) as uow:
        assert [k.state for k in await api_keys.listed(uow)] == ["revoked"]
        with pytest.raises(NotFound):
            await api_keys.revoke(uow, key.id)


async def test_expired_at_its_hour(program, alice):
    client = await program(alice, days=1)
    assert (await client.get("/accounts/")).status_code == 200
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.update(ApiKey).values(expires_at=uow.now - timedelta(seconds=1)))
        uow.changed_many("api_key")
    assert (await client.get("/accounts/")).status_code in (200, 401)  # the cache may still be told
    api_callers.forget(None)
    assert (await client.get("/accounts/")).status_code == 401


async def test_with_its_person_disabled_it_ends(program, admin, alice):
    client = await program(alice)
    assert (await client.get("/accounts/")).status_code == 200
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    api_callers.forget(alice.tenant_id)
    assert (await client.get("/accounts/")).status_code == 401


async def until_refused(client, path="/accounts/"):
    """Sooner than what is kept of a caller would grow old by itself."""
    async with asyncio.timeout(3):
        while (await client.get(path)).status_code == 200:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.02)


async def test_a_change_elsewhere_counts_here_at_once(program, workspace, alice, bob):
    """By the live feed, as from another process: nothing is forgotten by hand."""
    alices, bobs = await program(alice), await program(bob)
    for client in (alices, bobs):
        assert (await client.get("/contacts/")).status_code == 200
    async with unit_of_work(workspace.admin) as uow:
        await users.disable(uow, alice.user_id)
    await until_refused(alices)
    assert (await bobs.get("/contacts/")).status_code == 200
    async with unit_of_work(workspace.admin) as uow:
        role = await roles.create(uow, name="Accounts only", scope="own", permissions=["account.read"])
    async with unit_of_work(workspace.admin) as uow:
        await users.change(uow, bob.user_id, role_id=role.id, team_id=None)
    await until_refused(bobs, "/contacts/")
    assert (await bobs.get("/accounts/")).status_code == 200


async def test_it_does_no_more_than_its_scopes(program, alice):
    client = await program(alice, scopes=["account.read"])
    assert (await client.get("/accounts/")).status_code == 200
    refused = await client.get("/contacts/")
    assert refused.status_code == 403 and refused.json()["details"] == {"permission": "contact.read"}
    assert (await client.get("/accounts/", params={"expand": "owner"})).status_code == 403


async def test_nor_more_than_its_person(program, workspace, alice):
    """A role that loses a right takes it from keys that were made before."""
    with pytest.raises(Forbidden):
        await made(alice, scopes=["account.delete"])
    client = await program(alice, scopes=["*"])
    async with unit_of_work(workspace.admin) as uow:
        (await uow.get(Role, workspace.roles["rep"])).permissions = ["account.read"]
        uow.changed_many("role")
    api_callers.forget(alice.tenant_id)
    assert (await client.get("/accounts/")).status_code == 200
    assert (await client.get("/contacts/")).status_code == 403


@pytest.mark.parametrize(
    "given", [{"name": " "}, {"scopes": []}, {"scopes": ["account.fly"]}, {"days": 0}, {"per_minute": 10**9}]
)
async def test_what_makes_no_key(alice, given):
    with pytest.raises(Invalid):
        await made(alice, **given)


async def test_who_makes_keys(alice, bob, mallory, workspace):
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await api_keys.create(uow, name="Sync", scopes=["*"])
    with pytest.raises(Forbidden):  # a key makes no keys
        await made(replace(alice, source=Source.api))
    _, key = await made(alice)
    for other in (maker(bob), mallory):
        async with unit_of_work(other) as uow:
            assert await api_keys.listed(uow) == []
            with pytest.raises(NotFound):
                await api_keys.revoke(uow, key.id)
    async with unit_of_work(workspace.admin) as uow:
        assert [k.user for k in await api_keys.listed(uow)] == ["Alice"]
        await api_keys.revoke(uow, key.id)


async def test_a_person_has_so_many_keys(alice, monkeypatch):
    monkeypatch.setattr(api_keys, "MOST_KEYS", 1)
    await made(alice)
    with pytest.raises(Conflict):
        await made(alice)


async def test_limits_are_told_and_kept(program, alice):
    client = await program(alice, per_minute=3)
    answers = [await client.get("/accounts/") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-limit"] == "3" and int(answers[3].headers["retry-after"]) > 0
    assert answers[3].json()["details"]["retry_after"] > 0
    another = await program(alice)
    assert (await another.get("/accounts/")).status_code == 200


async def test_guessing_keys_is_slowed_down(base_url, program, alice):
    good = await program(alice)
    assert (await good.get("/accounts/")).status_code == 200
    async with httpx.AsyncClient(base_url=f"{base_url}/api") as client:
        seen = [
            (await client.get("/accounts/", headers={"authorization": f"Bearer sck_{n}"})).status_code
            for n in range(70)
        ]
    assert seen[0] == 401 and seen[-1] == 429
    assert (await good.get("/accounts/")).status_code == 200  # from the same address, and no stranger


async def test_mallory_sees_none_of_it(program, alice, mallory):
    async with unit_of_work(alice) as uow:
        record = await records.create(uow, ACCOUNT, {"name": "Geheim"})
    client = await program(mallory)
    assert (await client.get("/accounts/")).json()["data"] == []
    missing = await client.get("/accounts/0190d5c2-7a3e-7c1b-9f00-000000000001/")
    foreign = await client.get(f"/accounts/{record.id}/")
    assert foreign.status_code == 404 and foreign.json() == missing.json()
