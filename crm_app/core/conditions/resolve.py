"""From a clause to a test: tokens become values, days become spans of time, and what is left has two plain readings.

All decisions about meaning are made here, once. `to_sql` and `matches` only read the six tests below.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_app.core.conditions.operators import BY_KIND, NUMBERS, OPERATORS, TEXTS, WHOLE_NUMBERS, Takes, words
from crm_app.core.conditions.tree import MAX_DAYS, Clause, Token
from crm_app.core.dates import FIRST_DAY, LAST_DAY
from crm_app.core.errors import Invalid
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.text import lower

MAX_WHOLE = 2**63 - 1  # bigint
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = timedelta(microseconds=1)  # the finest step of both PostgreSQL and Python


@dataclass(frozen=True, slots=True)
class EvalContext:
    """When and for whom a condition runs. `now` is aware; `today` and every day are days of `time_zone` (IANA);
    `currency` is that of amounts without one."""

    today: date
    now: datetime
    me: UUID | None = None
    time_zone: str = "UTC"
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Filled:
    yes: bool


@dataclass(frozen=True, slots=True)
class Range:
    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    values: tuple[Any, ...]
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Contains:
    text: str
    negate: bool = False


@dataclass(frozen=True, slots=True)
class StartsWith:
    text: str


@dataclass(frozen=True, slots=True)
class HasAny:
    values: tuple[str, ...]
    negate: bool = False


Test = Filled | Range | OneOf | Contains | StartsWith | HasAny


def resolve(spec: FieldSpec, clause: Clause, ctx: EvalContext) -> Test:
    """What the clause asks of the field, without tokens. `Invalid` says what is wrong and gives an example."""
    op, kind = clause.op, spec.kind
    if op not in BY_KIND[kind]:
        raise Invalid(_wrong_operator(spec, op))
    if op in ("is_empty", "is_filled"):
        return Filled(op == "is_filled")
    if op == "changed":
        raise Invalid("'changed' needs the record as it was before; it works in triggers only")
    values = _operands(spec, clause)
    if kind in (Kind.date, Kind.datetime):
        return _time_test(spec, op, values, ctx)
    known = tuple(v for v in (_plain(spec, value, ctx) for value in values) if v is not None)
    if kind in NUMBERS and op not in ("eq", "ne", "in", "changed_to"):
        return _range(op, known)
    match op:
        case "contains" | "not_contains":
            return Contains(known[0], negate=op == "not_contains")
        case "starts_with":
            return StartsWith(known[0])
        case "has" | "has_any" | "has_none":
            return HasAny(known, negate=op == "has_none")
    return OneOf(known, negate=op in ("ne", "not_in"))


def check_value(spec: FieldSpec, clause: Clause) -> None:
    """`Invalid` unless the value fits the operator and the field; tokens are not resolved against a real day."""
    if clause.op != "changed" or clause.op not in BY_KIND[spec.kind]:
        resolve(spec, clause, EvalContext(date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0)))
    if OPERATORS[clause.op].takes is Takes.nothing and clause.value is not None:
        raise Invalid(f"'{words(spec.kind, clause.op)}' takes no value")


def example(spec: FieldSpec) -> str:
    """A value of the right shape, as JSON, for messages."""
    if spec.kind in (Kind.choice, Kind.choices) and spec.choices:
        return f'"{spec.choices[0].value}"'
    if spec.kind is Kind.link:
        return '{"me": true}' if spec.target == "user" else '"0190d5c2-7a3e-7c1b-9f00-000000000001"'
    if spec.kind is Kind.money:
        return "125000 (minor units: 1 250.00)"
    if spec.kind in NUMBERS:
        return "12.5" if spec.kind is Kind.decimal else "45"
    if spec.kind is Kind.flag:
        return "true"
    if spec.kind in (Kind.date, Kind.datetime):
        return '"2026-01-31" or {"days_from_today": -30}'
    return '"Acme"'


def _wrong_operator(spec: FieldSpec, op: str) -> str:
    names = [n for n in BY_KIND[spec.kind] if not OPERATORS[n].trigger]
    if not names:
        return f"{spec.label} cannot be used in conditions"
    return f"'{op}' does not fit {spec.label} ({spec.kind.value}); use one of {', '.join(names)}"


def _operands(spec: FieldSpec, clause: Clause) -> tuple[Any, ...]:
    """The values of the clause as a tuple of the length that the operator takes."""
    takes, value, shown = OPERATORS[clause.op].takes, clause.value, words(spec.kind, clause.op)
    is_list = isinstance(value, tuple | list)
    if takes is Takes.list:
        if not is_list or not value:
            raise Invalid(f"'{shown}' needs a list with at least one value, such as [{example(spec)}]")
        return tuple(value)
    if takes is Takes.pair:
        if not is_list or len(value) != 2:
            raise Invalid(f"'{shown}' needs a list of two values, from and to")
        return tuple(value)
    if value is None or is_list:
        raise Invalid(f"'{shown}' needs one value, such as {'30' if takes is Takes.days else example(spec)}")
    return (value,)


def _plain(spec: FieldSpec, value: Any, ctx: EvalContext) -> Any:
    """A value comparable with the field; None for "me" when nobody acts, which no record equals."""
    fits: Any = None
    if spec.kind in TEXTS:
        fits = lower(value) if isinstance(value, str) and value else None
    elif spec.kind in WHOLE_NUMBERS:
        fits = value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_WHOLE else None
    elif spec.kind is Kind.decimal:
        fits = _decimal(value)
    elif spec.kind is Kind.flag:
        fits = value if isinstance(value, bool) else None
    elif spec.kind in (Kind.choice, Kind.choices):
        fits = _choice(spec, value)
    elif spec.kind is Kind.link:
        if value == Token("me") and spec.target == "user":
            return ctx.me
        fits = _uuid(value)
    if fits is None:
        raise Invalid(
            f"{_said(value)} is not a value of {spec.label} ({spec.kind.value}); give one such as {example(spec)}"
        )
    return fits


def _said(value: Any) -> str:
    if isinstance(value, Token):
        return f'the token "{value.name}"'
    return "an empty text" if value == "" else repr(value)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and -30 < number.adjusted() < 30 else None


def _choice(spec: FieldSpec, value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    if spec.choices and value not in {c.value for c in spec.choices}:
        known = ", ".join(c.value for c in spec.choices[:20])
        raise Invalid(f"'{value}' is not a choice of {spec.label}; use one of {known}")
    return str(value)


def _uuid(value: Any) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _range(op: str, values: tuple[Any, ...]) -> Range:
    if op == "between":
        low, high = values
        if low > high:
            raise Invalid(f"'is between' needs the smaller value first: [{high}, {low}]")
        return Range(low, high)
    if op in ("gt", "gte"):
        return Range(low=values[0], low_open=op == "gt")
    return Range(high=values[0], high_open=op == "lt")


def _time_test(spec: FieldSpec, op: str, values: tuple[Any, ...], ctx: EvalContext) -> Test:
    if OPERATORS[op].takes is Takes.days:
        first, end = _days_span(op, values[0], ctx)
        return Range(_bound(spec, first, ctx), _bound(spec, end, ctx), high_open=True)
    spans = [_span(spec, value, ctx) for value in values]
    first, end = spans[0][0], spans[-1][1]
    match op:
        case "before":
            return Range(high=first, high_open=True)
        case "on_or_before":
            return Range(high=end, high_open=True)
        case "after":
            return Range(low=end)
        case "on_or_after":
            return Range(low=first)
    if op == "between" and first >= end and not any(isinstance(v, Token) for v in values):
        raise Invalid("'is between' needs the earlier day first")
    return Range(first, end, high_open=True)


def _days_span(op: str, days: Any, ctx: EvalContext) -> tuple[date | None, date]:
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MAX_DAYS:
        raise Invalid(f"{_said(days)} is not a number of days; give a whole number from 0 to {MAX_DAYS}")
    back, on, one = ctx.today - timedelta(days=days), ctx.today + timedelta(days=days), timedelta(days=1)
    match op:
        case "in_last_days":
            return back, ctx.today + one
        case "in_next_days":
            return ctx.today, on + one
    return None, back


def _span(spec: FieldSpec, value: Any, ctx: EvalContext) -> tuple[Any, Any]:
    """First moment (or day) of a value, and the first after it."""
    moment = _moment(value, ctx) if spec.kind is Kind.datetime else None
    if moment is not None:
        return moment, moment + _INSTANT
    day = _day(value, ctx)
    if day is None:
        raise Invalid(
            f"{_said(value)} is not a value of {spec.label} ({spec.kind.value}); give one such as {example(spec)}"
        )
    return _bound(spec, day, ctx), _bound(spec, day + timedelta(days=1), ctx)


def _bound(spec: FieldSpec, day: date | None, ctx: EvalContext) -> date | datetime | None:
    """The day itself, or for a moment the instant at which the day starts where the viewer lives."""
    if day is None or spec.kind is Kind.date:
        return day
    return datetime.combine(day, time(), ZoneInfo(ctx.time_zone)).astimezone(UTC)


def _moment(value: Any, ctx: EvalContext) -> datetime | None:
    if value == Token("now"):
        return ctx.now.astimezone(UTC)
    moment = value if isinstance(value, datetime) else None
    if isinstance(value, str) and not _DAY.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    if moment is None or not FIRST_DAY <= moment.date() <= LAST_DAY:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(ctx.time_zone))).astimezone(UTC)


def _day(value: Any, ctx: EvalContext) -> date | None:
    match value:
        case Token("now"):
            return ctx.today
        case Token("days_from_today", days):
            return ctx.today + timedelta(days=days)
        case Token("start_of", period, offset):
            return start_of(period, ctx.today, offset or 0)
        case Token("end_of", period, offset):
            return start_of(period, ctx.today, (offset or 0) + 1) - timedelta(days=1)
        case datetime():
            return None
        case date():
            day = value
        case str() if _DAY.fullmatch(value):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                return None
        case _:
            return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def start_of(period: str, day: date, offset: int = 0) -> date:
    """First day of the day's period, `offset` periods on. Weeks start on Monday."""
    if period == "day":
        return day + timedelta(days=offset)
    if period == "week":
        return day - timedelta(days=day.weekday()) + timedelta(weeks=offset)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    index = (day.year * 12 + day.month - 1) // months * months + offset * months
    return date(index // 12, index % 12 + 1, 1)
