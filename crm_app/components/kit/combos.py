"""A text box with a list of choices, filtered in the page or searched by the server."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Combo(rx.Component):
    """The React part; it owns what is typed and which choice is lit."""

    library = scripts.COMBO
    tag = "Combo"
    name: rx.Var[str]
    value: rx.Var[str]
    text: rx.Var[str]
    options: rx.Var[list[dict[str, Any]]]
    placeholder: rx.Var[str]
    required: rx.Var[bool]
    invalid: rx.Var[bool]
    described_by: rx.Var[str]
    label: rx.Var[str]
    free: rx.Var[bool]
    on_pick: rx.EventHandler[passthrough_event_spec(str, str)]
    on_search: rx.EventHandler[passthrough_event_spec(str)]
    on_create: rx.EventHandler[passthrough_event_spec(str)]


class Picks(rx.Component):
    """The React part; it owns what is typed and what is taken."""

    library = scripts.PICKS
    tag = "Picks"
    name: rx.Var[str]
    value: rx.Var[str]
    options: rx.Var[list[dict[str, Any]]]
    free: rx.Var[bool]
    required: rx.Var[bool]
    invalid: rx.Var[bool]
    described_by: rx.Var[str]
    label: rx.Var[str]
    on_search: rx.EventHandler[passthrough_event_spec(str)]


def picks(id: str, options: rx.Var | list[dict[str, str]], **props: Any) -> rx.Component:
    """Choose several, as chips; in a form they go by `name`, parted by semicolons, as `value` is given.

    `options` are {"value", "label", "hint"}; with `free` any text is one. `on_search(text)` lets Python answer with new
    ones.
    """
    return Picks.create(id=id, options=options, **{"name": id, "described_by": f"{id}-hint {id}-error", **props})


def combo(id: str, options: rx.Var | list[dict[str, str]], **props: Any) -> rx.Component:
    """Choose one of many; `options` are {"value", "label", "hint"}.

    `on_search(text)` lets Python answer with new options (without it the page filters), `on_pick(value, label)` tells
    the choice, `on_create(text)` offers to take the typed text as a new record. In a form the value goes by `name`;
    with `free` a typed name may go instead, as `<name>_text` beside an empty value.
    """
    return Combo.create(id=id, options=options, **{"name": id, "described_by": f"{id}-hint {id}-error", **props})
