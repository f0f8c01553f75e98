"""Lists and pages of any entity without a browser."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import records
from crm_app.state.record import RecordState
from crm_app.state.record_form import RecordForm
from crm_app.state.timeline import Timeline
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.tabs import tab_of


@asynccontextmanager
async def opened(actor, address, page):
    tab = await tab_of(actor, address)
    await tab.run(page.load)
    watch = asyncio.create_task(tab.run(page.watch))
    state = tab[page]
    for _ in range(250):
        if state.is_loaded or getattr(state, "is_missing", False) or watch.done():
            break
        await asyncio.sleep(0.02)
    try:
        yield tab
    finally:
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


async def accounts(actor, *names, **values):
    async with unit_of_work(actor) as uow:
        return [await records.create(uow, ACCOUNT, {"name": n, **values}) for n in names]


async def test_a_page_shows_what_belongs_to_the_record(alice):
    deal = await a_deal(alice, "Roll-out", account="Kessler")
    async with unit_of_work(alice) as uow:
        await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
    async with opened(alice, f"/accounts/{deal.account_id}", RecordState) as tab:
        state = tab[RecordState]
        assert state.head.name == "Kessler"
        assert [(r.title, [x.cells[0].text for x in r.rows]) for r in state.related] == [
            ("Open deals", ["Roll-out"]),
            ("People", ["Berg"]),
        ]
        given = {"kind": "note", "text": "Hello", "store": tab[Timeline].store, "operation": str(uuid4())}
        await tab.run(Timeline.log, given)
        assert tab[Timeline].answered["state"] == "saved"
        await tab.run(RecordState.save, "city", "Linz", "")
        assert state.statuses["city"]["state"] == "saved" and "Linz" in state.head.detail


async def test_strangers_find_no_record(alice, carol, mallory):
    (kessler,) = await accounts(alice, "Kessler")
    for stranger in (carol, mallory):
        async with opened(stranger, f"/accounts/{kessler.id}", RecordState) as tab:
            assert tab[RecordState].is_missing and "Kessler" not in tab.sent()


async def test_a_reader_changes_nothing(reader, alice):
    (kessler,) = await accounts(alice, "Kessler")
    async with opened(reader, f"/accounts/{kessler.id}", RecordState) as tab:
        assert all(f.locked for s in tab[RecordState].sections for f in s.fields)
        await tab.run(RecordState.save, "city", "Linz", "")
        assert tab[RecordState].statuses["city"]["state"] == "error"


async def test_a_new_record_is_asked_for_by_its_declaration(alice):
    tab = await tab_of(alice, "/accounts")
    form = tab[RecordForm]
    await tab.run(RecordForm.ask, "account", "", "")
    assert form.is_open and form.title == "New account"
    assert "owner_id" not in [f["name"] for f in form.fields]  # a rep gives nothing away
    await tab.run(RecordForm.submit, {"name": "", "email": "nonsense"})
    errors = {f["name"]: f["error"] for f in (*form.fields, *form.rest) if f["error"]}
    assert form.is_open and "email" in errors
    (there,) = await tab.run(RecordForm.submit, {"name": "Kessler", "email": "office@kessler.example"})
    assert not form.is_open and "/accounts/" in str(there)


async def test_a_new_person_belongs_to_the_account_it_was_asked_for_on(alice):
    (kessler,) = await accounts(alice, "Kessler")
    async with opened(alice, f"/accounts/{kessler.id}", RecordState) as tab:
        await tab.run(RecordForm.ask, "contact", "account_id", str(kessler.id))
        assert "account_id" not in [f["name"] for f in tab[RecordForm].fields]
        assert await tab.run(RecordForm.submit, {"last_name": "Berg"}) == []
        await tab.run(RecordState.save, "city", "Linz", "")
        people = next(r for r in tab[RecordState].related if r.title == "People")
        assert [r.cells[0].text for r in people.rows] == ["Berg"]


async def test_a_form_for_what_only_admins_arrange_does_not_open(alice):
    tab = await tab_of(alice, "/accounts")
    await tab.run(RecordForm.ask, "user", "", "")
    assert not tab[RecordForm].is_open


async def test_the_trash_gives_back(admin):
    (kessler,) = await accounts(admin, "Kessler")
    async with opened(admin, f"/accounts/{kessler.id}", RecordState) as tab:
        await tab.run(RecordState.delete)
        notice = tab[RecordState].notices[-1]
        (restore,) = await tab.run(RecordState.act, notice["id"], "Undo", notice["payload"])
        await tab.run(restore.handler, notice["payload"].partition(":")[2])
    async with opened(admin, f"/accounts/{kessler.id}", RecordState) as tab:
        assert tab[RecordState].head.name == "Kessler"
