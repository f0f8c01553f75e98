"""One field of a form in a dialog; state.platform.forms says what it is made of."""

from typing import Any

import reflex as rx

from crm_app.components import kit


def form_field(field: rx.Var[dict[str, Any]], index: rx.Var[int] | int, *, prefix: str, on_search: Any) -> rx.Component:
    """A labelled control of the field's kind. `on_search` gets the name of a link or of tags and what was typed."""
    name, value = field["name"].to(str), field["value"].to(str)
    options = field["options"].to(list[dict[str, str]])
    box: dict[str, Any] = {
        "id": rx.Var.create(f"{prefix}-") + name,
        "name": name,
        "invalid": field["error"] != "",
        "data_autofocus": rx.cond(rx.Var.create(index) == 0, "", rx.Var("undefined")),
    }
    plain = {**box, "default_value": value}
    link = {k: v for k, v in box.items() if k != "data_autofocus"}
    control = rx.match(
        field["kind"].to(str),
        ("long_text", kit.text_area(**plain)),
        ("money", kit.money_input(currency=field["text"].to(str), **plain)),
        ("date", kit.date_input(**plain)),
        ("datetime", kit.moment_input(**plain)),
        (
            "choices",
            kit.picks(options=options, value=value, free=field["free"].to(bool), on_search=on_search(name), **link),
        ),
        ("percent", kit.text_input(input_mode="numeric", **plain)),
        ("number", kit.text_input(input_mode="decimal", **plain)),
        ("choice", kit.select(options=options, empty="Choose …", **plain)),
        (
            "link",
            kit.combo(
                options=options,
                value=value,
                text=field["text"].to(str),
                free=field["free"].to(bool),
                on_search=on_search(name),
                **link,
            ),
        ),
        kit.text_input(**plain),
    )
    return kit.field(
        label_of(field), control, control_id=box["id"], hint=field["hint"].to(str), error=field["error"].to(str)
    )


def label_of(field: rx.Var[dict[str, Any]]) -> rx.Var[str]:
    return field["label"].to(str) + rx.cond(field["required"].to(bool), "", " (optional)")
