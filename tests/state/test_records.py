"""Lists and pages of any entity without a browser."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict
from crm_app.core.money import show
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import Team
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities, comments
from crm_app.services.platform import records
from crm_app.services.platform.schema import entity_of
from crm_app.state import record_views
from crm_app.state.platform.trash import TrashState
from crm_app.state.record import RecordState
from crm_app.state.record_delete import RecordDelete
from crm_app.state.record_form import RecordForm
from crm_app.state.record_history import RecordHistory
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
        (born,) = [i for g in tab[Timeline].groups for i in g.rows]
        assert (born.about, born.about_href, born.title) == (
            "Roll-out", f"/opportunities/{deal.id}", "Created in Qualify",
        )  # fmt: skip
        assert [(r.card, [x.cells[0].text for x in r.brief]) for r in state.related] == [
            ("Open deals", ["Roll-out"]),
            ("People", ["Berg"]),
        ]
        figures = {f.label: (f.text, f.note) for f in state.head.figures}
        assert figures["Open pipeline"] == (show(1_000_000, "EUR"), "1 deal")
        assert figures["Last talk"][0] == "–" and figures["Next activity"][1] == "none planned"
        given = {"kind": "note", "text": "Hello", "store": tab[Timeline].store, "operation": str(uuid4())}
        await tab.run(Timeline.log, given)
        assert tab[Timeline].answered["state"] == "saved"
        await tab.run(RecordState.save, "city", "Linz", "")
        assert state.statuses["city"]["state"] == "saved" and "Linz" in state.head.detail


async def test_the_talks_with_its_people_and_about_its_deals_are_the_accounts(alice, bob):
    deal = await a_deal(alice, "Roll-out", account="Kessler")
    async with unit_of_work(alice) as uow:
        berg = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
        await activities.log(uow, kind="call", subject="About the deal", opportunity_id=deal.id)
        await activities.log(uow, kind="call", subject="With Berg", contact_id=berg.id)
        await activities.plan(uow, kind="task", subject="Send it", due_at=uow.now, account_id=deal.account_id)
    async with opened(bob, f"/accounts/{deal.account_id}", RecordState) as tab:
        told = {row.title for group in tab[Timeline].groups for row in group.rows}
        assert told == {"About the deal", "With Berg", "Send it", "Created in Qualify"} and tab[Timeline].count == 3
        figures = {f.label: f for f in tab[RecordState].head.figures}
        assert figures["Last talk"].text.startswith("Today")
        assert figures["Open tasks"].text == "1" and figures["Open tasks"].href.startswith("/activities?filter=")


async def test_a_deal_that_somebody_may_not_see_adds_nothing_to_its_account(workspace, alice, carol):
    deal = await a_deal(alice, "Secret roll-out", account="Kessler")
    async with unit_of_work(workspace.admin) as uow:
        await records.update(uow, ACCOUNT, deal.account_id, {"owner_id": carol.user_id})
        await activities.log(uow, kind="call", subject="Hush", opportunity_id=deal.id)
    async with opened(carol, f"/accounts/{deal.account_id}", RecordState) as tab:
        assert tab[RecordState].head.name == "Kessler"
        assert {f.label: f.note for f in tab[RecordState].head.figures}["Open pipeline"] == ""
        assert "Hush" not in tab.sent() and "Secret" not in tab.sent()


async def test_a_field_that_the_role_may_not_see_is_in_no_figure_and_no_list(workspace, alice):
    deal = await a_deal(alice, "Roll-out", account="Kessler", amount_minor=987_654_00)
    blind = alice.with_field_rights({"opportunity.amount_minor": "hidden", "account.city": "hidden"})
    async with unit_of_work(blind) as uow:
        entity = await entity_of(uow, "account")
        values = await record_views.read(uow, entity, str(deal.account_id))
        head = await record_views.head(uow, entity, values)
        lists = await record_views.related(uow, entity, deal.account_id)
    assert "Open pipeline" not in [f.label for f in head.figures] and "city" not in values
    assert "amount_minor" not in [c.name for r in lists for c in r.columns] and "987" not in str(lists)


async def test_what_was_changed_stands_in_the_history(alice, bob):
    (kessler,) = await accounts(alice, "Kessler")
    async with unit_of_work(bob) as uow:
        await records.update(uow, ACCOUNT, kessler.id, {"city": "Linz"})
    async with opened(alice, f"/accounts/{kessler.id}", RecordState) as tab:
        history = tab[RecordHistory]
        assert not history.is_read
        await tab.run(RecordHistory.shown, "history")
        assert [(c.field, c.old, c.new, c.who) for c in history.changes] == [("City", "", "Linz", "Bob")]
        await tab.run(RecordState.save, "city", "Graz", "Linz")
        assert [c.new for c in history.changes] == ["Graz", "Linz"]


async def test_every_kind_of_record_has_a_page(admin):
    async with unit_of_work(admin) as uow:
        team = await uow.scalar(sa.select(table_of(Team).c.id).limit(1))
    deal = await a_deal(admin)
    async with unit_of_work(admin) as uow:
        call = await activities.log(uow, kind="call", subject="Hello", opportunity_id=deal.id)
    for address, name in (
        (f"/users/{admin.user_id}", "Ada Admin"), (f"/teams/{team}", "Sales"), (f"/activities/{call.id}", "Hello"),
    ):  # fmt: skip
        async with opened(admin, address, RecordState) as tab:
            assert tab[RecordState].is_loaded and tab[RecordState].head.name in (name, "Another team")


async def test_a_record_is_opened_beside_a_list_and_changed_there(alice):
    first, second = await accounts(alice, "Kessler", "Zeta")
    tab = await tab_of(alice, "/accounts")
    state = tab[RecordState]
    for record in (first, second):
        await tab.run(RecordState.open, "account", str(record.id))
        await tab.run(RecordState.reread)
        assert state.is_loaded and state.head.name == record.name
    await tab.run(RecordState.save, "city", "Linz", "")
    assert state.statuses["city"]["state"] == "saved" and "Linz" in state.head.detail
    await tab.run(RecordState.close)
    assert not state.is_loaded and state.head.id == ""


async def test_through_the_list_one_came_from(alice, mallory):
    first, second, third = await accounts(alice, "Alpha", "Beta", "Gamma", industry="Steel")
    await accounts(alice, "Aaa", industry="Paper")
    filtered = '{"field":"industry","op":"eq","value":"Steel"}'
    async with opened(alice, f"/accounts/{second.id}?list=1&sort=-name&filter={filtered}", RecordState) as tab:
        state = tab[RecordState]
        assert state.place == "2 of 3"
        assert state.before_href.startswith(f"/accounts/{third.id}?list=1&")
        assert state.after_href.startswith(f"/accounts/{first.id}?list=1&")
    async with opened(alice, f"/accounts/{second.id}", RecordState) as tab:
        assert (tab[RecordState].place, tab[RecordState].after_href) == ("", "")
    async with opened(alice, f"/accounts/{third.id}?list=1&filter={filtered}", RecordState) as tab:
        assert tab[RecordState].place == "3 of 3" and tab[RecordState].after_href == ""
    async with opened(alice, f"/accounts/{third.id}?list=1&filter=nonsense&sort=tenant_id", RecordState) as tab:
        assert tab[RecordState].is_loaded and tab[RecordState].place == "4 of 4"
    async with opened(mallory, f"/accounts/{second.id}?list=1", RecordState) as tab:
        assert tab[RecordState].is_missing and "Beta" not in tab.sent()


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


async def test_the_dialog_tells_what_becomes_of_what_hangs_on_it(admin):
    deal = await a_deal(admin, "Roll-out", account="Kessler")
    async with unit_of_work(admin) as uow:
        berg = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": deal.account_id})
        await activities.log(uow, kind="call", subject="Hello", opportunity_id=deal.id)
        for text in ("One", "Two"):
            await comments.add(uow, OPPORTUNITY, deal.id, text)
    tab = await tab_of(admin, "/accounts")
    dialog = tab[RecordDelete]
    await tab.run(RecordDelete.ask, "account", str(deal.account_id), "/accounts")
    assert dialog.is_asked and dialog.is_held and dialog.asked_name == "Kessler"
    assert [(f.fate, f.text) for f in dialog.fates] == [
        ("protects", "1 opportunity needs this account. Move or delete it first."),
        ("stays", "1 contact stays, and shows no account while it is in the trash."),
    ]
    assert dialog.fates[0].href.startswith("/opportunities?filter=")
    with pytest.raises(Conflict):
        await tab.run(RecordDelete.throw_away, {})
    await tab.run(RecordDelete.ask, "opportunity", str(deal.id), "//evil.example")
    assert not dialog.is_held and dialog.asked_label == "deal"
    assert {f.text for f in dialog.fates} == {
        "1 activity goes with it, and comes back with it.",
        "2 comments go with it, and come back with it.",
    }
    assert await tab.run(RecordDelete.throw_away, {"reason": "Twice"}) == []
    await tab.run(RecordDelete.ask, "contact", str(berg.id), "")
    assert dialog.fates == []


async def test_who_may_not_delete_is_told_nothing(alice, reader, mallory):
    (kessler,) = await accounts(alice, "Kessler")
    for stranger in (alice, reader, mallory):
        tab = await tab_of(stranger, "/accounts")
        await tab.run(RecordDelete.ask, "account", str(kessler.id), "")
        assert not tab[RecordDelete].is_asked and "Kessler" not in tab.sent()


async def test_the_trash_gives_back(admin):
    (kessler,) = await accounts(admin, "Kessler")
    async with opened(admin, f"/accounts/{kessler.id}", RecordState) as tab:
        await tab.run(RecordDelete.ask, "account", str(kessler.id), "/accounts")
        await tab.run(RecordDelete.throw_away, {})
        notice = tab[RecordState].notices[-1]
        (restore,) = await tab.run(RecordState.act, notice["id"], "Undo", notice["payload"])
        await tab.run(restore.handler, notice["payload"].partition(":")[2])
    async with opened(admin, f"/accounts/{kessler.id}", RecordState) as tab:
        assert tab[RecordState].head.name == "Kessler"


async def test_the_page_of_the_trash(admin, manager):
    async with unit_of_work(manager) as uow:
        berg = await records.create(uow, CONTACT, {"last_name": "Berg"})
        kessler = await records.create(uow, ACCOUNT, {"name": "Kessler"})
        await records.delete(uow, CONTACT, berg.id)
        await records.delete(uow, ACCOUNT, kessler.id)
    async with opened(admin, "/trash", TrashState) as tab:
        state = tab[TrashState]
        assert {(r.title, r.who, r.left) for r in state.rows} == {
            ("Berg", "Maria", "30 days"),
            ("Kessler", "Maria", "30 days"),
        }
        await tab.run(TrashState.narrow, "kind", "contact")
        assert [r.title for r in state.rows] == ["Berg"]
        await tab.run(TrashState.put_back, "contact", str(berg.id))
        assert state.rows == [] and state.notices[-1]["text"] == "Berg is back"
        await tab.run(TrashState.narrow, "kind", "")
        await tab.run(TrashState.ask_purge, "account", str(kessler.id), "Kessler")
        await tab.run(TrashState.purge, {})
        assert state.rows == [] and "for good" in state.notices[-1]["text"]
    async with opened(manager, "/trash", TrashState) as tab:
        assert not tab[TrashState].may_purge


async def test_strangers_find_nothing_in_the_trash(admin, alice, mallory):
    (kessler,) = await accounts(admin, "Kessler")
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACCOUNT, kessler.id)
    for stranger in (alice, mallory):
        async with opened(stranger, "/trash", TrashState) as tab:
            assert tab[TrashState].rows == [] and "Kessler" not in tab.sent()
            for attack in (TrashState.put_back, TrashState.ask_purge):
                given = ("account", str(kessler.id), "x")[: 2 if attack is TrashState.put_back else 3]
                await tab.run(attack, *given)
            await tab.run(TrashState.purge, {})
    async with unit_of_work(admin) as uow:
        assert (await uow.get(ACCOUNT.model, kessler.id, in_trash=True)).deleted_at is not None
