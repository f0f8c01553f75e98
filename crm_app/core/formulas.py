"""Formulas over the fields of one record, as admins write them: `{Amount} * {Probability} / 100`.

A small language of its own: numbers, texts in quotes, days, yes and no; fields in braces; + - * / & (joins texts),
= <> < <= > >=, and, or, not; the functions of FUNCTIONS. Nothing in it can reach anything but the values handed to it,
loop, or grow: length and depth are bounded, and numbers have 28 digits.

What is empty stays empty through arithmetic, and satisfies no comparison, as in conditions.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from typing import Any, NoReturn

LONGEST = 1000
_DEEPEST = 40
_MOST_TOKENS = 250
_MOST_TEXT = 2000
_NUMBERS = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"[^\"]*\"|'[^']*')|\{(?P<field>[^{}]*)\}|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|<>|!=|==|[-+*/&=<>(),;]))"
)


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


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    type: Type
    fields: frozenset[str]
    _root: Node

    def value(self, values: Mapping[str, Any], today: date) -> Any:
        """Of a record: Decimal, str, date, bool, or None where it is empty or cannot be worked out."""
        try:
            return _bounded(self._root.evaluate({**values, _TODAY: today}))
        except (DecimalException, OverflowError):  # divided by zero, or a day out of every calendar
            return None


_TODAY = " today"  # no field is named so


def names_in(text: str) -> list[str]:
    """What stands in braces, in order."""
    return [m.strip() for m in re.findall(r"\{([^{}]*)\}", _without_texts(text))]


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The formula with other names in the braces; those that are not known stay."""
    pieces = re.split(r"(\"[^\"]*\"|'[^']*')", text)
    swap = re.compile(r"\{([^{}]*)\}")
    pieces[::2] = [swap.sub(lambda m: "{" + names.get(m[1].strip(), m[1]) + "}", p) for p in pieces[::2]]
    return "".join(pieces)


def _without_texts(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'", '""', text)


def compile_formula(text: str, fields: Mapping[str, Type]) -> Formula:
    """FormulaError says where and why it cannot be worked out. `fields`: name in the braces -> what it holds."""
    if len(text) > LONGEST:
        raise FormulaError(f"is too long: {len(text)} characters, at most {LONGEST}")
    parser = _Parser(text, fields)
    root = parser.whole()
    if root.type is Type.nothing:
        raise FormulaError("is always empty; name a field in it, like {Amount}")
    return Formula(text, root.type, frozenset(parser.used), root)


class _Parser:
    """Recursive descent; each level of binding is a method."""

    def __init__(self, text: str, fields: Mapping[str, Type]) -> None:
        self.fields, self.used, self.depth = fields, set[str](), 0
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                rest = text[at:].strip()[:10]
                raise FormulaError(f"cannot be read at “{rest}”; fields stand in braces, texts in quotes")
            kind = found.lastgroup or ""
            self.tokens.append((kind, found[kind]))
            at = found.end()
        if len(self.tokens) > _MOST_TOKENS:
            raise FormulaError(f"has more than {_MOST_TOKENS} parts; split it into several fields")
        self.tokens.append(("end", ""))
        self.at = 0

    def whole(self) -> Node:
        if self.tokens[0][0] == "end":
            raise FormulaError("is empty; write something like {Amount} * 2")
        node = self.choice()
        if self.tokens[self.at][0] != "end":
            self.unexpected()
        return node

    def unexpected(self) -> NoReturn:
        kind, text = self.tokens[self.at]
        raise FormulaError("ends too early" if kind == "end" else f"is not understood at “{text}”")

    def taken(self, *signs: str) -> str:
        """The sign or word that stands here, if it is one of these; else an empty text."""
        kind, text = self.tokens[self.at]
        if kind in ("sign", "word") and text.lower() in signs:
            self.at += 1
            return text.lower()
        return ""

    def must(self, sign: str) -> None:
        if not self.taken(sign):
            kind, text = self.tokens[self.at]
            raise FormulaError(f"needs “{sign}” " + ("at its end" if kind == "end" else f"before “{text}”"))

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError(f"is nested more than {_DEEPEST} levels deep")
        left = self.both()
        while self.taken("or"):
            left = _either(_truth(left, "or"), _truth(self.both(), "or"))
        self.depth -= 1
        return left

    def both(self) -> Node:
        left = self.negated()
        while self.taken("and"):
            left = _both(_truth(left, "and"), _truth(self.negated(), "and"))
        return left

    def negated(self) -> Node:
        times = 0
        while self.taken("not"):
            times += 1
        node = self.compared()
        if not times:
            return node
        inner = _truth(node, "not")
        return inner if times % 2 == 0 else Node(Type.truth, lambda v: not inner.evaluate(v))

    def compared(self) -> Node:
        left = self.joined()
        if sign := self.taken("=", "==", "<>", "!=", "<", "<=", ">", ">="):
            return _comparison(sign, left, self.joined())
        return left

    def joined(self) -> Node:
        left = self.summed()
        while self.taken("&"):
            left = _join(left, self.summed())
        return left

    def summed(self) -> Node:
        left = self.multiplied()
        while sign := self.taken("+", "-"):
            left = _sum(sign, left, self.multiplied())
        return left

    def multiplied(self) -> Node:
        left = self.signed()
        while sign := self.taken("*", "/"):
            left = _product(sign, left, self.signed())
        return left

    def signed(self) -> Node:
        is_minus = False
        while sign := self.taken("-", "+"):
            is_minus ^= sign == "-"
        node = self.single()
        if not is_minus:
            return node
        inner = _of(Type.number, node, "“-”")
        return _numeric(lambda a: -a, inner)

    def single(self) -> Node:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            number = Decimal(text)
            return Node(Type.number, lambda _: number)
        if kind == "text":
            return Node(Type.text, lambda _: text[1:-1])
        if kind == "field":
            return self.field(text.strip())
        if kind == "word":
            return self.word(text.lower())
        if text == "(":
            inner = self.choice()
            self.must(")")
            return inner
        self.at -= 1
        return self.unexpected()

    def field(self, name: str) -> Node:
        if name not in self.fields:
            raise FormulaError(f"names {{{name}}}, which is no field of this record that can be worked with")
        self.used.add(name)
        return Node(self.fields[name], lambda values: values.get(name))

    def word(self, word: str) -> Node:
        if word in ("true", "yes", "false", "no"):
            is_so = word in ("true", "yes")
            return Node(Type.truth, lambda _: is_so)
        if word not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise FormulaError(f"uses “{word}”; fields stand in braces, and the functions are {known}")
        self.must("(")
        given: list[Node] = []
        while not self.taken(")"):
            if given and not self.taken(",", ";"):
                self.must(",")
            given.append(self.choice())
        return FUNCTIONS[word](word, given)


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_MOST_TEXT] or None
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP, _NUMBERS)
        whole = rounded.to_integral_value()
        return whole if whole == rounded else rounded.normalize()
    return value


