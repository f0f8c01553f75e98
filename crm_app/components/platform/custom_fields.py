"""Settings, Fields."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.platform.field_panel import field_panel
from crm_app.components.settings import settings_page
from crm_app.state.platform.custom_fields import CustomFieldsState
from crm_app.state.platform.field_panel import FieldPanel

Row = rx.Var[dict[str, Any]]


def custom_fields() -> rx.Component:
    """What records hold: fields of the workspace's own, and those that every workspace has."""
    return settings_page(
        "Fields",
        rx.cond(CustomFieldsState.is_loaded, _body(), kit.skeleton_rows("Loading fields")),
        kit.sr(CustomFieldsState.said, role="status"),
        current="/settings/fields",
        actions=(kit.primary("Field", icon_name="add", on_click=FieldPanel.open("")),),
        panel=field_panel(),
    )


def _body() -> rx.Component:
    return rx.fragment(
        kit.tabs(
            "Records",
            rx.foreach(
                CustomFieldsState.entities,
                lambda e: kit.tab(e["label"].to(str), href=e["href"].to(str), current=e["here"].to(bool)),
            ),
        ),
        rx.el.section(
            rx.el.h2("Your own fields"),
            rx.el.p(
                "In lists, forms, filters, imports, exports and the REST interface as soon as they are saved."
                " Their order is that of the form.",
                class_name="muted",
            ),
            rx.cond(CustomFieldsState.own.length() > 0, _own(), _none()),
        ),
        rx.cond(CustomFieldsState.gone.length() > 0, _gone()),
        rx.el.section(
            rx.el.h2("Fields of every workspace"),
            rx.el.p("Call them as your people do, ask for them, say what there is to choose from.", class_name="muted"),
            _declared(),
        ),
    )


def _none() -> rx.Component:
    return kit.empty_state(
        kit.table_art(),
        "No fields of your own yet",
        "Add what your records should hold beside the usual: a tier, a renewal date, a figure worked out from others.",
    )


def _own() -> rx.Component:
    return kit.table(
        "Your own fields, in their order",
        head=rx.el.tr(
            kit.column(kit.sr("Order")),
            kit.column("Field"),
            kit.column("Holds"),
            kit.column("Section", hide_small=True),
            kit.column("Asked for", hide_small=True),
            kit.column("Filled in", number=True, hide_small=True),
        ),
        body=rx.foreach(CustomFieldsState.own, _own_row),
    )


def _own_row(row: Row) -> rx.Component:
    field_id, label = row["id"].to(str), row["label"].to(str)
    move = CustomFieldsState.move
    handle = kit.menu(
        kit.icon_button(
            "re_order_dots_vertical", rx.Var.create("Move ") + label + ", " + row["place"].to(str), size=16
        ),
        rx.cond(~row["is_first"].to(bool), kit.menu_item("Move up", icon_name="arrow_up", on_click=move(field_id, -1))),
        rx.cond(
            ~row["is_last"].to(bool), kit.menu_item("Move down", icon_name="arrow_down", on_click=move(field_id, 1))
        ),
        label="Order of the field",
    )  # fmt: skip
    return rx.el.tr(
        kit.cell(handle, class_name="dragc"),
        kit.cell(_opener(row)),
        kit.cell(row["words"].to(str)),
        kit.cell(row["section"].to(str), hide_small=True, class_name="muted"),
        kit.cell(_asked(row), hide_small=True),
        kit.cell(row["filled"].to(str), number=True, hide_small=True),
        class_name=_open_class(row),
        key=field_id,
    )


def _opener(row: Row) -> rx.Component:
    return rx.el.button(
        row["label"].to(str), type="button", class_name="stage-btn strong", on_click=FieldPanel.open(row["name"])
    )


def _open_class(row: Row) -> rx.Var:
    return rx.cond(FieldPanel.is_open & (FieldPanel.field["name"] == row["name"]), "open", "")


def _asked(row: Row) -> rx.Component:
    return rx.cond(row["required"].to(bool), kit.badge("Asked for"), rx.fragment())


def _declared() -> rx.Component:
    return kit.table(
        "Fields of every workspace",
        head=rx.el.tr(kit.column("Field"), kit.column("Holds"), kit.column("Asked for", hide_small=True)),
        body=rx.foreach(CustomFieldsState.declared, _declared_row),
    )


def _declared_row(row: Row) -> rx.Component:
    return rx.el.tr(
        kit.cell(_opener(row)),
        kit.cell(row["words"].to(str)),
        kit.cell(
            rx.cond(row["is_set"].to(bool), rx.el.span("Set by the system", class_name="muted"), _asked(row)),
            hide_small=True,
        ),
        class_name=_open_class(row),
        key=row["name"].to(str),
    )


def _gone() -> rx.Component:
    def line(row: Row) -> rx.Component:
        back = kit.outline(
            "Put back", size="sm", aria_label=rx.Var.create("Put back: ") + row["label"].to(str),
            on_click=CustomFieldsState.restore(row["id"].to(str)),
        )  # fmt: skip
        return rx.el.tr(
            kit.cell(row["label"].to(str)),
            kit.cell(row["words"].to(str), hide_small=True),
            kit.cell(row["when"].to(str), class_name="muted"),
            kit.cell(row["filled"].to(str), number=True, hide_small=True),
            kit.cell(back),
            key=row["id"].to(str),
        )

    return rx.el.section(
        rx.el.h2("In the trash"),
        rx.el.p("Nobody sees them. Their values are kept for 30 days, then both are gone.", class_name="muted"),
        kit.table(
            "Fields in the trash",
            head=rx.el.tr(
                kit.column("Field"),
                kit.column("Holds", hide_small=True),
                kit.column("Put away"),
                kit.column("Filled in", number=True, hide_small=True),
                kit.column(kit.sr("Put back")),
            ),
            body=rx.foreach(CustomFieldsState.gone, line),
        ),
    )
