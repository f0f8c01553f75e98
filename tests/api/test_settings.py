"""The settings pages over their websocket: what an admin does there, and what others cannot."""

import json

import pytest
import sqlalchemy as sa

from crm_app.integrations import smtp
from crm_app.models.base import new_id
from crm_app.models.people.users import Role, Team, User, UserStatus
from crm_app.services.people import sessions
from crm_app.state.people.profile import PlacesState, ProfileState
from crm_app.state.people.roles import RolesState
from crm_app.state.people.teams import TeamsState
from crm_app.state.people.users import UsersState
from crm_app.state.people.workspace import WorkspaceState
from crm_app.store.uow import unit_of_work
from tests.people import PASSWORD
from tests.services.people.test_links import NEW, token_in
from tests.services.people.test_sessions import address_of, signed_in


def event(state, name):
    return f"{state.get_full_name()}.{name}"


def shown(tab, state, var):
    """The value that the tab shows last."""
    for update in reversed(tab.received):
        values = (update.get("delta") or {}).get(state.get_full_name(), {})
        for key, value in values.items():
            if key.startswith(f"{var}_rx_state_"):
                return value
    return None


async def do(tab, state, name, /, until="", **payload):
    """Send an event and wait for what it changed, or until it changed that var."""
    await tab.send(event(state, name), path="/settings", **payload)
    mark = f'"{until}_rx_state_"'
    return await tab.update(lambda u: bool(u.get("delta") or u.get("events")) and (not until or mark in json.dumps(u)))


async def read(actor, model, **where):
    async with unit_of_work(actor) as uow:
        query = sa.select(model).where(*(getattr(model, k) == v for k, v in where.items()))
        return (await uow.execute(query)).scalar_one()


async def test_an_admin_invites_somebody_and_passes_the_link_on(browser, workspace, admin):
    email = f"nina.{new_id().hex[-12:]}@example.com"
    async with (await browser(admin)).tab() as tab:
        await do(tab, UsersState, "load")
        assert {p["name"] for p in shown(tab, UsersState, "people")} == {"Ada Admin", "Maria"}
        form = {"new_email": email, "new_name": "", "new_role_id": str(workspace.roles["rep"]), "new_team_id": ""}
        await do(tab, UsersState, "invite", form=form)
        token = token_in(shown(tab, UsersState, "link"))
        assert {p["status"] for p in shown(tab, UsersState, "people")} == {"active", "invited"}
    nina = await browser()
    await nina.post("/auth/invite", token=token, name="Nina", password=NEW)
    assert (await nina.http.get("/api/me")).json()["name"] == "Nina"


async def test_what_is_wrong_with_an_invitation_stands_at_its_field(browser, workspace, admin):
    async with (await browser(admin)).tab() as tab:
        await do(tab, UsersState, "invite", form={"new_email": "nobody", "new_role_id": ""})
        assert shown(tab, UsersState, "errors") == {"role_id": "Choose one"}
        await do(tab, UsersState, "invite", form={"new_email": "x", "new_role_id": str(workspace.roles["rep"])})
        assert shown(tab, UsersState, "errors")["email"].startswith("Is not an e-mail address")


async def test_an_admin_disables_somebody_and_helps_them_back_in(browser, admin, alice):
    cookie = await signed_in(alice)
    async with (await browser(admin)).tab() as tab:
        await do(tab, UsersState, "load")
        await do(tab, UsersState, "choose", user_id=str(alice.user_id))
        await do(tab, UsersState, "disable", user_id=str(alice.user_id))
        assert await sessions.actor_of(cookie) is None
        await do(tab, UsersState, "enable", user_id=str(alice.user_id))
        await do(tab, UsersState, "help_in", user_id=str(alice.user_id))
        token = token_in(shown(tab, UsersState, "link"))
    answer = await (await browser()).post("/auth/reset", token=token, password=NEW)
    assert answer.headers["location"] == "/sign-in?done=reset"


async def test_where_mail_leaves_no_link_is_shown(browser, admin, alice):
    kept = smtp.KeptMail()
    smtp.use(kept)
    try:
        async with (await browser(admin)).tab() as tab:
            await do(tab, UsersState, "load")
            await do(tab, UsersState, "choose", user_id=str(alice.user_id))
            await do(tab, UsersState, "help_in", user_id=str(alice.user_id))
            assert not shown(tab, UsersState, "link")
    finally:
        smtp.use(None)
    assert [m.to for m in kept.sent] == [await address_of(alice)]


@pytest.mark.parametrize("act", ["disable", "remove", "help_in"])
async def test_a_rep_does_nothing_of_it_even_when_sending_the_events(browser, alice, bob, act):
    async with (await browser(alice)).tab() as tab:
        await do(tab, UsersState, "load")
        await do(tab, UsersState, "choose", user_id=str(bob.user_id))
        told = json.dumps(await do(tab, UsersState, act, user_id=str(bob.user_id)))
        assert "Your role does not let you" in told and not shown(tab, UsersState, "link")
    assert (await read(alice, User, id=bob.user_id)).status is UserStatus.active


