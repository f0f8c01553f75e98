"""Files over REST: exports that stream and harm nobody, imports that say what became of every row."""

import asyncio
import csv
import io
import json

import pytest
import sqlalchemy as sa

from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.platform import records
from crm_app.store import downloads
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.work import work_off


async def accounts(actor, *names):
    async with unit_of_work(actor) as uow:
        for name in names:
            await records.create(uow, ACCOUNT, {"name": name})


async def imported(client, slug, content, **params):
    """The answer of an import that was taken, once it is done."""
    taken = await client.post(f"/{slug}/import/", params=params, content=content)
    assert taken.status_code == 202, taken.text
    assert taken.headers["location"] == taken.json()["status_url"]
    await work_off()
    done = (await client.get(f"/imports/{taken.json()['id']}/")).json()
    assert done["status"] == "done", done
    return done


async def test_an_export_is_the_whole_list_in_one_file(program, admin, monkeypatch):
    monkeypatch.setattr(records, "_PIECE", 3)
    await accounts(admin, *(f"Account {n:02d}" for n in range(10)), "=1+1", 'Ünïcode, "quoted"\nlines')
    client = await program(admin)
    answer = await client.get("/accounts/export/")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="accounts.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    names = [r["Name"] for r in rows]
    assert len(names) == 12 and "'=1+1" in names and 'Ünïcode, "quoted"\nlines' in names
    whole = (await client.get("/accounts/export/", params={"format": "json", "fields": "name"})).json()
    lines = (await client.get("/accounts/export/", params={"format": "ndjson", "fields": "name"})).text.splitlines()
    assert whole == [json.loads(line) for line in lines] and len(whole) == 12
    some = await client.get("/accounts/export/", params={"format": "json", "name[starts_with]": "account 0"})
    assert len(some.json()) == 10


@pytest.mark.parametrize(("form", "mark"), [("xlsx", b"PK"), ("pdf", b"%PDF-1")])
async def test_an_export_for_people_is_a_file_and_leaves_nothing_behind(program, admin, form, mark):
    await accounts(admin, "Acme", "=1+1")
    answer = await (await program(admin)).get("/accounts/export/", params={"format": form})
    assert answer.content.startswith(mark) and int(answer.headers["content-length"]) == len(answer.content)
    async with asyncio.timeout(10):  # the last byte is here before the server has tidied up
        while list(downloads._root().glob("passing-*")):  # noqa: ASYNC110 - a folder has no event
            await asyncio.sleep(0.02)
    log = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        (entry,) = await uow.rows(sa.select(log).where(log.c.action == "export"))
    assert (entry.source, entry.user_id, entry.changes["rows"]) == ("api", admin.user_id, 2)


async def test_an_export_takes_a_right_of_its_own(program, admin, alice):
    assert (await (await program(admin, scopes=["account.read"])).get("/accounts/export/")).status_code == 403
    assert (await (await program(alice)).get("/accounts/export/")).status_code == 403


@pytest.mark.parametrize("params", [{"format": "exe"}, {"page": "1"}, {"expand": "owner"}, {"nmae": "x"}])
async def test_what_cannot_be_exported(program, admin, params):
    assert (await (await program(admin)).get("/accounts/export/", params=params)).status_code == 422


async def test_its_own_export_changes_nothing(program, admin):
    await a_deal(admin, "Roll-out", amount_minor=1_234_56)
    await accounts(admin, "Acme", "Beta")
    client = await program(admin)
    exported = await client.get("/accounts/export/")
    body = await imported(client, "accounts", exported.content, mode="upsert")
    assert (body["created"], body["updated"], body["rejected"]) == (0, 0, 0), body
    assert body["unchanged"] == body["rows"] == 3


async def test_a_file_is_checked_imported_and_taken_back(program, admin):
    client = await program(admin)
    file = "Company,City,Employees\nAcme,Berlin,12\nBeta,Paris,many\nGamma,Rome,3\n"
    mapped = {"columns": json.dumps({"Company": "name", "City": "city", "Employees": "employees"})}
    body = await imported(client, "accounts", file, dry_run="true", **mapped)
    assert (body["rows"], body["created"], body["rejected"], body["batch_id"]) == (3, 2, 1, None)
    assert body["problems"][0]["column"] == "Employees" and body["problems"][0]["message"]
    assert (await client.get("/accounts/", params={"total": "true"})).json()["paging"]["total"] == 0
    done = await imported(client, "accounts", file, **mapped)
    assert done["created"] == 2 and done["batch_id"] == done["id"]
    assert [r["name"] for r in (await client.get("/accounts/")).json()["data"]] == ["Acme", "Gamma"]
    back = await client.post(f"/imports/{done['batch_id']}/revert/")
    assert back.status_code == 200 and back.json()["removed"] == {"account": 2}, back.text
    assert (await client.get("/accounts/")).json()["data"] == []


async def test_headings_are_recognised(program, admin):
    client = await program(admin)
    people = "First name,Last name,E-mail,Account\nGrace,Hopper,grace@example.com,Navy\n"
    done = await imported(client, "contacts", people, name="people.csv", create_missing="account_id")
    assert done["created"] == 1 and done["related"] == {"account": 1}, done


@pytest.mark.parametrize(
    ("params", "content"),
    [
        ({"name": "x.exe"}, b"MZ"),
        ({}, b""),
        ({"name": "x.xlsx"}, b"no zip"),
        ({"mode": "delete"}, b"Name\nx\n"),
        ({"dry_run": "maybe"}, b"Name\nx\n"),
        ({"columns": "{"}, b"Name\nx\n"),
        ({"columns": '{"Name": "password"}'}, b"Name\nx\n"),
        ({"columns": '{"Name": ["name"]}'}, b"Name\nx\n"),
        ({"create_missing": "name"}, b"Name\nx\n"),
        ({"nmae": "x"}, b"Name\nx\n"),
    ],
)
async def test_what_is_no_import(program, admin, params, content):
    answer = await (await program(admin)).post("/accounts/import/", params=params, content=content)
    assert answer.status_code == 422 and answer.json()["error_code"] == "invalid", answer.text


async def test_an_import_takes_a_right_of_its_own(program, admin, manager, alice, mallory):
    assert (await (await program(alice)).post("/accounts/import/", content=b"Name\nx\n")).status_code == 403
    done = await imported(await program(admin), "accounts", b"Name\nx\n")
    batch = done["batch_id"]
    for other in (mallory, manager):
        assert (await (await program(other)).get(f"/imports/{batch}/")).status_code == 404
    assert (await (await program(mallory)).post(f"/imports/{batch}/revert/")).status_code == 404
    assert (await (await program(alice)).post(f"/imports/{batch}/revert/")).status_code == 403
