"""The search palette of the frame, wired to its state."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.shell import places_to_find
from crm_app.state.platform.search import ICONS, SearchState


def search() -> rx.Component:
    """Opened by the search buttons of the shell and Ctrl K."""
    places = places_to_find()
    return kit.palette(
        places=places,
        results=SearchState.results,
        answered=SearchState.answered,
        on_search=SearchState.search,
        recents=SearchState.recents,
        on_recall=SearchState.recall,
        icons=sorted({*ICONS.values(), *(place["icon"] for place in places)}),
    )
