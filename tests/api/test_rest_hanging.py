"""Comments, files and notifications over REST: what programs do with them, and what they do not learn."""

import hashlib

import pytest

from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import attachments, records
from crm_app.settings import settings
from crm_app.store.uow import unit_of_work
from tests.core.test_filetypes import PAGE, PAPER, PROGRAM


@pytest.fixture
async def account(alice):
    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


async def test_a_comment_is_measured_as_it_was_sent(program, alice, account):
    client, there = await program(alice), f"/accounts/{account.id}/comments/"
    refused = await client.post(there, json={"text": "x" * 10_000 + "\u0007"})
    assert refused.status_code == 422 and "longer than 10,000" in refused.text, refused.text
    assert (await client.post(there, json={"text": "x" * 9_999 + "\u0007"})).status_code == 201


async def test_comments_are_said_read_changed_and_taken_away(program, alice, bob, account):
    client, there = await program(alice), f"/accounts/{account.id}/comments/"
    words = f"@{{{bob.user_id}}} calls them. Not @{{nobody}}."
    said = await client.post(there, json={"text": words}, headers={"idempotency-key": "one"})
    again = await client.post(there, json={"text": words}, headers={"idempotency-key": "one"})
    assert said.status_code == 201 and again.json() == said.json(), said.text
    comment = said.json()
    assert said.headers["location"] == f"/api/comments/{comment['id']}/"
    assert comment["text"] == words and comment["plain"].startswith(f"@{bob.name} calls them")
    assert comment["mentions"] == [{"user_id": str(bob.user_id), "name": bob.name}]
    assert (comment["entity"], comment["record_id"], comment["created_by"]) == ("account", str(account.id), alice.name)

    for number in range(3):
        await client.post(there, json={"text": f"Number {number}"})
    first = (await client.get(there, params={"page_size": 2})).json()
    rest = (await client.get(there, params={"page_size": 2, "after": first["paging"]["after"]})).json()
    plain = [c["plain"] for c in (*first["data"], *rest["data"])]
    assert plain[:3] == ["Number 2", "Number 1", "Number 0"] and len(plain) == 4 and rest["paging"]["after"] is None

    mine = f"/comments/{comment['id']}/"
    changed = (await client.patch(mine, json={"text": "Done"})).json()
    assert (changed["text"], changed["edited"], changed["mentions"]) == ("Done", True, [])
    gone = (await client.delete(mine)).json()
    assert (await client.get(mine)).status_code == 404
    assert (await client.post(gone["restore"].removeprefix("/api"))).json() == changed
    etag = (await client.get(mine)).headers["etag"]
    assert (await client.get(mine, headers={"if-none-match": etag})).status_code == 304