async def test_mallory_finds_nobody_to_manage(browser, mallory, alice):
    async with (await browser(mallory)).tab() as tab:
        await do(tab, UsersState, "load")
        await tab.send(event(UsersState, "choose"), user_id=str(alice.user_id))
        await do(tab, UsersState, "help_in", user_id=str(alice.user_id))
        assert "Alice" not in json.dumps(tab.received)


async def test_no_var_is_set_from_outside(browser, mallory, alice):
    """Reflex gives every state class a `setvar`; behind the door it does nothing."""
    async with (await browser(mallory)).tab() as tab:
        await tab.send(event(UsersState, "setvar"), var_name="chosen", value={"id": str(alice.user_id)})
        state = await tab.hydrate()
    assert str(alice.user_id) not in json.dumps(state)


async def test_a_role_of_ones_own_is_ticked_together(browser, admin, workspace):
    async with (await browser(admin)).tab() as tab:
        await do(tab, RolesState, "load")
        await do(tab, RolesState, "copy_role", name="Sales rep")
        form = {
            "role_id": "copy",
            "name": "Analyst",
            "scope": "all",
            "opportunity.read": "on",
            "audit.read": "on",
            "made.up": "on",
        }
        await do(tab, RolesState, "save", form=form)
        role = await read(admin, Role, name="Analyst")
        assert set(role.permissions) == {"opportunity.read", "audit.read"} and role.scope == "all"
        await do(tab, RolesState, "remove", role_id=str(role.id))
        assert (await read(admin, Role, name="Analyst")).deleted_at is not None


async def test_a_team_is_made_changed_and_taken_away(browser, admin, workspace):
    async with (await browser(admin)).tab() as tab:
        await do(tab, TeamsState, "load")
        await do(tab, TeamsState, "open", team_id="")
        form = {"name": "North", "region": "Nordics", "manager_id": "", "parent_id": str(workspace.team_id)}
        await do(tab, TeamsState, "save", form=form)
        team = await read(admin, Team, name="North")
        assert team.parent_id == workspace.team_id
        await do(tab, TeamsState, "open", team_id=str(team.id))
        await do(tab, TeamsState, "save", form={**form, "id": str(team.id), "name": " "})
        assert shown(tab, TeamsState, "errors") == {"name": "Is required"}
        await do(tab, TeamsState, "remove", team_id=str(team.id))
    assert (await read(admin, Team, name="North")).deleted_at is not None


async def test_the_profile_and_the_password(browser, alice):
    other = await signed_in(alice)
    async with (await browser(alice)).tab() as tab:
        await do(tab, ProfileState, "load")
        assert shown(tab, ProfileState, "name") == "Alice"
        await do(tab, ProfileState, "save", until="time_zone", form={"name": "Alice Abel", "time_zone": "Asia/Tokyo"})
        await do(tab, ProfileState, "change_password", until="errors", form={"current": "wrong", "new": NEW})
        assert shown(tab, ProfileState, "errors") == {"current": "Is not your password"}
        await do(tab, ProfileState, "change_password", until="password_round", form={"current": PASSWORD, "new": NEW})
    kept = await read(alice, User, id=alice.user_id)
    assert (kept.name, kept.time_zone) == ("Alice Abel", "Asia/Tokyo")
    assert await sessions.actor_of(other) is None


async def test_places_are_listed_and_ended(browser, alice):
    phone = await signed_in(alice, agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19) Version/19 Mobile Safari/604.1")
    async with (await browser(alice)).tab() as tab:
        await do(tab, PlacesState, "load")
        places = shown(tab, PlacesState, "places")
        assert [p["what"] for p in places] == ["Firefox", "Safari on iPhone"] and places[0]["is_current"]
        await do(tab, PlacesState, "end", session_id=places[1]["id"])
    assert await sessions.actor_of(phone) is None


async def test_the_workspace_is_named_by_those_who_may(browser, admin, alice):
    form = {"name": "Northwind Trading", "time_zone": "Europe/Vienna"}
    async with (await browser(alice)).tab() as tab:
        assert "Your role does not let you" in json.dumps(await do(tab, WorkspaceState, "save", form=form))
    async with (await browser(admin)).tab() as tab:
        await do(tab, WorkspaceState, "save", form=form)
        await do(tab, WorkspaceState, "load")
        assert shown(tab, WorkspaceState, "time_zone") == "Europe/Vienna"
        told = {c["field"]: c for c in shown(tab, WorkspaceState, "changes")}
        assert told["Time zone"]["told"].endswith("→ Europe/Vienna")
        assert told["Name"]["told"].endswith("→ Northwind Trading") and told["Name"]["who"].startswith("Ada Admin")
    async with (await browser(alice)).tab() as tab:
        await do(tab, WorkspaceState, "load")
        assert shown(tab, WorkspaceState, "changes") == []
