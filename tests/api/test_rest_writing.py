"""Changes over REST: bodies that are no bodies, versions, keys against doing things twice, foreign pages."""

import asyncio
import json

import httpx
import pytest
import sqlalchemy as sa

from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.platform.events import Event
from crm_app.models.platform.idempotency import IdempotencyKey
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

JSON = {"content-type": "application/json"}


async def count(actor, model=Account):
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).select_from(model))


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"name"', "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": "x"}', "text/plain", 415),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b'{"name": "x"}', "", 415),
        (b'{"name": "a\\u0000b"}', "application/json", 422),
        (b'{"name": "' + b"x" * 1000 + b'"}', "application/json", 422),
        (b'{"name": "x", "tags": ' + b"[" * 60 + b"]" * 60 + b"}", "application/json", 422),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
    ],
)  # fmt: skip
async def test_what_is_no_body(program, alice, body, content_type, status):
    client = await program(alice)
    answer = await client.post(
        "/accounts/", content=body, headers={"content-type": content_type} if content_type else {}
    )
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error_code", "message", "details"}
    assert await count(alice) == 0


async def test_a_body_that_grows_without_end_is_cut_off(program, alice):
    async def endless():
        for _ in range(200):
            yield b" " * 65_536

    answer = await (await program(alice)).post("/accounts/", content=endless(), headers=JSON)
    assert answer.status_code == 413 and answer.json()["error_code"] == "too_large"


async def test_nobody_without_a_token_sends_a_body(base_url):
    async with httpx.AsyncClient(base_url=f"{base_url}/api") as client:
        answer = await client.post("/accounts/", content=b'{"name": "x"}', headers=JSON)
    assert answer.status_code == 401


async def test_a_foreign_page_cannot_write_with_the_cookie(browser, alice):
    alices = await browser(alice)
    for origin in ("https://evil.example", "null", alices.base_url):
        for kind in ("application/json", "text/plain"):
            headers = {"origin": origin, "content-type": kind}
            answer = await alices.http.post("/api/accounts/", content=b'{"name":"Evil"}', headers=headers)
            assert answer.status_code in (401, 403)
    assert await count(alice) == 0


@pytest.mark.parametrize("name", ["user-agent", "idempotency-key", "if-none-match", "if-match", "x-forwarded-for"])
@pytest.mark.parametrize("value", ["é" * 10, "' OR 1=1 --", "a" * 5000, "%0d%0aSet-Cookie: x=1"])
async def test_headers_are_words_not_orders(program, alice, name, value):
    client = await program(alice)
    headers = [*JSON.items(), (name, value.encode())]
    for answer in (
        await client.post("/accounts/", content=b'{"name":"x"}', headers=headers),
        await client.get("/accounts/", headers=headers),
    ):
        assert answer.status_code < 500 and "set-cookie" not in answer.headers
        assert "1=1" not in str(answer.headers)


async def test_a_name_in_the_body_never_reaches_a_header(program, alice):
    answer = await (await program(alice)).post("/accounts/", json={"name": "x\r\nSet-Cookie: a=b"})
    assert answer.status_code in (201, 422) and "set-cookie" not in answer.headers


