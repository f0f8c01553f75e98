"""Files over the wire: what may go in, how it comes out, and who gets nothing."""

import hashlib
import os
from urllib.parse import unquote
from uuid import UUID

import pytest

from crm_app.core.context import Source
from crm_app.integrations.files import FolderFiles, files, key_of, use
from crm_app.jobs import files as jobs
from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.people import actors
from crm_app.services.platform import attachments, records
from crm_app.settings import settings
from crm_app.store.uow import unit_of_work
from tests.core.test_filetypes import DRAWING, PAGE, PAPER, PIXEL, PROGRAM

PICTURE = PIXEL + b"\x00" * 100


@pytest.fixture
async def account(alice):
    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


async def send(browser, record_id, name="offer.pdf", body=PAPER, slug="accounts", **headers):
    return await browser.http.post(
        f"/api/files/{slug}/{record_id}", params={"name": name}, content=body,
        headers={"origin": browser.base_url, **headers},
    )  # fmt: skip


async def kept(actor) -> list[str]:
    return [k.key async for k in files().listed(actor.tenant_id)]


async def test_in_and_out(browser, alice, account):
    body = PAPER + bytes(range(256)) * 20_000
    alices = await browser(alice)
    answer = await send(alices, account.id, "Angebot für Müller.pdf", body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["name"], told["size"], told["type"]) == ("Angebot für Müller.pdf", len(body), "pdf")
    saved = await alices.http.get(f"/api/files/{told['id']}")
    assert saved.content == body
    assert saved.headers["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'
    disposition = saved.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert unquote(disposition.partition("UTF-8''")[2]) == "Angebot für Müller.pdf"
    looked = await alices.http.get(f"/api/files/{told['id']}/look")
    assert looked.content == body and looked.headers["content-disposition"].startswith("inline;")
    assert await kept(alice) == [key_of(alice.tenant_id, UUID(told["id"]))]


async def test_a_browser_is_told_to_run_nothing(browser, alice, account):
    """A page called page.html is bytes to be saved; a picture is shown in a sandbox; a PDF only in pages of ours."""
    alices = await browser(alice)
    for name, body in (("page.html", PAGE), ("logo.svg", DRAWING), ("data.xml", b"<?xml version='1.0'?><a/>")):
        file_id = (await send(alices, account.id, name, body)).json()["id"]
        saved = await alices.http.get(f"/api/files/{file_id}")
        assert saved.headers["content-type"] == "application/octet-stream"
        assert saved.headers["content-disposition"].startswith("attachment;")
        assert (await alices.http.get(f"/api/files/{file_id}/look")).status_code == 404
        assert "sandbox" in saved.headers["content-security-policy"]
    file_id = (await send(alices, account.id, "cat.png", PICTURE)).json()["id"]
    looked = await alices.http.get(f"/api/files/{file_id}/look")
    assert looked.headers["content-type"] == "image/png"
    assert looked.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    file_id = (await send(alices, account.id)).json()["id"]
    paper = await alices.http.get(f"/api/files/{file_id}/look")
    assert "frame-ancestors 'self'" in paper.headers["content-security-policy"]
    assert paper.headers["x-frame-options"] == "SAMEORIGIN"
    for answer in (looked, paper):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("cat.png", PAGE, "is called PNG image, but its content is HTML"),
        ("cat.jpg", DRAWING, "its content is SVG drawing"),
        ("offer.pdf", PROGRAM, "is a program"),
        ("setup.exe", PAPER, "is a program"),
        ("offer.pdf", b"", "is empty"),
        ("", b"", "is empty"),
    ],
    ids=["page as png", "svg as jpg", "program as pdf", "pdf as program", "empty", "nameless"],
)
async def test_what_lies_is_refused_and_leaves_nothing(browser, alice, account, name, body, said):
    answer = await send(await browser(alice), account.id, name, body)
    assert answer.status_code == 422 and said in answer.json()["message"]
    assert await kept(alice) == []
    async with unit_of_work(alice) as uow:
        assert await attachments.listed(uow, ACCOUNT, account.id) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("a/b/c.txt", "c.txt"),
        ('x"; filename="evil.exe', "x_; filename=_evil.exe"),
        ("line\r\nSet-Cookie: a=b", "line__Set-Cookie_ a=b"),
        ("\u202etxt.exe\u202c.txt", "_txt.exe_.txt"),
        ("<img src=x onerror=alert(1)>.txt", "_img src=x onerror=alert(1)_.txt"),
        ("...", "file"),
        ("a\x00b.txt", "a_b.txt"),
        ("x" * 500 + ".txt", "x" * 120 + ".txt"),
        ("日本語 ファイル.txt", "日本語 ファイル.txt"),
    ],
)
async def test_hostile_names_become_harmless(browser, alice, account, name, shown):
    alices = await browser(alice)
    body = b"words" if not shown.endswith(".exe") else PAPER
    answer = await send(alices, account.id, name, body)
    if shown.endswith(".exe"):
        assert answer.status_code == 422
        return
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == shown
    saved = await alices.http.get(f"/api/files/{answer.json()['id']}")
    assert "set-cookie" not in saved.headers and "\n" not in saved.headers["content-disposition"]
    assert saved.headers["content-disposition"].count('"') == 2
    root = settings().data_dir
    assert {p.parent.parent.name for p in root.rglob("*") if p.is_file() and p.stat().st_size == 5} <= {"files"}


