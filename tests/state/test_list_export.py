"""A list as a file, as a browser meets it."""

import asyncio
import json

from crm_app.services.platform import exporting, notifications
from crm_app.services.platform.exporting import FORMS
from crm_app.state.list_bulk import ListBulk
from crm_app.state.list_export import Exports, ListExport
from crm_app.store.live import hub
from crm_app.store.uow import unit_of_work
from tests.services.platform.test_bulk import people
from tests.services.platform.test_exporting import lying
from tests.state.test_list_bulk import opened
from tests.work import forget_jobs, work_off


def fetched(events):
    (event,) = events
    return json.loads(next(str(v) for k, v in event.args if str(k) == "url"))


async def test_a_short_list_comes_at_once(admin):
    await people(admin, 3)
    tab = await opened(admin, "/contacts?cols=name,city")
    await tab.run(ListExport.ask, False)
    state = tab[ListExport]
    assert (state.is_open, state.heading) == (True, "3 contacts")
    await tab.run(ListExport.choose, "csv")
    there = fetched(await tab.run(ListExport.submit))
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    assert there.startswith(f"/api/exports/{made.id}/")
    assert lying(admin, made).read_text("utf-8-sig").splitlines()[0] == "Name,City"
    assert await tab.run(ListExport.submit) == []  # pressed twice


async def test_the_chosen_ones_alone(admin):
    ids = await people(admin, 3)
    tab = await opened(admin)
    await tab.run(ListBulk.pick, [str(ids[1])], False)
    await tab.run(ListExport.ask, True)
    assert tab[ListExport].heading == "1 contact"
    await tab.run(ListExport.choose, "csv")
    await tab.run(ListExport.submit)
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    assert made.rows == 1


async def test_all_but_those_taken_out(admin):
    ids = await people(admin, 3)
    tab = await opened(admin)
    await tab.run(ListBulk.pick, [str(ids[1])], True)
    await tab.run(ListExport.ask, True)
    assert tab[ListExport].heading == "2 contacts"
    await tab.run(ListExport.choose, "csv")
    await tab.run(ListExport.submit)
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    assert made.rows == 2


async def test_a_long_one_is_written_meanwhile_and_told(admin, monkeypatch, app_database):
    monkeypatch.setattr(exporting, "DIRECT", dict.fromkeys(FORMS, 1))
    await forget_jobs()
    await people(admin, 3)
    listening = asyncio.create_task(hub.listen())
    await hub.is_listening.wait()
    tab = await opened(admin)
    await tab.run(ListExport.ask, False)
    (follow,) = await tab.run(ListExport.submit)
    state = tab[ListExport]
    assert "is being written: 3 rows" in state.notices[-1]["text"]
    await tab.run(Exports.load)
    assert tab[Exports].files[0]["is_running"]
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    following = asyncio.create_task(tab.run(Exports.follow, str(made.id)))
    await asyncio.sleep(0.05)
    await work_off()
    await asyncio.wait_for(following, 5)
    assert state.notices[-1]["text"].endswith(".xlsx is ready: 3 rows")
    assert fetched(await tab.run(Exports.fetch, str(made.id))).startswith(f"/api/exports/{made.id}/")
    async with unit_of_work(admin) as uow:
        (notice,) = await notifications.listed(uow)
    assert "is ready: 3 rows" in str(notice)
    await tab.run(Exports.discard, str(made.id))
    assert tab[Exports].files == []
    assert follow is not None
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_who_asked_for_it_cancels_it_and_nobody_waits_on(admin, monkeypatch, app_database):
    monkeypatch.setattr(exporting, "DIRECT", dict.fromkeys(FORMS, 1))
    await forget_jobs()
    await people(admin, 3)
    listening = asyncio.create_task(hub.listen())
    await hub.is_listening.wait()
    tab = await opened(admin)
    await tab.run(ListExport.ask, False)
    await tab.run(ListExport.submit)
    await tab.run(Exports.load)
    (row,) = tab[Exports].files
    assert row["about"] == "0 % of 3 contacts"
    following = asyncio.create_task(tab.run(Exports.follow, row["id"]))
    await asyncio.sleep(0.05)
    await tab.run(Exports.cancel, row["id"])
    assert tab[Exports].files == []
    assert "is cancelled" in tab[Exports].notices[-1]["text"]
    await asyncio.wait_for(following, 5)
    await work_off()
    async with unit_of_work(admin) as uow:
        assert await exporting.listed(uow) == [] and await notifications.listed(uow) == []
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_without_the_right_it_is_refused_in_words(alice):
    await people(alice, 1)
    tab = await opened(alice)
    await tab.run(ListExport.ask, False)
    await tab.run(ListExport.submit)
    assert "does not let you export" in tab[ListExport].error


async def test_nobody_fetches_what_is_another_ones(admin, manager):
    await people(admin, 1)
    tab = await opened(admin)
    await tab.run(ListExport.ask, False)
    await tab.run(ListExport.submit)
    async with unit_of_work(admin) as uow:
        (made,) = await exporting.listed(uow)
    other = await opened(manager)
    assert await other.run(Exports.fetch, str(made.id)) == []
    await other.run(Exports.discard, str(made.id))
    assert lying(admin, made).exists()
    await other.run(Exports.cancel, str(made.id))
    assert "not known any more" in other[Exports].notices[-1]["text"]
    await other.run(Exports.load)
    assert other[Exports].files == []
