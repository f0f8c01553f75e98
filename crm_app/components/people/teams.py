"""Teams: the table, and the dialog of one."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.settings import settings_page
from crm_app.state.people.teams import TeamsState


def teams() -> rx.Component:
    """Who sells together."""
    return settings_page(
        "Teams",
        rx.cond(TeamsState.is_loaded, _table(), kit.skeleton_rows("Loading teams", rows=3)),
        _dialog(),
        current="/settings/teams",
        actions=(rx.cond(may("team.create"), kit.primary("Team", icon_name="add", on_click=TeamsState.open(""))),),
    )


def _table() -> rx.Component:
    return kit.table(
        "Teams of this workspace",
        head=rx.el.tr(
            kit.column("Name"),
            kit.column("Led by"),
            kit.column("Part of", hide_small=True),
            kit.column("Region", hide_small=True),
            kit.column("People", number=True),
        ),
        body=rx.foreach(TeamsState.teams, _row),
    )


def _row(team: rx.Var[dict[str, Any]]) -> rx.Component:
    name = team["name"].to(str)
    button = rx.el.button(
        kit.clipped(name), type="button", class_name="name-btn", on_click=TeamsState.open(team["id"].to(str))
    )
    return rx.el.tr(
        kit.cell(rx.cond(may("team.update"), button, kit.clipped(name, class_name="strong")), class_name="name"),
        kit.cell(team["manager"].to(str)),
        kit.cell(team["parent"].to(str), hide_small=True),
        kit.cell(team["region"].to(str), hide_small=True),
        kit.cell(team["members"].to(str), number=True),
        key=team["id"].to(str),
    )


def _dialog() -> rx.Component:
    one = TeamsState.chosen
    is_new = one["id"].to(str) == ""
    return kit.dialog(
        "team",
        rx.cond(is_new, "New team", "Change team"),
        kit.hidden("id", one["id"].to(str)),
        _field("name", "Name", kit.text_input, default_value=one["name"].to(str), data_autofocus=""),
        _chosen("manager_id", "Led by", TeamsState.people, one["manager_id"].to(str), "Nobody"),
        _chosen("parent_id", "Part of", TeamsState.parents, one["parent_id"].to(str), "No other team"),
        _field("region", "Region (optional)", kit.text_input, default_value=one["region"].to(str)),
        rx.cond(
            ~is_new & may("team.delete"),
            rx.el.div(kit.ghost("Delete this team", on_click=TeamsState.remove(one["id"].to(str))), class_name="line"),
        ),
        sub="Who leads a team sees its records, and those of the teams below it.",
        open=TeamsState.is_open,
        on_dismiss=TeamsState.cancel,
        on_submit=TeamsState.save,
        action=kit.primary(rx.cond(is_new, "Make team", "Save team"), type="submit"),
    )


def _field(id: str, label: str, control: Any, **props: Any) -> rx.Component:
    wrong = TeamsState.errors.contains(id)
    box = control(id, invalid=wrong, key=TeamsState.chosen["id"].to(str), **props)
    return kit.field(label, box, control_id=id, error=rx.cond(wrong, TeamsState.errors[id], ""))


def _chosen(id: str, label: str, options: rx.Var, value: rx.Var[str], empty: str) -> rx.Component:
    wrong = TeamsState.errors.contains(id)
    box = kit.select(id, options, empty=empty, default_value=value, invalid=wrong, key=TeamsState.chosen["id"].to(str))
    return kit.field(label, box, control_id=id, error=rx.cond(wrong, TeamsState.errors[id], ""))
