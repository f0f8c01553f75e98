"""Boards without a browser: what several tabs are told of a change, by whom it is read, and what they never hear."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from crm_app.core.context import Scope
from crm_app.models.base import new_id
from crm_app.models.people.users import User
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.people import sessions
from crm_app.services.platform import records
from crm_app.services.sales import board as board_service
from crm_app.services.sales import drops
from crm_app.state.sales import board_views
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.board_views import Question
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, stage_ids
from tests.state.sales.test_deal import listening, until
from tests.state.tabs import Tab, tab_of


@asynccontextmanager
async def opened(*tabs: Tab):
    """These tabs with their boards watched."""
    async with listening(), AsyncExitStack() as stack:
        for tab in tabs:
            await stack.enter_async_context(_watched(tab))
        yield


@asynccontextmanager
async def _watched(tab: Tab):
    watch = asyncio.create_task(tab.run(BoardState.watch))
    try:
        await until(lambda: tab[BoardState].is_loaded or watch.done())
        if watch.done():  # it died: say of what
            await watch
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def titles(tab: Tab) -> set[str]:
    """Of all cards the tab was ever sent."""
    state = tab[BoardState]
    cards = [c for column in state.columns for c in column["cards"]]
    cards += [op["card"] for op in state.ops if op["op"] == "put"]
    return {c["t"] for c in cards}


def told(tab: Tab, op: str) -> list:
    return [o for o in tab[BoardState].ops if o["op"] == op]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list:
    """Every reading of changed cards, by whom."""
    seen = []
    real = board_service.cards

    async def counted(uow, record_ids, filters=None):
        seen.append((uow.actor, list(record_ids)))
        return await real(uow, record_ids, filters)

    monkeypatch.setattr(board_service, "cards", counted)
    return seen


async def test_a_change_is_read_once_for_all_tabs_that_see_the_same(team, readings):
    alice, bob = team["alice"], team["bob"]
    deal = await a_deal(alice, "Roll-out")
    tabs = [await tab_of(who, "/pipeline") for who in (alice, alice, bob, bob)]
    async with opened(*tabs):
        readings.clear()
        async with unit_of_work(alice) as uow:
            await records.update(uow, OPPORTUNITY, deal.id, {"name": "Renamed"})
        await until(lambda: all("Renamed" in titles(tab) for tab in tabs))
    assert [ids for _, ids in readings] == [[deal.id]]
    assert not board_views._views  # the last one out ends the reading


async def test_who_sees_less_has_a_reading_of_their_own(team, carol, mallory):
    alice = team["alice"]
    deal = await a_deal(alice, "Secret")
    theirs = [await tab_of(who, "/pipeline") for who in (carol, mallory)]
    hers = await tab_of(alice, "/pipeline")
    async with opened(hers, *theirs):
        async with unit_of_work(alice) as uow:
            await records.update(uow, OPPORTUNITY, deal.id, {"name": "Secret still", "amount_minor": 77_700_000})
        await until(lambda: "Secret still" in titles(hers))
        await a_deal(carol, "Hers")
        await a_deal(mallory, "Elsewhere")
        await until(lambda: "Hers" in titles(theirs[0]) and "Elsewhere" in titles(theirs[1]))
        assert titles(theirs[0]) == {"Hers"}
        assert titles(theirs[1]) == {"Elsewhere"}
        assert "Secret" not in repr([tab[BoardState].ops for tab in theirs])
        assert "777" not in repr([(tab[BoardState].ops, tab[BoardState].sums) for tab in theirs])


@pytest.mark.parametrize(
    "other",
    [
        {"scope": Scope.all}, {"scope": Scope.own}, {"team_ids": frozenset()}, {"tenant_id": UUID(int=7)},
        {"time_zone": "Asia/Tokyo"}, {"currency": "CHF"}, {"permissions": frozenset()},
        {"hidden_fields": frozenset({"opportunity.amount_minor"})},
    ],
    ids=lambda other: f"{next(iter(other))}={next(iter(other.values()))}"[:30],
)  # fmt: skip
async def test_whatever_decides_what_is_seen_parts_the_readings(team, other):
    alice = team["alice"]
    assert Question.of(alice, {}) == Question.of(replace(alice, ip="192.0.2.1", user_agent="Other", request_id="x"), {})
    assert Question.of(alice, {}) != Question.of(replace(alice, **other), {})
    assert Question.of(alice, {}) != Question.of(alice, {"q": "roll"})
    assert Question.of(alice, {}) != Question.of(alice, {"ends": "1"})


async def test_no_reader_serves_another_sight(team, mallory):
    with pytest.raises(AssertionError):
        await board_views.read(mallory, Question.of(team["alice"], {}))


async def test_what_a_tab_was_told_in_answer_is_not_told_again(team):
    alice, bob = team["alice"], team["bob"]
    deal, stages = await a_deal(alice, "Roll-out"), await stage_ids(alice)
    hers, his = await tab_of(alice, "/pipeline"), await tab_of(bob, "/pipeline")
    async with opened(hers, his):
        seen = {str(deal.id): {"v": deal.version, "s": str(deal.stage_id)}}
        await hers.run(BoardState.move, [str(deal.id)], str(stages["Proposal"]), 0, None, seen, str(new_id()))
        await until(lambda: told(his, "put") and told(his, "totals"))
        changed = {str(deal.stage_id), str(stages["Proposal"])}
        assert set(told(his, "totals")[-1]["stages"]) == changed  # and of no other column
        await asyncio.sleep(0.1)
        assert [o["op"] for o in hers[BoardState].ops] == ["settle", "totals"]
        assert set(told(hers, "totals")[0]["stages"]) == changed


async def test_a_burst_is_told_whole_and_in_its_last_state(team):
    alice, bob = team["alice"], team["bob"]
    deal, stages = await a_deal(alice, "Roll-out"), await stage_ids(alice)
    his = await tab_of(bob, "/pipeline")
    async with opened(his):
        for name in ("Discovery", "Proposal", "Negotiation", "Contract", "Qualify", "Proposal"):
            async with unit_of_work(alice) as uow:
                await drops.move(uow, new_id(), [deal.id], to_stage_id=stages[name])
        await until(lambda: told(his, "put") and told(his, "put")[-1]["card"]["s"] == str(stages["Proposal"]))
        figures = {}
        await until(lambda: _figures(his, figures)[str(stages["Proposal"])]["count"] == 1)
        assert [figures[str(stages[n])]["count"] for n in ("Qualify", "Contract", "Negotiation")] == [0, 0, 0]


def _figures(tab: Tab, into: dict) -> dict:
    into.update({c["id"]: c for c in tab[BoardState].columns})
    for op in told(tab, "totals"):
        into.update(op["stages"])
    return into


async def test_a_role_that_sees_more_or_less_changes_an_open_board(admin, team, carol, workspace):
    """Carol joins the other team: at the next change her board is another one."""
    alice = team["alice"]
    await a_deal(alice, "Ours")
    hers = await tab_of(carol, "/pipeline")
    async with opened(hers):
        assert titles(hers) == set()
        async with unit_of_work(admin) as uow:
            (await uow.get(User, carol.user_id)).team_id = workspace.team_id
        await asyncio.sleep(1.1)  # a look at the session serves for a second
        await a_deal(carol, "Hers")
        await until(lambda: titles(hers) >= {"Ours", "Hers"})


async def test_a_session_ended_elsewhere_is_told_nothing_more(team):
    alice, bob = team["alice"], team["bob"]
    hers = await tab_of(alice, "/pipeline")
    async with opened(hers):
        async with unit_of_work(alice) as uow:
            await sessions.revoke_all_of(uow, alice.user_id)
        await asyncio.sleep(1.1)
        await a_deal(bob, "Too late")
        await asyncio.sleep(0.3)
        assert titles(hers) == set()


async def test_a_page_that_opens_anew_is_not_sent_the_old_columns(team):
    await a_deal(team["alice"], "Roll-out")
    hers = await tab_of(team["alice"], "/pipeline")
    async with opened(hers):
        assert titles(hers) == {"Roll-out"}
        assert "Roll-out" not in hers.sent()


async def test_a_board_waits_for_a_database_that_is_away(team, monkeypatch):
    """It does not stay at "Loading deals" because one reading failed."""
    await a_deal(team["alice"], "Roll-out")
    real, failures = board_views.read, iter([PoolTimeoutError("no connection was free"), OSError("gone")])

    async def read(*args):
        if error := next(failures, None):
            raise error
        return await real(*args)

    monkeypatch.setattr(board_views, "read", read)
    monkeypatch.setattr("crm_app.state.sales.board._AFTER_FAILURE", 0.01)
    hers = await tab_of(team["alice"], "/pipeline")
    async with opened(hers):
        assert titles(hers) == {"Roll-out"}
