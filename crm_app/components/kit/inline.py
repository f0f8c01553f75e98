"""Fields that are read and edited in the same place."""

from typing import Any, Literal

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts

Kind = Literal[
    "text", "long", "number", "money", "date", "choice", "link", "email", "phone", "url", "tags", "picks", "moment"
]
Text = str | rx.Var


class InPlace(rx.Component):
    """The React part; it owns what is typed, so no answer of the server can eat a character."""

    library = scripts.INPLACE
    tag = "InPlace"
    name: rx.Var[str]
    label: rx.Var[str]
    kind: rx.Var[str]
    value: rx.Var[str]
    display: rx.Var[str]
    empty: rx.Var[str]
    hint: rx.Var[str]
    status: rx.Var[dict[str, Any]]
    options: rx.Var[list[dict[str, Any]]]
    href: rx.Var[str]
    on_save: rx.EventHandler[passthrough_event_spec(str, str, str)]
    on_search: rx.EventHandler[passthrough_event_spec(str, str)]
    on_create: rx.EventHandler[passthrough_event_spec(str, str)]


class Mend(rx.Component):
    """The React part; a form of Reflex cannot stand in a row that is drawn many times."""

    library = scripts.MEND
    tag = "Mend"
    label: rx.Var[str]
    given: rx.Var[str]
    action: rx.Var[str]
    wrong: rx.Var[bool]
    on_save: rx.EventHandler[passthrough_event_spec(str)]


def mend(label: Text, given: Text, *, on_save: Any, action: str = "", wrong: bool = False) -> rx.Component:
    """A box in a row of a table. `on_save(text)` runs on Enter and on leaving the box, when the text is another one;
    with `action`, when the button of that name is pressed."""
    return Mend.create(
        label=label, given=given, action=action, wrong=wrong, on_save=on_save, class_name="line tight" if action else ""
    )  # fmt: skip


def props_list(*rows: rx.Component, **props: Any) -> rx.Component:
    """Labels left, values right; rows are `prop` and `inline_field`."""
    return rx.el.dl(*rows, class_name="props", **props)


def prop(label: Text | rx.Component, *value: rx.Component | Text, tip: Text | None = None, **row: Any) -> rx.Component:
    """A value that cannot be edited here; `tip` says why."""
    shown = rx.el.div(*value, class_name="val", **({"data_tip": tip} if tip is not None else {}))
    return rx.el.div(rx.el.dt(label), rx.el.dd(shown), class_name="prop", **row)


class FieldHistory(rx.Component):
    """The React part: a label that shows what the field was before, on hover, focus or press."""

    library = scripts.FIELD_HISTORY
    tag = "FieldHistory"
    name: rx.Var[str]
    label: rx.Var[str]
    rows: rx.Var[list[dict[str, str]]]
    on_ask: rx.EventHandler[passthrough_event_spec(str)]


def field_history(name: str | rx.Var, label: Text, *, rows: rx.Var, on_ask: Any) -> rx.Component:
    """A label for `prop` and `inline_field` that opens the history of its field.

    While `rows` is undefined `on_ask(name)` asks for it; a row is {"who", "when", "old", "new"}, latest first.
    """
    return FieldHistory.create(name=name, label=label, rows=rows, on_ask=on_ask)


def inline_field(
    name: str | rx.Var,
    label: Text,
    *,
    value: Text,
    status: rx.Var,
    on_save: Any,
    kind: Kind | rx.Var = "text",
    display: Text | None = None,
    options: rx.Var | list[dict[str, str]] | None = None,
    hint: Text | None = None,
    href: Text | None = None,
    empty: str = "Add",
    on_search: Any = None,
    on_create: Any = None,
    head: rx.Component | None = None,
    **row: Any,
) -> rx.Component:
    """One row of `props_list`: click or Enter edits, Enter saves, Esc cancels, leaving saves (Ctrl Enter in long text).

    `value` is what is edited, as text; `display` what is shown. `on_save(name, value, seen)`, where `seen` is the value
    when editing began, is answered in `status`: `{name: {"state": "saved" | "error" | "conflict", "message": str,
    "at": int}}`, where `at` differs from answer to answer (a counter or a time stamp), or two equal answers in a row
    cannot be told apart. On "error" the typed text stays and Retry is offered; a "conflict" also tells the `value` and
    `shown` of now, `who` gave it and `when`, and a dialog asks which value shall stand: another than that of now is
    sent again with it as `seen`.
    `choice` and `link` take `options` of {"value", "label", "hint"}; with `on_search(name, text)` Python answers with
    new ones. `hint` stands under the box while editing: what it was before, and by whom. `head` takes the place of the
    label, as `field_history` does; `picks` are some of the options and `tags` any texts, parted by semicolons; a
    `moment` is a local YYYY-MM-DDTHH:MM. What is not answered when the line breaks is sent once more after it: saving
    what stands there already must be answered as "saved".
    """
    given = {
        "display": display,
        "options": options,
        "hint": hint,
        "href": href,
        "on_search": on_search,
        "on_create": on_create,
    }
    part = InPlace.create(
        name=name,
        label=label,
        kind=kind,
        value=value,
        status=status,
        empty=empty,
        on_save=on_save,
        **{prop_name: thing for prop_name, thing in given.items() if thing is not None},
    )
    return rx.el.div(rx.el.dt(head if head is not None else label), rx.el.dd(part), class_name="prop", **row)
