"""The query of a list: conditions, sort, fields, expand, pages; as text, for that is all a query can hold."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from starlette.datastructures import QueryParams

from crm_app.core import registry
from crm_app.core.conditions import OPERATORS, AllOf, AnyOf, Clause, Condition, Takes, Token, check, parse
from crm_app.core.conditions.tree import MAX_LIST, parse_value
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.store.keys import derived_key

DEFAULT_SIZE, MOST_SIZE = 50, 200
DEEPEST = 100_000  # records before a page; further on only `after` leads
_MOST_CLAUSES = 50
_PARAMETER = re.compile(r"([^\[\]]+)(?:\[(\w+)\])?")
_WORDS = frozenset({"fields", "expand", "sort", "filter", "q", "page", "page_size", "after", "total"})
_STAMPS = ("id", "version", "created_at", "updated_at")
UNSORTABLE = frozenset({Kind.json, Kind.choices, Kind.long_text})
_WHOLE = re.compile(r"[+-]?\d{1,19}")


@dataclass(frozen=True, slots=True)
class Query:
    """`condition` is checked. `after` continues behind a row; `page` counts from 1 and is None unless it was asked."""

    fields: tuple[str, ...]
    expand: tuple[str, ...]
    sort: str
    descending: bool
    condition: Condition | None
    page: int | None
    size: int
    after: tuple[Any, UUID] | None
    total: bool


def read(params: QueryParams, entity: Entity, *, more: Sequence[str] = ()) -> Query:
    """Invalid names the parameter and the remedy. `more` are parameters that the caller reads itself."""
    said: dict[str, str] = {}
    clauses: list[Condition] = []
    for name, text in params.multi_items():
        if name in _WORDS or name in more:
            if name in said:
                raise Invalid(**{name: "is given twice"})
            said[name] = text
        else:
            clauses.append(_clause(entity, name, text))
    if len(clauses) > _MOST_CLAUSES:
        raise Invalid(f"At most {_MOST_CLAUSES} conditions fit into a query; use filter= for more.")
    sort, descending = _sort(entity, said.get("sort"))
    page = _whole(said, "page", 1, DEEPEST) if "page" in said else None
    size = _whole(said, "page_size", 1, MOST_SIZE, DEFAULT_SIZE)
    if page is not None and "after" in said:
        raise Invalid(page="does not go together with after; give one of them")
    if page is not None and (page - 1) * size > DEEPEST:
        raise Invalid(page=f"leads past record {DEEPEST}; go on with after, or narrow the list")
    return Query(
        fields=_fields(entity, said.get("fields")),
        expand=expansions(entity, said.get("expand")),
        sort=sort,
        descending=descending,
        condition=_condition(entity, clauses, said),
        page=page,
        size=size,
        after=_unmark(entity, sort, descending, said["after"]) if "after" in said else None,
        total=_flag(said, "total") or page is not None,
    )


def expansions(entity: Entity, text: str | None, *, many: bool = False) -> tuple[str, ...]:
    """Names of relations; with `many` also those that lead to many records."""
    names = names_in("expand", text)
    if not names:
        return ()
    known = [n for n, r in registry.relations(entity).items() if (many or not r.many) and _seen(entity, r)]
    for name in names:
        if name not in known:
            raise Invalid(expand=f"{entity.label} has no relation '{name}'{_near(name, known)}")
    return names


def _seen(entity: Entity, relation: registry.Relation) -> bool:
    return relation.many or relation.link in entity.fields


def only(params: QueryParams, known: Sequence[str]) -> None:
    """Invalid for parameters this address does not know, and for those given twice."""
    names = [name for name, _ in params.multi_items()]
    for name in names:
        if name not in known:
            raise Invalid(**{name[:100]: f"is not a parameter here{_near(name, known)}"})
        if names.count(name) > 1:
            raise Invalid(**{name: "is given twice"})


def fields_of(entity: Entity, text: str | None) -> tuple[str, ...]:
    """What a single record shows: everything, unless `fields` says less."""
    return _fields(entity, "*" if text is None else text)


def mark(entity: Entity, query: Query, last: tuple[Any, UUID]) -> str:
    """The value of `after` that continues behind this row. Signed: nothing else comes back to the database."""
    value, record_id = last
    plain = value.isoformat() if isinstance(value, date | datetime) else value
    plain = plain.value if isinstance(plain, Enum) else str(plain) if _is_exact(plain) else plain
    body = orjson.dumps([plain, record_id])
    return base64.urlsafe_b64encode(_seal(entity, query.sort, query.descending, body) + body).decode().rstrip("=")


def _is_exact(value: Any) -> bool:
    return value is not None and not isinstance(value, str | int | float | bool)


def _unmark(entity: Entity, sort: str, descending: bool, text: str) -> tuple[Any, UUID]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    sealed, body = raw[:12], raw[12:]
    if not hmac.compare_digest(sealed, _seal(entity, sort, descending, body)):
        raise Invalid(after="is not a mark of this list in this order; take the one that the page before gave")
    plain, record_id = orjson.loads(body)
    return _typed_mark(entity, sort, plain), UUID(record_id)


def _typed_mark(entity: Entity, sort: str, plain: Any) -> Any:
    """Links go by the title at their other end, so by text; so do days and moments of custom fields, as they are
    stored."""
    spec = entity.fields[sort]
    kind = spec.kind
    if plain is None or (spec.custom and not spec.formula):
        return plain
    if kind is Kind.date:
        return date.fromisoformat(plain)
    if kind is Kind.datetime:
        return datetime.fromisoformat(plain)
    if sort == "id" or (kind is Kind.link and registry.find(spec.target) is None):
        return UUID(plain)
    return plain


def _seal(entity: Entity, sort: str, descending: bool, body: bytes) -> bytes:
    said = f"{entity.name}\n{sort}\n{descending}\n".encode() + body
    return hmac.new(_key(), said, hashlib.sha256).digest()[:12]


@lru_cache(maxsize=1)
def _key() -> bytes:
    return derived_key("api page mark")


def _condition(entity: Entity, clauses: list[Condition], said: dict[str, str]) -> Condition | None:
    parts = list(clauses)
    if "filter" in said:
        try:
            parts.append(parse(orjson.loads(said["filter"])))
        except orjson.JSONDecodeError as error:
            raise Invalid(filter=f"is not JSON: {error}") from error
        except RecursionError as error:
            raise Invalid(filter="is nested too deep") from error
    if text := said.get("q", "").strip():
        words = [n for n in entity.search or (entity.title,) if n in entity.fields]
        parts.append(AnyOf(tuple(Clause(n, "contains", parse_value(text)) for n in words)))
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
    check(whole, entity)
    return whole


def _clause(entity: Entity, name: str, text: str) -> Clause:
    """`amount_minor[gte]=1000`, `status=open`."""
    found = _PARAMETER.fullmatch(name)
    spec = entity.fields.get(found[1]) if found else None
    if found is None or spec is None:
        known = [*entity.fields, *_WORDS]
        wanted = found[1] if found else name
        raise Invalid(**{name[:100]: f"is neither a field of this list nor a parameter{_near(wanted, known)}"})
    op = found[2] or "eq"
    if op not in OPERATORS:
        raise Invalid(**{name[:100]: f"'{op}' is no operator{_near(op, OPERATORS)}"})
    takes = OPERATORS[op].takes
    if takes is Takes.nothing:
        if text not in ("", "true"):
            raise Invalid(**{name: "takes no value; write it as true, or leave the value empty"})
        return Clause(spec.name, op)
    if takes in (Takes.list, Takes.pair):
        parts = text.split(",", MAX_LIST)
        if len(parts) > MAX_LIST:
            raise Invalid(**{name: f"holds more than {MAX_LIST} values"})
        return Clause(spec.name, op, tuple(_value(spec, part.strip()) for part in parts))
    value = int(text) if takes is Takes.days and text.isdecimal() and len(text) < 7 else _value(spec, text)
    return Clause(spec.name, op, value)


def _value(spec: FieldSpec, text: str) -> Any:
    """The JSON value that a text means for this kind of field; what does not fit is refused by the check."""
    if text.startswith("{"):
        try:
            return parse_value(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            raise Invalid(**{spec.name: f"is not JSON: {error}"}) from error
    if spec.kind in (Kind.number, Kind.money, Kind.percent):
        return int(text) if _WHOLE.fullmatch(text) else parse_value(text)
    if spec.kind is Kind.flag:
        return {"true": True, "false": False}.get(text.lower(), parse_value(text))
    if spec.kind is Kind.link and text == "me":
        return Token("me")
    return parse_value(text)


def _sort(entity: Entity, text: str | None) -> tuple[str, bool]:
    if text is None:
        return (entity.title if entity.title in entity.fields else "id"), False
    name = text.removeprefix("-")
    spec = entity.fields.get(name)
    if spec is None or spec.kind in UNSORTABLE:
        known = [n for n, s in entity.fields.items() if s.kind not in UNSORTABLE]
        raise Invalid(sort=f"'{name[:100]}' cannot be sorted by{_near(name, known)}")
    return name, text.startswith("-")


def _fields(entity: Entity, text: str | None) -> tuple[str, ...]:
    if text is None:
        return _default_fields(entity)
    names = names_in("fields", text)
    if "*" in names:
        return tuple(entity.fields)
    for name in names:
        if name not in entity.fields:
            raise Invalid(fields=f"{entity.label} has no field '{name[:100]}'{_near(name, list(entity.fields))}")
    return tuple(dict.fromkeys(("id", "version", *names)))


def _default_fields(entity: Entity) -> tuple[str, ...]:
    """The columns of the list with their currencies, and the stamps."""
    named = ["id", "version", *entity.columns]
    named += [c for n in entity.columns if (c := entity.fields[n].currency_field) in entity.fields]
    return tuple(dict.fromkeys((*named, *(s for s in _STAMPS if s in entity.fields))))


def names_in(parameter: str, text: str | None) -> tuple[str, ...]:
    names = dict.fromkeys(part.strip() for part in text.split(",")) if text is not None else {}
    if "" in names:
        raise Invalid(**{parameter: "holds an empty name; separate names by single commas, or leave it out"})
    return tuple(names)


def _whole(said: dict[str, str], name: str, least: int, most: int, default: int = 0) -> int:
    if name not in said:
        return default
    text = said[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Invalid(**{name: f"must be a whole number from {least} to {most}"})
    return int(text)


def _flag(said: dict[str, str], name: str) -> bool:
    text = said.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid(**{name: "must be true or false"})
    return text == "true"


def _near(name: str, known: Any) -> str:
    found = get_close_matches(name, list(known), 1)
    return f"; did you mean '{found[0]}'?" if found else f"; known are {', '.join(sorted(known)[:40])}"
