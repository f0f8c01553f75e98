"""The bell of an open page: it counts by itself, lists by day, and is one person's alone."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import notifications, records
from crm_app.services.platform.notifications import JOB_DONE
from crm_app.state.platform.notifications import Bell, NoticeChoices
from crm_app.store.uow import unit_of_work
from tests.state.sales.test_deal import listening, until
from tests.state.tabs import tab_of


@asynccontextmanager
async def belled(actor, address="/pipeline"):
    tab = await tab_of(actor, address)
    await tab.run(Bell.load)
    watch = asyncio.create_task(tab.run(Bell.watch))
    try:
        await asyncio.sleep(0.1)
        yield tab
    finally:
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


async def give(actor, to, name="Kessler"):
    async with unit_of_work(actor) as uow:
        return (await records.create(uow, ACCOUNT, {"name": name, "owner_id": to.user_id})).id


async def tell(actor, to, title):
    async with unit_of_work(actor) as uow:
        await notifications.notify(uow, to.user_id, JOB_DONE, title=title)


async def test_it_counts_by_itself(manager, alice, bob):
    async with listening(), belled(alice) as hers, belled(bob) as his:
        record_id = await give(manager, alice)
        await until(lambda: hers[Bell].unread == 1)
        await hers.run(Bell.toggle)
        (day,) = hers[Bell].days
        (line,) = day.lines
        assert (day.title, line.sentence, line.record, line.href) == (
            "Today", "Maria gave you", "Kessler", f"/accounts/{record_id}",
        )  # fmt: skip
        await tell(manager, alice, "Deals.csv is in")  # while the panel is open
        await until(lambda: len(hers[Bell].days[0].lines) == 2)
        assert (his[Bell].unread, his[Bell].days) == (0, [])


async def test_read_unread_and_all(manager, alice):
    for title in ("One", "Two"):
        await tell(manager, alice, title)
    async with belled(alice) as tab:
        bell = tab[Bell]
        await tab.run(Bell.toggle)
        newest = bell.days[0].lines[0]
        await tab.run(Bell.mark, newest.id, True)
        assert (bell.unread, [x.is_read for x in bell.days[0].lines]) == (1, [True, False])
        await tab.run(Bell.mark, newest.id, False)
        assert bell.unread == 2
        await tab.run(Bell.read, newest.id)  # followed
        assert (bell.unread, bell.is_open) == (1, False)
        await tab.run(Bell.toggle)
        await tab.run(Bell.mark_all)
        assert (bell.unread, {x.is_read for x in bell.days[0].lines}) == (0, {True})


async def test_whoever_opens_the_record_has_read_it(manager, alice):
    record_id = await give(manager, alice)
    await give(manager, alice, "Globex")
    async with belled(alice, "/accounts/nonsense") as tab:
        assert tab[Bell].unread == 2
    async with belled(alice, f"/accounts/{record_id}") as tab:
        await until(lambda: tab[Bell].unread == 1)


async def test_an_id_of_somebody_else_changes_nothing(manager, alice, mallory):
    await tell(manager, alice, "Hers")
    async with belled(alice) as hers:
        await hers.run(Bell.toggle)
        line_id = hers[Bell].days[0].lines[0].id
    async with belled(mallory) as tab:
        await tab.run(Bell.mark, line_id, True)
        await tab.run(Bell.mark_all)
        assert "Hers" not in tab.sent()
    async with unit_of_work(alice) as uow:
        assert await notifications.unread(uow) == 1


async def test_page_by_page(manager, alice):
    for n in range(33):
        await tell(manager, alice, str(n))
    async with belled(alice) as tab:
        await tab.run(Bell.toggle)
        assert (sum(len(d.lines) for d in tab[Bell].days), tab[Bell].has_more) == (30, True)
        await tab.run(Bell.older)
        assert (sum(len(d.lines) for d in tab[Bell].days), tab[Bell].has_more) == (33, False)


async def test_choices_are_kept(alice):
    tab = await tab_of(alice, "/settings/profile")
    await tab.run(NoticeChoices.load)
    assert {r["name"] for r in tab[NoticeChoices].notice_rows} >= {"assigned", "job_done"}
    await tab.run(NoticeChoices.choose, "assigned", "mail", False)
    await tab.run(NoticeChoices.choose, "assigned", "everywhere", False)
    await tab.run(NoticeChoices.load)
    row = next(r for r in tab[NoticeChoices].notice_rows if r["name"] == "assigned")
    assert (row["app"], row["mail"]) == (True, False)


async def test_on_another_page_the_panel_is_closed_unless_it_was_opened_there(alice):
    tab = await tab_of(alice, "/pipeline")
    await tab.run(Bell.toggle)
    tab.go("/accounts")
    await tab.run(Bell.load)
    assert not tab[Bell].is_open
    tab.go("/contacts")
    await tab.run(Bell.toggle)  # pressed before the page has told that it is another one
    await tab.run(Bell.load)
    assert tab[Bell].is_open
