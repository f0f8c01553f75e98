"""The quick log: what was done or is to do, written down in one place."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Composer(rx.Component):
    """The React part; it owns the draft, which outlives a reload."""

    library = scripts.COMPOSER
    tag = "Composer"
    kinds: rx.Var[list[dict[str, Any]]]
    people: rx.Var[list[dict[str, str]]]
    store: rx.Var[str]
    answer: rx.Var[dict[str, Any]]
    on_log: rx.EventHandler[passthrough_event_spec(dict)]


def composer(kinds: rx.Var, *, people: rx.Var, store: rx.Var | str, answer: rx.Var, on_log: Any) -> rx.Component:
    """`kinds` are {"value", "label", "path" (24 px icon), "ask", "outcomes" [{"value", "label"}], "talk", "timed",
    "planned"}; `people` {"value", "label"}; `store` names the draft in the browser's store.

    `on_log` gets {"kind", "text", "who", "outcome", "minutes", "at" (local, empty for now), "store", "operation"} and
    is answered in `answer` as {"state": "saved" | "error", "message", "at"}, where `at` differs from answer to answer.
    It may come twice with the same operation id (a UUID), when the line was lost; an answer of "saved" ends it.
    """
    return Composer.create(kinds=kinds, people=people, store=store, answer=answer, on_log=on_log)
