"""What formulas are made of: values of four kinds and the signs between them (core.formulas reads them).

Every part has two readings that agree to the last digit: `evaluate` for one record, `sql` for a query. So numbers are
exact, kept to 20 places where they are multiplied or divided; letters change their case one by one; and what cannot be
worked out (a division by zero, a day out of the calendar) is empty right there, in both. The SQL fails on no value,
and takes each part once: a part taken twice would double with every level of nesting.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import (
    ROUND_05UP,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ClauseList

from crm_app.core.text import lower

TODAY = " today"  # among the values; no field is named so
MOST_TEXT = 2000
EXACT = Context(prec=50_000, traps=[DivisionByZero, InvalidOperation, Overflow])
_PLACES = 20  # after the point, of a product or quotient
_CLOSE = 48  # to which PostgreSQL takes a quotient first
_TOO_MUCH = Decimal(10) ** 20  # results from here on are empty
_MOST_DAYS = 4_000_000  # past every calendar

Column = sa.ColumnElement[Any]
Sql = tuple[str | Column, ...]  # pieces, not a tree: however deep a formula is, nothing has to climb it


class Type(StrEnum):
    number = "a number"
    text = "a text"
    day = "a date"
    truth = "yes or no"


_SQL_TYPES: Mapping[Type, Any] = {
    Type.number: sa.Numeric(),
    Type.text: sa.Text(),
    Type.day: sa.Date(),
    Type.truth: sa.Boolean(),
}


class FormulaError(ValueError):
    """What is wrong with a formula, in words for the person who writes it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: of what kind it is, and what it gives."""

    type: Type
    evaluate: Callable[[Mapping[str, Any]], Any]  # field values by name -> the value; None is empty
    sql: Callable[[Mapping[str, Column]], Sql]  # columns by name -> the expression; NULL is empty


def sql_type(type_: Type) -> Any:
    return _SQL_TYPES[type_]


def constant(type_: Type, value: Any) -> Node:
    return Node(type_, lambda _: value, lambda _: (literal(type_, value),))


def literal(type_: Type, value: Any) -> Column:
    return sa.cast(sa.literal(value, _SQL_TYPES[type_]), _SQL_TYPES[type_])


def column(type_: Type, sql: Sql) -> Column:
    """The pieces as one expression."""
    side_by_side: Any = None
    whole = ClauseList(*_merged(sql), operator=side_by_side)
    return sa.type_coerce(whole.self_group(), _SQL_TYPES[type_])


def _merged(sql: Sql) -> Iterator[Column]:
    for is_text, pieces in groupby(sql, lambda p: isinstance(p, str)):
        if is_text:
            yield sa.literal_column(" ".join(str(p) for p in pieces))
        else:
            yield from (p for p in pieces if not isinstance(p, str))


def filled_in(template: str, *parts: Sql) -> Sql:
    """The parts in the places of a template, each in brackets: round({}, 4)."""
    first, *others = template.split("{}")
    found: list[str | Column] = [first]
    for part, behind in zip(parts, others, strict=True):
        found += ["(", *part, ")", behind]
    return tuple(found)


def within(template: str, low: int | Decimal, high: int | Decimal) -> str:
    """The number of a template where it lies between the two, both left out; else NULL."""
    least, most = f"({low:f})::numeric", f"({high:f})::numeric"  # greatest and least pass over NULL
    return f"nullif(nullif(greatest(least({template}, {most}), {least}), {most}), {least})"


def whole_up_to(low: int, high: int) -> str:
    """A template: the whole part of a number, `high` at most; NULL below `low`."""
    held = f"greatest(least(coalesce(trunc({{}}), {low - 1}), {high}), {low - 1})"
    return f"nullif({held}, {low - 1})::integer"


def bounded(value: Any) -> Any:
    """A result as it is shown: numbers with four places at most, texts not without end."""
    if isinstance(value, str):
        return value[:MOST_TEXT] or None
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.0001"), ROUND_HALF_UP, EXACT)
        if abs(rounded) >= _TOO_MUCH:
            return None
        whole = rounded.to_integral_value()
        return whole + 0 if whole == rounded else rounded.normalize()  # + 0: there is one zero
    return value


def bounded_sql(node: Node, columns: Mapping[str, Column]) -> Sql:
    templates = {Type.text: f"nullif(left({{}}, {MOST_TEXT}), '')", Type.number: _BOUNDED}
    return filled_in(templates.get(node.type, "{}"), node.sql(columns))


_BOUNDED = within("round({}, 4)", -_TOO_MUCH, _TOO_MUCH)


def of(wanted: Type, node: Node, by: str) -> Node:
    if node.type is not wanted:
        raise FormulaError(f"gives {by} {node.type}, where {wanted} is needed")
    return node


def truth(node: Node, by: str) -> Node:
    inner = of(Type.truth, node, f"“{by}”")
    return made(Type.truth, lambda v: bool(inner.evaluate(v)), "coalesce({}, false)", inner)


def either(one: Node, other: Node) -> Node:
    return made(Type.truth, lambda v: one.evaluate(v) or other.evaluate(v), "{} OR {}", one, other)


def both(one: Node, other: Node) -> Node:
    return made(Type.truth, lambda v: one.evaluate(v) and other.evaluate(v), "{} AND {}", one, other)


def neither(node: Node) -> Node:
    return made(Type.truth, lambda v: not node.evaluate(v), "NOT {}", node)


def made(type_: Type, evaluate: Callable[[Mapping[str, Any]], Any], template: str, *parts: Node) -> Node:
    """A part made of others; the template has a place for each."""
    return Node(type_, evaluate, lambda columns: filled_in(template, *(p.sql(columns) for p in parts)))


def combined(type_: Type, work: Callable[..., Any], template: str, *parts: Node) -> Node:
    """Empty as soon as a part is, and where it cannot be worked out."""

    def evaluate(values: Mapping[str, Any]) -> Any:
        given = [p.evaluate(values) for p in parts]
        if any(g is None for g in given):
            return None
        try:
            return work(*given)
        except (DecimalException, OverflowError):
            return None

    return made(type_, evaluate, template, *parts)


def negative(node: Node) -> Node:
    return combined(Type.number, Decimal.copy_negate, "- {}", of(Type.number, node, "“-”"))


def join(one: Node, other: Node) -> Node:
    return Node(
        Type.text,
        lambda v: (_text(one.evaluate(v)) + _text(other.evaluate(v)))[:MOST_TEXT],
        lambda c: filled_in(f"left(concat({{}}, {{}}), {MOST_TEXT})", _text_sql(one, c), _text_sql(other, c)),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Decimal):
        value = bounded(value)
        return "" if value is None else f"{value:f}"
    return "" if value is None else str(value)


def _text_sql(node: Node, columns: Mapping[str, Column]) -> Sql:
    templates = {
        Type.truth: "CASE {} WHEN true THEN 'Yes' WHEN false THEN 'No' END",
        Type.number: f"trim_scale({_BOUNDED})::text",
        Type.day: "to_char({}, 'YYYY-MM-DD')",
    }
    return filled_in(templates.get(node.type, "{}"), node.sql(columns))


def add(sign: str, one: Node, other: Node) -> Node:
    is_minus = sign == "-"
    if one.type is Type.day and other.type is Type.day and is_minus:
        return combined(Type.number, lambda a, b: Decimal((a - b).days), "({} - {})::numeric", one, other)
    if one.type is Type.day:
        days = of(Type.number, other, f"“{sign}”")
        return _shifted(one, negative(days) if is_minus else days)
    if one.type is Type.text or other.type is Type.text:
        raise FormulaError(f"uses “{sign}” with a text; texts are joined by &")
    one, other = of(Type.number, one, f"“{sign}”"), of(Type.number, other, f"“{sign}”")
    return combined(Type.number, EXACT.subtract if is_minus else EXACT.add, f"{{}} {sign} {{}}", one, other)


def _shifted(day: Node, days: Node) -> Node:
    def later(start: date, number: Decimal) -> date:
        if abs(number) > _MOST_DAYS:
            raise OverflowError
        return start + timedelta(days=int(number))

    place = within("({} - date '0001-01-01')::numeric + trunc({})", -1, date.max.toordinal())
    return combined(Type.day, later, f"date '0001-01-01' + {place}::integer", day, days)


def product(sign: str, one: Node, other: Node) -> Node:
    one, other = of(Type.number, one, f"“{sign}”"), of(Type.number, other, f"“{sign}”")
    if sign == "*":
        return combined(
            Type.number, lambda a, b: _kept(EXACT.multiply(a, b)), f"round({{}} * {{}}, {_PLACES})", one, other
        )
    return combined(Type.number, _quotient, f"round(round({{}}, {_CLOSE}) / nullif({{}}, 0), {_PLACES})", one, other)


def _quotient(one: Decimal, other: Decimal) -> Decimal:
    """Rounded twice, as PostgreSQL does; ROUND_05UP keeps the working out from rounding a third time."""
    size = max(0, one.adjusted() - other.adjusted())
    found = Context(size + _CLOSE + 4, ROUND_05UP, traps=EXACT.traps).divide(one, other)
    return _kept(found.quantize(Decimal(1).scaleb(-_CLOSE), ROUND_HALF_UP, EXACT))


def _kept(number: Decimal) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-_PLACES), ROUND_HALF_UP, EXACT)


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "<>": operator.ne, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def comparison(sign: str, one: Node, other: Node) -> Node:
    """What is empty satisfies none. Texts compare letter by letter, whatever their case."""
    if one.type is not other.type:
        raise FormulaError(f"compares {one.type} with {other.type}")
    test, is_text = _TESTS[sign], one.type is Type.text

    def evaluate(values: Mapping[str, Any]) -> bool:
        a, b = one.evaluate(values), other.evaluate(values)
        if a is None or b is None:
            return False
        return test(lower(a), lower(b)) if is_text else test(a, b)

    sign = {"==": "=", "!=": "<>"}.get(sign, sign)
    return made(
        Type.truth, evaluate, f"coalesce(lower({{}}) {sign} lower({{}}), false)" if is_text
        else f"coalesce({{}} {sign} {{}}, false)", one, other,
    )  # fmt: skip
