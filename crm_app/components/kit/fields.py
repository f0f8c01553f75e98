"""Form fields: label above, hint or error below, never a placeholder as label.

Text boxes lose no character on a slow line: the browser owns what is typed, and the form sends it.
"""

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icons import icon

Text = str | rx.Var[str]


def field(
    label: Text,
    control: rx.Component,
    *,
    control_id: str,
    hint: Text | None = None,
    error: Text | None = None,
    beside_label: rx.Component | None = None,
    class_name: str = "",
) -> rx.Component:
    """A labelled control. `error` may be a Var that is empty while all is well.

    The control must carry `id=control_id` and `described_by(control_id)`; the functions below do when they get `id`.
    """
    name = rx.el.label(label, html_for=control_id, class_name="label")
    return rx.el.div(
        rx.el.div(name, rx.el.span(beside_label, class_name="push small"), class_name="line") if beside_label else name,
        control,
        rx.el.p(hint, id=f"{control_id}-hint", class_name="hint") if hint is not None else rx.fragment(),
        _error(error, control_id) if error is not None else rx.fragment(),
        class_name=f"field {class_name}".strip(),
    )


def described_by(control_id: str) -> str:
    """The ids of hint and error of a field; ids that are not on the page are skipped by the browser."""
    return f"{control_id}-hint {control_id}-error"


def _error(error: Text, control_id: str) -> rx.Component:
    line = rx.el.p(icon("error_circle", 16), rx.el.span(error), id=f"{control_id}-error", class_name="error")
    return rx.cond(error != "", line, rx.fragment()) if isinstance(error, rx.Var) else line


def _named(id: str, invalid: bool | rx.Var, props: dict[str, Any], class_name: str) -> dict[str, Any]:
    own = props.pop("class_name", "")
    return {
        "id": id,
        "name": props.pop("name", id),
        "aria_describedby": described_by(id),
        "aria_invalid": invalid,
        "class_name": f"{class_name} {own}".strip(),
        **props,
    }


def text_input(id: str, *, invalid: bool | rx.Var = False, **props: Any) -> rx.Component:
    """One line of text; give it a `default_value` and read it from the form."""
    return rx.el.input(**_named(id, invalid, {"type": "text", **props}, "input"))


def text_area(id: str, *, invalid: bool | rx.Var = False, **props: Any) -> rx.Component:
    """Several lines of text."""
    return rx.el.textarea(**_named(id, invalid, {"rows": 3, **props}, "input"))


def money_input(id: str, currency: Text, *, invalid: bool | rx.Var = False, **props: Any) -> rx.Component:
    """An amount as people type it; the currency stands before it."""
    box = text_input(id, invalid=invalid, input_mode="decimal", auto_complete="off", **props)
    return rx.el.span(rx.el.span(currency, class_name="before", aria_hidden="true"), box, class_name="affix money")


def date_input(id: str, *, invalid: bool | rx.Var = False, **props: Any) -> rx.Component:
    """A day, as YYYY-MM-DD in state and form."""
    return rx.el.input(**_named(id, invalid, {"type": "date", **props}, "input"))


def moment_input(id: str, *, invalid: bool | rx.Var = False, **props: Any) -> rx.Component:
    """A day and a time of day without a zone, as YYYY-MM-DDTHH:MM in state and form."""
    return rx.el.input(**_named(id, invalid, {"type": "datetime-local", **props}, "input"))


def select(
    id: str,
    options: Sequence[tuple[str, str]] | rx.Var,
    *,
    invalid: bool | rx.Var = False,
    empty: str = "",
    **props: Any,
) -> rx.Component:
    """A native choice.

    `options` are (value, label) pairs or a Var of {"value", "label"}; `empty` is the words of a first, empty option.
    """
    rows = (
        [rx.foreach(options, lambda o: rx.el.option(o["label"].to(str), value=o["value"].to(str)))]
        if isinstance(options, rx.Var)
        else [rx.el.option(label, value=value) for value, label in options]
    )
    first = [rx.el.option(empty, value="")] if empty else []
    return rx.el.select(*first, *rows, **_named(id, invalid, props, "select"))


