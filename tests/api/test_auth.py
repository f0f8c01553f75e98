"""The forms of the sign-in pages, from the browser's side of the wire."""

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from crm_app.api.auth import inside
from crm_app.integrations import smtp
from crm_app.models.base import new_id
from crm_app.services.people import invitations, sessions
from tests.conftest import forget_settings
from tests.people import PASSWORD
from tests.services.people.test_links import NEW, token_in
from tests.services.people.test_sessions import address_of


@pytest.fixture
def mail():
    kept = smtp.KeptMail()
    smtp.use(kept)
    yield kept
    smtp.use(None)


def place(answer):
    """Page and query of a redirect."""
    parts = urlsplit(answer.headers["location"])
    return parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}


async def test_signing_in_and_out(browser, alice):
    alices = await browser()
    answer = await alices.post("/auth/sign-in", email=await address_of(alice), password=PASSWORD, next="/pipeline?p=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/pipeline?p=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    me = (await alices.http.get("/api/me")).json()
    assert me["name"] == "Alice" and me["role"] == "Sales rep" and "opportunity.move" in me["permissions"]

    token = alices.cookie
    answer = await alices.post("/auth/sign-out")
    assert answer.headers["location"] == "/sign-in?done=signed-out"
    assert answer.headers["clear-site-data"] == '"storage"'
    assert (await alices.http.get("/api/me")).status_code == 401
    assert await sessions.actor_of(token) is None


async def test_whoever_is_faster_than_the_scripts_of_the_page_gets_where_they_wanted(browser, alice):
    given = {"email": await address_of(alice), "password": PASSWORD, "next": ""}
    for page, goal in (
        ("/sign-in?next=%2Fpipeline%3Fp%3D1", "/pipeline?p=1"),
        ("/sign-in/?done=ended&next=%2Faccounts", "/accounts"),
        ("/sign-in?next=https%3A%2F%2Fevil.example", "/"),
        ("/accounts?next=%2Fpipeline", "/"),
    ):
        hers = await browser()
        sent = {"origin": hers.base_url, "referer": hers.base_url + page}
        answer = await hers.http.post("/auth/sign-in", data=given, headers=sent)
        assert answer.headers["location"] == goal


async def test_signing_in_anew_ends_the_session_before(browser, alice, bob):
    shared = await browser(alice)
    old = shared.cookie
    await shared.post("/auth/sign-in", email=await address_of(bob), password=PASSWORD)
    assert await sessions.actor_of(old) is None
    assert (await shared.http.get("/api/me")).json()["name"] == "Bob"


async def test_a_wrong_password_brings_the_form_back_without_it(browser, alice):
    email = await address_of(alice)
    for left in (4, 3, 2, 1, 0):
        answer = await (await browser()).post("/auth/sign-in", email=email, password="wrong", next="/pipeline")
        assert place(answer) == (
            "/sign-in", {"error": "credentials", "left": str(left), "email": email, "next": "/pipeline"},
        )  # fmt: skip
        assert "set-cookie" not in answer.headers
    page, query = place(await (await browser()).post("/auth/sign-in", email=email, password=PASSWORD))
    assert (page, query["error"], query["minutes"]) == ("/sign-in", "throttled", "15")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/pipeline", "/pipeline"),
        ("/deals/7?tab=notes#x", "/deals/7?tab=notes#x"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x=1", "/"),
        ("/auth/sign-out", "/"),
    ],
)
def test_nobody_is_sent_to_another_site(wanted, given):
    assert inside(wanted) == given


async def test_a_workspace_is_founded_from_the_form(browser):
    mark = new_id().hex[-12:]
    nina = await browser()
    answer = await nina.post(
        "/auth/sign-up", workspace=f"Acme {mark}", name="Nina", email=f"nina.{mark}@example.com", password=NEW,
        currency="chf", time_zone="Europe/Zurich",
    )  # fmt: skip
    assert answer.headers["location"] == "/"
    me = (await nina.http.get("/api/me")).json()
    assert (me["workspace"], me["role"], me["currency"], me["time_zone"]) == (
        f"Acme {mark}", "Admin", "CHF", "Europe/Zurich",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("email", "nope", "email"), ("password", "short", "weak"), ("name", " ", "name"), ("workspace", "", "workspace")],
)
async def test_what_is_wrong_with_a_new_workspace_is_told_at_its_field(browser, field, value, code):
    form = {"workspace": "Acme", "name": "Nina", "email": f"{new_id().hex}@example.com", "password": NEW}
    page, query = place(await (await browser()).post("/auth/sign-up", **form | {field: value}))
    assert page == "/sign-up" and query["error"] == code and "password" not in query


