"""The two readings of a condition agree: every tree gives the same rows in PostgreSQL as in Python."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_app.core.conditions import (
    OPERATORS,
    AllOf,
    AnyOf,
    Clause,
    Condition,
    Names,
    Not,
    Related,
    check,
    matches,
    operators_for,
    parse,
    to_sql,
)
from crm_app.core.conditions.operators import Takes
from crm_app.core.conditions.tree import PERIODS, QUANTIFIERS, Token
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import lower
from tests.core import condition_world as cw

RELATIONS = {
    "cond_company": ("companies", "deals", "deals_by_partner", "parent"),
    "cond_deal": ("company", "partner"),
}
OTHER_END = {
    **dict.fromkeys(("companies", "parent", "company", "partner"), "cond_company"),
    **dict.fromkeys(("deals", "deals_by_partner"), "cond_deal"),
}
DAY_TOKENS = (
    *(Token("days_from_today", n) for n in (-31, -30, -1, 0, 1, 7)),
    *(Token(edge, period, n) for edge in ("start_of", "end_of") for period in PERIODS for n in (None, -1, 0, 1)),
    Token("now"),
)


@pytest.fixture(scope="module")
def loaded(world: cw.World, scratch: sa.Connection) -> Iterator[tuple[cw.World, sa.Connection]]:
    world.load(scratch)
    yield world, scratch
    cw.TABLES.drop_all(scratch)


def pool(spec: FieldSpec) -> tuple[Any, ...]:
    """Values as they stand in JSON, chosen so that many of them hit a row."""
    if spec.choices:
        return tuple(c.value for c in spec.choices)
    match spec.kind:
        case Kind.decimal:
            return (*(str(d) for d in cw.DECIMALS), 0.1, 0.5, 12.5, 5, "-0.3333333333333333333333", 10**16)
        case Kind.number | Kind.money | Kind.percent:
            return cw.BIG
        case Kind.flag:
            return (True, False)
        case Kind.date:
            return (*(d.isoformat() for d in cw.DAYS), *DAY_TOKENS)
        case Kind.datetime:
            moments = (*(m.isoformat() for m in cw.MOMENTS[::7]), "2026-03-29T02:30", "2026-03-29T22:30:15.123456Z")
            return (*(d.isoformat() for d in cw.DAYS), *moments, *DAY_TOKENS)
        case Kind.choices:
            return ("red", "blue", "green", "Red", "o'hara")
        case Kind.link:
            people = tuple(str(p) for p in cw.PEOPLE)
            return (*people, Token("me")) if spec.target == "user" else (*people, str(cw.UUID(int=0x1003)))
    return tuple(t for t in cw.TEXTS if t)


def clauses(entity: Entity, name: str) -> st.SearchStrategy[Clause]:
    spec = Names().field(entity, name)
    one = st.sampled_from(pool(spec))
    if spec.kind in (Kind.text, Kind.long_text) and not spec.choices:
        one = one | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=3)
    takes = {
        Takes.nothing: st.none(),
        Takes.one: one,
        Takes.list: st.lists(one, min_size=1, max_size=4).map(tuple),
        Takes.pair: st.tuples(one, one).map(lambda pair: ordered(spec, pair)),
        Takes.days: st.sampled_from((0, 1, 7, 30, 365, 36_500)),
    }
    return st.sampled_from(operators_for(spec.kind)).flatmap(
        lambda op: takes[op.takes].map(lambda value: Clause(name, op.name, value))
    )


def ordered(spec: FieldSpec, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    if any(isinstance(v, Token) for v in pair):
        return pair
    if spec.kind is Kind.decimal:
        return tuple(sorted(pair, key=lambda v: cw.Decimal(str(v))))  # type: ignore[return-value]
    if spec.kind is Kind.datetime:  # days and moments do not sort together: one day or moment is always in order
        return (pair[0], pair[0])
    return tuple(sorted(pair))  # type: ignore[return-value]


def trees(world: cw.World, entity: Entity, relations: int = 2, depth: int = 3) -> st.SearchStrategy[Condition]:
    names = [n for n, s in Names().fields(entity).items() if operators_for(s.kind)]
    options = [st.sampled_from(names).flatmap(lambda n: clauses(entity, n))]
    if depth:
        inner = st.deferred(lambda: trees(world, entity, relations, depth - 1))
        several = st.lists(inner, max_size=3).map(tuple)
        options += [several.map(AllOf), several.map(AnyOf), inner.map(Not)]
    if depth and relations:
        options.append(
            st.sampled_from(RELATIONS[entity.name]).flatmap(
                lambda name: st.builds(
                    Related,
                    st.just(name),
                    st.sampled_from(QUANTIFIERS),
                    trees(world, world.entity(OTHER_END[name]), relations - 1, depth - 1),
                )
            )
        )
    return st.one_of(options)


def compare(
    loaded: tuple[cw.World, sa.Connection], entity: Entity, conditions: list[Condition], ctx: cw.EvalContext
) -> None:
    world, connection = loaded
    table = entity.table
    read = [sa.func.coalesce(to_sql(c, entity, ctx), sa.false()) for c in conditions]
    query = sa.select(table.c.tenant_id, table.c.id, *(r.label(f"c{n}") for n, r in enumerate(read)))
    found = {(row[0], row[1]): row[2:] for row in connection.execute(query)}
    for record in world.rows[entity.name]:
        sql = found[record["tenant_id"], record["id"]]
        for condition, answer in zip(conditions, sql, strict=True):
            python = matches(condition, record, entity, ctx, related=world.related)
            assert python is answer, f"Python {python}, PostgreSQL {answer}: {condition}\n{ctx}\n{record}"


@pytest.mark.parametrize("ctx", cw.CONTEXTS, ids=lambda c: c.time_zone)
def test_every_operator_of_every_field(loaded: tuple[cw.World, sa.Connection], ctx: cw.EvalContext) -> None:
    world, _ = loaded
    rng = random.Random(ctx.time_zone)
    for entity in (world.company, world.deal):
        made: list[Condition] = []
        for name, spec in Names().fields(entity).items():
            for op in operators_for(spec.kind):
                made += [Clause(name, op.name, v) for v in operands(spec, op.takes, rng)]
        for condition in made:
            check(condition, entity)
        for start in range(0, len(made), 300):
            compare(loaded, entity, made[start : start + 300], ctx)


def operands(spec: FieldSpec, takes: Takes, rng: random.Random) -> list[Any]:
    values = pool(spec)
    match takes:
        case Takes.nothing:
            return [None]
        case Takes.days:
            return [0, 1, 30, 36_500]
        case Takes.pair:
            return [ordered(spec, (rng.choice(values), rng.choice(values))) for _ in range(3)]
        case Takes.list:
            return [tuple(rng.choices(values, k=n)) for n in (1, 3)]
    return rng.sample(values, min(6, len(values)))


def test_random_trees(loaded: tuple[cw.World, sa.Connection]) -> None:
    world, _ = loaded
    batches = {e.name: st.lists(trees(world, e), min_size=4, max_size=12) for e in (world.company, world.deal)}

    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data(), st.sampled_from(cw.CONTEXTS), st.sampled_from(("cond_company", "cond_deal")))
    def agree(data: st.DataObject, ctx: cw.EvalContext, name: str) -> None:
        compare(loaded, world.entity(name), data.draw(batches[name]), ctx)

    agree()


def test_a_negation_holds_exactly_where_the_condition_does_not(loaded: tuple[cw.World, sa.Connection]) -> None:
    world, connection = loaded
    table, total = world.company.table, len(world.rows["cond_company"])
    for clause in (
        Clause("staff", "gt", 5),
        Clause("about", "not_contains", "a"),
        Clause("custom.colours", "has_none", ("red",)),
        Clause("custom.born", "before", "2026-01-01"),
        Related("deals", "every", Clause("close_on", "after", Token("now"))),
    ):
        counts = [
            connection.scalar(
                sa.select(sa.func.count()).where(to_sql(c, world.company, cw.CONTEXTS[0])).select_from(table)
            )
            for c in (clause, Not(clause))
        ]
        assert sum(counts) == total, clause


def test_every_letter_folds_alike(scratch: sa.Connection) -> None:
    letters = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
    for start in range(0, len(letters), 100_000):
        part = letters[start : start + 100_000]
        ask = sa.text(
            "SELECT array_agg(lower(c) ORDER BY n) FROM unnest(CAST(:part AS text[])) WITH ORDINALITY u(c, n)"
        )
        answer = scratch.scalar(ask, {"part": part})
        assert [(a, lower(a)) for a, b in zip(part, answer, strict=True) if lower(a) != b] == []


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=200))
def test_text_folds_alike(scratch: sa.Connection, texts: list[str]) -> None:
    ask = sa.text("SELECT array_agg(lower(c) ORDER BY n) FROM unnest(CAST(:part AS text[])) WITH ORDINALITY u(c, n)")
    assert (scratch.scalar(ask, {"part": texts}) or []) == [lower(t) for t in texts]


def test_what_a_viewer_may_not_see_never_counts(loaded: tuple[cw.World, sa.Connection]) -> None:
    world, connection = loaded
    condition = parse({"related": "deals", "some": {"all": []}})

    def only_won(entity: Entity, table: sa.FromClause) -> sa.ColumnElement[bool]:
        assert entity is world.deal
        return table.c.stage == cw.Stage.won

    table = world.company.table
    where = to_sql(condition, world.company, cw.CONTEXTS[0], visible=only_won)
    found = {tuple(r) for r in connection.execute(sa.select(table.c.tenant_id, table.c.id).where(where))}
    deals = [d for d in world.rows["cond_deal"] if d["deleted_at"] is None and d["stage"] is cw.Stage.won]
    known = {(c["tenant_id"], c["id"]) for c in world.rows["cond_company"]}
    assert found == {(d["tenant_id"], d["company_id"]) for d in deals} & known


def test_a_query_may_alias_the_table(loaded: tuple[cw.World, sa.Connection]) -> None:
    world, connection = loaded
    other = world.company.table.alias("c")
    condition = parse(
        {"related": "parent", "some": {"related": "parent", "none": {"field": "vip", "op": "eq", "value": True}}}
    )
    where = to_sql(condition, world.company, cw.CONTEXTS[0], table=other)
    found = {tuple(r) for r in connection.execute(sa.select(other.c.tenant_id, other.c.id).where(where))}
    assert found == {
        (r["tenant_id"], r["id"])
        for r in world.rows["cond_company"]
        if matches(condition, r, world.company, cw.CONTEXTS[0], related=world.related)
    }


def test_operators_are_all_tried() -> None:
    tried = {o.name for kind in Kind for o in operators_for(kind)}
    assert tried == {o.name for o in OPERATORS.values() if not o.trigger}
