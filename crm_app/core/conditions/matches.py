"""The Python reading of a condition: for one record, in triggers, scoring, assignment and "why is it (not) in?"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from crm_app.core.conditions import stored
from crm_app.core.conditions.formulas import worked_out
from crm_app.core.conditions.names import Names, custom_key
from crm_app.core.conditions.operators import NUMBERS, TEXTS
from crm_app.core.conditions.resolve import (
    Contains,
    EvalContext,
    Filled,
    HasAny,
    OneOf,
    Range,
    StartsWith,
    Test,
    resolve,
)
from crm_app.core.conditions.tree import AllOf, AnyOf, Clause, Condition, Not, Related
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind, Relation
from crm_app.core.text import lower

RelatedRows = Callable[[Any, Relation], Sequence[Any]]


def matches(
    condition: Condition,
    record: Any,
    entity: Entity,
    ctx: EvalContext,
    *,
    related: RelatedRows | None = None,
    before: Any = None,
    hidden: frozenset[str] = frozenset(),
) -> bool:
    """Whether a record, an object or a mapping, satisfies the condition; equal to what `to_sql` selects.

    `related(record, relation)` gives the records at the other end (trashed ones are passed over here); a condition with
    relations needs it. `before` is the record as it was: without it, on a new record, nothing has changed.
    """
    reader = _Reader(ctx, Names(hidden), related)
    return reader.node(condition, record, entity, before)


@dataclass(frozen=True, slots=True)
class _Reader:
    ctx: EvalContext
    names: Names
    rows: RelatedRows | None

    def node(self, node: Condition, record: Any, entity: Entity, before: Any) -> bool:
        match node:
            case AllOf(items):
                return all(self.node(i, record, entity, before) for i in items)
            case AnyOf(items):
                return any(self.node(i, record, entity, before) for i in items)
            case Not(item):
                return not self.node(item, record, entity, before)
            case Related():
                return self.related(node, record, entity)
            case Clause():
                return self.clause(node, record, entity, before)

    def related(self, node: Related, record: Any, entity: Entity) -> bool:
        relation, other = self.names.relation(entity, node.relation)
        if self.rows is None:
            raise TypeError(f"the condition looks at {node.relation}: pass `related`")
        found = [r for r in self.rows(record, relation) if _get(r, "deleted_at") is None]
        hits = (self.node(node.item, r, other, None) for r in found)
        if node.quantifier == "every":
            return all(hits)
        return any(hits) is (node.quantifier == "some")

    def clause(self, node: Clause, record: Any, entity: Entity, before: Any) -> bool:
        spec, key = self.names.field(entity, node.field), custom_key(node.field)
        value = self.value(spec, entity, record)
        if node.op in ("changed", "changed_to"):
            if before is None or value == self.value(spec, entity, before):
                return False
            if node.op == "changed":
                return True
        try:
            as_json = key is not None and not spec.formula
            return _test(resolve(spec, node, self.ctx), spec.kind, value, stored_as_json=as_json)
        except Invalid as error:
            raise Invalid(**{node.field: str(error)}) from error

    def value(self, spec: FieldSpec, entity: Entity, record: Any) -> Any:
        """As a comparison sees it; None when empty."""
        if spec.formula:
            return worked_out(entity, spec, lambda name: _loaded(entity.fields[name], record), self.ctx)
        return _value(spec, custom_key(spec.name), record)


def _get(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)


def _value(spec: FieldSpec, key: str | None, record: Any) -> Any:
    if key is not None:
        return stored.read(spec.kind, (_get(record, "custom") or {}).get(key))
    return typed(spec.kind, _get(record, spec.name))


def _loaded(spec: FieldSpec, record: Any) -> Any:
    """The typed value of a field that a formula names."""
    if spec.custom:
        return stored.load(spec.kind, (_get(record, "custom") or {}).get(spec.key))
    return typed(spec.kind, _get(record, spec.name))


def typed(kind: Kind, raw: Any) -> Any:
    """A column's value, or its JSON form out of an event or audit row. None when empty."""
    if raw is None or raw == "" or raw == []:
        return None
    if isinstance(raw, datetime):
        return raw if raw.tzinfo else raw.replace(tzinfo=UTC)
    if not isinstance(raw, str):
        return Decimal(repr(raw)) if isinstance(raw, float) else raw
    if kind is Kind.date:
        return date.fromisoformat(raw)
    if kind is Kind.datetime:
        return typed(kind, datetime.fromisoformat(raw))
    if kind is Kind.link:
        return UUID(raw)
    return Decimal(raw) if kind in NUMBERS else str(raw)


def _test(test: Test, kind: Kind, value: Any, *, stored_as_json: bool) -> bool:
    if isinstance(test, Filled):
        return (value is not None) is test.yes
    if value is None:
        return False
    if kind in TEXTS:
        value = lower(value)
    match test:
        case Range(low, high, low_open, high_open):
            low, high = (stored.comparable(low), stored.comparable(high)) if stored_as_json else (low, high)
            above = low is None or (value > low if low_open else value >= low)
            return above and (high is None or (value < high if high_open else value <= high))
        case OneOf(values, negate):
            wanted = [stored.comparable(v) for v in values] if stored_as_json else values
            return (value in wanted) is not negate
        case Contains(text, negate):
            return (text in value) is not negate
        case StartsWith(text):
            return bool(value.startswith(text))
        case HasAny(values, negate):
            return any(isinstance(v, str) and v in values for v in value) is not negate
