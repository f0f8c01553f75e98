"""Formulas as fields of a record: the same value for one record and in a query."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm_app.core import money
from crm_app.core.conditions.custom_values import custom_value
from crm_app.core.conditions.operators import NUMBERS, WHOLE_NUMBERS
from crm_app.core.conditions.resolve import MAX_WHOLE, EvalContext
from crm_app.core.formula_parts import EXACT, Column, FormulaError, Type, column, filled_in, sql_type, within
from crm_app.core.formulas import Formula, compile_formula, names_in
from crm_app.core.registry import Entity, FieldSpec, Kind

TYPES: Mapping[Kind, Type] = {
    Kind.number: Type.number,
    Kind.decimal: Type.number,
    Kind.percent: Type.number,
    Kind.money: Type.number,
    Kind.text: Type.text,
    Kind.long_text: Type.text,
    Kind.email: Type.text,
    Kind.phone: Type.text,
    Kind.url: Type.text,
    Kind.choice: Type.text,
    Kind.date: Type.day,
    Kind.datetime: Type.day,
    Kind.flag: Type.truth,
}
# What a formula may be shown as.
RESULTS: Mapping[Kind, Type] = {
    Kind.decimal: Type.number,
    Kind.money: Type.number,
    Kind.percent: Type.number,
    Kind.text: Type.text,
    Kind.date: Type.day,
    Kind.flag: Type.truth,
}


def operands(entity: Entity) -> dict[str, FieldSpec]:
    """The fields a formula of this entity may name."""
    return {n: s for n, s in entity.fields.items() if _may_be_named(s)}


def _may_be_named(spec: FieldSpec) -> bool:
    return spec.kind in TYPES and not spec.formula and not spec.masked


def check(entity: Entity, text: str) -> Formula:
    """FormulaError says what is wrong with it. Fields are named as in the declaration."""
    return compile_formula(text, {n: TYPES[s.kind] for n, s in operands(entity).items()})


def inputs(spec: FieldSpec) -> frozenset[str]:
    return _inputs(spec.formula)


@lru_cache(maxsize=2000)
def _inputs(text: str) -> frozenset[str]:
    return frozenset(names_in(text))


def worked_out(entity: Entity, spec: FieldSpec, value_of: Callable[[str], Any], ctx: EvalContext) -> Any:
    """The value of a formula for a record whose typed fields `value_of` gives; None where it cannot be worked out, as
    when a field it names is gone."""
    formula, known = _of(entity, spec)
    if formula is None:
        return None
    given = {n: _operand(known[n], value_of, ctx) for n in formula.fields}
    return _as_kind(spec, formula.value(given, ctx.today), value_of, ctx)


def worked_out_sql(entity: Entity, spec: FieldSpec, table: sa.FromClause, ctx: EvalContext) -> Column:
    """The same for every row of `table`: amounts are whole minor units, percents whole numbers."""
    formula, known = _of(entity, spec)
    if formula is None:
        return sa.cast(sa.null(), sql_type(RESULTS[spec.kind]))
    columns = {n: _operand_sql(known[n], table, ctx) for n in formula.fields}
    return _as_kind_sql(spec, formula.type, formula.sql(columns, ctx.today), table, ctx)


def _of(entity: Entity, spec: FieldSpec) -> tuple[Formula | None, Mapping[str, FieldSpec]]:
    named = (entity.fields.get(n) for n in sorted(inputs(spec)))
    known = {s.name: s for s in named if s is not None and _may_be_named(s)}
    return _compiled(spec.formula, tuple((n, TYPES[s.kind]) for n, s in known.items())), known


@lru_cache(maxsize=2000)
def _compiled(text: str, fields: tuple[tuple[str, Type], ...]) -> Formula | None:
    try:
        return compile_formula(text, dict(fields))
    except FormulaError:
        return None


def _operand(spec: FieldSpec, value_of: Callable[[str], Any], ctx: EvalContext) -> Any:
    value = value_of(spec.name)
    if value is None or value == "":
        return None
    match spec.kind:
        case Kind.money:
            return Decimal(value).scaleb(-money.exponent(_currency(spec, value_of, ctx)), EXACT)
        case Kind.number | Kind.decimal | Kind.percent:
            return Decimal(value)
        case Kind.datetime:
            return value.astimezone(ZoneInfo(ctx.time_zone)).date() if isinstance(value, datetime) else None
        case Kind.choice:
            return spec.choice_label(str(getattr(value, "value", value)))
    return value


def _as_kind(spec: FieldSpec, value: Any, value_of: Callable[[str], Any], ctx: EvalContext) -> Any:
    if not isinstance(value, Decimal):
        return value
    if spec.kind is Kind.money:
        return _whole(value.scaleb(money.exponent(_currency(spec, value_of, ctx))))
    return _whole(value) if spec.kind is Kind.percent else value


def _whole(value: Decimal) -> int | None:
    whole = int(value.to_integral_value(ROUND_HALF_UP))
    return whole if abs(whole) <= MAX_WHOLE else None


def _currency(spec: FieldSpec, value_of: Callable[[str], Any], ctx: EvalContext) -> str:
    return str((value_of(spec.currency_field) if spec.currency_field else "") or ctx.currency)


def _operand_sql(spec: FieldSpec, table: sa.FromClause, ctx: EvalContext) -> Column:
    kind = spec.kind
    value = custom_value(kind, table.c.custom, spec.key) if spec.custom else table.c[spec.name]
    if kind in NUMBERS:
        number: Column = sa.cast(value, sa.Numeric())
        if spec.custom and kind in WHOLE_NUMBERS:
            number = sa.func.trunc(number, type_=sa.Numeric())
        return number * _currency_sql(spec, table, ctx, -1) if kind is Kind.money else number
    match TYPES[kind]:
        case Type.day:
            return _day_sql(spec, value, ctx)
        case Type.truth:
            return value
    words = sa.func.nullif(sa.cast(value, sa.Text()), "", type_=sa.Text())
    if kind is not Kind.choice or not spec.choices:
        return words
    label = sa.cast({c.value: c.label for c in spec.choices}, JSONB)[words].astext
    return sa.func.coalesce(label, words, type_=sa.Text())


def _day_sql(spec: FieldSpec, value: Any, ctx: EvalContext) -> Column:
    is_moment = spec.kind is Kind.datetime
    if spec.custom:  # of the right shape; whether there is such a day, the database is asked before it reads it
        kind, zone = (sa.DateTime(timezone=True), "Z") if is_moment else (sa.Date(), "")
        name = "timestamptz" if is_moment else "date"
        text = sa.type_coerce(value, sa.Text()) + zone if is_moment else value
        value = sa.case((sa.func.pg_input_is_valid(text, name), sa.cast(text, kind)))
    return sa.cast(sa.func.timezone(ctx.time_zone, value), sa.Date()) if is_moment else value


def _currency_sql(spec: FieldSpec, table: sa.FromClause, ctx: EvalContext, turn: int) -> Column:
    """What an amount is multiplied by: 1 makes minor units of it, -1 takes it out of them."""

    def factor(digits: int) -> Column:
        return sa.literal_column(f"({Decimal(10) ** (turn * digits):f})::numeric", sa.Numeric())

    if not spec.currency_field or spec.currency_field not in table.c:
        return factor(money.exponent(ctx.currency))
    code = sa.func.coalesce(sa.func.nullif(sa.cast(table.c[spec.currency_field], sa.Text()), ""), ctx.currency)
    rare = [(digits, [c for c in money.CURRENCIES if money.exponent(c) == digits]) for digits in (0, 3, 4)]
    whens = [(code == sa.any_(sa.literal(sorted(c), ARRAY(sa.Text()))), factor(d)) for d, c in rare]
    return sa.case(*whens, else_=factor(2))


def _as_kind_sql(spec: FieldSpec, type_: Type, value: Column, table: sa.FromClause, ctx: EvalContext) -> Column:
    if type_ is not Type.number or spec.kind not in (Kind.money, Kind.percent):
        return value
    whole = value * _currency_sql(spec, table, ctx, 1) if spec.kind is Kind.money else value
    held = filled_in(within("round({})", -MAX_WHOLE - 1, MAX_WHOLE + 1), (whole,))
    return sa.cast(column(Type.number, held), sa.BigInteger())
