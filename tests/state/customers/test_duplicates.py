"""The page of duplicates and the hint of a form without a browser: what reaches the tab, and who may do what."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from crm_app.jobs.duplicates import scan_duplicates
from crm_app.models.base import table_of
from crm_app.models.customers.contacts import CONTACT, Contact
from crm_app.models.people.users import Role
from crm_app.services.customers import duplicates_pairs
from crm_app.services.platform import records
from crm_app.state.customers.duplicates import DuplicatesState, merge_address
from crm_app.state.record_form import RecordForm
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of


async def make(actor, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, CONTACT, values)


@pytest.fixture
async def twins(alice, bob, manager):
    one = await make(alice, first_name="Jana", last_name="Weber", email="jana@acme.com", title="Buyer")
    two = await make(
        bob, first_name="Jana", last_name="Weber", email="jana@acme.com", title="Head", phone="+4922112345"
    )
    async with unit_of_work(manager) as uow:
        run = await duplicates_pairs.start(uow, CONTACT)
    await scan_duplicates.func(str(manager.tenant_id), str(run.id))
    return one, two


@asynccontextmanager
async def opened(actor, address="/duplicates"):
    tab = await tab_of(actor, address)
    await tab.run(DuplicatesState.load)
    watch = asyncio.create_task(tab.run(DuplicatesState.watch))
    for _ in range(250):
        if tab[DuplicatesState].is_loaded or watch.done():
            break
        await asyncio.sleep(0.02)
    try:
        yield tab
    finally:
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


async def alive(actor):
    people = table_of(Contact)
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).select_from(people).where(people.c.deleted_at.is_(None)))


async def test_picks_follow_the_record_that_stays(manager, twins):
    async with opened(manager) as tab:
        page = tab[DuplicatesState]
        assert [(p.one, p.reasons) for p in page.pairs] == [("Jana Weber", "same e-mail, same name")]
        rows = {r.name: r for r in page.rows}
        assert [c.picked for c in rows["title"].choices] == [True, False]
        assert [c.picked for c in rows["phone"].choices] == [False, True]
        assert not rows["email"].differs
        await tab.run(DuplicatesState.keep, page.heads[1].id)
        assert [c.picked for c in {r.name: r for r in page.rows}["title"].choices] == [False, True]
        await tab.run(DuplicatesState.pick, "title", page.heads[0].id)
        await tab.run(DuplicatesState.merge)
        assert page.pairs == []
    async with unit_of_work(manager) as uow:
        merged = await uow.get(Contact, twins[1].id)
        assert (merged.title, merged.phone) == ("Buyer", "+4922112345")


async def test_what_somebody_changed_meanwhile_is_not_overwritten(manager, twins):
    async with opened(manager) as tab:
        async with unit_of_work(manager) as uow:
            await records.update(uow, CONTACT, twins[0].id, {"city": "Bonn"})
        await tab.run(DuplicatesState.merge)
        assert "was changed in the meantime" in tab[DuplicatesState].notices[-1]["text"]
        assert await alive(manager) == 2


async def test_a_rep_may_look_and_a_call_past_the_buttons_is_refused(alice, twins):
    async with opened(alice) as tab:
        assert not tab[DuplicatesState].may_merge
        assert len(tab[DuplicatesState].pairs) == 1
        for event in (DuplicatesState.merge, DuplicatesState.tell_apart, DuplicatesState.scan):
            await tab.run(event)
            assert tab[DuplicatesState].notices[-1]["kind"] == "error"
        assert await alive(alice) == 2


async def test_strangers_get_nothing_by_the_ids(mallory, carol, twins):
    address = merge_address("contact", [str(t.id) for t in twins])
    assert address == f"/duplicates?entity=contact&ids={twins[0].id},{twins[1].id}"
    for stranger in (mallory, carol):
        for asked in (address, merge_address("contact", [str(twins[0].id)]), "/duplicates?entity=role&ids=x"):
            async with opened(stranger, asked) as tab:
                await tab.run(DuplicatesState.merge)
                assert tab[DuplicatesState].heads == []
                assert "Jana" not in tab.sent()
                assert "acme.com" not in tab.sent()


async def test_a_hidden_field_is_not_shown_side_by_side(admin, workspace, manager, twins):
    roles = table_of(Role)
    async with unit_of_work(admin) as uow:
        hidden = {"contact.phone": "hidden", "contact.email": "hidden"}
        role_id = workspace.roles["manager"]
        await uow.execute(sa.update(roles).where(roles.c.id == role_id).values(field_rights=hidden))
    async with opened(manager) as tab:
        page = tab[DuplicatesState]
        assert {r.name for r in page.rows} & {"phone", "email", "title"} == {"title"}
        assert page.pairs[0].reasons == "same name"
        assert "acme.com" not in tab.sent()
        assert "22112345" not in tab.sent()


async def test_the_form_tells_while_one_types(alice, carol, twins):
    tab = await tab_of(alice, "/contacts")
    await tab.run(RecordForm.look, {"email": "jana@acme.com"})  # no form is open
    assert tab[RecordForm].alike == []
    await tab.run(RecordForm.ask, "contact", "", "")
    await tab.run(RecordForm.look, {"last_name": "Weber", "first_name": "Jana", "email": "jana@", "nonsense": "x"})
    assert [a["name"] for a in tab[RecordForm].alike] == ["Jana Weber", "Jana Weber"]
    await tab.run(RecordForm.ask, "contact", "", "")
    assert tab[RecordForm].alike == []
    tab = await tab_of(carol, "/contacts")
    await tab.run(RecordForm.ask, "contact", "", "")
    await tab.run(RecordForm.look, {"last_name": "Weber", "first_name": "Jana", "email": "jana@acme.com"})
    assert [a["name"] for a in tab[RecordForm].alike] == [
        "A contact with this e-mail exists, which you may not see; ask an admin."
    ]
    assert str(twins[0].id) not in tab.sent()