class Password(rx.Component):
    """The React part; it knows whether the password is shown."""

    library = scripts.PASSWORD
    tag = "Password"
    name: rx.Var[str]
    auto_complete: rx.Var[str]
    invalid: rx.Var[bool]
    described_by: rx.Var[str]
    min_length: rx.Var[int]
    required: rx.Var[bool]


def password_input(id: str, *, new: bool = False, invalid: bool | rx.Var = False, min_length: int = 0) -> rx.Component:
    """A password with an eye to show it; `new` tells password managers to offer one."""
    return Password.create(
        id=id,
        name=id,
        auto_complete="new-password" if new else "current-password",
        invalid=invalid,
        described_by=described_by(id),
        required=True,
        **({"min_length": min_length} if min_length else {}),
    )


class Given(rx.Component):
    """The React part; it keeps what was typed before the state of the tab arrived."""

    library = scripts.GIVEN
    tag = "Given"
    name: rx.Var[str]
    type: rx.Var[str]
    given: rx.Var[str]
    auto_complete: rx.Var[str]
    invalid: rx.Var[bool]
    described_by: rx.Var[str]
    required: rx.Var[bool]


def given_input(
    id: str, given: Text, *, type: str = "text", auto_complete: str = "off", invalid: bool | rx.Var = False
) -> rx.Component:
    """A required box of a plain form, filled with `given` unless somebody was faster."""
    return Given.create(
        id=id,
        name=id,
        type=type,
        given=given,
        auto_complete=auto_complete,
        invalid=invalid,
        described_by=described_by(id),
        required=True,
        class_name="input lg",
    )


def checkbox(label: rx.Component | Text, **props: Any) -> rx.Component:
    """A tick with its words."""
    return rx.el.label(rx.el.input(type="checkbox", class_name="check", **props), rx.el.span(label), class_name="line")


def check(label: Text, **props: Any) -> rx.Component:
    """A tick without visible words, as in the first cell of a row."""
    return rx.el.input(type="checkbox", class_name="check", aria_label=label, **props)


def switch(label: rx.Component | Text, **props: Any) -> rx.Component:
    """On or off, in force at once."""
    box = rx.el.input(type="checkbox", role="switch", class_name="switch", **props)
    return rx.el.label(box, rx.el.span(label), class_name="line")


def choice_cards(
    legend: Text, name: str, options: Sequence[tuple[str, str]] | rx.Var, *, value: rx.Var | None = None, **props: Any
) -> rx.Component:
    """A few choices as cards, one of them taken; `options` as in `select`. `on_change` gets the value taken."""

    def card(chosen: Any, label: Any) -> rx.Component:
        taken = {"checked": value == chosen} if value is not None else {}
        box = rx.el.input(type="radio", name=name, value=chosen, class_name="radio", **taken, **props)
        return rx.el.label(box, rx.el.span(label), class_name="reason")

    cards = (
        [rx.foreach(options, lambda o: card(o["value"].to(str), o["label"].to(str)))]
        if isinstance(options, rx.Var)
        else [card(v, label) for v, label in options]
    )
    return rx.el.fieldset(rx.el.legend(legend, class_name="label"), *cards, class_name="reasons")


class SearchBox(rx.Component):
    """The React part; it owns what is typed."""

    library = scripts.SEARCH_BOX
    tag = "SearchBox"
    label: rx.Var[str]
    value: rx.Var[str]
    on_search: rx.EventHandler[passthrough_event_spec(str)]


def search_input(id: str, label: Text, *, value: rx.Var, on_search: Any) -> rx.Component:
    """A search box with its glass; the label is for screen readers. `on_search(text)` comes when the hand rests."""
    glass = rx.el.span(icon("search", 16), class_name="before")
    return rx.el.span(glass, SearchBox.create(id=id, label=label, value=value, on_search=on_search), class_name="affix")
