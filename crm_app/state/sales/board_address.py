"""Changing what the board shows: every way leads through the address, so that a link shows the same."""

from typing import Any, TypedDict

import reflex as rx

from crm_app.state.base import AppState
from crm_app.state.sales import filters
from crm_app.state.sales.board import BoardState

_FIELDS = ("q", "min", "max", "from", "until", "tag")
# As a plain dict Reflex would keep only the last owner of several.
Narrowing = TypedDict(
    "Narrowing",
    {"owner": list[str], "health": list[str], "q": str, "min": str, "max": str, "from": str, "until": str, "tag": str},
    total=False,
)


class BoardAddress(AppState):
    """The filter bar and the menu of the board."""

    @rx.event
    async def narrow(self, given: Narrowing):
        """The filter form was sent."""
        board = await self.get_state(BoardState)
        query = {k: str(given.get(k) or "").strip() for k in _FIELDS}
        query |= {"owner": ",".join(given.get("owner", [])), "health": ",".join(given.get("health", []))}
        return _go(board, query | {"ends": board.query.get("ends", "")})

    @rx.event
    async def widen(self, key: str):
        board = await self.get_state(BoardState)
        return _go(board, filters.without(board.query, key))

    @rx.event
    async def clear(self):
        board = await self.get_state(BoardState)
        return _go(board, {"ends": board.query.get("ends", "")})

    @rx.event
    async def show_ends(self):
        """Show the columns of won and lost deals, or hide them again."""
        board = await self.get_state(BoardState)
        return _go(board, {**board.query, "ends": "" if board.query.get("ends") else "1"})


def _go(board: BoardState, query: dict[str, str]) -> Any:
    return rx.redirect(filters.address(board.pipeline_id, query))