async def test_sent_twice_done_once(program, alice):
    client, key = await program(alice), {"idempotency-key": "order-1"}
    first = await client.post("/accounts/", json={"name": "Acme"}, headers=key)
    again = await client.post("/accounts/", json={"name": "Acme"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201) and first.content == again.content
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    assert await count(alice) == 1
    other = await client.post("/accounts/", json={"name": "Beta"}, headers=key)
    assert other.status_code == 422 and other.json()["error_code"] == "idempotency_key_reused"
    elsewhere = await client.post("/contacts/", json={"name": "Acme"}, headers=key)
    assert elsewhere.status_code == 422


async def test_sent_twice_at_once_done_once(program, alice):
    client, key = await program(alice), {"idempotency-key": "order-1"}
    answers = await asyncio.gather(*(client.post("/accounts/", json={"name": "Acme"}, headers=key) for _ in range(8)))
    assert {a.status_code for a in answers} == {201} and len({a.content for a in answers}) == 1
    assert await count(alice) == 1


async def test_what_was_refused_may_be_sent_again_corrected(program, alice):
    client, key = await program(alice), {"idempotency-key": "order-1"}
    assert (await client.post("/accounts/", json={"nmae": "Acme"}, headers=key)).status_code == 422
    assert (await client.post("/accounts/", json={"name": "Acme"}, headers=key)).status_code == 201
    assert await count(alice, IdempotencyKey) == 1


async def test_another_persons_key_is_another_key(program, alice, bob, mallory):
    for who in (alice, bob, mallory):
        answer = await (await program(who)).post(
            "/accounts/", json={"name": who.name}, headers={"idempotency-key": "k"}
        )
        assert answer.status_code == 201 and answer.json()["name"] == who.name


async def test_of_many_only_the_good_leave_traces(program, alice):
    client = await program(alice)
    items = [{"name": "Acme"}, {"name": ""}, {"name": "Beta"}]
    answer = await client.post("/accounts/bulk/create/", json={"items": items}, headers={"idempotency-key": "b"})
    assert [r["status"] for r in answer.json()["results"]] == [201, 422, 201]
    again = await client.post("/accounts/bulk/create/", json={"items": items}, headers={"idempotency-key": "b"})
    assert again.content == answer.content
    async with unit_of_work(alice) as uow:
        told = await uow.rows(sa.select(Event.name).where(Event.entity == "account"))
    assert [t.name for t in told] == ["account.created"] * 2
    assert await count(alice) == 2


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": [1]}, {"items": "x"}, {"items": [{}], "atomic": 1}, {"items": [{}], "x": 1}]
)  # fmt: skip
async def test_what_is_no_bulk(program, alice, body):
    answer = await (await program(alice)).post("/accounts/bulk/create/", json=body)
    assert answer.status_code == 422


async def test_so_many_at_once(program, alice):
    client = await program(alice)
    answer = await client.post("/accounts/bulk/create/", json={"items": [{"name": "x"}] * 201})
    assert answer.status_code == 422 and "200" in answer.json()["details"]["fields"]["items"]


async def test_the_same_rules_hold(program, alice, bob):
    """What the stage, the owner and the amount ask at the screen, they ask here."""
    deal = await a_deal(alice, "Roll-out", amount_minor=1_000_00)
    client = await program(alice)
    path = f"/opportunities/{deal.id}/"
    for change, status in (
        ({"owner_id": str(bob.user_id)}, 403),
        ({"stage_id": str(deal.stage_id)}, 200),
        ({"status": "won"}, 422),
        ({"amount_minor": 0}, 422),
        ({"amount_minor": "1000"}, 422),
        ({"currency": "XXX"}, 422),
        ({"expected_close_on": "2020-01-01"}, 422),
        ({"expected_close_on": "0001-01-01"}, 422),
        ({"account_id": str(deal.id)}, 422),
        ({"amount_minor": 2_000_00}, 200),
    ):
        answer = await client.patch(path, json=change)
        assert answer.status_code == status, (change, answer.text)


async def test_a_list_of_what_belongs_to_one(program, alice):
    deal = await a_deal(alice, "Roll-out")
    client = await program(alice)
    answer = await client.get(f"/accounts/{deal.account_id}/opportunities/", params={"name[contains]": "roll"})
    assert [r["name"] for r in answer.json()["data"]] == ["Roll-out"]
    assert (await client.get(f"/accounts/{deal.id}/opportunities/")).status_code == 404
    assert (await client.get(f"/accounts/{deal.account_id}/password/")).status_code == 404


async def test_nothing_of_the_inside_leaks(program, alice, monkeypatch):
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(records, "create", broken)
    answer = await (await program(alice)).post("/accounts/", json={"name": "x"})
    assert answer.status_code == 500 and "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.json()["error_code"] == "internal" and answer.headers["x-request-id"] in answer.text


async def test_a_record_of_somebody_else_is_not_there(program, alice, carol):
    async with unit_of_work(carol) as uow:
        theirs = await records.create(uow, ACCOUNT, {"name": "Carols"})
    client = await program(alice)
    path = f"/accounts/{theirs.id}/"
    assert (await client.patch(path, json={"name": "Mine"})).status_code == 404
    many = await client.post("/accounts/bulk/update/", json={"items": [{"id": str(theirs.id), "name": "Mine"}]})
    assert many.json()["results"][0]["status"] == 404
    made = await client.post("/contacts/", json={"last_name": "Berg", "account_id": str(theirs.id)})
    assert made.status_code == 422 and json.loads(made.content)["details"]["fields"].keys() == {"account_id"}
