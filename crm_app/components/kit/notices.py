"""Notices: one dark sentence at the bottom left, with at most one action."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Notices(rx.Component):
    """The React part; it keeps what is shown, so that Python only ever adds."""

    library = scripts.NOTICES
    tag = "Notices"
    items: rx.Var[list[dict[str, Any]]]
    on_action: rx.EventHandler[passthrough_event_spec(int, str, str)]


def notices(items: rx.Var, *, on_action: Any) -> rx.Component:
    """Shows each item once, by its `id`, even when the page changes meanwhile.

    An item is {"id": int, "text": str, "kind": "done" | "error", "action": str, "payload": str}; `action` is the word
    on the button ("Undo", "Retry"), empty for none. A press calls `on_action(id, action, payload)`. A notice leaves
    after 10 s, stops its clock under the pointer or the focus; an error stays until it is closed.
    Keep only the last few items in state: ids must grow, old ones may be dropped.
    """
    return Notices.create(items=items, on_action=on_action)