async def test_files_go_in_and_come_out_as_they_were(program, alice, account):
    client, there = await program(alice), f"/accounts/{account.id}/files/"
    body = PAPER + bytes(range(256)) * 20_000  # 5 MB: more than a body of JSON may have
    sent = await client.post(there, params={"name": "../Angebot für Müller.pdf"}, content=body)
    assert sent.status_code == 201, sent.text
    file = sent.json()
    assert (file["name"], file["type"], file["media_type"]) == ("Angebot für Müller.pdf", "pdf", "application/pdf")
    assert (file["size"], file["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert (await client.get(sent.headers["location"].removeprefix("/api"))).json() == file
    fetched = await client.get(file["content"].removeprefix("/api"))
    assert fetched.content == body and fetched.headers["content-disposition"].startswith("attachment;")
    page = (await client.post(there, params={"name": "page.html"}, content=PAGE)).json()
    assert (await client.get(f"/files/{page['id']}/content")).headers["content-type"] == "application/octet-stream"

    first = (await client.get(there, params={"page_size": 1})).json()
    rest = (await client.get(there, params={"page_size": 1, "after": first["paging"]["after"]})).json()
    assert [first["data"], rest["data"]] == [[page], [file]] and rest["paging"]["after"] is None

    gone = (await client.delete(f"/files/{file['id']}/")).json()
    assert (await client.get(f"/files/{file['id']}")).status_code == 404
    assert (await client.get(f"/files/{file['id']}/content/")).status_code == 404
    assert (await client.post(gone["restore"].removeprefix("/api").rstrip("/"))).json() == file


async def test_files_of_the_wrong_kind_or_size_are_refused(program, alice, account):
    client, there = await program(alice), f"/accounts/{account.id}/files/"
    for name, content in (("offer.pdf", PROGRAM), ("run.exe", PROGRAM), ("empty.txt", b"")):
        assert (await client.post(there, params={"name": name}, content=content)).status_code == 422, name
    object.__setattr__(settings(), "file_most_mb", 1)
    try:
        refused = await client.post(there, params={"name": "a.txt"}, content=b"x" * (1024**2 + 1))
    finally:
        object.__setattr__(settings(), "file_most_mb", 50)
    assert refused.status_code == 422 and "larger than 1 MB" in refused.json()["message"]
    async with unit_of_work(alice) as uow:
        assert await attachments.listed(uow, ACCOUNT, account.id) == []


async def test_notices_are_listed_and_marked(program, alice, bob, account):
    alices, bobs = await program(alice), await program(bob)
    for number in range(3):
        await alices.post(f"/accounts/{account.id}/comments/", json={"text": f"@{{{bob.user_id}}} {number}"})
    first = (await bobs.get("/notifications/", params={"page_size": 2})).json()
    rest = (await bobs.get("/notifications/", params={"after": first["paging"]["after"]})).json()
    told = [*first["data"], *rest["data"]]
    assert [t["text"] for t in told] == [f"@{bob.name} {n}" for n in (2, 1, 0)] and first["unread"] == 3
    assert {(t["kind"], t["record"], t["href"], t["by"], t["read"]) for t in told} == {
        ("mention", "Kessler", f"/accounts/{account.id}", alice.name, False)
    }
    one = f"/notifications/{told[0]['id']}/"
    assert (await bobs.patch(one, json={"read": True})).json() == {"id": told[0]["id"], "read": True}
    unread = (await bobs.get("/notifications/", params={"unread": "true"})).json()
    assert [t["id"] for t in unread["data"]] == [t["id"] for t in told[1:]] and unread["unread"] == 2
    assert (await bobs.post("/notifications/read/", json={"ids": [told[1]["id"]]})).json() == {"unread": 1}
    assert (await bobs.post("/notifications/read/", json={"all": True})).json() == {"unread": 0}
    assert (await bobs.patch(one, json={"read": False})).status_code == 200
    assert (await bobs.get("/notifications/")).json()["unread"] == 1


@pytest.mark.parametrize(
    ("method", "address", "how"),
    [
        ("POST", "/accounts/{}/comments/", {"json": {"text": " "}}),
        ("POST", "/accounts/{}/comments/", {"json": {"text": "x", "mentions": []}}),
        ("POST", "/accounts/{}/comments/", {"json": {"text": "@{00000000-0000-0000-0000-000000000001} x"}}),
        ("GET", "/accounts/{}/comments/", {"params": {"page": "1"}}),
        ("GET", "/accounts/{}/files/", {"params": {"after": "2026-01-01~x"}}),
        ("POST", "/accounts/{}/files/", {"params": {"nmae": "x"}, "content": PAPER}),
        ("GET", "/notifications/", {"params": {"unread": "yes"}}),
        ("POST", "/notifications/read/", {"json": {"ids": []}}),
        ("POST", "/notifications/read/", {"json": {"all": False}}),
        ("POST", "/notifications/read/", {"json": {"ids": ["x"], "all": True}}),
    ],
)
async def test_what_does_not_fit_is_told(program, alice, account, method, address, how):
    answer = await (await program(alice)).request(method, address.format(account.id), **how)
    assert answer.status_code == 422 and answer.json()["error_code"] == "invalid", answer.text


# -- Attacks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def hung(program, alice, account):
    """Addresses of a comment, a file and a notice, and of what hangs on the account."""
    client = await program(alice)
    there = f"/accounts/{account.id}"
    comment = (await client.post(f"{there}/comments/", json={"text": "secret"})).json()["id"]
    file = (await client.post(f"{there}/files/", params={"name": "a.pdf"}, content=PAPER)).json()["id"]
    return there, f"/comments/{comment}", f"/files/{file}"


async def test_who_does_not_see_the_record_learns_nothing(program, carol, mallory, hung):
    there, comment, file = hung
    for stranger in (carol, mallory):
        client = await program(stranger)
        for answer in (
            await client.get(f"{there}/comments/"), await client.post(f"{there}/comments/", json={"text": "x"}),
            await client.get(f"{there}/files/"), await client.post(f"{there}/files/?name=a.pdf", content=PAPER),
            await client.get(f"{comment}/"), await client.patch(f"{comment}/", json={"text": "x"}),
            await client.delete(f"{comment}/"), await client.post(f"{comment}/restore/"),
            await client.get(f"{file}/"), await client.get(f"{file}/content/"), await client.delete(f"{file}/"),
            await client.post(f"{file}/restore/"), await client.get(f"{file}"),
        ):  # fmt: skip
            assert answer.status_code == 404 and "secret" not in answer.text, answer.text


async def test_a_key_reaches_as_far_as_its_scopes(program, alice, bob, hung):
    there, comment, file = hung
    reading = await program(alice, scopes=["account.read"])
    assert (await reading.get(f"{there}/comments/")).status_code == 200
    assert (await reading.get(f"{file}/content/")).content == PAPER
    assert (await reading.get("/notifications/")).status_code == 403
    for answer in (
        await reading.post(f"{there}/comments/", json={"text": "x"}),
        await reading.patch(f"{comment}/", json={"text": "x"}), await reading.delete(f"{comment}/"),
        await reading.post(f"{there}/files/?name=a.pdf", content=PAPER), await reading.delete(f"{file}/"),
    ):  # fmt: skip
        assert answer.status_code == 403, answer.text
    other = await program(alice, scopes=["product.read"])
    assert (await other.get(f"{there}/comments/")).status_code == 403
    assert (await other.get(f"{file}/content/")).status_code == 404
    bobs = await program(bob)  # a colleague who sees the record
    assert (await bobs.patch(f"{comment}/", json={"text": "x"})).status_code == 403
    assert (await bobs.delete(f"{comment}/")).status_code == 403
    assert (await bobs.delete(f"{file}/")).status_code == 403


async def test_notices_are_ones_own(program, alice, bob, mallory, account):
    await (await program(alice)).post(f"/accounts/{account.id}/comments/", json={"text": f"@{{{bob.user_id}}} hi"})
    (told,) = (await (await program(bob)).get("/notifications/")).json()["data"]
    for other in (alice, mallory):
        client = await program(other)
        assert (await client.get("/notifications/")).json()["data"] == []
        assert (await client.patch(f"/notifications/{told['id']}/", json={"read": True})).status_code == 404
        assert (await client.post("/notifications/read/", json={"ids": [told["id"]]})).status_code == 200
    assert (await (await program(bob)).get("/notifications/")).json()["unread"] == 1


async def test_without_a_token_pages_and_programs_do_not_meet(browser, program, alice, hung):
    _, comment, file = hung
    tab = await browser(alice)
    assert (await tab.http.get(f"/api{comment}/")).status_code == 401
    assert (await tab.http.get(f"/api{file}/content/")).status_code == 401
    assert (await tab.http.get(f"/api{file}")).content == PAPER  # as the page fetches it
    nobody = await program(alice)
    nobody.headers["authorization"] = "Bearer sck_nobody"
    assert (await nobody.get(f"{file}")).status_code == 401
    assert (await nobody.post(f"/accounts/{new_id()}/files/?name=a.pdf", content=PAPER)).status_code == 401
