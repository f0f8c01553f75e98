"""The one dialog of the board: it asks only for what a move, a closing or a new deal still needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_app.core.errors import Invalid
from crm_app.core.registry import FieldSpec
from crm_app.state.base import AppState, internal

NEW, MISSING, WON, LOST, PIPELINE = "new", "missing", "won", "lost", "pipeline"


class DealDialog(AppState):
    """A field is a dict of name, label, kind, value, text, hint, error, required and options [{"value", "label"}].

    Its kind is text, long_text, money, date, percent, choice or link (a choice the server searches).
    """

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
        wrong = refusal.fields if isinstance(refusal, Invalid) else {}
        names = {f["name"] for f in self.fields}
        self.fields = [
            {
                **f,
                "error": _sentence(f["label"], wrong.get(f["name"], "")),
                "value": str(given.get(f["name"], f["value"])),
            }
            for f in self.fields
        ]
        self.error = "" if wrong and set(wrong) <= names else str(refusal)

    @internal
    def close(self) -> None:
        self.is_open, self.fields, self._ids, self._operation = False, [], [], ""


def _sentence(label: str, message: str) -> str:
    return f"{label} {message}." if message else ""


def field_of(
    spec: FieldSpec, *, value: str = "", options: Sequence[Mapping[str, str]] = (), hint: str = ""
) -> dict[str, Any]:
    """A field of the dialog for a field of a record."""
    choices = [{"value": c.value, "label": c.label} for c in spec.choices]
    return named(
        spec.name, spec.label, spec.kind.value, value=value, options=options or choices, hint=hint, required=True
    )


def named(
    name: str,
    label: str,
    kind: str,
    *,
    value: str = "",
    text: str = "",
    options: Sequence[Mapping[str, str]] = (),
    hint: str = "",
    required: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "kind": kind,
        "value": value,
        "text": text,
        "hint": hint,
        "error": "",
        "required": required,
        "options": [dict(o) for o in options],
    }
