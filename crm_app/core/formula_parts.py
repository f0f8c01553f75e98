"""What formulas are made of: values of four kinds, signs between them, functions (core.formulas reads them)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from typing import Any

TODAY = " today"  # among the values; no field is named so
_MOST_TEXT = 2000
_NUMBERS = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])


class Type(StrEnum):
    number = "a number"
    text = "a text"
    day = "a date"
    truth = "yes or no"
    nothing = "nothing"  # the empty value alone, which fits everywhere


class FormulaError(ValueError):
    """What is wrong with a formula, in words for the person who writes it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: what it does, and of what kind it is."""

    type: Type
    evaluate: Callable[[Mapping[str, Any]], Any]  # field values by name -> the value; None is empty


def bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MOST_TEXT] or None
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP, _NUMBERS)
        whole = rounded.to_integral_value()
        return whole if whole == rounded else rounded.normalize()
    return value


def of(wanted: Type, node: Node, by: str) -> Node:
    if node.type not in (wanted, Type.nothing):
        raise FormulaError(f"gives {by} {node.type}, where {wanted} is needed")
    return node


def truth(node: Node, by: str) -> Node:
    inner = of(Type.truth, node, f"“{by}”")
    return Node(Type.truth, lambda v: bool(inner.evaluate(v)))


def either(one: Node, other: Node) -> Node:
    return Node(Type.truth, lambda v: one.evaluate(v) or other.evaluate(v))


def both(one: Node, other: Node) -> Node:
    return Node(Type.truth, lambda v: one.evaluate(v) and other.evaluate(v))


def numeric(work: Callable[..., Any], *parts: Node, type_: Type = Type.number) -> Node:
    """Empty as soon as a part is."""

    def evaluate(values: Mapping[str, Any]) -> Any:
        given = [p.evaluate(values) for p in parts]
        return None if any(g is None for g in given) else work(*given)

    return Node(type_, evaluate)


def join(one: Node, other: Node) -> Node:
    return Node(Type.text, lambda v: (_text(one.evaluate(v)) + _text(other.evaluate(v)))[:_MOST_TEXT])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return f"{bounded(value):f}"
    return "" if value is None else str(value)


def add(sign: str, one: Node, other: Node) -> Node:
    factor = 1 if sign == "+" else -1
    if one.type is Type.day and other.type is Type.day and sign == "-":
        return numeric(lambda a, b: Decimal((a - b).days), one, other)
    if one.type is Type.day:
        days = of(Type.number, other, f"“{sign}”")
        return numeric(lambda a, b: a + timedelta(days=_days(b * factor)), one, days, type_=Type.day)
    if one.type is Type.text or other.type is Type.text:
        raise FormulaError(f"uses “{sign}” with a text; texts are joined by &")
    one, other = of(Type.number, one, f"“{sign}”"), of(Type.number, other, f"“{sign}”")
    return numeric(lambda a, b: _NUMBERS.add(a, b * factor), one, other)


def _days(number: Decimal) -> int:
    if abs(number) > 4_000_000:
        raise OverflowError
    return int(number)


def product(sign: str, one: Node, other: Node) -> Node:
    one, other = of(Type.number, one, f"“{sign}”"), of(Type.number, other, f"“{sign}”")
    return numeric(_NUMBERS.multiply if sign == "*" else _NUMBERS.divide, one, other)


def comparison(sign: str, one: Node, other: Node) -> Node:
    if Type.nothing not in (one.type, other.type) and one.type is not other.type:
        raise FormulaError(f"compares {one.type} with {other.type}")
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b, "==": lambda a, b: a == b, "<>": lambda a, b: a != b, "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    }  # fmt: skip
    test = tests[sign]

    def evaluate(values: Mapping[str, Any]) -> bool:
        a, b = one.evaluate(values), other.evaluate(values)
        if a is None or b is None:
            return False
        return test(a.casefold(), b.casefold()) if isinstance(a, str) and isinstance(b, str) else test(a, b)

    return Node(Type.truth, evaluate)


def _count(word: str, given: Sequence[Node], least: int, most: int) -> None:
    if not least <= len(given) <= most:
        told = str(least) if least == most else f"{least} to {most}"
        raise FormulaError(f"gives {word} {len(given)} values; it takes {told}")


def _alike(word: str, nodes: Sequence[Node]) -> Type:
    types = {n.type for n in nodes} - {Type.nothing}
    if len(types) > 1:
        raise FormulaError(f"gives {word} {' and '.join(sorted(types))}; all must be of one kind")
    return types.pop() if types else Type.nothing


def _if(word: str, given: list[Node]) -> Node:
    _count(word, given, 2, 3)
    asked, then = truth(given[0], word), given[1]
    other = given[2] if len(given) == 3 else Node(Type.nothing, lambda _: None)
    return Node(_alike(word, (then, other)), lambda v: then.evaluate(v) if asked.evaluate(v) else other.evaluate(v))


def _extreme(word: str, given: list[Node]) -> Node:
    """The least or the most of what is there: empty ones do not count."""
    _count(word, given, 1, 20)
    kind, pick = _alike(word, given), min if word == "min" else max
    if kind not in (Type.number, Type.day):
        raise FormulaError(f"gives {word} {kind}; it takes numbers or dates")

    def evaluate(values: Mapping[str, Any]) -> Any:
        there = [x for n in given if (x := n.evaluate(values)) is not None]
        return pick(there) if there else None

    return Node(kind, evaluate)


def _first_filled(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 20)

    def evaluate(values: Mapping[str, Any]) -> Any:
        return next((x for n in given if (x := n.evaluate(values)) not in (None, "")), None)

    return Node(_alike(word, given), evaluate)


def _is_empty(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 1)
    return Node(Type.truth, lambda v: given[0].evaluate(v) in (None, ""))


def _round(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 2)
    number = of(Type.number, given[0], word)
    places = of(Type.number, given[1], word) if len(given) == 2 else Node(Type.number, lambda _: Decimal(0))

    def work(value: Decimal, digits: Decimal) -> Decimal:
        step = Decimal(1).scaleb(-max(-20, min(10, int(digits))))
        return (value / step).quantize(Decimal(1), ROUND_HALF_UP, _NUMBERS) * step

    return numeric(work, number, places)


def _plain(wanted: Sequence[Type], type_: Type, work: Callable[..., Any]) -> Callable[[str, list[Node]], Node]:
    def make(word: str, given: list[Node]) -> Node:
        _count(word, given, len(wanted), len(wanted))
        parts = [of(t, n, word) for t, n in zip(wanted, given, strict=True)]
        return numeric(work, *parts, type_=type_)

    return make


def _today(word: str, given: list[Node]) -> Node:
    _count(word, given, 0, 0)
    return Node(Type.day, lambda v: v[TODAY])


def _size(number: Decimal) -> int:
    return max(0, min(_MOST_TEXT, int(number)))


N, T, D, Y = Type.number, Type.text, Type.day, Type.truth
FUNCTIONS: dict[str, Callable[[str, list[Node]], Node]] = {
    "if": _if,
    "min": _extreme,
    "max": _extreme,
    "coalesce": _first_filled,
    "is_empty": _is_empty,
    "round": _round,
    "today": _today,
    "abs": _plain((N,), N, abs),
    "floor": _plain((N,), N, lambda a: a.to_integral_value(ROUND_FLOOR)),
    "ceil": _plain((N,), N, lambda a: a.to_integral_value(ROUND_CEILING)),
    "mod": _plain((N, N), N, lambda a, b: a % b),
    "year": _plain((D,), N, lambda d: Decimal(d.year)),
    "month": _plain((D,), N, lambda d: Decimal(d.month)),
    "day": _plain((D,), N, lambda d: Decimal(d.day)),
    "weekday": _plain((D,), N, lambda d: Decimal(d.isoweekday())),
    "date": _plain((N, N, N), D, lambda y, m, d: _day_of(int(y), int(m), int(d))),
    "upper": _plain((T,), T, str.upper),
    "lower": _plain((T,), T, str.lower),
    "trim": _plain((T,), T, lambda t: " ".join(t.split())),
    "length": _plain((T,), N, lambda t: Decimal(len(t))),
    "left": _plain((T, N), T, lambda t, n: t[: _size(n)]),
    "right": _plain((T, N), T, lambda t, n: t[-_size(n) :] if _size(n) else ""),
    "contains": _plain((T, T), Y, lambda t, part: part.casefold() in t.casefold()),
}


def _day_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # the 30th of February
        return None
