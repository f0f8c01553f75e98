"""Settings, Territories: the table, and the dialog of one."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.settings import settings_page
from crm_app.state.sales.territories import TerritoriesState


def territories() -> rx.Component:
    """Which accounts are sold to by whom, wherever they lie in the teams."""
    some = TerritoriesState.territories.length() > 0
    return settings_page(
        "Territories",
        rx.cond(
            TerritoriesState.is_loaded,
            rx.cond(some, _table(), _nothing()),
            kit.skeleton_rows("Loading territories", rows=3),
        ),
        _dialog(),
        current="/settings/territories",
        actions=(_add(),),
    )


def _add() -> rx.Component:
    button = kit.primary("Territory", icon_name="add", on_click=TerritoriesState.open(""))
    return rx.cond(may("territory.create"), button)


def _nothing() -> rx.Component:
    return kit.empty_state(
        kit.people_art(),
        "No territories",
        "A territory holds the accounts of some countries or industries. People in it whose role sees territories see"
        " these accounts, with their contacts, deals and activities.",
    )


def _table() -> rx.Component:
    return kit.table(
        "Territories of this workspace",
        head=rx.el.tr(
            kit.column("Name"),
            kit.column("Countries", hide_small=True),
            kit.column("Industries", hide_small=True),
            kit.column("People"),
            kit.column("Accounts", number=True),
        ),
        body=rx.foreach(TerritoriesState.territories, _row),
    )


def _row(one: rx.Var[dict[str, Any]]) -> rx.Component:
    name = one["name"].to(str)
    button = rx.el.button(
        kit.clipped(name), type="button", class_name="name-btn", on_click=TerritoriesState.open(one["id"].to(str))
    )
    return rx.el.tr(
        kit.cell(rx.cond(may("territory.update"), button, kit.clipped(name, class_name="strong")), class_name="name"),
        kit.cell(_or_any(one["countries"].to(str)), hide_small=True),
        kit.cell(_or_any(one["industries"].to(str)), hide_small=True),
        kit.cell(kit.clipped(one["who"].to(str))),
        kit.cell(one["accounts"].to(str), number=True),
        key=one["id"].to(str),
    )


def _or_any(words: rx.Var[str]) -> rx.Component:
    return rx.cond(words != "", kit.clipped(words), rx.el.span("Any", class_name="muted"))


def _dialog() -> rx.Component:
    one = TerritoriesState.chosen
    is_new = one["id"].to(str) == ""
    return kit.dialog(
        "territory",
        rx.cond(is_new, "New territory", "Change territory"),
        kit.hidden("id", one["id"].to(str)),
        _field("name", "Name", kit.text_input, default_value=one["name"].to(str), data_autofocus=""),
        _field("countries", "Countries, parted by commas", kit.text_input, default_value=one["countries"].to(str)),
        _field("industries", "Industries, parted by commas", kit.text_input, default_value=one["industries"].to(str)),
        rx.cond(TerritoriesState.known != "", rx.el.p(TerritoriesState.known, class_name="hint")),
        rx.el.fieldset(
            rx.el.legend("People", class_name="label"),
            rx.el.div(rx.foreach(TerritoriesState.people, _person), class_name="territory-people"),
            class_name="pair bare",
            key=one["id"].to(str),
        ),
        rx.cond(
            ~is_new & may("territory.delete"),
            rx.el.div(
                kit.ghost("Delete this territory", on_click=TerritoriesState.remove(one["id"].to(str))),
                class_name="line",
            ),
        ),
        sub="Holds accounts that have one of its countries and one of its industries; an empty line asks for nothing.",
        open=TerritoriesState.is_open,
        on_dismiss=TerritoriesState.cancel,
        on_submit=TerritoriesState.save,
        action=kit.primary(rx.cond(is_new, "Make territory", "Save territory"), type="submit"),
    )


def _person(person: rx.Var[dict[str, Any]]) -> rx.Component:
    return kit.checkbox(
        person["name"].to(str), name=person["id"].to(str), default_checked=person["on"].to(bool),
        key=person["id"].to(str),
    )  # fmt: skip


def _field(id: str, label: str, control: Any, **props: Any) -> rx.Component:
    wrong = TerritoriesState.errors.contains(id)
    box = control(id, invalid=wrong, key=TerritoriesState.chosen["id"].to(str), **props)
    return kit.field(label, box, control_id=id, error=rx.cond(wrong, TerritoriesState.errors[id], ""))