async def test_nobody_else_gets_it(browser, alice, bob, carol, mallory, reader, account):
    file_id = (await send(await browser(alice), account.id)).json()["id"]
    for address in (f"/api/files/{file_id}", f"/api/files/{file_id}/look"):
        assert (await (await browser(bob)).http.get(address)).status_code == 200
        assert (await (await browser(reader)).http.get(address)).status_code == 200
        for stranger in (carol, mallory):
            answer = await (await browser(stranger)).http.get(address)
            assert answer.status_code == 404 and "Offer" not in answer.text
        assert (await (await browser()).http.get(address)).status_code == 401
    for who, status in ((reader, 403), (carol, 404), (mallory, 404)):
        assert (await send(await browser(who), account.id)).status_code == status
    assert (await send(await browser(), account.id)).status_code == 401
    async with unit_of_work(alice) as uow:
        await attachments.remove(uow, UUID(file_id))
    assert (await (await browser(alice)).http.get(f"/api/files/{file_id}")).status_code == 404


async def test_addresses_that_lead_nowhere(browser, alice, account):
    alices = await browser(alice)
    for address in ("x", "..%2f..%2fsecret.key", str(new_id()), f"{account.id}/look", "%00"):
        assert (await alices.http.get(f"/api/files/{address}")).status_code == 404
    for slug in ("nothing", "..", "accounts%00"):
        assert (await send(alices, account.id, slug=slug)).status_code in (401, 404, 405)
    assert (await send(alices, "x")).status_code == 404


async def test_a_foreign_page_sends_no_file(browser, alice, account):
    alices = await browser(alice)
    assert (await send(alices, account.id, origin="https://evil.example")).status_code == 403
    bare = await alices.http.post(f"/api/files/accounts/{account.id}", params={"name": "a.txt"}, content=b"x")
    assert bare.status_code == 403


async def test_a_file_that_is_too_large_is_cut_off(browser, alice, account):
    """By what it says of itself, and by what really comes."""
    alices = await browser(alice)
    object.__setattr__(settings(), "file_most_mb", 1)
    try:
        answer = await send(alices, account.id, body=PAPER + b"x" * 1024**2)
        assert answer.status_code == 422 and "larger than 1 MB" in answer.json()["message"]

        async def endless():
            for _ in range(40):
                yield b"x" * 65536

        answer = await send(alices, account.id, "a.txt", endless())
        assert answer.status_code == 422 and "larger than 1 MB" in answer.json()["message"]
    finally:
        object.__setattr__(settings(), "file_most_mb", 50)
    assert await kept(alice) == []


async def test_a_place_that_refuses_is_told_and_leaves_no_row(browser, alice, account, tmp_path, monkeypatch):
    (tmp_path / "files").write_text("in the way")
    use(FolderFiles(tmp_path / "files"))
    try:
        answer = await send(await browser(alice), account.id)
    finally:
        use(None)
    assert answer.status_code == 503 and "cannot keep the file" in answer.json()["message"]
    async with unit_of_work(alice) as uow:
        assert await attachments.listed(uow, ACCOUNT, account.id) == []


async def test_content_goes_after_its_row(browser, alice, account, tmp_path):
    alices = await browser(alice)
    first, second = [UUID((await send(alices, account.id)).json()["id"]) for _ in range(2)]
    await jobs.tidy_files(str(alice.tenant_id), [str(first)])
    assert await kept(alice) == [key_of(alice.tenant_id, second)]
    actor = await actors.actor_for(alice.tenant_id, alice.user_id, source=Source.job)
    stray = tmp_path / "stray"
    stray.write_bytes(b"its request died")
    lost = key_of(actor.tenant_id, new_id())
    await files().put(lost, stray)
    await jobs.tidy_files(str(alice.tenant_id), [])
    assert lost in await kept(alice)  # its row may still come
    place = settings().data_dir / "files" / lost
    os.utime(place, (0, 0))
    await jobs.tidy_files(str(alice.tenant_id), [])
    assert await kept(alice) == [key_of(alice.tenant_id, second)]
