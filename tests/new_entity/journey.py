"""Visits, declared by the how-to alone: list, page, form, filter, search, import, export, REST, audit, permissions."""

import csv
import io
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from crm_app.core import registry
from crm_app.core.errors import Forbidden, NotFound
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.pages.records import add
from crm_app.services.people.roles import catalogue
from crm_app.services.platform import audit_log, records
from crm_app.services.platform.history import of_field
from crm_app.state.lists import RecordList
from crm_app.state.platform.search import SearchState
from crm_app.state.record import RecordState
from crm_app.state.record_form import RecordForm
from crm_app.store.uow import unit_of_work
from tests.api.test_rest_files import imported
from tests.services.platform.test_bulk import edit, undo
from tests.state.tabs import tab_of
from tests.state.test_records import opened
from tests.work import work_off

VISIT = registry.get("visit")


@pytest.fixture
async def kessler(alice):
    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


async def visit(actor, account, title="First visit", day="2026-09-01"):
    tab = await tab_of(actor)
    await tab.run(RecordForm.ask, "visit", "", "")
    await tab.run(RecordForm.submit, {"title": title, "account_id": str(account.id), "visited_on": day})
    assert tab[RecordForm].error == "", tab[RecordForm].fields
    async with unit_of_work(actor) as uow:
        page = await records.find(uow, VISIT, where=VISIT.table.c.title == title)
    return page.rows[0]["id"]


def titles(tab):
    return [r["cells"]["title"]["t"] for r in tab[RecordList].feeds[0]["rows"]]


def test_visit_has_a_list_and_a_page_that_can_be_drawn():
    drawn = {}

    class Pages:
        def add_page(self, component, *, route, **_more):
            drawn[route] = component

    add(Pages())
    for route in ("/visits", "/visits/[record_id]"):
        assert "Visit" in str(drawn[route]().render())


def test_visit_has_its_permissions():
    verbs = ("read", "create", "update", "delete", "export", "import")
    assert {f"visit.{v}" for v in verbs} <= set(catalogue())


async def test_visit_is_made_listed_filtered_and_searched(alice, kessler):
    await visit(alice, kessler)
    await visit(alice, kessler, "Second visit", "2026-10-01")
    async with opened(alice, "/visits", RecordList) as tab:
        assert titles(tab) == ["First visit", "Second visit"]
        assert tab[RecordList].feeds[0]["rows"][0]["cells"]["account_id"]["t"] == "Kessler"
    late = {"all": [
        {"field": "visited_on", "op": "after", "value": "2026-09-15"},
        {"related": "account", "some": {"field": "name", "op": "contains", "value": "kess"}},
    ]}  # fmt: skip
    for query in (f"filter={quote(json.dumps(late))}", "q=second", "sort=-visited_on"):
        async with opened(alice, f"/visits?{query}", RecordList) as tab:
            assert titles(tab)[0] == "Second visit", query
            assert tab[RecordList].feeds[0]["rows"][0]["href"].startswith("/visits/")
    tab = await tab_of(alice)
    for typed in ("second vis", "secnod"):
        await tab.run(SearchState.search, typed)
        (found,) = tab[SearchState].results
        assert (found["label"], found["hint"][:10]) == ("Second visit", "Kessler · "), typed
        assert found["href"].startswith("/visits/")


async def test_visit_has_a_page_edited_in_place_with_history(alice, kessler):
    visit_id = await visit(alice, kessler)
    async with opened(alice, f"/visits/{visit_id}", RecordState) as tab:
        state = tab[RecordState]
        assert state.head.name == "First visit"
        shown = {f.name: f.shown for s in state.sections for f in s.fields}
        assert shown["account_id"] == "Kessler" and shown["visited_on"]
        await tab.run(RecordState.save, "title", "Kick-off", "First visit")
        assert state.statuses["title"]["state"] == "saved" and state.head.name == "Kick-off"
    async with unit_of_work(alice) as uow:
        history = await of_field(uow, VISIT, visit_id, "title")
    assert [(c.old, c.new) for c in history.changes][:1] == [("First visit", "Kick-off")]


async def test_visit_is_imported_exported_and_taken_back(program, admin, kessler):
    client = await program(admin)
    file = "Title,Account,Visited,Notes\nKick-off,Kessler,2026-09-01,=1+1\nReview,Kessler,2026-09-31,\n"
    body = await imported(client, "visits", file)
    assert (body["rows"], body["created"], body["rejected"]) == (2, 1, 1), body
    assert body["problems"][0]["column"] == "Visited"
    exported = await client.get("/visits/export/", params={"fields": "title,account_id,visited_on,notes"})
    (row,) = csv.DictReader(io.StringIO(exported.text))
    assert (row["Title"], row["Account"], row["Notes"]) == ("Kick-off", "Kessler", "'=1+1")
    assert (await client.post(f"/imports/{body['id']}/revert/")).is_success
    await work_off()
    assert (await client.get("/visits/")).json()["data"] == []


async def test_visit_is_served_and_described(program, admin, mallory, kessler):
    client = await program(admin)
    given = {"title": "Kick-off", "account_id": str(kessler.id), "visited_on": "2026-09-01"}
    made = (await client.post("/visits/", json=given)).json()
    assert {n: made[n] for n in given} == given
    found = (await client.get("/visits/", params={"title[starts_with]": "kick", "expand": "account"})).json()["data"]
    assert [r["id"] for r in found] == [made["id"]]
    changed = await client.patch(f"/visits/{made['id']}/", json={"title": "Kick-off 2", "version": made["version"]})
    assert changed.json()["version"] == 2
    assert (await client.post("/visits/", json={**given, "visited_on": "soon"})).status_code == 422
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert any(p.endswith("/visits/") for p in paths)
    stranger = await program(mallory)
    assert (await stranger.get(f"/visits/{made['id']}/")).status_code == 404
    assert (await client.delete(f"/visits/{made['id']}/")).is_success
    assert (await client.get(f"/visits/{made['id']}/")).status_code == 404


async def test_visit_is_audited(alice, admin, kessler):
    visit_id = await visit(alice, kessler)
    async with unit_of_work(admin) as uow:
        entries = (await audit_log.listed(uow, audit_log.Asked(entity="visit"))).entries
    assert [(e.record_id, e.action) for e in entries if e.record_id == visit_id] == [(visit_id, "create")]


async def test_visit_is_seen_by_whom_it_may(alice, carol, mallory, kessler):
    visit_id = await visit(alice, kessler)
    for actor in (carol, mallory):
        with pytest.raises(NotFound):
            async with unit_of_work(actor) as uow:
                await records.read(uow, VISIT, visit_id)
    with pytest.raises(Forbidden):
        async with unit_of_work(replace(alice, permissions=frozenset({"account.read"}))) as uow:
            await records.read(uow, VISIT, visit_id)
    blind = alice.with_field_rights({"visit.notes": "hidden"})
    async with unit_of_work(blind) as uow:
        page = await records.find(uow, VISIT, columns=("title", "notes"))
    assert "notes" not in page.rows[0]


async def test_visits_are_changed_many_at_once_and_put_back(admin, kessler):
    ids = [await visit(admin, kessler, f"Visit {n}") for n in range(3)]
    done = await edit(admin, "visit", {"notes": "Went well"}, ids)
    assert (done.changed, done.blocked) == (3, 0)
    await undo(admin, done)
    async with unit_of_work(admin) as uow:
        page = await records.find(uow, VISIT, columns=("notes",))
    assert [r["notes"] for r in page.rows] == [""] * 3
