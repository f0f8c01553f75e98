"""The search palette of the frame, wired to its state; and what parts of the app offer in it."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.shell import places_to_find
from crm_app.core import registry
from crm_app.state.base import AppState
from crm_app.state.platform.fields import has_page
from crm_app.state.platform.search import ICONS, SearchState

_offers: list[dict[str, Any]] = []


def offer(group: str, label: str, href: str, *, icon: str = "arrow_right", press: str = "", right: str = "") -> None:
    """Something that can be found from every page once one types: a page, or with `press` (a CSS selector) what is
    pressed there. `right` is the permission without which it is not offered. Call it where the page is declared, when
    its module is imported."""
    row = {"group": group, "label": label, "href": href, "icon": icon, "press": press, "later": True, "keys": ""}
    _offers.append({**row, "right": right.replace(".", "_")})


def search(acts: Sequence[dict[str, str]]) -> rx.Component:
    """Opened by the search buttons of the shell and Ctrl K. `acts` are what the page can do."""
    places = [*places_to_find(), *_offers]
    kinds = [e.icon for e in registry.all_entities() if e.search and has_page(e.name)]
    icons = [*ICONS.values(), *kinds, *(row["icon"] for row in (*places, *acts))]
    return kit.palette(
        places=places,
        acts=[a for a in acts if a["icon"]],
        commands=SearchState.commands,
        about=SearchState.about,
        results=SearchState.results,
        answered=SearchState.answered,
        recents=SearchState.recents,
        rights=AppState.rights,
        icons=[i for i in icons if i],
        on_search=SearchState.search,
        on_visit=SearchState.visit,
        on_recall=SearchState.recall,
        on_run=SearchState.run,
    )
