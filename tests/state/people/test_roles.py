"""The roles page: a copy, its fields kind by kind, what is refused."""

from crm_app.core.context import Scope
from crm_app.services.people import roles
from crm_app.state.base import AppState
from crm_app.state.people.roles import RolesState
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of


async def test_fields_are_chosen_kind_by_kind(admin):
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Call centre", scope=Scope.all, permissions=["contact.read"])
    tab = await tab_of(admin, "/settings/roles")
    await tab.run(RolesState.load)
    state = tab[RolesState]
    assert next(r["count"] for r in state.listed if r["name"] == "Admin") == "1" and admin.name in state.people
    await tab.run(RolesState.choose, str(role.id))
    await tab.run(RolesState.choose_kind, "contact")
    phone = next(r for r in state.field_rows if r["name"] == "field:phone")
    assert phone["right"] == "write" and [c["value"] for c in phone["choices"]] == ["write", "read", "masked", "hidden"]
    await tab.run(RolesState.save_fields, {"role_id": str(role.id), "about": "contact", "field:phone": "masked"})
    assert next(r for r in state.field_rows if r["name"] == "field:phone")["right"] == "masked"
    await tab.run(RolesState.copy_role, "Call centre")
    await tab.run(RolesState.save, {"role_id": "copy", "name": "Night shift", "scope": "own", "contact.read": "on"})
    assert next(r for r in state.field_rows if r["name"] == "field:phone")["right"] == "masked"


async def test_what_is_forged_is_refused(admin, alice):
    tab = await tab_of(alice, "/settings/roles")
    await tab.run(RolesState.load)
    role_id = tab[RolesState].role_id
    for form in (
        {"role_id": role_id, "about": "contact", "field:phone": "write"},
        {"role_id": "x", "about": "contact"},
        {"role_id": role_id, "about": "boom"},
    ):
        await tab.run(RolesState.save_fields, form)
        assert tab[AppState].notices[-1]["kind"] == "error" or tab[RolesState].errors
