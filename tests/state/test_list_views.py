"""Saved views without a browser: tabs, what was changed, and the address that holds both."""

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import UUID

from crm_app.core.views import View
from crm_app.services.platform import saved_views
from crm_app.state.list_views import ListViews
from crm_app.state.lists import GONE_VIEW, RecordList
from crm_app.store.uow import unit_of_work
from tests.state.sales.test_deal import listening, until
from tests.state.test_lists import accounts, address, filtered, names, opened

CITY = {"field": "city", "op": "eq", "value": "Linz"}


async def tabs(tab):
    await tab[ListViews]._show()
    return [v["name"] for v in tab[ListViews].tabs]


async def saved(actor, **given):
    """The id of a view that was saved out of a list."""
    async with opened(actor, f"/accounts?filter={filtered(CITY)}", RecordList) as tab:
        await tab.run(ListViews.ask_new)
        (there,) = await tab.run(ListViews.submit, {"view-name": "Linz", **given})
        return address(there)[1]["view"]


async def test_what_is_shown_is_saved_and_opened_again(alice):
    await accounts(alice, "Kessler", city="Linz")
    await accounts(alice, "Zeta", city="Graz")
    view_id = await saved(alice)
    async with opened(alice, f"/accounts?view={view_id}", RecordList) as tab:
        shown = tab[RecordList]
        assert names(tab) == ["Kessler"] and await tabs(tab) == ["All", "Mine", "Linz"]
        assert not shown.is_changed and shown.may_keep and shown.view_name == "Linz"
        (there,) = await tab.run(RecordList.sort_by, "city")
        assert address(there) == ("/accounts", {"view": view_id, "sort": "city"})
        (there,) = await tab.run(RecordList.drop, 0)
        assert address(there) == ("/accounts", {"view": view_id, "filter": "-"})
    async with opened(alice, f"/accounts?view={view_id}&filter=-", RecordList) as tab:
        assert tab[RecordList].is_changed and len(names(tab)) == 2
        (there,) = await tab.run(ListViews.put_back)
        assert address(there) == ("/accounts", {"view": view_id})
        await tab.run(ListViews.keep)
    async with opened(alice, f"/accounts?view={view_id}", RecordList) as tab:
        assert len(names(tab)) == 2 and not tab[RecordList].is_changed


async def test_mine_is_a_view_of_every_list(alice, bob):
    await accounts(alice, "Kessler")
    await accounts(bob, "Zeta")
    async with opened(alice, "/accounts?view=mine", RecordList) as tab:
        assert names(tab) == ["Kessler"] and not tab[RecordList].is_changed and not tab[RecordList].may_keep
        assert tab[RecordList].chips[0]["text"] == "is me"


async def test_a_view_is_renamed_pinned_shared_and_deleted(alice, bob):
    view_id = await saved(alice)
    async with opened(alice, f"/accounts?view={view_id}", RecordList) as tab:
        await tabs(tab)
        await tab.run(ListViews.ask_rename, view_id)
        assert tab[ListViews].name == "Linz"
        await tab.run(ListViews.submit, {"view-name": " "})
        assert tab[ListViews].errors["name"] == "Is required" and tab[ListViews].asks
        await tab.run(ListViews.submit, {"view-name": "Upper Austria"})
        assert await tabs(tab) == ["All", "Mine", "Upper Austria"] and tab[RecordList].view_name == "Upper Austria"
        await tab.run(ListViews.set_pinned, view_id, False)
        assert [v["name"] for v in tab[ListViews].others] == ["Upper Austria"]
        await tab.run(ListViews.set_pinned, view_id, True)
        await tab.run(ListViews.set_shared, view_id, True)
        async with opened(bob, f"/accounts?view={view_id}", RecordList) as other:
            assert await tabs(other) == ["All", "Mine", "Upper Austria"] and not other[RecordList].may_keep
            await other.run(ListViews.delete, view_id)
            assert other[ListViews].notices[-1]["kind"] == "error"
        (there,) = await tab.run(ListViews.delete, view_id)
        assert address(there) == ("/accounts", {}) and await tabs(tab) == ["All", "Mine"]
        assert tab[ListViews].notices[-1]["payload"] == f"view:{view_id}"
        (there,) = await tab.run(ListViews.restore, view_id)
        assert address(there)[1] == {"view": view_id}


