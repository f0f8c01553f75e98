"""Choosing records in a list, and what is done with them, as a browser meets it."""

import asyncio

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.models.base import new_id
from crm_app.services.platform import bulk_operations, records
from crm_app.state.list_bulk import ListBulk
from crm_app.state.lists import RecordList
from crm_app.store.live import hub
from crm_app.store.uow import unit_of_work
from tests.services.platform.test_bulk import people, rows
from tests.state.tabs import tab_of
from tests.work import forget_jobs, work_off


async def opened(actor, address="/contacts"):
    tab = await tab_of(actor, address)
    await tab.run(RecordList.load)
    await tab.run(ListBulk.load)
    watching = asyncio.create_task(tab.run(RecordList.watch))
    for _ in range(100):
        if tab[RecordList].count:
            break
        await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return tab


async def test_a_field_of_the_chosen_is_changed_and_undone(alice):
    ids = await people(alice, 3, city="Graz")
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [str(i) for i in ids[:2]], False)
    await tab.run(ListBulk.ask, "city")
    state = tab[ListBulk]
    assert (state.asking, state.heading, [f["name"] for f in state.fields]) == ("edit", "2 contacts", ["city"])
    await tab.run(ListBulk.submit, {"city": "Linz", "memory": state.memory})
    assert (state.asking, state.picks, state.notices[-1]["text"]) == ("", 1, "2 contacts changed")
    assert await rows(alice, "contact", "city") == ["Linz", "Linz", "Graz"]
    await tab.run(ListBulk.undo, state.notices[-1]["payload"].partition(":")[2])
    assert state.notices[-1]["text"] == "2 contacts put back"
    assert await rows(alice, "contact", "city") == ["Graz"] * 3


async def test_all_that_match_are_meant_not_those_in_sight(alice):
    await people(alice, 2, city="Graz")
    await people(alice, 1, city="Wien")
    tab = await opened(alice, "/contacts?filter=%7B%22field%22:%22city%22,%22op%22:%22eq%22,%22value%22:%22Graz%22%7D")
    assert tab[RecordList].count == "2 contacts"
    await tab.run(ListBulk.pick, [], True)
    await tab.run(ListBulk.ask, "tags")
    state = tab[ListBulk]
    assert state.heading == "2 contacts"
    await tab.run(ListBulk.submit, {"tags": "vip, big", "tags_mode": "add", "memory": state.memory})
    assert await rows(alice, "contact", "tags") == [["vip", "big"], ["vip", "big"], []]


async def test_all_that_match_but_those_taken_out(alice):
    ids = await people(alice, 3, city="Graz")
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [str(ids[1])], True)
    await tab.run(ListBulk.ask, "city")
    state = tab[ListBulk]
    assert state.heading == "2 contacts"
    fresh = await tab_of(alice, "/contacts")  # a server that started anew knows whom to leave out
    await fresh.run(ListBulk.submit, {"city": "Linz", "memory": state.memory})
    assert fresh[ListBulk].notices[-1]["text"] == "2 contacts changed"
    assert await rows(alice, "contact", "city") == ["Linz", "Graz", "Linz"]
    await tab.run(ListBulk.pick, [str(new_id()) for _ in range(1_001)], True)
    await tab.run(ListBulk.ask_delete)
    assert "filter the list instead" in tab[ListBulk].notices[-1]["text"]


async def test_what_is_wrong_is_told_at_its_field_and_the_dialog_stays(alice):
    ids = await people(alice, 1)
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [str(ids[0])], False)
    await tab.run(ListBulk.ask, "phone")
    await tab.run(ListBulk.take_field, "department")
    await tab.run(ListBulk.take_field, "name")  # is worked out
    state = tab[ListBulk]
    assert [f["name"] for f in state.fields] == ["phone", "department"]
    await tab.run(ListBulk.submit, {"phone": "nonsense", "department": "Sales", "memory": state.memory})
    assert state.asking == "edit"
    assert state.fields[0]["error"]
    assert state.fields[1]["value"] == "Sales"
    await tab.run(ListBulk.leave)
    assert await rows(alice, "contact", "department") == [""]


