"""The one dialog of the board: it asks only for what a move, a closing or a new deal still needs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import reflex as rx

from crm_app.core.context import Actor
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.sales.newcomers import MAKES
from crm_app.services.sales.opportunities import MissingFields
from crm_app.state.base import AppState, internal
from crm_app.state.platform.forms import complained, field_of, refilled

NEW, MISSING, WON, LOST, PIPELINE = "new", "missing", "won", "lost", "pipeline"


def wanted(refusal: MissingFields, actor: Actor) -> list[dict[str, Any]]:
    """The fields that a stage still needs; a link takes a new name from whoever may make such a record."""
    specs = [OPPORTUNITY.fields[n] for n in refusal.fields if n in OPPORTUNITY.fields]
    return [field_of(s, free=s.target in MAKES and actor.can(f"{s.target}.create")) for s in specs]


class DealDialog(AppState):
    """Its fields are those of state.platform.forms."""

    is_open: bool = False
    kind: str = ""
    title: str = ""
    about: str = ""
    confirm: str = ""
    error: str = ""
    fields: list[dict[str, Any]] = []
    memory: str = ""  # what was asked, for the browser to keep; empty while this state never asked
    _ids: list[str] = []
    _stage: str = ""
    _after: str = ""
    _operation: str = ""

    @internal
    def ask(
        self,
        kind: str,
        *,
        title: str,
        about: str,
        confirm: str,
        fields: Sequence[Mapping[str, Any]],
        operation: str,
        ids: Sequence[str] = (),
        stage: str = "",
        after: str = "",
    ) -> None:
        self.kind, self.title, self.about, self.confirm, self.error = kind, title, about, confirm, ""
        self.fields = [dict(f) for f in fields]
        self._ids, self._stage, self._after, self._operation = list(ids), stage, after, operation
        self.is_open = True
        question = {"kind": kind, "title": title, "about": about, "confirm": confirm, "fields": self.fields}
        place = {"operation": operation, "ids": self._ids, "stage": stage, "after": after}
        self.memory = json.dumps(question | place)

    @rx.event
    async def recall(self, memory: str, typed: dict[str, Any]):
        """The tab is back with an open dialog; a server that started anew is told what it is about."""
        self.take_up(memory, typed)

    @internal
    def take_up(self, memory: str, typed: Mapping[str, Any]) -> bool:
        """Be open as before, if this state never was; True when the dialog is open. The answer is checked as ever, so
        nothing has to be believed here."""
        if memory and not self.memory:
            question = json.loads(memory)
            self.ask(**{**question, "fields": refilled(question["fields"], typed)})
        return self.is_open

    @internal
    def complain(self, refusal: Exception, given: Mapping[str, Any]) -> None:
        """Show what is wrong at its field; what was typed stays."""
        self.fields, self.error = complained(self.fields, refusal, given)

    @internal
    def close(self) -> None:
        self.is_open, self.fields, self._ids, self._operation, self.memory = False, [], [], "", "closed"
