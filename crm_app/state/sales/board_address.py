"""Changing what the board shows: every way leads through the address, so that a link shows the same."""

from typing import Any

import reflex as rx

from crm_app.state.base import AppState
from crm_app.state.sales import filters
from crm_app.state.sales.board import BoardState

_FIELDS = ("q", "min", "max", "from", "until", "tag")


class BoardAddress(AppState):
    """The filter bar and the menu of the board."""

    @rx.event
    async def narrow(self, given: dict[str, Any]):
        """The filter form was sent; several owners or marks of health come as a list."""
        board = await self.get_state(BoardState)
        query = {k: str(given.get(k) or "").strip() for k in _FIELDS}
        query |= {k: ",".join(_several(given.get(k))) for k in ("owner", "health")}
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


def _several(value: Any) -> list[str]:
    return [str(v) for v in value if v] if isinstance(value, list) else [str(value)] if value else []
