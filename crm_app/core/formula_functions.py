"""The functions that formulas may use, each in both readings (core.formula_parts)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from crm_app.core.formula_parts import (
    EXACT,
    MOST_TEXT,
    TODAY,
    FormulaError,
    Node,
    Type,
    combined,
    constant,
    made,
    of,
    truth,
    whole_up_to,
)
from crm_app.core.text import lower, upper

_FILLED = {Type.text: "nullif({}, '')"}  # an empty text is empty too
_FEWEST_PLACES, _MOST_PLACES = -20, 10
# What str.split takes for space, written out: PostgreSQL's own classes know less.
_SPACE = "[" + "".join(chr(c) for c in range(0x3001) if chr(c).isspace()) + "]+"


def _count(word: str, given: Sequence[Node], least: int, most: int) -> None:
    if not least <= len(given) <= most:
        told = str(least) if least == most else f"{least} to {most}"
        raise FormulaError(f"gives {word} {len(given)} values; it takes {told}")


def _alike(word: str, nodes: Sequence[Node]) -> Type:
    types = {n.type for n in nodes}
    if len(types) > 1:
        raise FormulaError(f"gives {word} {' and '.join(sorted(types))}; all must be of one kind")
    return types.pop()


def _if(word: str, given: list[Node]) -> Node:
    _count(word, given, 2, 3)
    asked, then = truth(given[0], word), given[1]
    other = given[2] if len(given) == 3 else constant(then.type, None)
    kind = _alike(word, (then, other))
    return made(
        kind, lambda v: then.evaluate(v) if asked.evaluate(v) else other.evaluate(v),
        "CASE WHEN {} THEN {} ELSE {} END", asked, then, other,
    )  # fmt: skip


def _extreme(word: str, given: list[Node]) -> Node:
    """The least or the most of what is there: empty ones do not count."""
    _count(word, given, 1, 20)
    kind, pick = _alike(word, given), min if word == "min" else max
    if kind not in (Type.number, Type.day):
        raise FormulaError(f"gives {word} {kind}; it takes numbers or dates")

    def evaluate(values: Mapping[str, Any]) -> Any:
        there = [x for n in given if (x := n.evaluate(values)) is not None]
        return pick(there) if there else None

    return made(kind, evaluate, _list("least" if word == "min" else "greatest", given), *given)


def _first_filled(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 20)
    kind = _alike(word, given)

    def evaluate(values: Mapping[str, Any]) -> Any:
        return next((x for n in given if (x := n.evaluate(values)) not in (None, "")), None)

    return made(kind, evaluate, _list("coalesce", given, _FILLED.get(kind, "{}")), *given)


def _list(function: str, given: Sequence[Node], each: str = "{}") -> str:
    return f"{function}({', '.join([each] * len(given))})"


def _is_empty(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 1)
    node = given[0]
    template = f"{_FILLED.get(node.type, '{}')} IS NULL"
    return made(Type.truth, lambda v: node.evaluate(v) in (None, ""), template, node)


def _round(word: str, given: list[Node]) -> Node:
    _count(word, given, 1, 2)
    number = of(Type.number, given[0], word)
    places = of(Type.number, given[1], word) if len(given) == 2 else constant(Type.number, Decimal(0))

    def work(value: Decimal, digits: Decimal) -> Decimal:
        if int(digits) < _FEWEST_PLACES:
            raise OverflowError
        return value.quantize(Decimal(1).scaleb(-min(_MOST_PLACES, int(digits))), ROUND_HALF_UP, EXACT)

    return combined(Type.number, work, f"round({{}}, {whole_up_to(_FEWEST_PLACES, _MOST_PLACES)})", number, places)


def _today(word: str, given: list[Node]) -> Node:
    _count(word, given, 0, 0)
    return Node(Type.day, lambda v: v[TODAY], lambda c: (c[TODAY],))


def _plain(
    wanted: Sequence[Type], type_: Type, work: Callable[..., Any], template: str
) -> Callable[[str, list[Node]], Node]:
    def make(word: str, given: list[Node]) -> Node:
        _count(word, given, len(wanted), len(wanted))
        return combined(type_, work, template, *(of(t, n, word) for t, n in zip(wanted, given, strict=True)))

    return make


def _size(number: Decimal) -> int:
    if int(number) < 0:
        raise OverflowError
    return min(MOST_TEXT, int(number))


def _day_of(year: Decimal, month: Decimal, day: Decimal) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:  # the 30th of February
        return None


N, T, D, Y = Type.number, Type.text, Type.day, Type.truth
FUNCTIONS: dict[str, Callable[[str, list[Node]], Node]] = {
    "if": _if,
    "min": _extreme,
    "max": _extreme,
    "coalesce": _first_filled,
    "is_empty": _is_empty,
    "round": _round,
    "today": _today,
    "abs": _plain((N,), N, Decimal.copy_abs, "abs({})"),
    "floor": _plain((N,), N, lambda a: a.to_integral_value(ROUND_FLOOR, EXACT), "floor({})"),
    "ceil": _plain((N,), N, lambda a: a.to_integral_value(ROUND_CEILING, EXACT), "ceil({})"),
    "mod": _plain((N, N), N, EXACT.remainder, "mod({}, nullif({}, 0))"),
    "year": _plain((D,), N, lambda d: Decimal(d.year), "extract(year FROM {})"),
    "month": _plain((D,), N, lambda d: Decimal(d.month), "extract(month FROM {})"),
    "day": _plain((D,), N, lambda d: Decimal(d.day), "extract(day FROM {})"),
    "weekday": _plain((D,), N, lambda d: Decimal(d.isoweekday()), "extract(isodow FROM {})"),
    "date": _plain((N, N, N), D, _day_of, "crm_day_of({}, {}, {})"),
    "upper": _plain((T,), T, upper, "upper({})"),
    "lower": _plain((T,), T, lower, "lower({})"),
    "trim": _plain((T,), T, lambda t: " ".join(t.split()), f"btrim(regexp_replace({{}}, '{_SPACE}', ' ', 'g'), ' ')"),
    "length": _plain((T,), N, lambda t: Decimal(len(t)), "char_length({})::numeric"),
    "left": _plain((T, N), T, lambda t, n: t[: _size(n)], f"left({{}}, {whole_up_to(0, MOST_TEXT)})"),
    "right": _plain(
        (T, N), T, lambda t, n: t[len(t) - min(len(t), _size(n)) :], f"right({{}}, {whole_up_to(0, MOST_TEXT)})"
    ),
    "contains": _plain((T, T), Y, lambda t, part: lower(part) in lower(t), "strpos(lower({}), lower({})) > 0"),
}
