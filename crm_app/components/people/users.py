"""The people of the workspace: table, panel of one person, invitation."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.settings import settings_page
from crm_app.state.people.users import UsersState

MANAGE = "user.manage"


def people() -> rx.Component:
    """Who is here."""
    return settings_page(
        "People",
        rx.cond(UsersState.is_loaded, _table(), kit.skeleton_rows("Loading people")),
        _invitation(),
        current="/settings/people",
        actions=(
            rx.cond(
                may(MANAGE),
                kit.primary("Invite", icon_name="person_add", on_click=UsersState.ask_invitation, **kit.ASKS),
            ),
        ),
        panel=rx.cond(UsersState.chosen["id"].to(str) != "", _panel(), rx.fragment()),
    )


def _table() -> rx.Component:
    return kit.table(
        "People of this workspace",
        head=rx.el.tr(
            kit.column("Name"),
            kit.column("Role"),
            kit.column("Team", hide_small=True),
            kit.column("Last seen", hide_small=True),
            kit.column("State"),
        ),
        body=rx.foreach(UsersState.people, _row),
    )


def _row(person: rx.Var[dict[str, Any]]) -> rx.Component:
    chosen = UsersState.chosen["id"].to(str) == person["id"].to(str)
    name = rx.el.span(
        kit.avatar(person["initials"].to(str), person["tint"].to(int)),
        rx.el.button(
            kit.clipped(person["name"].to(str)),
            type="button",
            class_name="name-btn",
            on_click=UsersState.choose(person["id"].to(str)),
        ),
        class_name="line",
    )
    return rx.el.tr(
        kit.cell(name, class_name="name"),
        kit.cell(person["role"].to(str)),
        kit.cell(person["team"].to(str), hide_small=True),
        kit.cell(person["seen"].to(str), hide_small=True, class_name="muted"),
        kit.cell(_state(person)),
        class_name=rx.cond(chosen, "open", ""),
        key=person["id"].to(str),
    )


def _state(person: rx.Var[dict[str, Any]]) -> rx.Component:
    return rx.cond(
        person["asked"].to(str) != "",
        kit.badge("Asked for a password", tone="risk", icon_name="key"),
        rx.match(
            person["status"].to(str),
            ("invited", kit.badge("Invited")),
            ("disabled", kit.badge("Disabled")),
            rx.fragment(),
        ),
    )


def _panel() -> rx.Component:
    one = UsersState.chosen
    return kit.panel(
        rx.el.header(
            rx.el.h2(one["name"].to(str), class_name="clip"),
            kit.icon_button("dismiss", "Close", class_name="push", on_click=UsersState.close),
            class_name="head",
        ),
        rx.el.div(
            kit.section("Contact", rx.el.p(one["email"].to(str)), rx.el.p(one["title"].to(str), class_name="muted")),
            rx.cond(may(MANAGE), _manage(one), _read_only(one)),
            _look_as(one),
            class_name="scroll",
        ),
        label=one["name"].to(str),
    )


def _read_only(one: rx.Var[dict[str, Any]]) -> rx.Component:
    return kit.section("Place", rx.el.p(one["role"].to(str)), rx.el.p(one["team"].to(str), class_name="muted"))


def _manage(one: rx.Var[dict[str, Any]]) -> rx.Component:
    has_link = ~UsersState.is_inviting & (UsersState.link != "")
    return rx.fragment(
        kit.section(
            "Role and team",
            rx.el.form(
                _select("role_id", "Role", UsersState.roles, one["role_id"].to(str)),
                _select("team_id", "Team", UsersState.teams, one["team_id"].to(str), empty="No team"),
                kit.hidden("user_id", one["id"].to(str)),
                rx.el.div(kit.primary("Save", type="submit", size="sm"), class_name="line"),
                key=one["id"].to(str),
                on_submit=UsersState.save,
                class_name="stack",
            ),
        ),
        kit.section("Way in", rx.el.div(_way_in(one), rx.cond(has_link, _link("link")), class_name="stack")),
        rx.cond(one["is_me"].to(bool), rx.fragment(), kit.section("Leaving", _leaving(one))),
    )


def _look_as(one: rx.Var[dict[str, Any]]) -> rx.Component:
    there = one["is_active"].to(bool) & ~one["is_me"].to(bool) & may("user.view_as")
    shown = kit.section(
        "Sight",
        rx.el.div(
            kit.outline(
                "View as " + one["name"].to(str), size="sm", icon_name="eye",
                on_click=UsersState.look_as(one["id"].to(str)),
            ),
            rx.el.p("As they see it, to read only, for half an hour. The audit log tells of it.", class_name="hint"),
            class_name="stack",
        ),
    )  # fmt: skip
    return rx.cond(there, shown)


def _way_in(one: rx.Var[dict[str, Any]]) -> rx.Component:
    asked = rx.cond(
        one["asked"].to(str) != "",
        rx.el.p(kit.icon("key", 16), "Asked for a new password ", one["asked"].to(str), class_name="line risk"),
    )
    way = rx.el.div(
        rx.match(
            one["status"].to(str),
            ("invited", kit.outline("Invite again", size="sm", on_click=UsersState.invite_again(one["id"].to(str)))),
            ("disabled", kit.outline("Let in again", size="sm", on_click=UsersState.enable(one["id"].to(str)))),
            kit.outline("Help with a new password", size="sm", on_click=UsersState.help_in(one["id"].to(str))),
        ),
        class_name="line",
    )
    return rx.fragment(asked, way)


def _leaving(one: rx.Var[dict[str, Any]]) -> rx.Component:
    return rx.el.div(
        rx.cond(
            one["status"].to(str) == "disabled",
            rx.fragment(),
            kit.outline("Disable", size="sm", on_click=UsersState.disable(one["id"].to(str))),
        ),
        kit.danger("Remove", size="sm", on_click=UsersState.remove(one["id"].to(str))),
        rx.el.p(
            "A disabled person is signed out at once and keeps what they own. Only one who owns nothing is removed.",
            class_name="hint",
        ),
        class_name="line wrap",
    )


def _link(id: str) -> rx.Component:
    """A link that no letter brought: shown this once, to be passed on."""
    return kit.field(
        "Link to pass on",
        rx.el.span(
            kit.text_input(id, value=UsersState.link, read_only=True, class_name="grow"),
            kit.icon_button("copy", "Copy the link", on_click=rx.set_clipboard(UsersState.link)),
            class_name="line",
        ),
        control_id=id,
        hint=UsersState.link_about + " It is shown only now.",
    )


def _error(field: str) -> rx.Var[str]:
    return rx.cond(UsersState.errors.contains(field), UsersState.errors[field], "")


def _select(
    id: str, label: str, options: rx.Var, value: rx.Var[str] | str, *, field: str = "", empty: str = ""
) -> rx.Component:
    """`field` is the name that errors go by. Ids are one of a kind on the page: Reflex reads its forms by them."""
    field = field or id
    box = kit.select(id, options, empty=empty, default_value=value, invalid=UsersState.errors.contains(field))
    return kit.field(label, box, control_id=id, error=_error(field))


def _invitation() -> rx.Component:
    asking = rx.fragment(
        _typed("new_email", "E-mail", "email", type="email", data_autofocus="", auto_complete="off"),
        _typed("new_name", "Name (optional)", "name", auto_complete="off"),
        _select("new_role_id", "Role", UsersState.roles, "", field="role_id", empty="Choose a role"),
        _select("new_team_id", "Team", UsersState.teams, "", field="team_id", empty="No team"),
    )
    return kit.dialog(
        "invitation",
        "Invite a person",
        rx.cond(UsersState.link != "", _link("new_link"), asking),
        sub="They choose a password themselves, by a link that works once.",
        open=UsersState.is_inviting,
        on_dismiss=UsersState.cancel_invitation,
        on_submit=UsersState.invite,
        keep=rx.cond(UsersState.link != "", "Close", "Cancel"),
        action=rx.cond(UsersState.link != "", rx.fragment(), kit.primary("Invite", type="submit")),
    )


def _typed(id: str, label: str, field: str, **props: Any) -> rx.Component:
    box = kit.text_input(id, invalid=UsersState.errors.contains(field), **props)
    return kit.field(label, box, control_id=id, error=_error(field))
