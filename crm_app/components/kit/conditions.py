"""A builder of conditions, for filters, segments, workflows and wherever else one is asked for."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icon_paths import PATHS

_ICONS = {"add": PATHS["add", 16, False], "dismiss": PATHS["dismiss", 16, False], "group": PATHS["flow", 16, False]}
_WORDS: dict[str, Any] = {
    "add": "Add",
    "and": "and",
    "choose": "Choose",
    "condition": "Condition",
    "day": "day",
    "days": "number of days",
    "field": "Field",
    "from": "from",
    "group": "Group",
    "how": "how many",
    "join": "How the conditions hold together",
    "joins": {"all": "All of", "any": "Any of", "none": "None of", "not_all": "Not all of"},
    "op": "comparison",
    "remove": "Remove",
    "search": "Search",
    "to": "to",
    "value": "value",
    "where": "where",
}


class ConditionBuilder(rx.Component):
    """The React part; it owns what is typed, everything else is told."""

    library = scripts.CONDITIONS
    tag = "ConditionBuilder"
    label: rx.Var[str]
    tree: rx.Var[dict[str, Any]]
    fields: rx.Var[dict[str, list[dict[str, str]]]]
    options: rx.Var[dict[str, list[dict[str, str]]]]
    focus: rx.Var[str]
    memory: rx.Var[str]
    icons: rx.Var[dict[str, str]]
    words: rx.Var[dict[str, Any]]
    on_edit: rx.EventHandler[passthrough_event_spec(dict)]
    on_search: rx.EventHandler[passthrough_event_spec(str, str)]


def condition_builder(label: str | rx.Var, **props: Any) -> rx.Component:
    """Groups, comparisons and related records, nested at will.

    `tree`, `fields` and `options` come from state.platform.conditions (Drawing.node, offered; hits of a search by the
    path of a comparison). `on_edit({"do", "path", "value", "memory"})` is for its `act`; `on_search(path, text)` asks
    for records to link to. `focus` is the path of the comparison to begin with and, after a space, a number that makes
    it new; `memory` is what the server must know to go on after it started anew.
    """
    return ConditionBuilder.create(label=label, icons=_ICONS, words=_WORDS, **props)
