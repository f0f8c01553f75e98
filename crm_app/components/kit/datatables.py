"""A list of any length as a table: windowed, sorted, chosen from, edited in its cells."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icon_paths import PATHS

_ICONS = {
    "up": PATHS["arrow_up", 16, False],
    "down": PATHS["arrow_down", 16, False],
    "edit": PATHS["edit", 16, False],
    "dismiss": PATHS["dismiss", 16, False],
}
_WORDS = {
    "all": "All",
    "of": "of",
    "average": "Average",
    "averageShort": "Avg",
    "clear": "Clear the selection",
    "edit": "Edit",
    "loading": "Is being read",
    "pick": "Select",
    "pickAll": "Select what is shown",
    "selected": "selected",
    "selection": "Selection",
    "show": "Show",
    "sum": "Sum",
    "sumShort": "Sum",
    "width": "Width of",
}


class DataTable(rx.NoSSRComponent):
    """See `data_table`. Children are the acts of the bar that appears with a selection."""

    library = scripts.DATA_TABLE
    tag = "DataTable"

    label: rx.Var[str]
    columns: rx.Var[list[dict[str, Any]]]
    feeds: rx.Var[list[dict[str, Any]]]
    total: rx.Var[int]
    sort: rx.Var[str]
    descending: rx.Var[bool]
    density: rx.Var[str]
    sums: rx.Var[dict[str, dict[str, str]]]
    open_id: rx.Var[str]
    tail: rx.Var[str]
    statuses: rx.Var[dict[str, Any]]
    options: rx.Var[dict[str, Any]]
    can_pick: rx.Var[bool]
    picks: rx.Var[int]
    count_text: rx.Var[str]
    icons: rx.Var[dict[str, str]]
    words: rx.Var[dict[str, str]]

    on_range: rx.EventHandler[passthrough_event_spec(int, int)]
    on_sort: rx.EventHandler[passthrough_event_spec(str)]
    on_open: rx.EventHandler[passthrough_event_spec(str)]
    on_save: rx.EventHandler[passthrough_event_spec(str, str, str)]
    on_search: rx.EventHandler[passthrough_event_spec(str, str)]
    on_width: rx.EventHandler[passthrough_event_spec(str, int)]
    on_pick: rx.EventHandler[passthrough_event_spec(list, bool)]


def data_table(label: str, *acts: rx.Component, **props: Any) -> rx.Component:
    """A table of `total` rows of which only those in sight are drawn.

    `columns` are {"name", "label", "width" (px), "number", "sortable", "edit", "box", "options", "square", "hide"};
    `feeds` the last readings: {"n" (grows), "gen" (another one is another view), "start", "rows", "fresh" (what was
    read before is old)}, a row {"id", "href", "cells": {column: {"t" text, "v" value to edit, "h" address, "m"
    mark, "c" tint, "tags" and their "tints", "locked"}}}. `on_range(first, end)` asks for rows;
    `on_save("<id>.<field>", text, seen)` is answered in `statuses` as kit.inline_field says, `on_search` in `options`;
    `on_pick(ids, is_all)` tells the selection, these or all that match but these; another `picks` clears it;
    `tail` is what the addresses of rows end with; `sums` are {"sum", "average"} or {"text"} by column, over all rows.
    """
    return DataTable.create(*acts, label=label, icons=_ICONS, words=_WORDS, **props)
