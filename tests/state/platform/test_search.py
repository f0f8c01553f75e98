"""The search palette's state: rows for the page, and nothing that the person may not see."""

import importlib

import pytest

from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import recents, records, spelling
from crm_app.state.people.profile import ProfileState
from crm_app.state.platform.search import SearchState, record_at
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.tabs import Tab, tab_of


@pytest.fixture
async def kessler(alice):
    spelling.forget(alice.tenant_id)
    async with unit_of_work(alice) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "Kessler & Sohn", "city": "Linz"})
        await records.create(uow, CONTACT, {"last_name": "Kessel", "first_name": "Ute", "account_id": account.id})
    return account


async def test_rows_say_what_they_are_and_where_they_lead(alice, kessler):
    deal = await a_deal(alice, "Kiosk", account="Kesselhaus")
    tab = await tab_of(alice)
    await tab.run(SearchState.search, "kess")
    state = tab[SearchState]
    assert state.answered == "kess"
    assert [(r["group"], r["label"]) for r in state.results] == [
        ("Deals", "Kiosk"),
        ("Accounts", "Kesselhaus"),
        ("Accounts", "Kessler & Sohn"),
        ("Contacts", "Ute Kessel"),
    ]
    assert state.results[0]["href"] == f"/opportunities/{deal.id}" and state.results[0]["icon"] == "board"
    account = state.results[2]
    assert account | {"tint": 0} == {
        "group": "Accounts", "label": "Kessler & Sohn", "hint": "Linz", "end": "", "href": f"/accounts/{kessler.id}",
        "lit": "", "mark": "KS", "tint": 0, "square": True,
    }  # fmt: skip


async def test_a_mended_word_is_told_and_marked(alice, kessler):
    tab = await tab_of(alice)
    await tab.run(SearchState.search, "kesslre")
    assert [r["group"] for r in tab[SearchState].results] == ["Accounts, spelled “kessler”"]
    assert tab[SearchState].results[0]["lit"] == "kessler"


async def test_clearing_the_box_clears_the_rows(alice, kessler):
    tab = await tab_of(alice)
    await tab.run(SearchState.search, "kess")
    await tab.run(SearchState.search, "")
    assert tab[SearchState].results == [] and tab[SearchState].answered == ""


async def test_records_opened_last_come_back_by_name(alice, kessler):
    deal = await a_deal(alice, "Kiosk")
    tab = await tab_of(alice)
    for address in (f"/accounts/{kessler.id}/", f"/opportunities/{deal.id}", "/nonsense/x", f"/accounts/{new_id()}"):
        await tab.run(SearchState.visit, address)
    elsewhere = await tab_of(alice)
    await elsewhere.run(SearchState.recall, "/pipeline")
    state = elsewhere[SearchState]
    assert [r["label"] for r in state.recents] == ["Kiosk", "Kessler & Sohn"]
    assert {r["group"] for r in state.recents} == {"Opened last"} and state.about == {}
    await elsewhere.run(SearchState.recall, f"/opportunities/{deal.id}")
    assert [r["label"] for r in state.recents] == ["Kessler & Sohn"]  # one is there already
    assert state.about == {"address": f"/opportunities/{deal.id}", "label": "Kiosk", "group": "For this deal"}


async def test_a_record_opened_again_comes_first_and_the_twelfth_is_the_last(alice):
    async with unit_of_work(alice) as uow:
        made = [await records.create(uow, ACCOUNT, {"name": f"Company {n:02}"}) for n in range(14)]
        for account in (*made, made[3]):
            await recents.note(uow, "account", account.id)
        found = await recents.recent(uow, limit=50)
    assert [h.title[-2:] for h in found] == ["03", "13", "12", "11", "10", "09", "08", "07", "06", "05", "04", "02"]


async def test_what_was_opened_and_is_now_for_others_is_not_recalled(alice, carol, admin, kessler):
    tab = await tab_of(alice)
    await tab.run(SearchState.visit, f"/accounts/{kessler.id}")
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, kessler.id, {"owner_id": carol.user_id})
    await tab.run(SearchState.recall, "/pipeline")
    assert tab[SearchState].recents == []


async def test_the_next_stage_is_offered_on_a_deal_to_who_may_move_it(alice, reader, workspace):
    importlib.import_module("crm_app.pages.opportunities")  # where it is declared
    deal = await a_deal(alice, "Kiosk")
    tab = await tab_of(alice, f"/opportunities/{deal.id}")
    await tab.run(SearchState.recall, f"/opportunities/{deal.id}")
    offered = tab[SearchState].commands
    assert [c["label"] for c in offered] == ["Move to Discovery"]
    looker = await tab_of(reader)
    await looker.run(SearchState.recall, f"/opportunities/{deal.id}")
    assert looker[SearchState].commands == []


async def test_strangers_and_colleagues_of_another_team_learn_nothing(carol, mallory, alice, kessler):
    deal = await a_deal(alice, "Kiosk", account="Kesselhaus")
    for actor in (carol, mallory):
        tab = await tab_of(actor)
        await tab.run(SearchState.search, "kess")
        await tab.run(SearchState.search, "kesslre")
        for address in (f"/opportunities/{deal.id}", f"/accounts/{kessler.id}"):
            await tab.run(SearchState.visit, address)
            await tab.run(SearchState.recall, address)
        state = tab[SearchState]
        assert (state.results, state.recents, state.commands, state.about) == ([], [], [], {})
        assert "Kess" not in tab.sent() and "Kiosk" not in tab.sent()


async def test_people_are_found_by_themselves(alice, bob, kessler):
    tab = await tab_of(alice)
    await tab.run(SearchState.search, "@bo")
    assert [(r["group"], r["label"]) for r in tab[SearchState].results] == [("Users", "Bob")]
    await tab.run(SearchState.search, "@ kess")
    assert [r["label"] for r in tab[SearchState].results] == ["Ute Kessel"]


async def test_without_a_session_nothing_is_searched(alice, kessler):
    for cookie in ("", "sid=nonsense"):
        tab = Tab(cookie)
        assert "sign-in" in str(await tab.run(SearchState.search, "kess"))
        assert tab[SearchState].results == []


@pytest.mark.parametrize(
    "address", ["", "/", "/accounts", "/accounts/1", "/stages/01a1fc07-1478-73e4-932c-256dd3cb705b", "/x" * 3000]
)
def test_an_address_that_is_no_record_is_none(address):
    assert record_at(address) is None


async def test_single_letters_are_shortcuts_until_one_says_no(alice):
    tab = await tab_of(alice)
    await tab.run(ProfileState.load)
    assert tab[ProfileState].letters is True
    await tab.run(ProfileState.use_letters, False)
    other = await tab_of(alice)
    await other.run(ProfileState.load)
    assert other[ProfileState].letters is False