async def test_an_address_in_use_founds_no_workspace(browser, alice):
    form = {"workspace": "Acme", "name": "Nina", "email": await address_of(alice), "password": NEW}
    page, query = place(await (await browser()).post("/auth/sign-up", **form))
    assert (page, query["error"], query["workspace"]) == ("/sign-up", "taken", "Acme")


async def test_where_sign_up_is_closed(browser, workspace, monkeypatch):
    monkeypatch.setenv("CRM_OPEN_SIGN_UP", "false")
    forget_settings()
    try:
        form = {"workspace": "Acme", "name": "N", "email": f"{new_id().hex}@example.com", "password": NEW}
        assert place(await (await browser()).post("/auth/sign-up", **form)) == ("/sign-in", {"error": "closed"})
    finally:
        monkeypatch.undo()
        forget_settings()


async def test_a_forgotten_password(browser, alice, mail):
    email, old = await address_of(alice), await browser(alice)
    answers = [await (await browser()).post("/auth/forgot", email=e) for e in (email, "nobody@example.com")]
    assert {a.headers["location"] for a in answers} == {"/forgot?done=sent"}
    for _ in range(100):
        if mail.sent:
            break
        await asyncio.sleep(0.02)
    token = token_in(mail.sent[0].text)
    nina = await browser()
    weak = await nina.post("/auth/reset", token=token, password="short")
    assert place(weak) == (f"/reset/{token}", {"error": "weak"})
    assert (await nina.post("/auth/reset", token=token, password=NEW)).headers["location"] == "/sign-in?done=reset"
    assert (await old.http.get("/api/me")).status_code == 401
    again = await nina.post("/auth/reset", token=token, password=NEW)
    assert place(again) == ("/forgot", {"error": "expired"})
    assert (await nina.post("/auth/sign-in", email=email, password=NEW)).headers["location"] == "/"


@pytest.mark.parametrize("token", ["", "x", "../../pipeline", "x" * 5000, "a b"])
async def test_links_that_never_were(browser, token):
    nobody = await browser()
    assert place(await nobody.post("/auth/reset", token=token, password=NEW)) == ("/forgot", {"error": "expired"})
    answer = await nobody.post("/auth/invite", token=token, name="N", password=NEW)
    assert place(answer) == ("/sign-in", {"error": "expired"})


async def test_without_mail_the_page_says_who_can_help(browser, alice):
    answer = await (await browser()).post("/auth/forgot", email=await address_of(alice))
    assert answer.headers["location"] == "/forgot?done=asked"


async def test_an_invitation_leads_in(browser, workspace, admin, mail):
    await invitations.invite(admin, email=f"{new_id().hex}@example.com", role_id=workspace.roles["rep"])
    url = re.search(r"http\S+", mail.sent[0].text).group()
    token = token_in(url)
    assert parse_qs(urlsplit(url).query)["workspace"][0].startswith("Northwind")
    nina = await browser()
    page, query = place(await nina.post("/auth/invite", token=token, name="Nina", password="short"))
    assert page == f"/invite/{token}" and query["error"] == "weak" and query["workspace"].startswith("Northwind")
    assert (await nina.post("/auth/invite", token=token, name="Nina", password=NEW)).headers["location"] == "/"
    assert (await nina.http.get("/api/me")).json()["name"] == "Nina"


async def test_refusals_of_the_api_have_one_shape(browser):
    answer = await (await browser()).http.get("/api/me")
    assert answer.status_code == 401
    assert answer.json() == {"error_code": "unauthenticated", "message": "Sign in first.", "details": {}}


async def test_health_is_for_everybody(browser):
    assert (await (await browser()).http.get("/api/health")).json() == {"status": "ok", "database": True}


@pytest.mark.parametrize("body", [b"", b"\xff\xfe%zz=%", b"email=%00&password=%00"])
async def test_garbage_in_a_form_is_a_wrong_password(browser, body):
    nobody = await browser()
    sent = {"origin": nobody.base_url, "content-type": "application/x-www-form-urlencoded"}
    page, query = place(await nobody.http.post("/auth/sign-in", content=body, headers=sent))
    assert (page, query["error"]) == ("/sign-in", "credentials")
