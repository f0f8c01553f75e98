"""Apps that sign in: short access tokens, refresh tokens that are good once, thieves that end both."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
import sqlalchemy as sa

from crm_app.api.limits import Buckets
from crm_app.api.rest import tokens
from crm_app.models.people.api_keys import ApiToken
from crm_app.services.people import api_callers, sessions, users
from crm_app.store.uow import unit_of_work
from tests.people import PASSWORD
from tests.services.people.test_sessions import address_of


@pytest.fixture
async def api(base_url, monkeypatch):
    monkeypatch.setattr(tokens, "_ASKED", Buckets(1, 60))
    async with httpx.AsyncClient(base_url=f"{base_url}/api", headers={"user-agent": "App/1.0"}) as client:
        yield client


async def signed_in(api, actor):
    answer = await api.post("/token/", json={"email": await address_of(actor), "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lists(api, access):
    return (await api.get("/accounts/", headers={"authorization": f"Bearer {access}"})).status_code


async def test_a_password_gives_a_pair(api, alice):
    pair = await signed_in(api, alice)
    assert pair["token_type"] == "Bearer" and pair["expires_in"] == 900
    assert await lists(api, pair["access_token"]) == 200
    said = jwt.decode(pair["access_token"], options={"verify_signature": False})
    assert said["sub"] == str(alice.user_id) and "email" not in said
    async with unit_of_work(alice) as uow:
        assert pair["refresh_token"] not in str((await uow.rows(sa.select(ApiToken.token_hash)))[0])


async def test_the_next_pair_uses_the_last_one_up(api, alice):
    first = await signed_in(api, alice)
    second = (await api.post("/token/refresh/", json={"refresh_token": first["refresh_token"]})).json()
    assert await lists(api, second["access_token"]) == 200
    stolen = await api.post("/token/refresh/", json={"refresh_token": first["refresh_token"]})
    assert stolen.status_code == 401
    for pair in (first, second):  # nobody knows which of the two was the thief
        assert await lists(api, pair["access_token"]) == 401
        assert (await api.post("/token/refresh/", json={"refresh_token": pair["refresh_token"]})).status_code == 401
    assert await lists(api, (await signed_in(api, alice))["access_token"]) == 200


async def test_of_two_at_once_one_gets_the_next_pair(api, alice):
    pair = await signed_in(api, alice)
    body = {"refresh_token": pair["refresh_token"]}
    answers = await asyncio.gather(*(api.post("/token/refresh/", json=body) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 401, 401, 401]


async def test_signed_out(api, alice):
    pair = await signed_in(api, alice)
    assert await lists(api, pair["access_token"]) == 200
    assert (await api.post("/token/revoke/", json={"refresh_token": pair["refresh_token"]})).status_code == 200
    assert await lists(api, pair["access_token"]) == 401
    assert (await api.post("/token/refresh/", json={"refresh_token": pair["refresh_token"]})).status_code == 401
    assert (await api.post("/token/revoke/", json={"refresh_token": "nobody's"})).status_code == 200


async def test_a_disabled_person_is_out(api, admin, alice):
    pair = await signed_in(api, alice)
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    api_callers.forget(alice.tenant_id)
    assert await lists(api, pair["access_token"]) == 401
    assert (await api.post("/token/refresh/", json={"refresh_token": pair["refresh_token"]})).status_code == 401


async def test_signing_out_everywhere_ends_apps_too(api, alice):
    pair = await signed_in(api, alice)
    async with unit_of_work(alice) as uow:
        await sessions.revoke_others(uow)
    api_callers.forget(alice.tenant_id)
    assert await lists(api, pair["access_token"]) == 401


async def test_forged_and_old_tokens(api, alice, mallory):
    pair = await signed_in(api, alice)
    said = jwt.decode(pair["access_token"], options={"verify_signature": False})
    key, now = api_callers.signing_key(), datetime.now(UTC)
    old = {**said, "exp": int((now - timedelta(seconds=1)).timestamp())}
    forged = [
        jwt.encode(said, "x" * 32, algorithm="HS256"),
        jwt.encode(said, "", algorithm="none"),
        jwt.encode(said, key + key, algorithm="HS512"),
        jwt.encode(old, key, algorithm="HS256"),
        jwt.encode({**said, "tid": str(mallory.tenant_id)}, key, algorithm="HS256"),
        jwt.encode({**said, "sub": str(mallory.user_id)}, key, algorithm="HS256"),
        jwt.encode({**said, "iss": "another"}, key, algorithm="HS256"),
        jwt.encode({**said, "fam": 1}, key, algorithm="HS256"),
        jwt.encode({n: v for n, v in said.items() if n != "exp"}, key, algorithm="HS256"),
        pair["access_token"][:-2],
        pair["refresh_token"],
    ]
    assert [await lists(api, token) for token in forged] == [401] * len(forged)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "nobody@example.com", "password": "wrong"}, 401),
        ({"email": "nobody@example.com"}, 422),
        ({"email": 1, "password": "x"}, 422),
        ({"email": "a\x00b", "password": "x"}, 422),
        ({"email": "a", "password": "x", "role": "admin"}, 422),
    ],
)
async def test_what_gives_no_pair(api, app_database, body, status):
    answer = await api.post("/token/", json=body)
    assert answer.status_code == status and set(answer.json()) == {"error_code", "message", "details"}


async def test_guesses_at_a_password_are_counted_as_at_the_page(api, alice):
    email = await address_of(alice)
    seen = [(await api.post("/token/", json={"email": email, "password": "wrong"})).status_code for _ in range(7)]
    assert seen[0] == 401 and seen[-1] == 429
    assert (await api.post("/token/", json={"email": email, "password": PASSWORD})).status_code == 429
