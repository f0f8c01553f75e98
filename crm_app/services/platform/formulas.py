"""Fields that are worked out from the others of their record, when it is read (core.formulas is their language)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from crm_app.core import money
from crm_app.core.formula_parts import FormulaError, Type
from crm_app.core.formulas import Formula, compile_formula, names_in
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.store.uow import UnitOfWork

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
    return {n: s for n, s in entity.fields.items() if s.kind in TYPES and not s.formula and not s.masked}


def check(entity: Entity, text: str) -> Formula:
    """FormulaError says what is wrong with it. Fields are named as in the declaration."""
    return compile_formula(text, {n: TYPES[s.kind] for n, s in operands(entity).items()})


def inputs(spec: FieldSpec) -> frozenset[str]:
    return _inputs(spec.formula)


@lru_cache(maxsize=2000)
def _inputs(text: str) -> frozenset[str]:
    return frozenset(names_in(text))


def worked_out(uow: UnitOfWork, entity: Entity, spec: FieldSpec, value_of: Callable[[str], Any]) -> Any:
    """The value of a formula for a record whose fields `value_of` gives; None where it cannot be worked out, as when
    a field it names is gone."""
    known = operands(entity)
    formula = _compiled(spec.formula, tuple((n, TYPES[known[n].kind]) for n in sorted(inputs(spec)) if n in known))
    if formula is None:
        return None
    given = {n: _operand(uow, known[n], value_of) for n in formula.fields}
    return _as_kind(uow, spec, formula.value(given, uow.today), value_of)


@lru_cache(maxsize=2000)
def _compiled(text: str, fields: tuple[tuple[str, Type], ...]) -> Formula | None:
    try:
        return compile_formula(text, dict(fields))
    except FormulaError:
        return None


def _operand(uow: UnitOfWork, spec: FieldSpec, value_of: Callable[[str], Any]) -> Any:
    value = value_of(spec.name)
    if value is None or value == "":
        return None
    match spec.kind:
        case Kind.money:
            return money.to_major(value, _currency(uow, spec, value_of))
        case Kind.number | Kind.decimal | Kind.percent:
            return Decimal(value)
        case Kind.datetime:
            return value.astimezone(ZoneInfo(uow.actor.time_zone)).date() if isinstance(value, datetime) else None
        case Kind.choice:
            return spec.choice_label(str(getattr(value, "value", value)))
    return value


def _as_kind(uow: UnitOfWork, spec: FieldSpec, value: Any, value_of: Callable[[str], Any]) -> Any:
    if not isinstance(value, Decimal):
        return value
    if spec.kind is Kind.money:
        return money.to_minor(value, _currency(uow, spec, value_of))
    return int(value.to_integral_value(ROUND_HALF_UP)) if spec.kind is Kind.percent else value


def _currency(uow: UnitOfWork, spec: FieldSpec, value_of: Callable[[str], Any]) -> str:
    return str((value_of(spec.currency_field) if spec.currency_field else "") or uow.actor.currency)
