"""What the address of the board means: filters, a saved view and what is changed of it; to the list and back."""

import json
from urllib.parse import quote

import pytest

from crm_app.core.conditions import AllOf, Clause, Token, dump, parse
from crm_app.services.sales import pipelines
from crm_app.state.list_views import ListViews
from crm_app.state.lists import RecordList
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.board_address import GONE_PIPELINE, GONE_VIEW, BoardAddress
from crm_app.state.sales.board_conditions import canonical, condition_of, query_of
from crm_app.state.sales.layouts import DealLayouts
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.sales.test_board import opened, titles
from tests.state.sales.test_deal import until
from tests.state.tabs import tab_of
from tests.state.test_list_views import by, following
from tests.state.test_lists import address
from tests.state.test_records import opened as opened_list

SOMEBODY = "0190b3a0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"ends": "1"},
        {"p": SOMEBODY, "owner": f"{SOMEBODY},me", "tag": "pilot", "health": "overdue,risk"},
        {"q": "roll out", "min": "5000.00", "max": "12000.50", "from": "2026-01-01", "until": "2026-02-01"},
    ],
    ids=["nothing", "ends", "chosen", "typed"],
)
def test_a_condition_says_all_that_a_board_shows(query):
    whole = condition_of(query, "EUR")
    assert query_of(parse(json.loads(json.dumps(dump(whole)))), "EUR") == (query, ())
    assert canonical({**query, "from": "", "min": query.get("min", "").removesuffix(".00")}, "EUR") == {
        k: v for k, v in query.items() if k != "from"
    }


def test_what_a_board_cannot_hold_is_named_by_its_place():
    odd = (
        Clause("stage_id", "eq", SOMEBODY),
        Clause("owner_id", "eq", Token("me")),
        Clause("owner_id", "eq", SOMEBODY),
        Clause("expected_close_on", "on_or_before", Token("days_from_today", 30)),
        Clause("status", "eq", "won"),
        AllOf(),
    )
    assert query_of(AllOf(odd), "EUR") == ({"ends": "1", "owner": "me"}, (0, 2, 3, 4, 5))


def at(tab, handler, *values):
    async def gone():
        return address((await tab.run(handler, *values))[-1])

    return gone()


async def saved(actor, query="tag=pilot", **given):
    """The id of a view that was saved out of a board."""
    tab = await tab_of(actor, f"/pipeline?{query}")
    async with opened(tab):
        assert tab[BoardAddress].is_changed
        await tab.run(ListViews.ask_new)
        return (await at(tab, ListViews.submit, {"view-name": "Pilots", **given}))[1]["view"]


async def test_a_view_is_saved_opened_changed_and_put_back(alice):
    await a_deal(alice, "Pilot", tags=["pilot"])
    await a_deal(alice, "Other")
    view_id = await saved(alice)
    tab = await tab_of(alice, f"/pipeline?view={view_id}")
    async with opened(tab):
        shown = tab[BoardAddress]
        assert titles(tab) == {"Pilot"} and [c["text"] for c in tab[BoardState].chips] == ["pilot"]
        assert (shown.view_name, shown.may_keep, shown.is_changed, shown.note) == ("Pilots", True, False, "")
        assert await at(tab, BoardAddress.narrow, {"tag": "pilot", "owner": ["me"], "q": " pi "}) == (
            "/pipeline",
            {"view": view_id, "owner": "me", "q": "pi"},
        )
        assert (await at(tab, BoardAddress.widen, "tag"))[1] == {"view": view_id, "tag": "-"}
        assert (await at(tab, BoardAddress.show_ends))[1] == {"view": view_id, "ends": "1"}
    tab = await tab_of(alice, f"/pipeline?view={view_id}&tag=-&owner=me")
    async with opened(tab):
        assert titles(tab) == {"Pilot", "Other"} and tab[BoardAddress].is_changed
        assert [c["text"] for c in tab[BoardState].chips] == ["Me"]
        assert await at(tab, ListViews.put_back) == ("/pipeline", {"view": view_id})
        assert await at(tab, ListViews.keep) == ("/pipeline", {"view": view_id})
    tab = await tab_of(alice, f"/pipeline?view={view_id}")
    async with opened(tab):
        assert titles(tab) == {"Pilot", "Other"} and not tab[BoardAddress].is_changed
    fresh = await tab_of(alice, f"/pipeline?view={view_id}")  # on a server that has read nothing yet
    assert (await at(fresh, BoardAddress.widen, "owner"))[1] == {"view": view_id, "owner": "-"}


