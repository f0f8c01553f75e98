"""The one dialog of the board: it asks only for what a move, a closing or a new deal still needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_app.state.base import AppState, internal
from crm_app.state.platform.forms import complained

NEW, MISSING, WON, LOST, PIPELINE = "new", "missing", "won", "lost", "pipeline"


class DealDialog(AppState):
    """Its fields are those of state.platform.forms."""

    is_open: bool = False
    kind: str = ""
    title: str = ""
    about: str = ""
    confirm: str = ""
    error: str = ""
    fields: list[dict[str, Any]] = []
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

    @internal
    def complain(self, refusal: Exception, given: Mapping[str, Any]) -> None:
        """Show what is wrong at its field; what was typed stays."""
        self.fields, self.error = complained(self.fields, refusal, given)

    @internal
    def close(self) -> None:
        self.is_open, self.fields, self._ids, self._operation = False, [], [], ""
