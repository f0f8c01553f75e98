"""Fields of a form in a dialog, as the browser gets them, and what comes back.

A field is a dict of name, label, kind, value, text, hint, error, required, free and options [{"value", "label"}]. Its
kind is that of the declaration; `text` is the currency of money and the name of a link's value; a free link also takes
a typed name that is no record yet, as `<name>_text`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.core.fields import parse_value
from crm_app.core.registry import FieldSpec, Kind

_YES_NO = ({"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"})
_TEXTS = frozenset({Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url})


def field_of(
    spec: FieldSpec,
    *,
    value: str = "",
    text: str = "",
    options: Sequence[Mapping[str, str]] = (),
    hint: str = "",
    required: bool = True,
    free: bool = False,
) -> dict[str, Any]:
    """The field of a form for a field of a record."""
    choices = [{"value": c.value, "label": c.label} for c in spec.choices]
    kind = spec.kind
    if kind is Kind.flag:
        kind, choices = Kind.choice, [dict(o) for o in _YES_NO]
    return named(
        spec.name,
        spec.label,
        kind.value,
        value=value,
        text=text,
        options=options or choices,
        hint=hint,
        required=required,
        free=free or (kind is Kind.choices and not choices),
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
    free: bool = False,
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
        "free": free,
        "options": [dict(o) for o in options],
    }


def refilled(fields: Sequence[Mapping[str, Any]], typed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of a form that a browser remembers, with what stands in its boxes."""
    return [
        {
            **f,
            "value": str(typed.get(f["name"], f["value"])),
            "text": str(typed.get(f"{f['name']}_text", f["text"])),
        }
        for f in fields
    ]


def complained(
    fields: Sequence[Mapping[str, Any]], refusal: Exception, given: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], str]:
    """The fields with what is wrong and what was typed, and the sentence for what belongs to none of them."""
    wrong = refusal.fields if isinstance(refusal, Invalid) else {}
    names = {f["name"] for f in fields}
    told = [
        {
            **f,
            "error": _sentence(f["label"], wrong.get(f["name"], "")),
            "value": str(given.get(f["name"], f["value"])),
        }
        for f in fields
    ]
    return told, "" if wrong and set(wrong) <= names else str(refusal)


def _sentence(label: str, message: str) -> str:
    if not message:
        return ""
    whole = message if message.startswith(("“", label)) else f"{label} {message}"
    return whole if whole.endswith(".") else f"{whole}."


def values_of(specs: Mapping[str, FieldSpec], given: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """What was typed, as values; Invalid names every box that cannot be read."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, spec in specs.items():
        raw = given.get(name)
        if raw in (None, ""):
            values[name] = "" if spec.kind in _TEXTS and not spec.required and not spec.nullable else None
            continue
        try:
            values[name] = parse_value(
                spec, raw, currency=str(given.get(spec.currency_field) or actor.currency), time_zone=actor.time_zone
            )
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise Invalid(**wrong)
    return values


def readable(specs: Mapping[str, FieldSpec], given: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """What can be read as a value already, of boxes that somebody is still typing into."""
    values: dict[str, Any] = {}
    for name, raw in given.items():
        if name in specs and raw not in (None, ""):
            with suppress(ValueError):
                values[name] = parse_value(specs[name], raw, currency=actor.currency, time_zone=actor.time_zone)
    return values
