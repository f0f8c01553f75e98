"""The workspace itself."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.people.profile import ZONES
from crm_app.components.settings import settings_page
from crm_app.state.people.workspace import WorkspaceState


def workspace() -> rx.Component:
    """Its name and time zone."""
    return settings_page(
        "General",
        rx.cond(WorkspaceState.is_loaded, rx.fragment(_form(), _history()), kit.skeleton_rows("Loading", rows=3)),
        current="/settings/workspace",
    )


def _form() -> rx.Component:
    return rx.el.form(
        kit.field(
            "Name of the workspace",
            kit.text_input(
                "name",
                default_value=WorkspaceState.name,
                key=WorkspaceState.name,
                invalid=WorkspaceState.errors.contains("name"),
            ),
            control_id="name",
            error=_error("name"),
        ),
        kit.field(
            "Time zone",
            kit.select(
                "time_zone",
                [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in ZONES)],
                default_value=WorkspaceState.time_zone,
                key=WorkspaceState.time_zone,
            ),
            control_id="time_zone",
            hint="What today is, for everybody who has not chosen a time zone of their own",
            error=_error("time_zone"),
        ),
        kit.field(
            "Currency",
            kit.text_input("currency", value=WorkspaceState.currency, read_only=True),
            control_id="currency",
            hint="Sums and reports are in it; it stays as it was at the start",
        ),
        rx.el.div(kit.primary("Save", type="submit"), class_name="line"),
        on_submit=WorkspaceState.save,
        class_name="set-form",
        no_validate=True,
    )


def _history() -> rx.Component:
    """What was changed here, for those who may change it."""
    return rx.cond(
        WorkspaceState.changes.length() > 0,
        rx.el.section(
            rx.el.h2("History"),
            kit.props_list(rx.foreach(WorkspaceState.changes, _change)),
            class_name="set-form",
        ),
    )


def _change(change: rx.Var[dict[str, str]]) -> rx.Component:
    told = rx.el.span(
        rx.el.span(change["told"]), rx.el.span(change["who"], class_name="muted small"), class_name="stack tight"
    )
    return kit.prop(change["field"], told)


def _error(name: str) -> rx.Var[str]:
    return rx.cond(WorkspaceState.errors.contains(name), WorkspaceState.errors[name], "")