def _of(wanted: Type, node: Node, by: str) -> Node:
    if node.type not in (wanted, Type.nothing):
        raise FormulaError(f"gives {by} {node.type}, where {wanted} is needed")
    return node


def _truth(node: Node, by: str) -> Node:
    inner = _of(Type.truth, node, f"“{by}”")
    return Node(Type.truth, lambda v: bool(inner.evaluate(v)))


def _either(one: Node, other: Node) -> Node:
    return Node(Type.truth, lambda v: one.evaluate(v) or other.evaluate(v))


def _both(one: Node, other: Node) -> Node:
    return Node(Type.truth, lambda v: one.evaluate(v) and other.evaluate(v))


def _numeric(work: Callable[..., Any], *parts: Node, type_: Type = Type.number) -> Node:
    """Empty as soon as a part is."""

    def evaluate(values: Mapping[str, Any]) -> Any:
        given = [p.evaluate(values) for p in parts]
        return None if any(g is None for g in given) else work(*given)

    return Node(type_, evaluate)


def _join(one: Node, other: Node) -> Node:
    return Node(Type.text, lambda v: (_text(one.evaluate(v)) + _text(other.evaluate(v)))[:_MOST_TEXT])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        return f"{_bounded(value):f}"
    return "" if value is None else str(value)


def _sum(sign: str, one: Node, other: Node) -> Node:
    factor = 1 if sign == "+" else -1
    if one.type is Type.day and other.type is Type.day and sign == "-":
        return _numeric(lambda a, b: Decimal((a - b).days), one, other)
    if one.type is Type.day:
        days = _of(Type.number, other, f"“{sign}”")
        return _numeric(lambda a, b: a + timedelta(days=_days(b * factor)), one, days, type_=Type.day)
    if one.type is Type.text or other.type is Type.text:
        raise FormulaError(f"uses “{sign}” with a text; texts are joined by &")
    one, other = _of(Type.number, one, f"“{sign}”"), _of(Type.number, other, f"“{sign}”")
    return _numeric(lambda a, b: _NUMBERS.add(a, b * factor), one, other)


def _days(number: Decimal) -> int:
    if abs(number) > 4_000_000:
        raise OverflowError
    return int(number)


def _product(sign: str, one: Node, other: Node) -> Node:
    one, other = _of(Type.number, one, f"“{sign}”"), _of(Type.number, other, f"“{sign}”")
    return _numeric(_NUMBERS.multiply if sign == "*" else _NUMBERS.divide, one, other)


def _comparison(sign: str, one: Node, other: Node) -> Node:
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
    asked, then = _truth(given[0], word), given[1]
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
    number = _of(Type.number, given[0], word)
    places = _of(Type.number, given[1], word) if len(given) == 2 else Node(Type.number, lambda _: Decimal(0))

    def work(value: Decimal, digits: Decimal) -> Decimal:
        step = Decimal(1).scaleb(-max(-20, min(10, int(digits))))
        return (value / step).quantize(Decimal(1), ROUND_HALF_UP, _NUMBERS) * step

    return _numeric(work, number, places)


def _plain(wanted: Sequence[Type], type_: Type, work: Callable[..., Any]) -> Callable[[str, list[Node]], Node]:
    def make(word: str, given: list[Node]) -> Node:
        _count(word, given, len(wanted), len(wanted))
        parts = [_of(t, n, word) for t, n in zip(wanted, given, strict=True)]
        return _numeric(work, *parts, type_=type_)

    return make


def _today(word: str, given: list[Node]) -> Node:
    _count(word, given, 0, 0)
    return Node(Type.day, lambda v: v[_TODAY])


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
