"""What stands before everything: whose tab it is, which page asked, what every answer carries."""

import asyncio
import base64
import hashlib
import json
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from crm_app.api import guard
from crm_app.api.limits import Bucket, Buckets
from crm_app.api.requests import client_ip
from crm_app.services.people import sessions, users
from crm_app.services.people.checks import network
from crm_app.state.base import AppState
from crm_app.store.uow import unit_of_work
from tests.conftest import forget_settings

ENTER = f"{AppState.get_full_name()}.enter"
FOREIGN = "https://evil.example"


async def test_a_tab_gets_its_own_state_back(browser, alice):
    alices = await browser(alice)
    async with alices.tab() as tab:
        await tab.send(ENTER)
        assert "Alice" in json.dumps(await tab.update())
        token = tab.token
    async with alices.tab(token) as again:
        assert "Alice" in json.dumps(await again.hydrate())


@pytest.mark.parametrize("who", ["nobody", "mallory", "bob", "alice elsewhere"])
async def test_a_stolen_tab_token_is_worth_nothing(request, browser, alice, bob, mallory, who):
    """The hole of the framework: the whole state used to be sent to whoever knew the token."""
    async with (await browser(alice)).tab() as tab:
        await tab.send(ENTER)
        await tab.update()
    thief = await browser({"mallory": mallory, "bob": bob, "alice elsewhere": alice}.get(who))
    async with thief.tab(tab.token) as stolen:
        state = json.dumps(await stolen.hydrate())
    assert "Alice" not in state and "Northwind" not in state


async def test_a_stolen_token_gets_nothing_while_its_owner_is_there(browser, alice, mallory):
    thief = await browser(mallory)
    async with (await browser(alice)).tab() as tab, thief.tab(tab.token) as stolen:
        await stolen.hydrate()
        await tab.send(ENTER)
        await tab.update()
        with pytest.raises(TimeoutError):
            await stolen.update(lambda u: "Alice" in json.dumps(u), seconds=0.3)
        assert "Alice" not in json.dumps(await stolen.hydrate())


async def test_a_socket_opened_before_somebody_signs_in_hears_nothing_after(browser, alice):
    """The same tab, the same token: first nobody's, then Alice's."""
    token, alices = str(uuid4()), await browser(alice)
    async with alices.tab(token, cookie="") as before, alices.tab(token) as after:
        await after.send(ENTER)
        await after.update()
        assert "Alice" not in json.dumps(await before.hydrate())


async def test_the_next_person_in_the_same_tab_starts_afresh(browser, alice, bob):
    token = str(uuid4())
    async with (await browser(alice)).tab(token) as tab:
        await tab.send(ENTER)
        await tab.update()
    async with (await browser(bob)).tab(token) as tab:
        state = json.dumps(await tab.hydrate())
    assert "Alice" not in state


async def test_no_handler_runs_without_a_session(browser):
    async with (await browser()).tab() as tab:
        await tab.send(ENTER, path="/pipeline?p=1")
        assert await tab.redirect() == "/sign-in?done=ended&next=%2Fpipeline%3Fp%3D1"
        await tab.send(f"{AppState.get_full_name()}.tell", text="planted")
        await tab.redirect()
        assert "planted" not in json.dumps(await tab.hydrate())


async def test_a_session_revoked_midway_acts_no_more_and_its_socket_closes(browser, alice):
    alices = await browser(alice)
    async with alices.tab() as tab:
        await tab.send(ENTER)
        await tab.update()
        actor = await sessions.actor_of(alices.cookie)
        async with unit_of_work(alice) as uow:
            await sessions.revoke(uow, actor.session_id)
        await tab.send(f"{AppState.get_full_name()}.tell", text="too late")
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(3):
                while True:
                    assert "too late" not in json.dumps(await tab.update())


