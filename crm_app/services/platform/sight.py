"""Values of a record as one actor sees them, by an effective declaration (services.platform.schema): columns to read,
what a row may show, what it may be sorted by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import value_of
from crm_app.core.conditions import EvalContext, formulas, stored
from crm_app.core.conditions.custom_values import custom_value
from crm_app.core.errors import Invalid
from crm_app.core.fields import MASKED
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.store.uow import UnitOfWork

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def context_of(uow: UnitOfWork) -> EvalContext:
    """When and for whom conditions and formulas run."""
    actor = uow.actor
    return EvalContext(uow.today, uow.now, actor.user_id, actor.time_zone, actor.currency)


class Seen(Mapping[str, Any]):
    """A record as an actor sees it: a field that is hidden from it is not there, a masked one reads MASKED.

    By name (`sight["custom.tier"]`) or, for fields that are words, as attributes.
    """

    __slots__ = ("_entity", "_record", "_uow")

    def __init__(self, uow: UnitOfWork, entity: Entity, record: Any) -> None:
        self._uow, self._entity, self._record = uow, entity, record

    def __getitem__(self, name: str) -> Any:
        spec = self._entity.fields[name]
        if spec.formula:
            return formulas.worked_out(
                self._entity, spec, lambda n: value_of(self._entity, self._record, n), context_of(self._uow)
            )
        value = value_of(self._entity, self._record, name)
        return MASKED if spec.masked and value not in _NOTHING else value

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{self._entity.label} has no field {name} that may be seen") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entity.fields)

    def __len__(self) -> int:
        return len(self._entity.fields)


def columns_of(entity: Entity, names: Sequence[str]) -> list[sa.Column[Any]]:
    """Identity, version, the columns that these fields stand in, and the currencies of the amounts."""
    table = entity.table
    wanted = ["id", "version"]
    for name in [*names, *(n for f in names for n in formulas.inputs(entity.fields[f]) if n in entity.fields)]:
        spec = entity.fields[name]
        wanted += ["custom" if spec.custom else name, *([spec.currency_field] if spec.currency_field else ())]
    return [table.c[n] for n in dict.fromkeys(wanted) if n in table.c]


def link_column(spec: FieldSpec, table: sa.FromClause) -> sa.ColumnElement[Any]:
    """The id that a link of a row points to."""
    if not spec.custom:
        return table.c[spec.name]
    return sa.cast(custom_value(spec.kind, table.c.custom, spec.key), sa.Uuid)


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by: `source` is where those are read that have a `key`, the table itself or joined with what
    a link points to; `beside` where those are that have none, for which `probe` is NULL."""

    key: sa.ColumnElement[Any]
    probe: sa.ColumnElement[Any]
    source: sa.FromClause
    beside: sa.FromClause
    may_be_empty: bool = True

    @property
    def is_joined(self) -> bool:
        return self.source is not self.beside


def order_of(uow: UnitOfWork, entity: Entity, sort: str) -> Order:
    """The title when nothing is asked for; a link goes by the title at its other end, a choice by its place among the
    choices. A hidden or masked field would tell its values."""
    spec, table = entity.fields.get(sort or entity.title), entity.table
    if spec is None or spec.masked or spec.kind in (Kind.json, Kind.choices):
        raise Invalid(sort=f"{sort} cannot be sorted by; choose one of {', '.join(entity.columns)}")
    if spec.kind is Kind.link and registry.find(spec.target):
        return _by_title(entity, spec)
    is_title = spec.name == entity.title and "sort_key" in table.c
    value = table.c.sort_key if is_title else column_of(uow, entity, spec)
    if spec.kind is Kind.choice and spec.choices:
        places = sa.literal([c.value for c in spec.choices], sa.ARRAY(sa.Text()))
        place = sa.func.array_position(places, sa.type_coerce(value, sa.Text()), type_=sa.Integer())
        return Order(place, place, table, table)
    return Order(value, value, table, table, may_be_empty=bool(getattr(value, "nullable", True)))


def column_of(uow: UnitOfWork, entity: Entity, spec: FieldSpec) -> sa.ColumnElement[Any]:
    """The value of a field in SQL."""
    if spec.formula:
        return formulas.worked_out_sql(entity, spec, entity.table, context_of(uow))
    if spec.custom:
        return custom_value(spec.kind, entity.table.c.custom, spec.key)
    column: sa.Column[Any] = entity.table.c[spec.name]
    return column


def _by_title(entity: Entity, spec: FieldSpec) -> Order:
    target = entity.other(spec.target)
    title = target.fields.get(target.title)
    if title is None or title.masked:
        raise Invalid(sort=f"{spec.label} cannot be sorted by; choose one of {', '.join(entity.columns)}")
    other = named(target.table, f"{spec.key}__by")
    linked = sa.and_(other.c.tenant_id == entity.table.c.tenant_id, other.c.id == link_column(spec, entity.table))
    if target.name != "user":
        linked = sa.and_(linked, other.c.deleted_at.is_(None))
    key = other.c.sort_key if "sort_key" in other.c else sa.func.lower(other.c[target.title])
    is_always_there = target.name == "user" and not spec.custom and not entity.table.c[spec.name].nullable
    both = entity.table.join(other, linked), entity.table.outerjoin(other, linked)
    return Order(sa.type_coerce(key, sa.Text()), other.c.id, *both, may_be_empty=not is_always_there)


@cache
def named(table: sa.Table, name: str) -> Any:
    """Made once: a fresh alias copies all columns of its table, in circles that only the garbage collector takes."""
    return table.alias(name)


def shown(uow: UnitOfWork, entity: Entity, names: Sequence[str], row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of these columns as it may leave the service: custom fields by name, masked values masked."""
    return all_shown(uow, entity, names, (row,))[0]


def all_shown(
    uow: UnitOfWork, entity: Entity, names: Sequence[str], rows: Iterable[Mapping[Any, Any]]
) -> list[dict[str, Any]]:
    """As `shown`, of many rows."""
    found = [dict(r) for r in rows]
    own = [r.pop("custom", None) or {} for r in found]
    if apart := [s for s in (entity.fields[n] for n in names) if s.formula or s.custom or s.masked]:
        ctx = context_of(uow)
        for row, custom in zip(found, own, strict=True):
            _show(entity, apart, row, custom, ctx)
    return found


def _show(
    entity: Entity, specs: Iterable[FieldSpec], row: dict[str, Any], custom: Mapping[str, Any], ctx: EvalContext
) -> None:
    stands = dict(row)

    def value(name: str) -> Any:
        spec = entity.fields[name]
        return stored.load(spec.kind, custom.get(spec.key)) if spec.custom else stands[name]

    for spec in specs:
        if spec.formula:
            row[spec.name] = formulas.worked_out(entity, spec, value, ctx)
        elif spec.custom:
            row[spec.name] = value(spec.name)
        if spec.masked:
            row[spec.name] = MASKED if row[spec.name] not in _NOTHING else row[spec.name]
            if f"{spec.name}__title" in row:
                row[f"{spec.name}__title"] = row[spec.name]
