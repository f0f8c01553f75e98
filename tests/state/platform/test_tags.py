"""The page of tags without a browser: another name with Undo, two made one after a second press."""

from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import records
from crm_app.state.platform.tags import TagsState
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of


async def opened(admin, *tagged):
    for number, tags in enumerate(tagged):
        async with unit_of_work(admin) as uow:
            await records.create(uow, ACCOUNT, {"name": f"A{number}", "tags": tags})
    tab = await tab_of(admin, "/settings/tags")
    await tab.run(TagsState.load)
    return tab, tab[TagsState]


def shown(page):
    return [(t["label"], t["hint"]) for t in page.found]


async def test_another_name_is_given_and_taken_back(admin):
    tab, page = await opened(admin, ["fair"], ["fair", "vip"])
    await tab.run(TagsState.open, "fair")
    await tab.run(TagsState.save, {"tag": " "})
    assert page.is_open and page.errors == {"tag": "Is needed"}
    await tab.run(TagsState.save, {"tag": "trade  fair"})
    assert not page.is_open and shown(page) == [("trade fair", "2"), ("vip", "1")]
    notice = page.notices[-1]
    assert notice["action"] == "Undo"
    await tab.run(TagsState.undo, notice["payload"].partition(":")[2])
    assert shown(page) == [("fair", "2"), ("vip", "1")]


async def test_two_become_one_after_a_second_press(admin):
    tab, page = await opened(admin, ["VIP"], ["vip", "VIP"], ["vip"])
    await tab.run(TagsState.open, "VIP")
    await tab.run(TagsState.save, {"tag": "vip"})
    assert page.is_open and "“vip” is there already, on 2." in page.joins and len(page.found) == 2
    await tab.run(TagsState.save, {"tag": "vip"})
    assert not page.is_open and shown(page) == [("vip", "3")] and page.notices[-1]["action"] == ""


async def test_who_may_not_is_told(alice):
    _tab, page = await opened(alice, ["vip"])
    assert page.found == [] and page.notices
