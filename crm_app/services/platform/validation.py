"""Values against a declaration: types, lengths, bounds, choices, links. One message per field."""

import json
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.money import CURRENCIES
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.store.ready import Ready
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, owned_later, sight_of

_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.text: (str,),
    Kind.long_text: (str,),
    Kind.email: (str,),
    Kind.phone: (str,),
    Kind.url: (str,),
    Kind.choice: (str,),
    Kind.number: (int,),
    Kind.money: (int,),
    Kind.percent: (int,),
    Kind.decimal: (Decimal, int),
    Kind.flag: (bool,),
    Kind.date: (date,),
    Kind.datetime: (datetime,),
    Kind.link: (UUID,),
    Kind.choices: (list,),
    Kind.json: (dict, list),
}
_WANTED = {
    Kind.number: "a whole number",
    Kind.money: "an amount in minor units",
    Kind.percent: "a whole number from 0 to 100",
    Kind.date: "a date like 2026-03-31",
    Kind.datetime: "a moment with its time zone",
    Kind.link: "the id of a record",
    Kind.flag: "yes or no",
    Kind.choices: "a list",
}

_UNSTORABLE = "holds a character that cannot be stored; type it anew instead of pasting"


def check_values(
    entity: Entity, values: dict[str, Any], *, is_new: bool, allowed: frozenset[str] = frozenset()
) -> None:
    """Invalid with every field that does not fit; unknown and read-only fields but the `allowed` are named too."""
    wrong = {n: "is not a field of this record" for n in values if n not in entity.fields}
    wrong |= {n: "is set by the system" for n in values if n in entity.readonly - allowed}
    for name, value in values.items():
        spec = entity.fields.get(name)
        if spec is not None and name not in wrong and (message := problem(spec, value)):
            wrong[name] = message
    if is_new:
        for spec in entity.fields.values():
            if spec.required and spec.name not in entity.readonly and values.get(spec.name) in (None, ""):
                wrong.setdefault(spec.name, "is required")
    if wrong:
        raise Invalid(**wrong)


def problem(spec: FieldSpec, value: Any) -> str:
    """What is wrong with a value, or an empty string."""
    if value is None:
        return "" if spec.nullable else "is required" if spec.required else "cannot be empty"
    if not isinstance(value, _TYPES[spec.kind]) or (isinstance(value, bool) and spec.kind is not Kind.flag):
        return f"needs {_WANTED.get(spec.kind, 'text')}"
    if isinstance(value, datetime) and (spec.kind is Kind.date or value.tzinfo is None):
        return f"needs {_WANTED[spec.kind]}"
    if isinstance(value, str):
        return _text_problem(spec, value)
    if isinstance(value, list | dict):
        return _list_problem(spec, value)
    if isinstance(value, Decimal) and not value.is_finite():
        return f"needs {_WANTED[Kind.number]}"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if spec.minimum is not None and value < spec.minimum:
            return "must be more than zero" if spec.minimum == 1 else f"must be at least {spec.minimum}"
        if spec.maximum is not None and value > spec.maximum:
            return f"must be at most {spec.maximum}"
    return ""


def _text_problem(spec: FieldSpec, value: str) -> str:
    if spec.required and not value.strip():
        return "is required"
    if spec.max_length and len(value) > spec.max_length:
        return f"is too long: {len(value)} characters, at most {spec.max_length}"
    if not _is_storable(value):
        return _UNSTORABLE
    if spec.choices and value not in {c.value for c in spec.choices}:
        return f"must be one of {', '.join(c.label for c in spec.choices)}"
    if spec.name == "currency" and value not in CURRENCIES:
        return "must be an ISO 4217 code like EUR or USD"
    return ""


def _list_problem(spec: FieldSpec, value: list[Any] | dict[str, Any]) -> str:
    if spec.kind is Kind.choices and not all(isinstance(v, str) and v.strip() for v in value):
        return "needs a list of texts"
    if spec.choices and (unknown := [v for v in value if v not in {c.value for c in spec.choices}]):
        return f"holds “{str(unknown[0])[:60]}”, which is not one of {', '.join(c.label for c in spec.choices)}"
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return "holds a value that cannot be stored"
    if _has_vast_number(value):
        return "holds a whole number of more than 64 bits; write it as text"
    return "" if _is_storable(text) and "\\u0000" not in text else _UNSTORABLE


def _has_vast_number(value: Any) -> bool:
    """PostgreSQL would keep it, programs that read it would not."""
    if isinstance(value, dict | list):
        return any(map(_has_vast_number, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _is_storable(text: str) -> bool:
    """PostgreSQL takes neither a zero byte nor half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


async def check_links(uow: UnitOfWork, entity: Entity, values: dict[str, Any], *, seen: bool = True) -> None:
    """Invalid for links to records that do not exist here, lie in the trash or, with `seen`, are not the actor's to
    see; one query for all of them."""
    links = [
        s
        for n, v in values.items()
        if v is not None and (s := entity.fields.get(n)) and s.kind is Kind.link and registry.find(s.target)
    ]
    if not links:
        return
    targets = [registry.get(s.target) for s in links]
    sight: dict[str, Any] = {}
    for target in targets:
        sight |= sight_of(target, uow.actor) if seen else {}
    asked = _are_there(tuple((t.name, seen and t.visibility != "all") for t in targets), is_wide(uow.actor))
    found = (await uow.ready(asked, **{f"id{i}": values[s.name] for i, s in enumerate(links)}, **sight))[0]
    gone = {
        spec.name: f"this {target.label.lower()} does not exist, or you may not see it"
        for i, (spec, target) in enumerate(zip(links, targets, strict=True))
        if not found[f"is{i}"]
    }
    if gone:
        raise Invalid(**gone)


@cache
def _are_there(targets: tuple[tuple[str, bool], ...], wide: bool) -> Ready:
    """For each entity an id: whether a living record has it, one the actor sees where the second says so."""
    found = []
    for i, (name, is_owned) in enumerate(targets):
        entity = registry.get(name)
        table = entity.table
        mine = table.c.id == sa.bindparam(f"id{i}", type_=sa.Uuid())
        is_there = sa.exists().where(mine, table.c.deleted_at.is_(None))
        found.append((is_there.where(owned_later(entity, wide=wide)) if is_owned else is_there).label(f"is{i}"))
    return Ready(sa.select(*found))
