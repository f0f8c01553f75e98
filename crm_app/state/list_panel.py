"""The record beside a list: which one, and the address that names it."""

from uuid import UUID

import reflex as rx

from crm_app.state.base import AppState
from crm_app.state.lists import RecordList
from crm_app.state.record import RecordState
from crm_app.state.records import entity_at


class ListPanel(AppState):
    """What the panel shows is RecordState's; the list knows which of its rows it is."""

    @rx.event
    async def load(self):
        """The list was opened, or its address changed: with a record beside it, or without one."""
        shown = await self.get_state(RecordList)
        asked = _id(self.router.url.query_parameters.get("open", ""))
        if self._is_back and not asked:  # the address may have come from before the record was opened
            asked = shown.open_id
        shown.open_id = asked
        if asked:
            return RecordState.open(entity_at(self.router.url.path).name, asked)
        return RecordState.close

    @rx.event
    async def open(self, record_id: str):
        """A row was pressed, or one steps on from the one that is open."""
        shown = await self.get_state(RecordList)
        if not (asked := _id(record_id)):
            return None
        shown.open_id = asked
        return RecordState.open(entity_at(self.router.url.path).name, asked)

    @rx.event
    async def close(self):
        (await self.get_state(RecordList)).open_id = ""
        return RecordState.close


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
