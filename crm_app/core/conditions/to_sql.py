"""The SQL reading of a condition: an expression over the columns of the entity's table.

Comparisons keep to operators that PostgreSQL knows to be leakproof where the kind allows it (bigint, date, timestamptz,
uuid, plain text), so that they can enter an index under row-level security.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm_app.core.conditions import stored
from crm_app.core.conditions.custom_values import custom_value
from crm_app.core.conditions.formulas import worked_out_sql
from crm_app.core.conditions.names import Names, custom_key
from crm_app.core.conditions.operators import NUMBERS, OPERATORS, TEXTS
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
from crm_app.core.registry import Entity, Kind

Visible = Callable[[Entity, sa.FromClause], sa.ColumnElement[bool] | None]


def to_sql(
    condition: Condition,
    entity: Entity,
    ctx: EvalContext,
    *,
    visible: Visible | None = None,
    hidden: frozenset[str] = frozenset(),
    table: sa.FromClause | None = None,
) -> sa.ColumnElement[bool]:
    """For WHERE, FILTER and CASE: where it is NULL the condition does not hold. Negate with a `Not` node, not outside.

    `table` stands for the entity's own table where the query aliases it. `visible` narrows related records to those the
    viewer may see; trashed ones never count. `Invalid` as from `check`.
    """
    compiler = _Compiler(ctx, Names(hidden), visible)
    return compiler.node(condition, entity, entity.table if table is None else table)


@dataclass(frozen=True, slots=True)
class _Compiler:
    ctx: EvalContext
    names: Names
    visible: Visible | None

    def node(self, node: Condition, entity: Entity, table: sa.FromClause) -> sa.ColumnElement[bool]:
        match node:
            case AllOf(items):
                return sa.and_(sa.true(), *(self.node(i, entity, table) for i in items))
            case AnyOf(items):
                return sa.or_(sa.false(), *(self.node(i, entity, table) for i in items))
            case Not(item):
                return _not(self.node(item, entity, table))
            case Related():
                return self.related(node, entity, table)
            case Clause():
                return self.clause(node, entity, table)

    def related(self, node: Related, entity: Entity, table: sa.FromClause) -> sa.ColumnElement[bool]:
        relation, other = self.names.relation(entity, node.relation)
        there = other.table.alias()
        here_key, there_key = ("id", relation.link) if relation.many else (relation.link, "id")
        inner = self.node(node.item, other, there)
        where = [there.c.tenant_id == table.c.tenant_id, there.c[there_key] == table.c[here_key]]
        if "deleted_at" in there.c:
            where.append(there.c.deleted_at.is_(None))
        if self.visible is not None and (seen := self.visible(other, there)) is not None:
            where.append(seen)
        where.append(_not(inner) if node.quantifier == "every" else inner)
        found = sa.exists(sa.select(sa.literal_column("1")).select_from(there).where(*where).correlate_except(there))
        return found if node.quantifier == "some" else sa.not_(found)

    def clause(self, node: Clause, entity: Entity, table: sa.FromClause) -> sa.ColumnElement[bool]:
        spec = self.names.field(entity, node.field)
        try:
            if node.op in OPERATORS and OPERATORS[node.op].trigger:
                raise Invalid(f"'{node.op}' compares with the record before a change; it works in triggers only")
            test = resolve(spec, node, self.ctx)
        except Invalid as error:
            raise Invalid(**{node.field: str(error)}) from error
        if spec.formula:
            return _test(test, spec.kind, worked_out_sql(entity, spec, table, self.ctx), stored_as_json=False)
        key = custom_key(node.field)
        if key is None:
            return _test(test, spec.kind, table.c[spec.name], stored_as_json=False)
        return _test(test, spec.kind, custom_value(spec.kind, table.c.custom, key), stored_as_json=True)


def _not(inner: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Two-valued: what is NULL does not hold, so its negation does."""
    return sa.not_(sa.func.coalesce(inner, sa.false()))


def _test(test: Test, kind: Kind, value: sa.ColumnElement[Any], *, stored_as_json: bool) -> sa.ColumnElement[bool]:
    if kind is Kind.choices:
        return _list_test(test, value)
    if kind in TEXTS or kind is Kind.choice:
        return _text_test(test, kind, value)
    match test:
        case Filled(yes):
            return value.is_not(None) if yes else value.is_(None)
        case Range(low, high, low_open, high_open):
            parts = []
            if low is not None:
                bound = _literal(kind, low, stored_as_json)
                parts.append(value > bound if low_open else value >= bound)
            if high is not None:
                bound = _literal(kind, high, stored_as_json)
                parts.append(value < bound if high_open else value <= bound)
            return sa.and_(*parts)
        case OneOf(values, negate):
            return _one_of(value, [_literal(kind, v, stored_as_json) for v in values], negate)
    raise AssertionError(f"{kind} has no {test}")


def _literal(kind: Kind, value: Any, stored_as_json: bool) -> sa.BindParameter[Any]:
    """Typed by the kind, not by the column: a bound past an integer column or its digits must not fail or round."""
    if stored_as_json:
        value = stored.comparable(value)
    if isinstance(value, str):
        return sa.literal(value, sa.String())
    if kind is Kind.decimal or (kind in NUMBERS and stored_as_json):
        return sa.literal(value, sa.Numeric())
    return sa.literal(value, sa.BigInteger() if kind in NUMBERS else None)


def _one_of(value: sa.ColumnElement[Any], wanted: list[sa.BindParameter[Any]], negate: bool) -> sa.ColumnElement[bool]:
    if not wanted:  # "me" when nobody acts
        return value.is_not(None) if negate else sa.false()
    if len(wanted) == 1:
        return value != wanted[0] if negate else value == wanted[0]
    given = sa.literal([w.value for w in wanted], ARRAY(wanted[0].type))  # one parameter, whatever the length
    return value != sa.all_(given) if negate else value == sa.any_(given)


def _text_test(test: Test, kind: Kind, value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    plain = sa.type_coerce(value, sa.String())  # an enum column would refuse what is not (or no longer) in it
    folded = sa.func.lower(plain) if kind in TEXTS else plain
    match test:
        case Filled(True):
            return plain != ""
        case Filled(False):
            return sa.or_(plain.is_(None), plain == "")
        case OneOf(values, negate):
            found = _one_of(folded, [sa.literal(v, sa.String()) for v in values], negate)
        case Contains(text, negate):
            at = sa.func.strpos(folded, text)
            found = at == 0 if negate else at > 0
        case StartsWith(text):
            return sa.func.starts_with(folded, text)
        case _:
            raise AssertionError(f"{kind} has no {test}")
    return sa.and_(found, plain != "") if negate else found


def _list_test(test: Test, value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    as_json = sa.type_coerce(sa.func.to_jsonb(value), JSONB)
    filled = sa.and_(sa.func.jsonb_typeof(as_json) == "array", as_json != sa.text("'[]'::jsonb"))
    match test:
        case Filled(yes):
            return filled if yes else _not(filled)
        case HasAny(values, negate):
            found = as_json.has_any(sa.literal(list(values), ARRAY(sa.Text())))
            return sa.and_(filled, sa.not_(found) if negate else found)
    raise AssertionError(f"a list has no {test}")
