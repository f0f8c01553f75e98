"""Saved views without a browser: tabs, what was changed, and the address that holds both."""

import json

from crm_app.state.list_views import ListViews
from crm_app.state.lists import GONE_VIEW, RecordList
from tests.state.test_lists import accounts, address, filtered, names, opened

CITY = {"field": "city", "op": "eq", "value": "Linz"}


async def tabs(tab):
    await tab.run(ListViews.load)
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
        await tab.run(ListViews.load)
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
