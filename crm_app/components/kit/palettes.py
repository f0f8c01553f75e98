"""The command palette: search records and go to places, from anywhere."""

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icon_paths import PATHS


class Palette(rx.Component):
    """The React part; it owns opening, typing and the lit row, and remembers which records this browser was at."""

    library = scripts.PALETTE
    tag = "Palette"
    places: rx.Var[list[dict[str, str]]]
    results: rx.Var[list[dict[str, Any]]]
    answered: rx.Var[str]
    recents: rx.Var[list[dict[str, Any]]]
    icons: rx.Var[dict[str, str]]
    on_search: rx.EventHandler[passthrough_event_spec(str)]
    on_recall: rx.EventHandler[passthrough_event_spec(list[str])]
    on_run: rx.EventHandler[passthrough_event_spec(str)]


def palette(
    *,
    places: list[dict[str, str]],
    results: rx.Var,
    answered: rx.Var[str],
    on_search: Any,
    recents: rx.Var | None = None,
    on_recall: Any = None,
    on_run: Any = None,
    icons: Sequence[str] = (),
) -> rx.Component:
    """Opens on whatever carries `data_find=""` (the search buttons of the shell, so Ctrl K too).

    `places` are {"label", "href", "keys", "icon"}. `on_search(text)` is answered in `results`, rows of {"group",
    "label", "hint", "end", "href"} with "icon" (one of `icons`) or "mark", "tint" and "square" for an avatar, and "lit"
    for words to mark that are not the typed ones; a row with "id" and no "href" is told to `on_run(id)`. `answered` is
    the text that `results` belong to, so that "nothing found" is not said too early. On opening, `on_recall(addresses)`
    tells which records this browser was at last, and `recents` answers with rows, shown while nothing is typed.
    """
    given = {"on_run": on_run, "on_recall": on_recall, "recents": recents}
    return Palette.create(
        places=places,
        results=results,
        answered=answered,
        on_search=on_search,
        icons={name: PATHS[name, 20, False] for name in icons},
        **{name: thing for name, thing in given.items() if thing is not None},
    )
