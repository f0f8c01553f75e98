"""The hint of a form: this is there already."""

import reflex as rx

from crm_app.components import kit
from crm_app.state.customers.alike import NAMES, TypedNames


def alike(found: rx.Var[list[dict[str, str]]]) -> rx.Component:
    """Records that look like the one being typed; each opens beside, so that nothing typed is lost."""
    return rx.el.div(
        rx.cond(
            found.length() > 0,
            rx.el.div(
                rx.el.p(kit.icon("people_team", 16), " Is it there already?", class_name="strong line"),
                rx.el.ul(rx.foreach(found, _one)),
                rx.el.p("If not, create it all the same.", class_name="muted small"),
                class_name="alike",
            ),
        ),
        role="status",
    )


def alike_names() -> rx.Component:
    """The hint for a form in which a typed name becomes a new account or contact."""
    return rx.fragment(
        kit.form_watch(rx.Var.create(list(NAMES)), on_typed=TypedNames.look),
        alike(TypedNames.alike),
    )


def _one(one: rx.Var[dict[str, str]]) -> rx.Component:
    there = rx.fragment(
        rx.el.span(
            "Looks like ",
            kit.link(one["name"], kit.sr(" (opens in a new tab)"), href=one["href"], target="_blank"),
        ),
        rx.el.span(one["detail"], class_name="muted small"),
        rx.el.span(one["why"], class_name="muted small"),
    )
    return rx.el.li(rx.cond(one["href"] != "", there, rx.el.span(one["name"])), key=one["href"])