async def test_me_is_whoever_looks(alice, manager, mallory):
    """A shared view, and two who see the same deals and read the board together."""
    await a_deal(alice, "Hers")
    await a_deal(manager, "His")
    view_id = await saved(alice, "owner=me", **{"view-shared": "on"})
    tabs = [await tab_of(who, f"/pipeline?view={view_id}") for who in (alice, manager, mallory)]
    async with opened(*tabs):
        assert [titles(tab) for tab in tabs] == [{"Hers"}, {"His"}, set()]
        assert tabs[1][BoardAddress].view_name == "Pilots" and tabs[2][BoardAddress].note == GONE_VIEW
        assert "Pilots" not in tabs[2].sent()
    mine = await tab_of(manager, "/pipeline?view=mine")
    async with opened(mine):
        assert titles(mine) == {"His"} and not mine[BoardAddress].is_changed


async def test_a_view_knows_its_pipeline(admin):
    async with unit_of_work(admin) as uow:
        other = await pipelines.create(uow, name="Renewals")
    view_id = await saved(admin, f"p={other.id}&ends=1")
    tab = await tab_of(admin, f"/pipeline?view={view_id}")
    async with opened(tab):
        assert tab[BoardState].pipeline_name == "Renewals" and tab[BoardState].shows_ends
        assert (await at(tab, BoardAddress.widen, "q"))[1] == {"view": view_id}
        await tab[ListViews]._show()
        assert tab[ListViews].tabs[-1]["href"] == f"/pipeline?view={view_id}"
        assert (await at(tab, ListViews.delete, view_id))[1] == {"p": str(other.id)}
        await tab.run(ListViews.restore, view_id)
    async with unit_of_work(admin) as uow:
        await pipelines.deactivate(uow, other.id)
    tab = await tab_of(admin, f"/pipeline?view={view_id}")
    async with opened(tab):
        assert tab[BoardState].pipeline_name == "New business" and tab[BoardAddress].note == GONE_PIPELINE
        assert tab[BoardAddress].is_changed


async def test_a_colleagues_change_reaches_the_board(alice, bob):
    view_id = await saved(alice, **{"view-shared": "on"})
    tab = await tab_of(bob, f"/pipeline?view={view_id}&q=roll")
    async with opened(tab), following(tab) as told:
        view = tab[BoardAddress].looked_through()
        changed = {"filter": AllOf((*view.filter.items[:2], Clause("tags", "has", "large")))}
        await by(alice, "change", view_id, type(view)(**changed))
        await until(lambda: told)
        assert address(told[0])[1] == {"view": view_id, "q": "roll", "tag": "pilot"}
        assert not tab[BoardAddress].may_keep


async def test_the_list_and_the_board_hand_their_conditions_over(alice):
    await a_deal(alice, "Pilot", tags=["pilot"])
    asked = {
        "all": [{"field": "tags", "op": "has", "value": "pilot"}, {"field": "priority", "op": "eq", "value": "low"}]
    }
    async with opened_list(alice, f"/opportunities?filter={quote(json.dumps(asked))}&q=pil", RecordList) as tab:
        assert await at(tab, DealLayouts.as_board) == ("/pipeline", {"tag": "pilot", "q": "pil"})
        assert tab[DealLayouts].notices[-1]["text"].endswith("Left out: Priority is Low.")
    tab = await tab_of(alice, "/pipeline?tag=pilot")
    async with opened(tab):
        path, query = await at(tab, DealLayouts.as_list)
    assert path == "/opportunities" and json.loads(query["filter"]) == {
        "all": [{"field": "status", "op": "eq", "value": "open"}, {"field": "tags", "op": "has", "value": "pilot"}]
    }
