"""A field of any record in its place: read, edited, with its history."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.state.platform.fields import FieldView


def field_row(
    view: rx.Var[FieldView],
    *,
    status: rx.Var,
    options: rx.Var,
    histories: rx.Var,
    hints: rx.Var,
    on_save: Any,
    on_search: Any,
    on_ask_history: Any,
) -> rx.Component:
    """The dictionaries are by field name; `options` holds what the search of a link or of tags found."""
    head = kit.field_history(view.name, view.label, rows=histories[view.name], on_ask=on_ask_history)
    row = {"data_field": view.name, "key": view.name}
    shared: dict[str, Any] = {
        **row,
        "value": view.value,
        "display": view.shown,
        "status": status,
        "on_save": on_save,
        "hint": hints[view.name].to(str),
        "head": head,
    }
    plain = kit.inline_field(view.name, view.label, kind=view.box, options=view.options, **shared)
    searched = kit.inline_field(
        view.name,
        view.label,
        kind=view.box,
        options=options[view.name].to(list[dict[str, str]]),
        href=view.href,
        on_search=on_search,
        **shared,
    )
    locked = kit.prop(head, _read(view), tip=view.locked, **row)
    return rx.cond(view.locked != "", locked, rx.cond((view.box == "link") | (view.box == "tags"), searched, plain))


def _read(view: rx.Var[FieldView]) -> rx.Component:
    words = rx.cond(view.shown == "", rx.el.span("–", class_name="none"), rx.el.span(view.shown, class_name="shown"))
    return rx.cond(view.href != "", kit.link(view.shown, href=view.href, class_name="shown"), words)
