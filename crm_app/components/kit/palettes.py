"""The command palette: search records and go to places, from anywhere."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Palette(rx.Component):
    """The React part; it owns opening, typing and the lit row."""

    library = scripts.PALETTE
    tag = "Palette"
    places: rx.Var[list[dict[str, str]]]
    results: rx.Var[list[dict[str, Any]]]
    answered: rx.Var[str]
    on_search: rx.EventHandler[passthrough_event_spec(str)]
    on_run: rx.EventHandler[passthrough_event_spec(str)]


def palette(
    *,
    places: list[dict[str, str]],
    results: rx.Var,
    answered: rx.Var[str],
    on_search: Any,
    on_run: Any = None,
) -> rx.Component:
    """Opens on whatever carries `data_find=""` (the search buttons of the shell, so Ctrl K too).

    `places` are {"label", "href", "keys"}. `on_search(text)` is answered in `results`, rows of {"group", "label",
    "hint", "end", "href"} with "mark", "tint" and "square" for an avatar; a row with "id" and no "href" is told to
    `on_run(id)`. `answered` is the text that `results` belong to, so that "nothing found" is not said too early.
    """
    handler = {"on_run": on_run} if on_run else {}
    return Palette.create(places=places, results=results, answered=answered, on_search=on_search, **handler)
