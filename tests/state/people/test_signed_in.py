"""The sessions page, and the latest sign-ins of oneself."""

from crm_app.state.base import AppState
from crm_app.state.people.profile import PlacesState
from crm_app.state.people.signed_in import SignedInState
from tests.state.tabs import tab_of


async def test_an_admin_sees_who_is_in_and_signs_out(admin, alice):
    hers = await tab_of(alice, "/settings/places")
    tab = await tab_of(admin, "/settings/sessions")
    await tab.run(SignedInState.load)
    state = tab[SignedInState]
    assert {p["name"] for p in state.live} == {admin.name, "Alice"}
    assert {t["words"] for t in state.tries} == {"Signed in"}
    await tab.run(SignedInState.look_at, str(alice.user_id), "Alice")
    assert {t["name"] for t in state.tries} == {"Alice"}
    await tab.run(SignedInState.only_failed, True)
    assert state.tries == []
    await tab.run(SignedInState.end, next(p["id"] for p in state.live if p["name"] == "Alice"))
    assert "Alice is signed out there" in tab[AppState].notices[-1]["text"]
    (turned_away,) = await hers.run(PlacesState.load)
    assert "sign-in" in repr(turned_away)


async def test_others_are_told_why_not(alice):
    tab = await tab_of(alice, "/settings/sessions")
    await tab.run(SignedInState.load)
    assert tab[SignedInState].live == [] and "look after people" in tab[SignedInState].refused
    for forged in ("", "x", str(alice.user_id)):
        await tab.run(SignedInState.look_at, forged, "x")
        await tab.run(SignedInState.end, forged)
        assert tab[SignedInState].tries == []


async def test_everybody_sees_their_own(alice, bob):
    await tab_of(bob)
    tab = await tab_of(alice, "/settings/places")
    await tab.run(PlacesState.load)
    assert [t["name"] for t in tab[PlacesState].tries] == ["Alice"]
