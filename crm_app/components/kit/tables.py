"""Tables: real ones, with a caption for screen readers and a scroll area that can be focused."""

from typing import Any, Literal

import reflex as rx

from crm_app.components.kit.icons import icon
from crm_app.components.kit.marks import sr

Child = rx.Component | rx.Var | str


def table(
    caption: str | rx.Var, *, head: rx.Component, body: rx.Component, foot: rx.Component | None = None
) -> rx.Component:
    """A table that scrolls inside its sheet; `head` and `foot` stay in sight."""
    return rx.el.div(
        rx.el.table(
            rx.el.caption(caption, class_name="sr"),
            rx.el.thead(head),
            rx.el.tbody(body),
            rx.el.tfoot(foot) if foot is not None else rx.fragment(),
            class_name="table",
        ),
        class_name="table-wrap",
        tab_index=0,
        role="region",
        aria_label=caption,
    )


def column(label: Child, *, number: bool = False, hide_small: bool = False) -> rx.Component:
    """A column head; numbers stand right."""
    return rx.el.th(label, scope="col", class_name=_cell_class(number, hide_small))


def sortable(
    label: str,
    *,
    on_sort: Any,
    direction: rx.Var[str] | Literal["", "ascending", "descending"],
    number: bool = False,
    hide_small: bool = False,
) -> rx.Component:
    """A column head that sorts; `direction` is empty for a column that does not sort now."""
    state = rx.Var.create(direction)
    arrow = rx.match(state, ("ascending", icon("arrow_up", 16)), ("descending", icon("arrow_down", 16)), rx.fragment())
    return rx.el.th(
        rx.el.button(label, " ", arrow, type="button", on_click=on_sort),
        scope="col",
        aria_sort=rx.cond(state == "", "none", state),
        class_name=_cell_class(number, hide_small),
    )


def cell(
    *content: Child, number: bool = False, hide_small: bool = False, class_name: str = "", **props: Any
) -> rx.Component:
    """A cell; `hide_small` drops it on the phone, where a name and one figure stay."""
    classes = f"{_cell_class(number, hide_small)} {class_name}".strip()
    return rx.el.td(*content, class_name=classes, **props)


def pick_cell(label: str | rx.Var, **props: Any) -> rx.Component:
    """The tick of a row; the whole cell is its target."""
    box = rx.el.input(type="checkbox", class_name="check", **props)
    return rx.el.td(rx.el.label(box, sr(label)), class_name="pick")


def bulk_bar(count: Child, *actions: rx.Component) -> rx.Component:
    """What can be done with the chosen rows; floats above the foot."""
    return rx.el.div(
        rx.el.span(count, class_name="strong", role="status"),
        *actions,
        class_name="bulk",
        role="group",
        aria_label="Selection",
    )


def _cell_class(number: bool, hide_small: bool) -> str:
    return " ".join(name for name, on in (("r", number), ("hide-s", hide_small)) if on)