async def test_a_revoked_session_hears_no_more_either(browser, alice, admin, monkeypatch):
    monkeypatch.setattr(guard, "_ASK_AGAIN", 0.0)
    async with (await browser(alice)).tab() as tab:
        await tab.send(ENTER)
        await tab.update()
        async with unit_of_work(admin) as uow:
            await users.disable(uow, alice.user_id)
        with pytest.raises(ConnectionClosed) as closed:
            await tab.hydrate()
        assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_opens_no_socket(browser, alice, origin):
    with pytest.raises(InvalidStatus) as refused:
        async with (await browser(alice)).tab(origin=origin):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("token", ["x", "x" * 65])
async def test_a_token_that_is_none_opens_no_socket(browser, alice, token):
    with pytest.raises(InvalidStatus):
        async with (await browser(alice)).tab(token):
            pass


async def test_events_do_not_come_by_polling(browser, alice):
    alices = await browser(alice)
    assert (await alices.http.get("/_event/?EIO=4&transport=polling&token=abcdefgh")).status_code == 404
    assert (await alices.post("/_event/?EIO=4&transport=polling&token=abcdefgh")).status_code == 404


async def test_a_flood_of_messages_closes_the_socket(browser, alice):
    async with (await browser(alice)).tab() as tab:
        with pytest.raises(ConnectionClosed):
            for _ in range(400):
                await tab.send(ENTER)
            async with asyncio.timeout(5):
                while True:
                    await tab.update()


async def test_a_huge_message_closes_the_socket(browser, alice):
    async with (await browser(alice)).tab() as tab:
        with pytest.raises(ConnectionClosed) as closed:
            await tab.send(ENTER, text="x" * 600_000)
            await tab.update()
        assert closed.value.rcvd.code == 1009


async def test_too_many_handshakes_from_one_place_are_refused(browser, alice, monkeypatch):
    monkeypatch.setattr(guard, "_SOCKETS", Buckets(rate=0.001, burst=2))
    alices = await browser(alice)
    for _ in range(2):
        async with alices.tab():
            pass
    with pytest.raises(InvalidStatus):
        async with alices.tab():
            pass


@pytest.mark.parametrize("path", ["/auth/sign-out", "/api/me", "/_upload", "/anything"])
async def test_a_foreign_page_posts_nothing(browser, alice, path):
    alices = await browser(alice)
    answer = await alices.post(path, origin=FOREIGN)
    assert answer.status_code in (303, 403) and "origin" in (answer.text + answer.headers.get("location", ""))
    assert await sessions.actor_of(alices.cookie) is not None


async def test_a_post_without_any_sign_of_its_page_needs_to_bring_no_cookie(browser, alice):
    alices, nobody = await browser(alice), await browser()
    assert (await alices.post("/auth/sign-out", origin=None)).headers["location"] == "/sign-in?error=origin"
    assert (await nobody.post("/auth/sign-out", origin=None)).headers["location"] == "/sign-in?done=signed-out"
    answer = await alices.http.post("/auth/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert answer.headers["location"] == "/sign-in?error=origin"


async def test_pages_are_for_people_who_are_signed_in(browser, alice):
    nobody, alices = await browser(), await browser(alice)
    answer = await nobody.open("/pipeline?p=1&q=a b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fpipeline%3Fp%3D1%26q%3Da%2520b"
    assert (await nobody.open("/")).headers["location"] == "/sign-in"
    assert (await alices.open("/pipeline")).status_code != 303
    for page in ("/sign-in", "/sign-up", "/forgot", "/reset/abc", "/invite/abc"):
        assert (await nobody.open(page)).status_code != 303
    assert (await alices.open("/sign-in")).headers["location"] == "/pipeline"
    assert (await alices.open("/")).headers["location"] == "/pipeline"


async def test_an_ended_session_is_told_and_forgotten(browser, alice):
    alices = await browser(alice)
    await sessions.sign_out(await sessions.actor_of(alices.cookie))
    answer = await alices.open("/pipeline")
    assert answer.headers["location"] == "/sign-in?next=%2Fpipeline&done=ended"
    assert answer.headers["clear-site-data"] == '"storage"'
    assert "sid=" in answer.headers["set-cookie"] and "Max-Age=0" in answer.headers["set-cookie"]


async def test_every_answer_carries_its_headers(browser):
    nobody = await browser()
    for path in ("/api/health", "/nothing", "/ping"):
        answer = await nobody.http.get(path)
        for name, value in {
            "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
        }.items():  # fmt: skip
            assert answer.headers[name] == value
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert len(answer.headers["x-request-id"]) == 32
        assert "strict-transport-security" not in answer.headers
    assert (await nobody.http.get("/api/health")).headers["cache-control"] == "no-store"


async def test_no_other_site_may_read_answers(browser, alice):
    alices = await browser(alice)
    answer = await alices.http.get("/api/me", headers={"origin": FOREIGN})
    assert "access-control-allow-origin" not in answer.headers


async def served(path: str, content_type: str = "text/html; charset=utf-8") -> httpx.Response:
    async def static(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type.encode())]}
        )
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(app=guard.guard(static))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        return await client.get(path)