async def test_a_server_that_started_anew_takes_the_dialog_up(alice):
    ids = await people(alice, 1)
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [str(ids[0])], False)
    await tab.run(ListBulk.ask, "city")
    memory = tab[ListBulk].memory
    fresh = await tab_of(alice, "/contacts")
    await fresh.run(ListBulk.recall, memory, {"city": "Li"})
    assert fresh[ListBulk].fields[0]["value"] == "Li"
    await fresh.run(ListBulk.submit, {"city": "Linz", "memory": memory})
    assert await rows(alice, "contact", "city") == ["Linz"]


async def test_a_memory_that_was_tampered_with_opens_nothing(alice, mallory):
    hers = await people(mallory, 1)
    mine = await people(alice, 1)
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [str(mine[0])], False)
    await tab.run(ListBulk.ask, "city")
    forged = tab[ListBulk].memory.replace(str(mine[0]), str(hers[0]))
    fresh = await tab_of(alice, "/contacts")
    await fresh.run(ListBulk.submit, {"city": "Linz", "memory": forged})
    assert fresh[ListBulk].running["title"] == "0 contacts changed, 1 blocked"
    assert await rows(mallory, "contact", "city") == [""]
    assert "Person" not in str(fresh[ListBulk].reasons)


async def test_blocked_ones_are_told_with_their_reasons(manager, alice):
    account = registry.get("account")
    async with unit_of_work(alice) as uow:
        free = await records.create(uow, account, {"name": "Free"})
        held = await records.create(uow, account, {"name": "Held"})
        deal = {"name": "Roll-out", "account_id": held.id, "amount_minor": 1, "expected_close_on": uow.today}
        await records.create(uow, registry.get("opportunity"), deal)
    tab = await opened(manager, "/accounts")
    await tab.run(ListBulk.pick, [str(free.id), str(held.id)], False)
    await tab.run(ListBulk.ask_delete)
    state = tab[ListBulk]
    await tab.run(ListBulk.submit, {"memory": state.memory})
    assert (state.is_result_open, state.running["title"]) == (True, "1 account deleted, 1 blocked")
    assert state.running["can_undo"]
    (reason,) = state.reasons
    assert reason["reason"].startswith("1 opportunity still belong")
    assert reason["records"] == [{"title": "Held", "href": f"/accounts/{held.id}"}]
    await tab.run(ListBulk.undo, "")
    assert state.notices[-1]["text"] == "1 account put back"


async def test_many_are_told_while_they_are_done_and_stopped(alice, monkeypatch, app_database):
    monkeypatch.setattr(bulk_operations, "CHUNK", 2)
    await forget_jobs()
    await people(alice, 6)
    listening = asyncio.create_task(hub.listen())
    await hub.is_listening.wait()
    tab = await opened(alice)
    await tab.run(ListBulk.pick, [], True)
    await tab.run(ListBulk.ask, "city")
    state = tab[ListBulk]
    await tab.run(ListBulk.submit, {"city": "Linz", "memory": state.memory})
    assert (state.running["text"], state.running["is_running"]) == ("Changing 0 of 6 contacts", True)
    fresh = await opened(alice)  # another tab shows it too
    assert fresh[ListBulk].running["is_running"]
    following = asyncio.create_task(tab.run(ListBulk.follow))
    await asyncio.sleep(0.05)
    await work_off()
    await asyncio.wait_for(following, 5)
    assert state.notices[-1]["text"] == "6 contacts changed"
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_reader_can_do_nothing(alice, reader):
    ids = await people(alice, 1)
    tab = await opened(reader)
    await tab.run(ListBulk.pick, [str(ids[0])], False)
    await tab.run(ListBulk.ask, "city")
    await tab.run(ListBulk.submit, {"city": "Linz", "memory": tab[ListBulk].memory})
    assert "does not let you update" in tab[ListBulk].error
    await tab.run(ListBulk.pick, ["not an id"], False)
    await tab.run(ListBulk.ask_delete)
    await tab.run(ListBulk.submit, {"memory": tab[ListBulk].memory})
    assert tab[ListBulk].error
    users = registry.get("contact").table
    async with unit_of_work(alice) as uow:
        assert await uow.scalar(sa.select(users.c.city)) == ""
