"""Bodies of requests against the declaration: JSON in, typed values out. What does not fit stays as it is, and the
services say what is wrong with it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from crm_app.api.rest.entities import value_of
from crm_app.core.dates import FIRST_DAY, LAST_DAY
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform.validation import problem

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEEPEST = 20
FILLED_IN = ("owner_id", "number")  # by the services, where nothing is given; a replacement keeps them
_EMPTY: dict[Kind, Any] = {Kind.choices: [], Kind.json: []}


def is_id(text: Any) -> bool:
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def values_of(entity: Entity, body: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values of the fields of a body. Invalid for what is no field, with the nearest that is."""
    wrong = {n[:100]: _unknown(entity, n) for n in body if n not in entity.fields}
    for name, raw in body.items():
        if isinstance(raw, dict | list) and _depth(raw) > _DEEPEST:
            wrong[name[:100]] = f"is nested more than {_DEEPEST} levels deep"
    if wrong:
        raise Invalid(**wrong)
    return {name: typed(entity.fields[name], raw) for name, raw in body.items()}


def change_of(entity: Entity, body: Mapping[str, Any], record: Any) -> dict[str, Any]:
    """Values that a change sends. Fields the system sets may come along as they are: a client that read a record may
    send all of it back."""
    values = values_of(entity, body)
    return {n: v for n, v in values.items() if n not in entity.readonly or value_of(record, n) != v}


def replacement_of(entity: Entity, body: Mapping[str, Any], record: Any) -> dict[str, Any]:
    """Values of a whole record: what is left out is emptied, where it can be empty."""
    values = change_of(entity, body, record)
    for name, spec in entity.fields.items():
        if name in body or name in entity.readonly or name in (*FILLED_IN, "currency"):
            continue
        empty = None if spec.nullable else _EMPTY.get(spec.kind, "")
        if not spec.required and not problem(spec, empty):
            values[name] = empty
        elif spec.required:
            values[name] = None
    return values


def typed(spec: FieldSpec, raw: Any) -> Any:
    """The value that a piece of JSON means for this field, or the piece itself."""
    match spec.kind, raw:
        case ((Kind.number | Kind.money | Kind.percent), float()) if raw.is_integer() and abs(raw) < 2**53:
            return int(raw)
        case Kind.decimal, str() if _DECIMAL.fullmatch(raw):
            return Decimal(raw)
        case Kind.decimal, float():
            return _decimal(raw)
        case Kind.date, str() if _DAY.fullmatch(raw):
            return _within(_read(date.fromisoformat, raw))
        case Kind.datetime, str() if _MOMENT.fullmatch(raw):
            return _within(_read(datetime.fromisoformat, raw.upper()))
        case Kind.link, str() if _UUID.fullmatch(raw):
            return UUID(raw)
    return raw


def _read(parse: Any, raw: str) -> Any:
    try:
        return parse(raw)
    except ValueError:
        return raw


def _within(value: Any) -> Any:
    """Days that every calendar here can count with; others stay text, which is refused as no day."""
    if isinstance(value, str):
        return value
    day = value.date() if isinstance(value, datetime) else value
    return value if FIRST_DAY <= day <= LAST_DAY else value.isoformat()


def _decimal(raw: float) -> Any:
    try:
        return Decimal(repr(raw))
    except InvalidOperation:
        return raw


def _depth(value: Any) -> int:
    """How deep lists and objects lie in each other; counted level by level, for it may be very deep."""
    level, depth = [value], 0
    while level:
        depth += 1
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return depth


def _unknown(entity: Entity, name: str) -> str:
    near = get_close_matches(name, list(entity.fields), 1)
    hint = f"; did you mean '{near[0]}'?" if near else f"; its fields are {', '.join(entity.fields)}"
    return f"{entity.label} has no such field{hint}"
