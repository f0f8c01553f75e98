"""The command palette: search records and go to places, from anywhere."""

from collections.abc import Iterable, Sequence
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icon_paths import PATHS


class Palette(rx.Component):
    """The React part; it owns opening, typing and the lit row."""

    library = scripts.PALETTE
    tag = "Palette"
    places: rx.Var[list[dict[str, Any]]]
    acts: rx.Var[list[dict[str, str]]]
    commands: rx.Var[list[dict[str, Any]]]
    about: rx.Var[dict[str, str]]
    results: rx.Var[list[dict[str, Any]]]
    answered: rx.Var[str]
    recents: rx.Var[list[dict[str, Any]]]
    rights: rx.Var[dict[str, bool]]
    icons: rx.Var[dict[str, str]]
    on_search: rx.EventHandler[passthrough_event_spec(str)]
    on_visit: rx.EventHandler[passthrough_event_spec(str)]
    on_recall: rx.EventHandler[passthrough_event_spec(str)]
    on_run: rx.EventHandler[passthrough_event_spec(str)]


def palette(
    *,
    places: Sequence[dict[str, Any]],
    acts: Sequence[dict[str, str]],
    results: rx.Var,
    answered: rx.Var[str],
    on_search: Any,
    icons: Iterable[str],
    **more: Any,
) -> rx.Component:
    """Opens on whatever carries `data_find=""` (the search buttons of the shell, so Ctrl K too).

    `places` are {"group", "label", "href", "keys", "icon"}, with "right" shown only to who has it (`rights`), with
    "press" pressing that on the page that comes, with "later" offered only once something is typed. `acts` are rows of
    `Key.row`: offered while what they press is there. `on_search(text)` is answered in `results`, rows of {"group",
    "label", "hint", "end", "href"} with "icon" (one of `icons`) or "mark", "tint" and "square" for an avatar, and "lit"
    for words to mark that are not the typed ones; `answered` is the text that they belong to. A text that begins with
    "@" asks for people; one with ">" is not asked at all.

    `on_visit(address)` tells that a record's page is open, `on_recall(address)` that the palette is: `recents` and
    `commands` answer, rows as above or with "press", "focus" or "id", which is told to `on_run(id)`. They are about
    the record `about`, {"address", "label", "group"}.
    """
    return Palette.create(
        places=list(places),
        acts=list(acts),
        results=results,
        answered=answered,
        on_search=on_search,
        icons={name: PATHS[name, 20, False] for name in sorted(set(icons))},
        **more,
    )
