"""The tree of a condition: frozen nodes, read from JSON and written back unchanged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from crm_app.core.errors import Invalid

MAX_DEPTH = 8  # nodes from the root to the deepest leaf
MAX_NODES = 500
MAX_LIST = 1_000
MAX_TEXT = 1_000
QUANTIFIERS = ("some", "none", "every")
PERIODS = ("day", "week", "month", "quarter", "year")
MAX_DAYS = 36_500
MAX_PERIODS = 1_000


@dataclass(frozen=True, slots=True)
class Token:
    """A value that is known only when the condition runs: {"me": true}, {"start_of": "month", "offset": -1}."""

    name: str
    argument: Any = True
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """`value` is plain JSON with tuples for lists and `Token` for tokens; None where the operator takes no value.

    Code may also put a UUID, date, aware datetime or Decimal; `dump` writes them as text.
    """

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class AllOf:
    items: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    item: "Condition"


@dataclass(frozen=True, slots=True)
class Related:
    """Some, none or every record at the other end of a relation (registry.relations) satisfies `item`."""

    relation: str
    quantifier: str = "some"
    item: "Condition" = field(default_factory=AllOf)


Condition = Clause | AllOf | AnyOf | Not | Related


def children(node: Condition) -> tuple[Condition, ...]:
    match node:
        case AllOf(items) | AnyOf(items):
            return items
        case Not(item) | Related(item=item):
            return (item,)
    return ()


def walk(node: Condition) -> Iterator[Condition]:
    yield node
    for child in children(node):
        yield from walk(child)


def uses(node: Condition) -> frozenset[str]:
    """Fields and relations of the record itself that the condition looks at: a change elsewhere cannot matter."""
    match node:
        case Clause(field=name) | Related(relation=name):
            return frozenset((name,))
    return frozenset().union(*(uses(child) for child in children(node)))


def parse(data: Any) -> Condition:
    """Read the JSON form. `Invalid` tells in words which node is wrong and what would be right."""
    return _Parser().node(data, ())


def dump(node: Condition) -> dict[str, Any]:
    """The JSON form; `dump(parse(x)) == x`, except that a null value is left out."""
    match node:
        case AllOf(items):
            return {"all": [dump(i) for i in items]}
        case AnyOf(items):
            return {"any": [dump(i) for i in items]}
        case Not(item):
            return {"not": dump(item)}
        case Related(relation, quantifier, item):
            return {"related": relation, quantifier: dump(item)}
        case Clause(name, op, value):
            given = {} if value is None else {"value": dump_value(value)}
            return {"field": name, "op": op, **given}


def dump_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [dump_value(v) for v in value]
    if isinstance(value, Token):
        offset = {} if value.offset is None else {"offset": value.offset}
        return {value.name: value.argument, **offset}
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def parse_value(value: Any) -> Any:
    """Freeze a JSON value of a clause. `Invalid` when it is none."""
    if isinstance(value, Mapping):
        return _token(value)
    if isinstance(value, list | tuple):
        if len(value) > MAX_LIST:
            raise Invalid(f"the list has {len(value)} values; at most {MAX_LIST} are allowed")
        if any(isinstance(v, list | tuple) or v is None for v in value):
            raise Invalid("a list may hold single values only")
        return tuple(parse_value(v) for v in value)
    if isinstance(value, str):
        _text(value)
    elif isinstance(value, float) and not isfinite(value):
        raise Invalid("the number is not finite")
    elif value is not None and not isinstance(value, bool | int | float):
        raise Invalid(f"a value of type {type(value).__name__} is not understood")
    return value


def _text(value: str) -> None:
    if len(value) > MAX_TEXT:
        raise Invalid(f"the text has {len(value)} characters; at most {MAX_TEXT} are allowed")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Invalid("the text holds a character that cannot be stored")


def _token(value: Mapping[str, Any]) -> Token:
    keys = set(value)
    if keys in ({"me"}, {"now"}) and next(iter(value.values())) is True:
        return Token(next(iter(keys)))
    if keys == {"days_from_today"}:
        return Token("days_from_today", _whole(value["days_from_today"], MAX_DAYS))
    for name in ("start_of", "end_of"):
        if name in keys and keys <= {name, "offset"} and value[name] in PERIODS:
            offset = _whole(value["offset"], MAX_PERIODS) if "offset" in keys else None
            return Token(name, value[name], offset)
    raise Invalid(
        'the value is not understood; use {"me": true}, {"now": true}, {"days_from_today": -30}'
        f' or {{"start_of": "month", "offset": -1}} with {", ".join(PERIODS)} (also "end_of")'
    )


def _whole(value: Any, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > limit:
        raise Invalid(f"{value!r} must be a whole number between -{limit} and {limit}")
    return value


class _Parser:
    """Counts nodes over the whole tree; a path is a tuple of words from the root."""

    def __init__(self) -> None:
        self.count = 0

    def node(self, data: Any, path: tuple[str, ...], depth: int = 1) -> Condition:
        self.count += 1
        if self.count > MAX_NODES:
            raise Invalid(f"The condition has more than {MAX_NODES} parts; split it or make it simpler.")
        if depth > MAX_DEPTH:
            raise _bad(path, f"nested more than {MAX_DEPTH} levels deep; move it further up")
        if not isinstance(data, Mapping):
            raise _bad(path, f"expected a condition such as {{'field': .., 'op': ..}}, found {type(data).__name__}")
        keys = set(data)
        if keys == {"all"}:
            return AllOf(self._items(data["all"], path, "all", depth))
        if keys == {"any"}:
            return AnyOf(self._items(data["any"], path, "any", depth))
        if keys == {"not"}:
            return Not(self.node(data["not"], (*path, "inside 'not'"), depth + 1))
        if "related" in keys:
            return self._related(data, path, depth)
        if {"field", "op"} <= keys <= {"field", "op", "value"}:
            return _clause(data, path)
        raise _bad(path, f"a condition is 'all', 'any', 'not', 'related' or 'field' with 'op'; found {_listed(keys)}")

    def _items(self, data: Any, path: tuple[str, ...], group: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(data, Sequence) or isinstance(data, str):
            raise _bad(path, f"'{group}' needs a list of conditions")
        return tuple(self.node(d, (*path, f"condition {n} of '{group}'"), depth + 1) for n, d in enumerate(data, 1))

    def _related(self, data: Mapping[str, Any], path: tuple[str, ...], depth: int) -> Related:
        name = data["related"]
        quantifier = next((q for q in QUANTIFIERS if q in data), None)
        if quantifier is None or set(data) != {"related", quantifier}:
            raise _bad(path, "'related' needs exactly one of 'some', 'none' or 'every'")
        if not isinstance(name, str) or not name:
            raise _bad(path, "'related' needs the name of a relation, such as 'opportunities'")
        return Related(
            name, quantifier, self.node(data[quantifier], (*path, f"inside '{quantifier} {name}'"), depth + 1)
        )


def _clause(data: Mapping[str, Any], path: tuple[str, ...]) -> Clause:
    name, op = data["field"], data["op"]
    if not isinstance(name, str) or not name or len(name) > 100:
        raise _bad(path, "'field' needs the name of a field")
    if not isinstance(op, str) or not op:
        raise _bad(path, f"'{name}' needs an operator, such as 'eq'")
    try:
        return Clause(name, op, parse_value(data.get("value")))
    except Invalid as error:
        raise _bad(path, f"'{name}': {error}") from error


def _bad(path: tuple[str, ...], message: str) -> Invalid:
    return Invalid(f"{' > '.join(path)}: {message}" if path else message)


def _listed(keys: set[Any]) -> str:
    return ", ".join(sorted(repr(k) for k in keys)) or "nothing"
