"""The two readings of a formula agree: every formula gives the same for a record in PostgreSQL as in Python."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_app.core import registry
from crm_app.core.conditions import EvalContext, formulas, stored
from crm_app.core.conditions.matches import typed
from crm_app.core.formula_parts import FormulaError, Type
from crm_app.core.formulas import compile_formula
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import upper
from tests.core import condition_world as cw

SHOWN = {
    Type.number: (Kind.decimal, Kind.money, Kind.percent),
    Type.text: (Kind.text,),
    Type.day: (Kind.date,),
    Type.truth: (Kind.flag,),
}
LEAVES = {
    Type.number: (
        "0", "1", "0.5", "3", "7", "0.00000000000000000001", "123456789.125", "99999999999999999999", "{staff}",
        "{rate}", "{value_minor}", "{share}", "{custom.floor}", "{custom.index}", "{custom.budget}", "{custom.odds}",
    ),
    Type.text: (
        "''", "' a  b '", "'ß'", "'İI'", "{name}", "{about}", "{mail}", "{stage}", "{custom.motto}", "{custom.colour}",
    ),
    Type.day: ("today()", "{since_on}", "{seen_at}", "{custom.born}", "{custom.called}", "date(9999, 12, 31)"),
    Type.truth: ("yes", "no", "{vip}", "{custom.signed}"),
}  # fmt: skip
# What makes a value of a kind out of others.
MAKERS: dict[Type, tuple[tuple[str, tuple[Type, ...]], ...]] = {
    Type.number: (
        *((f"({{}} {sign} {{}})", (Type.number, Type.number)) for sign in "+-*/"),
        *((f"{word}({{}})", (Type.number,)) for word in ("abs", "floor", "ceil", "round", "-")),
        *((f"{word}({{}}, {{}})", (Type.number, Type.number)) for word in ("mod", "round", "min", "max", "coalesce")),
        *((f"{word}({{}})", (Type.day,)) for word in ("year", "month", "day", "weekday")),
        ("({} - {})", (Type.day, Type.day)),
        ("length({})", (Type.text,)),
        ("if({}, {})", (Type.truth, Type.number)),
    ),
    Type.text: (
        *(("({} & {})", (one, other)) for one in Type for other in (Type.text, Type.number)),
        *((f"{word}({{}})", (Type.text,)) for word in ("upper", "lower", "trim")),
        *((f"{word}({{}}, {{}})", (Type.text, Type.number)) for word in ("left", "right")),
        ("coalesce({}, {})", (Type.text, Type.text)),
        ("if({}, {}, {})", (Type.truth, Type.text, Type.text)),
    ),
    Type.day: (
        *((f"({{}} {sign} {{}})", (Type.day, Type.number)) for sign in "+-"),
        *((f"{word}({{}}, {{}})", (Type.day, Type.day)) for word in ("min", "max", "coalesce")),
        ("date({}, {}, {})", (Type.number, Type.number, Type.number)),
        ("if({}, {}, {})", (Type.truth, Type.day, Type.day)),
    ),
    Type.truth: (
        *((f"({{}} {sign} {{}})", (kind, kind)) for sign in ("=", "<>", "<", "<=", ">", ">=") for kind in Type),
        *((f"({{}} {word} {{}})", (Type.truth, Type.truth)) for word in ("and", "or")),
        *(("is_empty({})", (kind,)) for kind in Type),
        ("not {}", (Type.truth,)),
        ("contains({}, {})", (Type.text, Type.text)),
    ),
}


@cache
def written(kind: Type, depth: int = 4) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(LEAVES[kind])
    if not depth:
        return leaf
    made = st.sampled_from(MAKERS[kind]).flatmap(
        lambda maker: st.tuples(*(written(part, depth - 1) for part in maker[1])).map(
            lambda parts: maker[0].format(*parts)
        )
    )
    return made | leaf


@pytest.fixture(scope="module")
def loaded(world: cw.World, scratch: sa.Connection) -> Iterator[tuple[cw.World, sa.Connection]]:
    world.load(scratch)
    yield world, scratch
    cw.TABLES.drop_all(scratch)


def compare(loaded: tuple[cw.World, sa.Connection], asked: list[tuple[str, Kind]], ctx: EvalContext) -> None:
    world, connection = loaded
    entity = world.company
    specs = [FieldSpec("custom.f", "F", kind, custom=True, formula=text) for text, kind in asked]
    columns = [formulas.worked_out_sql(entity, s, entity.table, ctx).label(f"f{n}") for n, s in enumerate(specs)]
    query = sa.select(entity.table.c.tenant_id, entity.table.c.id, *columns)
    found = {(row[0], row[1]): row[2:] for row in connection.execute(query)}
    for record in world.rows[entity.name]:
        for spec, sql in zip(specs, found[record["tenant_id"], record["id"]], strict=True):
            python = formulas.worked_out(entity, spec, partial(loaded_value, entity, record), ctx)
            message = f"Python {python!r}, PostgreSQL {sql!r}: {spec.formula} as {spec.kind}\n{ctx}\n{record}"
            assert python == sql and type(python) is type(sql), message


def loaded_value(entity: Entity, record: dict[str, Any], name: str) -> Any:
    spec = entity.fields[name]
    if spec.custom:
        return stored.load(spec.kind, record["custom"].get(spec.key))
    return typed(spec.kind, record[name])


def compiles(text: str) -> bool:
    try:
        compile_formula(text, {n: formulas.TYPES[s.kind] for n, s in _known().items()})
    except FormulaError as error:
        assert "parts" in str(error) or "too long" in str(error) or "levels" in str(error), f"{error}: {text}"
        return False
    return True


def _known() -> dict[str, FieldSpec]:
    own = {s.name: s for s in cw.CUSTOM["cond_company"]}
    return formulas.operands(replace(registry.get("cond_company"), fields=registry.get("cond_company").fields | own))


def test_random_formulas(loaded: tuple[cw.World, sa.Connection]) -> None:
    one = st.sampled_from([(kind, shown) for kind in Type for shown in SHOWN[kind]]).flatmap(
        lambda both: st.tuples(written(both[0]).filter(compiles), st.just(both[1]))
    )

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(one, min_size=4, max_size=10), st.sampled_from(cw.CONTEXTS))
    def agree(asked: list[tuple[str, Kind]], ctx: EvalContext) -> None:
        compare(loaded, asked, ctx)

    agree()


@pytest.mark.parametrize(
    "text",
    [
        "1 / 3 * 3",
        "{value_minor} * {value_minor} * {value_minor} / {value_minor}",
        "-0.00001 & ''",
        "round({custom.index}, -30)",
        "round({custom.index}, 99)",
        "left({about}, 0 - 1) = ''",
        "right({about}, 100000) & {custom.budget}",
        "{since_on} + 99999999999999999999 * 99999999999999999999",
        "mod({value_minor}, 0.00000000000000000001) + mod({value_minor}, 0)",
        "if(1 / 0 > 2, 'a', 'b')",
        "coalesce(1 / 0, {staff}, 5)",
        "date(2027, 2, 29)",
        "date(2028, 2, 29.9)",
        " * ".join(["99999999999999999999"] * 20) + " / " + " / ".join(["99999999999999999999"] * 8),
        "date(year(" * 18 + "today()" + "), 1, 1)" * 18,
        "left(" * 38 + "{about}" + ", 9)" * 38,
        "{name}" + " & '.'" * 110,
        " or ".join(["{vip}"] * 90),
        "{since_on}" + " + 1" * 100,
    ],
    ids=lambda text: text[:40],
)
def test_what_is_hard_to_work_out(loaded: tuple[cw.World, sa.Connection], text: str) -> None:
    assert compiles(text)
    kind = compile_formula(text, {n: formulas.TYPES[s.kind] for n, s in _known().items()}).type
    compare(loaded, [(text, shown) for shown in SHOWN[kind]], cw.CONTEXTS[1])


def test_a_formula_whose_field_is_gone_is_empty(loaded: tuple[cw.World, sa.Connection]) -> None:
    compare(loaded, [("{custom.never} + 1", Kind.decimal)], cw.CONTEXTS[0])


def test_every_letter_gets_the_same_capital(scratch: sa.Connection) -> None:
    letters = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
    for start in range(0, len(letters), 100_000):
        part = letters[start : start + 100_000]
        ask = sa.text(
            "SELECT array_agg(upper(c) ORDER BY n) FROM unnest(CAST(:part AS text[])) WITH ORDINALITY u(c, n)"
        )
        answer = scratch.scalar(ask, {"part": part})
        assert [(a, upper(a), b) for a, b in zip(part, answer, strict=True) if upper(a) != b] == []


def test_days_are_days_and_numbers_numbers(loaded: tuple[cw.World, sa.Connection]) -> None:
    """What comes out is typed, so that it sorts and is summed."""
    world, connection = loaded
    table, ctx = world.company.table, cw.CONTEXTS[0]
    for text, kind, expected in (
        ("today()", Kind.date, date),
        ("1 / 3", Kind.decimal, Decimal),
        ("7", Kind.money, int),
    ):
        spec = FieldSpec("custom.f", "F", kind, custom=True, formula=text)
        value = connection.scalar(sa.select(formulas.worked_out_sql(world.company, spec, table, ctx)).limit(1))
        assert type(value) is expected
