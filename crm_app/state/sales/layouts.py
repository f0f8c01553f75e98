"""From the list of deals to the board and back, with the conditions that both can hold."""

from urllib.parse import urlencode

import reflex as rx

from crm_app.core.conditions import AllOf
from crm_app.core.views import View, to_address
from crm_app.state.base import AppState
from crm_app.state.lists import RecordList
from crm_app.state.sales import filters
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.board_address import BoardAddress
from crm_app.state.sales.board_conditions import condition_of, query_of


class DealLayouts(AppState):
    """The switch between the two."""

    @rx.event
    async def as_board(self):
        """The board, narrowed as the list is; what it cannot hold is told."""
        actor, shown = await self.actor(), await self.get_state(RecordList)
        view = shown.looked_through()
        query, left = query_of(view.filter, actor.currency)
        query.pop("ends", None)
        pipeline_id = query.pop("p", "")
        missing = [f"{shown.chips[i]['label']} {shown.chips[i]['text']}" for i in left if i < len(shown.chips)]
        if view.query and "q" in query:
            missing.append(f"the search “{view.query}”")
        elif view.query:
            query["q"] = view.query
        if missing:
            self.notify(f"The board cannot be narrowed to all of it. Left out: {'; '.join(missing)}.")
        return rx.redirect(filters.address(pipeline_id, query))

    @rx.event
    async def as_list(self):
        """The list, narrowed as the board is."""
        actor, board = await self.actor(), await self.get_state(BoardState)
        looked = (await self.get_state(BoardAddress)).looked_through()
        query, _ = query_of(looked.filter, actor.currency)
        if len(board.pipelines) < 2:
            query.pop("p", None)
        given = to_address(View(filter=condition_of(query, actor.currency)), View(filter=AllOf()))
        return rx.redirect("/opportunities" + (f"?{urlencode(given)}" if given else ""))
