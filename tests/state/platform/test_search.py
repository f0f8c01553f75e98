"""The search palette's state: rows for the page, and nothing that the person may not see."""

import pytest

from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.services.platform import records, spelling
from crm_app.state.platform.search import SearchState, records_at
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
    await tab.run(SearchState.recall, [f"/opportunities/{deal.id}", f"/accounts/{kessler.id}/", "/nonsense/x"])
    assert [r["label"] for r in tab[SearchState].recents] == ["Kiosk", "Kessler & Sohn"]
    assert {r["group"] for r in tab[SearchState].recents} == {"Opened last"}


async def test_strangers_and_colleagues_of_another_team_learn_nothing(carol, mallory, alice, kessler):
    deal = await a_deal(alice, "Kiosk", account="Kesselhaus")
    for actor in (carol, mallory):
        tab = await tab_of(actor)
        await tab.run(SearchState.search, "kess")
        await tab.run(SearchState.search, "kesslre")
        await tab.run(SearchState.recall, [f"/opportunities/{deal.id}", f"/accounts/{kessler.id}"])
        assert tab[SearchState].results == [] and tab[SearchState].recents == []
        assert "Kess" not in tab.sent() and "Kiosk" not in tab.sent()


async def test_without_a_session_nothing_is_searched(alice, kessler):
    for cookie in ("", "sid=nonsense"):
        tab = Tab(cookie)
        assert "sign-in" in str(await tab.run(SearchState.search, "kess"))
        assert tab[SearchState].results == []


@pytest.mark.parametrize(
    "address", ["", "/", "/accounts", "/accounts/1", "/users/01a1fc07-1478-73e4-932c-256dd3cb705b", "/x" * 3000, None]
)
def test_addresses_that_are_no_record_are_left_out(address):
    assert records_at([address]) == []


def test_only_the_last_few_are_recalled():
    addresses = [f"/accounts/{new_id()}" for _ in range(50)]
    assert len(records_at(addresses)) == 6 and len(records_at(addresses[:1] * 2)) == 1
