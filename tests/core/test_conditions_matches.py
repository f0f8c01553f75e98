"""What a condition means for one record; parity carries every line over to SQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from crm_app.core.conditions import Clause, EvalContext, Related, Token, matches, parse, to_sql
from crm_app.core.conditions.resolve import start_of
from crm_app.core.errors import Invalid
from tests.core import condition_world as cw

TODAY = EvalContext(date(2026, 3, 30), cw.NOW, cw.PEOPLE[0], "Europe/Berlin")  # 00:30 on the 30th there


@pytest.mark.parametrize(
    ("clause", "values", "expected"),
    [
        (("name", "eq", "STRAßE"), ("straße", "Straße", "Strasse", ""), (True, True, False, False)),
        (("name", "contains", "É"), ("café", "cafe"), (True, False)),
        (("name", "ne", "x"), ("y", "X", "", None), (True, False, False, False)),
        (("name", "not_in", ("x", "y")), ("Z", "Y", ""), (True, False, False)),
        (("name", "is_empty", None), ("", None, " "), (True, True, False)),
        (("staff", "ne", 5), (6, 5, None), (True, False, False)),
        (("staff", "between", (1, 5)), (0, 1, 5, 6), (False, True, True, False)),
        (("rate", "eq", "0.5"), (Decimal("0.50"), Decimal("0.51")), (True, False)),
        (("rate", "gt", 0.1), (Decimal("0.1"), Decimal("0.10001")), (False, True)),
        (("vip", "eq", False), (False, True, None), (True, False, False)),
        (("stage", "in", ("open", "won")), (cw.Stage.won, "open", "lost", None), (True, True, False, False)),
        (("tags", "has_none", ("red",)), (["blue"], ["red", "blue"], []), (True, False, False)),
        (("tags", "has", "red"), (["red"], ["Red"]), (True, False)),
        (
            ("owner_id", "eq", Token("me")),
            (cw.PEOPLE[0], str(cw.PEOPLE[0]), cw.PEOPLE[1], None),
            (True, True, False, False),
        ),
        (
            ("since_on", "in_last_days", 1),
            (date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 31)),
            (False, True, False),
        ),
        (("since_on", "older_than_days", 1), (date(2026, 3, 28), date(2026, 3, 29), None), (True, False, False)),
        (
            ("since_on", "in_next_days", 1),
            (date(2026, 3, 29), date(2026, 3, 31), date(2026, 4, 1)),
            (False, True, False),
        ),
        (("since_on", "eq", Token("now")), (date(2026, 3, 30), date(2026, 3, 29)), (True, False)),
        (
            ("since_on", "between", (Token("start_of", "month", -1), Token("end_of", "month", -1))),
            (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)),
            (False, True, True, False),
        ),
    ],
)
def test_a_clause(
    world: cw.World, clause: tuple[Any, ...], values: tuple[Any, ...], expected: tuple[bool, ...]
) -> None:
    answers = tuple(matches(Clause(*clause), {clause[0]: v}, world.company, TODAY) for v in values)
    assert answers == expected


def test_days_of_a_moment_are_days_where_the_viewer_lives(world: cw.World) -> None:
    late = {"seen_at": datetime(2026, 3, 29, 22, 10, tzinfo=UTC)}  # 00:10 on the 30th in Berlin
    today = Clause("seen_at", "eq", Token("days_from_today", 0))
    assert matches(today, late, world.company, TODAY)
    assert not matches(today, late, world.company, replace(TODAY, time_zone="UTC"))
    assert matches(Clause("seen_at", "before", Token("now")), late, world.company, TODAY)


def test_the_day_on_which_clocks_move_has_23_hours(world: cw.World) -> None:
    on_the_29th = Clause("seen_at", "eq", "2026-03-29")
    first, end = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    answers = [
        matches(on_the_29th, {"seen_at": m}, world.company, TODAY) for m in (first - tick, first, end - tick, end)
    ]
    assert answers == [False, True, True, False]


def test_nobody_is_me_where_nobody_acts(world: cw.World) -> None:
    nobody = replace(TODAY, me=None)
    mine, not_mine = Clause("owner_id", "eq", Token("me")), Clause("owner_id", "ne", Token("me"))
    record = {"owner_id": cw.PEOPLE[0]}
    assert not matches(mine, record, world.company, nobody)
    assert matches(not_mine, record, world.company, nobody)
    assert not matches(not_mine, {"owner_id": None}, world.company, nobody)


def test_objects_and_mappings_are_read_alike(world: cw.World) -> None:
    condition = parse(
        {"all": [{"field": "staff", "op": "gt", "value": 3}, {"field": "custom.floor", "op": "eq", "value": 2}]}
    )
    values = {"staff": 4, "custom": {"floor": 2}}
    assert matches(condition, values, world.company, TODAY)
    assert matches(condition, SimpleNamespace(**values), world.company, TODAY)


def test_values_out_of_an_event_are_read_like_those_of_a_row(world: cw.World) -> None:
    plain = {
        "since_on": "2026-03-29",
        "seen_at": "2026-03-29T20:00:00+00:00",
        "rate": "0.5",
        "owner_id": str(cw.PEOPLE[0]),
    }
    for clause in (
        Clause("since_on", "eq", "2026-03-29"),
        Clause("seen_at", "eq", "2026-03-29"),
        Clause("rate", "gte", 0.5),
        Clause("owner_id", "in", (Token("me"),)),
    ):
        assert matches(clause, plain, world.company, TODAY)


def test_changed_compares_with_before(world: cw.World) -> None:
    changed, to_won = Clause("stage", "changed"), Clause("stage", "changed_to", "won")

    def ask(clause: Clause, before: Any, after: Any) -> bool:
        return matches(clause, {"stage": after}, world.company, TODAY, before={"stage": before})

    assert ask(changed, "open", "won") and ask(changed, None, "won") and ask(changed, "won", None)
    assert not ask(changed, "won", cw.Stage.won)
    assert ask(to_won, "open", "won") and not ask(to_won, "won", "won") and not ask(to_won, "open", "lost")
    assert not matches(to_won, {"stage": "won"}, world.company, TODAY), "on a new record nothing has changed"
    empty_text = Clause("about", "changed")
    assert not matches(empty_text, {"about": ""}, world.company, TODAY, before={"about": None})


def test_sql_refuses_what_needs_a_before(world: cw.World) -> None:
    for clause in (Clause("stage", "changed"), Clause("stage", "changed_to", "won")):
        with pytest.raises(Invalid, match="in triggers only"):
            to_sql(clause, world.company, TODAY)


def test_related_records(world: cw.World) -> None:
    rows = [{"stage": "won"}, {"stage": "lost"}, {"stage": "open", "deleted_at": cw.NOW}]

    def ask(quantifier: str, *stages: str, over: list[dict[str, Any]] = rows) -> bool:
        condition = Related("deals", quantifier, Clause("stage", "in", stages))
        return matches(condition, {}, world.company, TODAY, related=lambda record, relation: over)

    assert ask("some", "won") and not ask("some", "open"), "what is in the trash does not count"
    assert ask("none", "open") and not ask("none", "won")
    assert ask("every", "won", "lost") and not ask("every", "won")
    assert ask("every", "won", over=[]) and ask("none", "won", over=[]) and not ask("some", "won", over=[])
    with pytest.raises(TypeError, match="pass `related`"):
        matches(Related("deals"), {}, world.company, TODAY)


@pytest.mark.parametrize(
    ("period", "offset", "first"),
    [
        ("day", -1, date(2026, 3, 29)),
        ("week", 0, date(2026, 3, 30)),
        ("week", -1, date(2026, 3, 23)),
        ("month", 0, date(2026, 3, 1)),
        ("month", -3, date(2025, 12, 1)),
        ("month", 10, date(2027, 1, 1)),
        ("quarter", 0, date(2026, 1, 1)),
        ("quarter", -1, date(2025, 10, 1)),
        ("year", 1, date(2027, 1, 1)),
        ("year", -1000, date(1026, 1, 1)),
    ],
)
def test_periods(period: str, offset: int, first: date) -> None:
    assert start_of(period, TODAY.today, offset) == first
