"""A tab that comes back to a server without its state keeps what it shows, and what is being typed.

After a restart or a crash Reflex would send every var at its default: pages fall back to their skeletons and boxes lose
their text, until the pages have read everything again. Here such a tab is only sent what differs from the defaults.
"""

from functools import cache
from typing import Any

import reflex as rx
from reflex.middleware import Middleware
from reflex.state import OnLoadInternalState, StateUpdate, state_snapshot_hashes

from crm_app.state.base import AppState

_HYDRATE = f"{rx.State.get_full_name()}.hydrate_and_load"
_LOAD = f"{OnLoadInternalState.get_full_name()}.on_load_internal"


class Returning(Middleware):
    """Tells a tab that comes back by the hashes of its defaults: only a page that was just loaded sends them."""

    async def preprocess(self, app: rx.App, state: Any, event: Any) -> StateUpdate | None:
        if event.name not in (_HYDRATE, _LOAD):
            return None
        root = state._get_root_state()
        own = await root.get_state(AppState)
        if event.name == _LOAD:  # follows the hydration, or a step to another page
            own._is_back, own._is_returning = own._is_returning, False
            return None
        own._is_returning = "hashes" not in event.payload
        if own._is_returning and not own._is_known:
            event.payload["hashes"] = _hashes_of_defaults(type(root))
        own._is_known = True
        return None


@cache
def _hashes_of_defaults(root: type[rx.State]) -> list[str]:
    return state_snapshot_hashes(root(_reflex_internal_init=True).dict(initial=True))
