"""The territories page: one is drawn, its people chosen, and who may not is told."""

from crm_app.state.base import AppState
from crm_app.state.sales.territories import TerritoriesState
from tests.state.tabs import tab_of


async def test_one_is_drawn_and_taken_away(admin, alice):
    tab = await tab_of(admin, "/settings/territories")
    await tab.run(TerritoriesState.load)
    await tab.run(TerritoriesState.open, "")
    state = tab[TerritoriesState]
    assert state.is_open and not any(p["on"] for p in state.people)
    form = {
        "id": "",
        "name": "DACH",
        "countries": "Germany, Austria,",
        "industries": "",
        f"member:{alice.user_id}": "on",
    }
    await tab.run(TerritoriesState.save, form)
    (row,) = state.territories
    assert (row["countries"], row["who"], row["accounts"]) == ("Germany, Austria", "Alice", "0") and not state.is_open
    await tab.run(TerritoriesState.open, row["id"])
    assert [p["name"] for p in state.people if p["on"]] == ["Alice"]
    await tab.run(TerritoriesState.save, {"id": row["id"], "name": "", "countries": "", "industries": ""})
    assert "name" in state.errors and state.is_open
    await tab.run(TerritoriesState.remove, row["id"])
    assert state.territories == []


async def test_others_read_and_draw_none(alice):
    tab = await tab_of(alice, "/settings/territories")
    await tab.run(TerritoriesState.load)
    for handler, given in ((TerritoriesState.open, ""), (TerritoriesState.save, {"name": "Mine", "countries": "x"})):
        await tab.run(handler, given)
        assert tab[AppState].notices[-1]["kind"] == "error" and tab[TerritoriesState].territories == []
