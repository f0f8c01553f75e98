"""Roles: one at a time, as a table of what may be done with what."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.settings import settings_page
from crm_app.services.people.roles import VERBS
from crm_app.state.people.roles import SCOPES, RolesState

MANAGE = "role.manage"


def roles() -> rx.Component:
    """Who may do what."""
    return settings_page(
        "Roles",
        rx.cond(RolesState.is_loaded, _page(), kit.skeleton_rows("Loading roles")),
        current="/settings/roles",
    )


def _page() -> rx.Component:
    return rx.fragment(
        kit.segmented(
            "Roles",
            rx.foreach(
                RolesState.listed,
                lambda role: kit.segment(
                    role["name"],
                    pressed=role["id"] == RolesState.role_id,
                    on_click=RolesState.choose(role["id"]),
                ),
            ),
            class_name="wrap",
        ),
        rx.el.form(
            kit.hidden("role_id", RolesState.role_id),
            _head(),
            _table(),
            rx.el.fieldset(
                rx.el.legend("Beyond that", class_name="label"),
                rx.foreach(RolesState.acts, _act),
                disabled=RolesState.is_fixed,
                class_name="ticks",
            ),
            key=RolesState.role_id,
            on_submit=RolesState.save,
            class_name="stack",
        ),
    )


def _head() -> rx.Component:
    wrong = RolesState.errors.contains("name")
    fields = rx.el.div(
        kit.field(
            "Name",
            kit.text_input("name", default_value=RolesState.name, key=RolesState.name, invalid=wrong),
            control_id="name",
            error=rx.cond(wrong, RolesState.errors["name"], ""),
        ),
        kit.field(
            "Sees",
            kit.select(
                "scope", [(s.value, label) for s, label in SCOPES.items()], default_value=RolesState.scope,
                key=RolesState.scope,
            ),
            control_id="scope",
        ),
        class_name="set-pair",
    )  # fmt: skip
    fixed = rx.el.p(
        rx.match(RolesState.scope, *[(s.value, f"Sees: {label.lower()}.") for s, label in SCOPES.items()], ""),
        " Every workspace has this role, and it stays as it is; copy it to make one of your own.",
        class_name="muted",
    )
    acts = rx.el.div(
        rx.cond(
            RolesState.is_fixed,
            rx.fragment(),
            rx.fragment(
                kit.primary("Save", type="submit"),
                kit.ghost(
                    rx.cond(RolesState.role_id == "copy", "Cancel", "Delete"),
                    on_click=RolesState.remove(RolesState.role_id),
                ),
            ),
        ),
        rx.cond(
            RolesState.role_id == "copy",
            rx.fragment(),
            kit.outline("Copy", on_click=RolesState.copy_role(RolesState.name)),
        ),
        class_name="line",
    )
    return rx.fragment(rx.cond(RolesState.is_fixed, fixed, fields), rx.cond(may(MANAGE), acts))


def _table() -> rx.Component:
    return kit.table(
        "What the role may do",
        head=rx.el.tr(kit.column("With"), *[kit.column(label) for label in VERBS.values()]),
        body=rx.foreach(RolesState.rows, _row),
    )


def _row(row: rx.Var[dict[str, Any]]) -> rx.Component:
    cells = row["cells"].to(list[dict[str, Any]])
    return rx.el.tr(kit.cell(row["label"].to(str), class_name="strong"), rx.foreach(cells, _cell))


def _cell(cell: rx.Var[dict[str, Any]]) -> rx.Component:
    tick = kit.check(
        cell["label"].to(str),
        name=cell["name"].to(str),
        default_checked=cell["on"].to(bool),
        disabled=RolesState.is_fixed,
    )
    return kit.cell(rx.cond(cell["name"].to(str) != "", tick, rx.fragment()))


def _act(act: rx.Var[dict[str, Any]]) -> rx.Component:
    return kit.checkbox(act["label"].to(str), name=act["name"].to(str), default_checked=act["on"].to(bool))
