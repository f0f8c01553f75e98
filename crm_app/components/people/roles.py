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
                    rx.fragment(
                        role["name"], rx.el.span(" ", role["count"], kit.sr(" people"), class_name="muted num")
                    ),
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
        rx.cond(RolesState.role_id == "copy", rx.fragment(), rx.fragment(_fields(), _people())),
    )


def _fields() -> rx.Component:
    """What the role may do with single fields, one kind of records at a time."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Fields"),
            rx.el.span(
                kit.select(
                    "about-kind",
                    RolesState.kinds,
                    value=RolesState.about,
                    on_change=RolesState.choose_kind,
                    aria_label="Fields of",
                ),
                class_name="push",
            ),
            class_name="line",
        ),
        rx.el.p(
            "All that is not narrowed here the role reads and, with the right to change, writes.", class_name="muted"
        ),
        rx.el.form(
            kit.hidden("role_id", RolesState.role_id),
            kit.hidden("about", RolesState.about),
            kit.table(
                "What the role may do with fields",
                head=rx.el.tr(kit.column("Field"), kit.column("The role may")),
                body=rx.foreach(RolesState.field_rows, _field_row),
            ),
            rx.cond(
                may(MANAGE) & ~RolesState.is_fixed,
                rx.el.div(kit.primary("Save fields", type="submit"), class_name="line foot-line"),
            ),
            key=RolesState.role_id + RolesState.about + RolesState.field_rows.to_string(),
            on_submit=RolesState.save_fields,
        ),
        class_name="role-part",
    )


def _field_row(row: rx.Var[dict[str, Any]]) -> rx.Component:
    name, label = row["name"].to(str), row["label"].to(str)
    choice = rx.el.select(
        rx.foreach(
            row["choices"].to(list[dict[str, str]]), lambda c: rx.el.option(c["label"], value=c["value"])
        ),
        id=name,
        name=name,
        default_value=row["right"].to(str),
        disabled=RolesState.is_fixed,
        aria_label=label,
        class_name="select slim",
    )  # fmt: skip
    return rx.el.tr(kit.cell(label, class_name="strong"), kit.cell(choice), key=name)


def _people() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Who has it"),
        rx.cond(
            RolesState.people.length() > 0,
            rx.el.ul(
                rx.foreach(RolesState.people, lambda name: rx.el.li(kit.badge(name))), class_name="role-people"
            ),
            rx.el.p("Nobody. It is given under People.", class_name="muted"),
        ),
        class_name="role-part",
    )  # fmt: skip


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
