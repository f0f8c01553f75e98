"""Filters over real rows of every entity: PostgreSQL and Python pick the same ones."""

import random
from collections import Counter
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    EvalContext,
    Not,
    Related,
    Token,
    check,
    dump,
    matches,
    operators_for,
    parse,
    to_sql,
)
from crm_app.core.conditions.operators import Takes
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.entities.values import ENTITIES, OPEN, ids, make

TREES = 60


class World:
    """All rows of the workspace, as the Python reading wants them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    async def load(self, uow: UnitOfWork) -> None:
        for entity in ENTITIES:
            self.rows[entity.name] = [dict(r) for r in (await uow.execute(sa.select(entity.table))).mappings()]

    def related(self, record: Any, relation: registry.Relation) -> list[Any]:
        here, there = ("id", relation.link) if relation.many else (relation.link, "id")
        return [r for r in self.rows[relation.entity] if r[there] is not None and r[there] == record[here]]


@pytest.fixture(scope="module")
async def world(cast) -> World:
    async with unit_of_work(cast.admin) as uow:
        for entity in OPEN:
            for i in range(4):
                record = await make(uow, entity, whole=i % 2 == 0)
            await records.delete(uow, entity, record.id) if entity.name not in ("pipeline", "stage") else None
    made = World()
    async with unit_of_work(cast.admin) as uow:
        await made.load(uow)
    return made


def plain(value: Any) -> Any:
    """A value of a row as a condition writes it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def one_of(dice: random.Random, spec: FieldSpec, rows: list[dict[str, Any]]) -> Any:
    """A value that some row has, or one near it."""
    found = [r[spec.name] for r in rows if r[spec.name] not in (None, "", [])]
    if spec.kind is Kind.choices:
        return dice.choice([v for row in found for v in row] or ["nothing"])
    if spec.kind is Kind.link:
        return (
            dice.choice([*map(str, found), Token("me")])
            if spec.target == "user"
            else str(dice.choice(found or [UUID(int=1)]))
        )
    if spec.kind in (Kind.date, Kind.datetime):
        tokens = (Token("days_from_today", dice.randrange(-30, 30)), Token("start_of", "month"), Token("now"))
        return dice.choice([plain(v) for v in found] + list(tokens))
    if spec.choices:
        return dice.choice(spec.choices).value
    if spec.kind is Kind.flag:
        return dice.random() < 0.5
    if not found:
        return 1 if spec.kind in (Kind.number, Kind.money, Kind.percent, Kind.decimal) else "x"
    value = dice.choice(found)
    if isinstance(value, str):
        at = dice.randrange(len(value))
        return dice.choice([value, value.upper(), value[at : at + 3], value[:2]]) or value
    return value + dice.choice([-1, 0, 0, 1])


def clause(dice: random.Random, spec: FieldSpec, op: str, takes: Takes, rows: list[dict[str, Any]]) -> Clause:
    match takes:
        case Takes.nothing:
            return Clause(spec.name, op)
        case Takes.days:
            return Clause(spec.name, op, dice.choice([0, 1, 30, 400]))
        case Takes.list:
            return Clause(spec.name, op, tuple(one_of(dice, spec, rows) for _ in range(dice.randrange(1, 4))))
        case Takes.pair:
            value = one_of(dice, spec, rows)
            higher = value + 5 if isinstance(value, int) else value
            return Clause(spec.name, op, (value, higher))
    return Clause(spec.name, op, one_of(dice, spec, rows))


def tree(dice: random.Random, entity: Entity, world: World, depth: int) -> Condition:
    kind = dice.random()
    if depth and kind < 0.25:
        return AllOf(tuple(tree(dice, entity, world, depth - 1) for _ in range(2)))
    if depth and kind < 0.5:
        return AnyOf(tuple(tree(dice, entity, world, depth - 1) for _ in range(2)))
    if depth and kind < 0.6:
        return Not(tree(dice, entity, world, depth - 1))
    relations = registry.relations(entity)
    if depth and kind < 0.75 and relations:
        relation = relations[dice.choice(sorted(relations))]
        other = registry.get(relation.entity)
        return Related(relation.name, dice.choice(("some", "none", "every")), tree(dice, other, world, 0))
    spec = dice.choice([s for s in entity.fields.values() if operators_for(s.kind)])
    op = dice.choice(operators_for(spec.kind))
    return clause(dice, spec, op.name, op.takes, world.rows[entity.name])


async def agree(uow: UnitOfWork, entity: Entity, world: World, condition: Condition, ctx: EvalContext) -> int:
    """How many rows both readings pick; they must be the same."""
    check(condition, entity)
    assert parse(dump(condition)) == condition
    query = sa.select(entity.table.c.id).where(to_sql(condition, entity, ctx))
    found = {r.id for r in await uow.rows(query)}
    rows = world.rows[entity.name]
    wanted = {r["id"] for r in rows if matches(condition, r, entity, ctx, related=world.related)}
    assert found == wanted, dump(condition)
    return len(found)


@pytest.fixture
def ctx(cast) -> EvalContext:
    now = datetime.now(UTC)
    return EvalContext(cast.admin.day_of(now), now, cast.admin.user_id, cast.admin.time_zone)


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_every_operator_of_every_field(cast, world, entity, ctx):
    dice = random.Random(entity.name)
    hits: Counter[bool] = Counter()
    async with unit_of_work(cast.admin) as uow:
        for spec in entity.fields.values():
            for op in operators_for(spec.kind):
                count = await agree(
                    uow, entity, world, clause(dice, spec, op.name, op.takes, world.rows[entity.name]), ctx
                )
                hits[0 < count < len(world.rows[entity.name])] += 1
    assert hits[True] > len(entity.fields) / 2  # the values are such that rows are told apart


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_random_trees(cast, world, entity, ctx):
    dice = random.Random(f"trees of {entity.name}")
    async with unit_of_work(cast.admin) as uow:
        for _ in range(TREES):
            await agree(uow, entity, world, tree(dice, entity, world, 3), ctx)


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_machinery_cannot_be_filtered_by(cast, entity, ctx):
    hidden = {c.name for c in entity.table.c} - set(entity.fields)
    for name in sorted(hidden):
        with pytest.raises(Invalid):
            check(Clause(name, "is_filled"), entity)
        with pytest.raises(Invalid):
            to_sql(Clause(name, "is_filled"), entity, ctx)


async def test_a_filter_and_a_page_go_together(cast, world, ctx):
    """A condition narrows a list as the board and the lists use it."""
    entity = registry.get("opportunity")
    condition = parse({"field": "expected_close_on", "op": "between", "value": ["2000-01-01", "2100-01-01"]})
    async with unit_of_work(cast.admin) as uow:
        page = await records.find(uow, entity, where=to_sql(condition, entity, ctx), limit=500)
    living = [r for r in world.rows["opportunity"] if r["deleted_at"] is None]
    assert {r["id"] for r in page.rows} == {r["id"] for r in living}