async def test_a_page_that_is_loaded_anew_asks_nothing_but_one_that_came_back_does(alice):
    async with opened(alice, "/accounts?q=kes", RecordList) as tab:
        await tab.run(ListViews.recall, "new:", {"view-name": "Half a name"})  # by a server that has forgotten
        assert (tab[ListViews].asks, tab[ListViews].name) == ("new", "Half a name")
        await tab.run(ListViews.load)
        await tab.run(ListViews.recall, "new:", {"view-name": "Half a name"})
        assert tab[ListViews].asks == ""


async def test_somebody_elses_own_view_opens_the_whole_list(alice, bob, mallory):
    await accounts(bob, "Zeta")
    view_id = await saved(alice)
    async with opened(bob, f"/accounts?view={view_id}", RecordList) as tab:
        assert (
            tab[RecordList].note == GONE_VIEW and names(tab) == ["Zeta"] and "Linz" not in json.dumps(await tabs(tab))
        )
        await tab.run(ListViews.keep)
        await tab.run(ListViews.ask_rename, view_id)
        await tab.run(ListViews.submit, {"view-name": "x", "memory": f"rename:{view_id}"})
        assert tab[ListViews].notices[-1]["kind"] == "error"
    async with opened(mallory, f"/accounts?view={view_id}", RecordList) as tab:
        assert tab[RecordList].note == GONE_VIEW and "Linz" not in tab.sent()


@asynccontextmanager
async def following(tab):
    """The tab hears of views; yields the events that it was given."""
    told = []
    watch = asyncio.create_task(tab.follow(ListViews.watch, told))
    try:
        await until(lambda: tab[ListViews].tabs or watch.done())
        yield told
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def by(actor, verb, view_id, *values):
    async with unit_of_work(actor) as uow:
        await getattr(saved_views, verb)(uow, UUID(view_id), *values)


async def test_tabs_follow_what_colleagues_do_with_their_views(alice, bob, mallory):
    view_id = await saved(alice)
    async with listening(), opened(bob, "/accounts", RecordList) as tab, following(tab) as told:
        shown = tab[ListViews]
        assert [v["name"] for v in shown.tabs] == ["All", "Mine"]
        await by(alice, "share", view_id, True)
        await until(lambda: [v["name"] for v in shown.tabs] == ["All", "Mine", "Linz"])
        await by(alice, "rename", view_id, "Upper Austria")
        await until(lambda: shown.tabs[-1]["name"] == "Upper Austria")
        await saved(mallory)
        await by(alice, "delete", view_id)
        await until(lambda: len(shown.tabs) == 2)
        assert told == []  # it looked through none of them


async def test_what_is_looked_at_follows_its_view_but_for_own_changes(alice, bob):
    view_id = await saved(alice, **{"view-shared": "on"})
    async with listening(), opened(bob, f"/accounts?view={view_id}", RecordList) as tab, following(tab) as told:
        await by(alice, "rename", view_id, "Upper Austria")
        await until(lambda: tab[RecordList].view_name == "Upper Austria")
        assert told == []
        await by(alice, "change", view_id, View(sort="city"))
        await until(lambda: told)
        assert told == [RecordList.load] and tab[ListViews].notices == []
    async with listening(), opened(bob, f"/accounts?view={view_id}&q=kes", RecordList) as tab, following(tab) as told:
        await by(alice, "change", view_id, View(sort="city", descending=True))
        await until(lambda: told)
        assert address(told[0])[1] == {"view": view_id, "q": "kes", "sort": "city"}
        assert "Reset shows it as it is now" in tab[ListViews].notices[-1]["text"]
    async with listening(), opened(bob, f"/accounts?view={view_id}", RecordList) as tab, following(tab) as told:
        await by(alice, "share", view_id, False)
        await until(lambda: told)
        assert address(told[0])[1] == {"sort": "-city"}
        assert "save it to keep it" in tab[ListViews].notices[-1]["text"]


async def test_ones_own_saving_and_deleting_is_no_news(alice):
    view_id = await saved(alice)
    async with (
        listening(),
        opened(alice, f"/accounts?view={view_id}&sort=city", RecordList) as tab,
        following(tab) as told,
    ):
        await tab.run(ListViews.keep)
        await tab.run(ListViews.delete, view_id)
        await until(lambda: len(tab[ListViews].tabs) == 2)
        await asyncio.sleep(0.2)
        assert told == []
