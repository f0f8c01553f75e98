"""Conditions as people read them."""

from typing import Any
from uuid import UUID

import pytest

from crm_app.core.conditions import AllOf, AnyOf, Clause, Condition, Not, Related, Token, explain, explain_clause, parse
from crm_app.core.money import NBSP, NNBSP
from crm_app.core.registry import FieldSpec
from tests.core import condition_world as cw


def told(world: cw.World, condition: Condition, **more: Any) -> str:
    return explain(condition, world.company, **more).replace(NBSP, " ").replace(NNBSP, " ")


def test_a_whole_sentence(world: cw.World) -> None:
    condition = parse(
        {
            "all": [
                {"field": "value_minor", "op": "gt", "value": 1_000_000},
                {
                    "any": [
                        {"related": "deals", "none": {"field": "close_on", "op": "in_last_days", "value": 30}},
                        {"field": "stage", "op": "in", "value": ["open", "won"]},
                    ]
                },
            ]
        }
    )
    assert told(world, condition, currency="EUR") == (
        "Value is more than € 10 000 and (has no deal where close is in the last 30 days or stage is any of Open, Won)"
    )


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (AllOf(), "Every company"),
        (AllOf((AnyOf(),)), "Nothing"),
        (Clause("vip", "eq", False), "Vip is no"),
        (Clause("name", "not_contains", "inc"), "Name does not contain “inc”"),
        (Clause("share", "gte", 45), "Share is at least 45 %"),
        (Clause("staff", "between", (1000, 25_000)), "Staff is between 1 000 and 25 000"),
        (Clause("rate", "lt", "12.5"), "Rate is less than 12.5"),
        (Clause("since_on", "eq", "2026-01-31"), "Since is on 31 Jan 2026"),
        (Clause("since_on", "older_than_days", 30), "Since is longer ago than 30 days"),
        (Clause("since_on", "in_next_days", 1), "Since is in the next 1 day"),
        (Clause("since_on", "after", Token("days_from_today", -7)), "Since is after 7 days ago"),
        (Clause("since_on", "before", Token("days_from_today", 0)), "Since is before today"),
        (
            Clause("since_on", "on_or_after", Token("start_of", "month", None)),
            "Since is on or after the start of this month",
        ),
        (
            Clause("since_on", "before", Token("end_of", "quarter", -3)),
            "Since is before the end of the quarter 3 quarters ago",
        ),
        (Clause("seen_at", "after", "2026-01-31T10:30:00Z"), "Seen is after 31 Jan 2026, 11:30"),
        (Clause("owner_id", "eq", Token("me")), "Owner is me"),
        (Clause("custom.colours", "has_any", ("red", "blue")), "Colours has any of Red, Blue"),
        (Clause("staff", "in", tuple(range(1, 9))), "Staff is any of 1, 2, 3, 4, 5 and 3 more"),
        (Clause("stage", "changed_to", "won"), "Stage changed to Won"),
        (Not(Clause("about", "is_empty")), "Not (about is empty)"),
        (Not(AnyOf((Clause("vip", "eq", True), Clause("mail", "is_filled")))), "Not (vip is yes or mail is filled in)"),
        (Related("parent", "some", Clause("vip", "eq", True)), "Has a parent where vip is yes"),
        (Related("deals"), "Has a deal"),
        (Related("deals", "none"), "Has no deal"),
        (Related("deals", "every", Clause("stage", "eq", "won")), "For every deal, stage is Won"),
        (Clause("custom.gone_by", "eq", 5), "Gone by eq (no longer there)"),
        (Related("gone"), "Some gone (no longer there)"),
    ],
)
def test_words(world: cw.World, condition: Condition, text: str) -> None:
    assert told(world, condition, time_zone="Europe/Berlin") == text


def test_linked_records_are_told_by_name(world: cw.World) -> None:
    def name_of(spec: FieldSpec, value: Any) -> str:
        return {str(UUID(int=1)): "Dana Roth"}.get(str(value), "") if spec.target == "user" else ""

    clause = Clause("owner_id", "in", (str(UUID(int=1)), str(UUID(int=2)), Token("me")))
    assert told(world, clause, names=name_of) == "Owner is any of Dana Roth, a record, me"


def test_a_chip_has_a_label_and_a_text(world: cw.World) -> None:
    label, text = explain_clause(Clause("custom.budget", "lte", 5_050), world.company, currency="USD")
    assert (label, text) == ("Budget", f"is at most ${NBSP}50.50")