def digest(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/pipeline", "pipeline/index.html"),
        ("/pipeline/", "pipeline/index.html"),
        ("/deals/7", "404.html"),
    ],
)
async def test_a_page_runs_its_own_inline_scripts_and_no_others(app_database, built, path, file):
    policy = (await served(path)).headers["content-security-policy"]
    scripts = next(p for p in policy.split("; ") if p.startswith("script-src"))
    assert scripts.split() == [
        "script-src", "'self'", digest(f"theme('{file}')"), digest('import "/assets/b.js";'),
    ]  # fmt: skip
    assert "unsafe-eval" not in policy and "'unsafe-inline'" not in scripts
    assert "object-src 'none'" in policy and "base-uri 'self'" in policy and "form-action 'self'" in policy


async def test_files_of_the_build_stay_pages_do_not(app_database, built):
    assert (await served("/assets/a-1.js", "text/javascript")).headers["cache-control"].endswith("immutable")
    assert (await served("/pipeline")).headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_and_the_browser_insist_on_it(app_database, built, monkeypatch):
    monkeypatch.setenv("CRM_BASE_URL", "https://crm.example.com")
    forget_settings()
    try:
        assert sessions.cookie_name() == "__Host-sid"
        assert "max-age=31536000" in (await served("/pipeline")).headers["strict-transport-security"]
    finally:
        monkeypatch.undo()
        forget_settings()


async def test_uploaded_files_have_no_address(browser, alice):
    assert (await (await browser(alice)).http.get("/_upload/customers.csv")).status_code == 404


async def test_bodies_have_a_limit(browser):
    nobody = await browser()
    assert (await nobody.post("/auth/forgot", email="x" * 100_000)).status_code == 413

    async def stream():
        for _ in range(40):
            yield b"email=" + b"x" * 4096

    sent = {"origin": nobody.base_url, "content-type": "application/x-www-form-urlencoded"}
    assert (await nobody.http.post("/auth/forgot", content=stream(), headers=sent)).status_code == 413


async def test_forms_from_one_place_have_a_limit(browser, monkeypatch):
    monkeypatch.setattr(guard, "_FORMS", Buckets(rate=0.01, burst=2))
    nobody = await browser()
    for _ in range(2):
        await nobody.post("/auth/forgot", email="a@example.com")
    answer = await nobody.post("/auth/forgot", email="a@example.com")
    assert answer.headers["location"] == "/forgot?error=throttled&minutes=2"


def test_where_somebody_comes_from(monkeypatch):
    scope = {"headers": [(b"x-forwarded-for", b"6.6.6.6, 198.51.100.4, 10.0.0.2")], "client": ("10.0.0.1", 1)}
    for hops, ip in ((0, "10.0.0.1"), (1, "10.0.0.2"), (2, "198.51.100.4"), (9, "10.0.0.1")):
        monkeypatch.setenv("CRM_PROXY_HOPS", str(hops))
        forget_settings()
        assert client_ip(scope) == ip
    monkeypatch.undo()
    forget_settings()
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") != network("2001:db8:1:3::9")
    assert network("198.51.100.4") == "198.51.100.4" and network("testclient") == "testclient"


def test_a_bucket_refills():
    bucket = Bucket(rate=2, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.6) and not bucket.take(0.6)
    assert bucket.wait() == 1
