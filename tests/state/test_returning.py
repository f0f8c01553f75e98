"""A tab that comes back to a server without its state is not reset, and its pages know that it only came back."""

import reflex as rx
from reflex.state import OnLoadInternalState, _diff_against_initial_state, _resolve_delta
from reflex_base.event import Event

from crm_app.models.customers.contacts import CONTACT
from crm_app.services.people import teams
from crm_app.services.platform import records
from crm_app.state.base import AppState
from crm_app.state.people.teams import TeamsState
from crm_app.state.record_form import RecordForm
from crm_app.state.returning import Returning
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.tabs import tab_of


async def greet(tab, **payload):
    """The socket of the tab opens, and its page is loaded."""
    event = Event(name=f"{rx.State.get_full_name()}.hydrate_and_load", payload=payload)
    await Returning().preprocess(None, tab[rx.State], event)
    await step(tab)
    return event.payload


async def step(tab):
    event = Event(name=f"{OnLoadInternalState.get_full_name()}.on_load_internal")
    await Returning().preprocess(None, tab[OnLoadInternalState], event)


async def told(tab, hashes):
    """What Reflex sends of the state to a page with these hashes."""
    root = tab[rx.State]
    return await _diff_against_initial_state(type(root), await _resolve_delta(root.dict()), hashes)


async def test_a_new_state_sends_no_defaults_to_a_tab_that_comes_back(alice):
    tab = await tab_of(alice, "/pipeline")
    payload = await greet(tab)
    delta = await told(tab, payload["hashes"])
    assert "board_state" not in str(delta) and "deal_dialog" not in str(delta)
    assert tab[AppState]._is_back


async def test_a_state_that_was_kept_is_sent_whole(alice):
    tab = await tab_of(alice, "/pipeline")
    await greet(tab, hashes=["of a page that was just loaded"])
    assert not tab[AppState]._is_back
    assert "hashes" not in await greet(tab)
    assert tab[AppState]._is_back
    await step(tab)  # to another page
    assert not tab[AppState]._is_back


async def test_a_page_that_was_just_loaded_is_believed(alice):
    tab = await tab_of(alice, "/pipeline")
    assert await greet(tab, hashes=["its own"]) == {"hashes": ["its own"]}


async def test_an_open_dialog_outlives_a_lost_line_but_not_the_page(admin):
    tab = await tab_of(admin, "/settings/teams")
    await greet(tab, hashes=[])
    await tab.run(TeamsState.load)
    await tab.run(TeamsState.open, "")
    await greet(tab)
    await tab.run(TeamsState.load)
    assert tab[TeamsState].is_open
    await step(tab)
    await tab.run(TeamsState.load)
    assert not tab[TeamsState].is_open


async def test_a_dialog_answered_after_a_restart_changes_the_team_it_was_about(admin):
    async with unit_of_work(admin) as uow:
        north = await teams.create(uow, name="North")
    after = await tab_of(admin, "/settings/teams")
    await greet(after)
    await after.run(TeamsState.save, {"id": str(north.id), "name": "South"})
    names = [t["name"] for t in after[TeamsState].teams]
    assert "South" in names and "North" not in names


async def test_the_form_of_a_record_is_taken_up_and_makes_one(alice):
    deal = await a_deal(alice)
    before, after = await tab_of(alice, "/accounts/x"), await tab_of(alice, "/accounts/x")
    await before.run(RecordForm.ask, "contact", "account_id", str(deal.account_id))
    memory = before[RecordForm].memory
    await after.run(RecordForm.recall, memory, {"last_name": "Berg"})
    form = after[RecordForm]
    assert form.is_open and next(f for f in form.fields if f["name"] == "last_name")["value"] == "Berg"
    for tab in (before, after):  # the answer to the first was lost
        await tab.run(RecordForm.submit, {"last_name": "Berg", "memory": memory})
        assert tab[AppState].notices[-1]["text"] == "Berg was created"
    async with unit_of_work(alice) as uow:
        page = await records.find(uow, CONTACT, columns=("name",), limit=5)
    assert len(page.rows) == 1


async def test_what_a_browser_remembers_is_not_believed(alice, mallory):
    deal = await a_deal(alice)
    before = await tab_of(alice, "/accounts/x")
    await before.run(RecordForm.ask, "contact", "account_id", str(deal.account_id))
    theirs = await tab_of(mallory, "/accounts/x")
    given = {"last_name": "Berg", "memory": before[RecordForm].memory}
    await theirs.run(RecordForm.submit, given)
    assert theirs[RecordForm].is_open and not theirs[AppState].notices
    managed = before[RecordForm].memory.replace('"entity": "contact"', '"entity": "user"')
    other = await tab_of(mallory, "/accounts/x")
    await other.run(RecordForm.recall, managed, {})
    assert not other[RecordForm].is_open
