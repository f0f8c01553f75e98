"""Reading and writing the JSON form, its limits, and what is refused when a condition is saved."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from crm_app.core.conditions import AllOf, Clause, Related, Token, check, dump, parse, uses
from crm_app.core.errors import Invalid
from tests.core import condition_world as cw

WHOLE_TREE: dict[str, Any] = {
    "all": [
        {"field": "value_minor", "op": "gt", "value": 1_000_000},
        {
            "any": [
                {"field": "stage", "op": "in", "value": ["open", "won"]},
                {"not": {"field": "name", "op": "is_empty"}},
            ]
        },
        {"field": "owner_id", "op": "in", "value": [{"me": True}, str(cw.PEOPLE[1])]},
        {"field": "since_on", "op": "between", "value": [{"start_of": "month", "offset": -1}, {"end_of": "month"}]},
        {"field": "seen_at", "op": "before", "value": {"now": True}},
        {"field": "seen_at", "op": "after", "value": {"days_from_today": -30}},
        {"field": "custom.signed", "op": "eq", "value": False},
        {"related": "deals", "none": {"related": "company", "every": {"all": []}}},
    ]
}


def test_what_is_read_is_written_back_unchanged() -> None:
    assert dump(parse(WHOLE_TREE)) == WHOLE_TREE


def test_a_tree_can_be_a_key() -> None:
    assert hash(parse(WHOLE_TREE)) == hash(parse(dump(parse(WHOLE_TREE))))


def test_values_that_code_puts_in_are_written_as_text() -> None:
    values = (UUID(int=5), date(2026, 1, 31), Decimal("1.50"))
    assert dump(Clause("x", "in", values)) == {
        "field": "x",
        "op": "in",
        "value": [str(UUID(int=5)), "2026-01-31", "1.50"],
    }


def nest(levels: int) -> dict[str, Any]:
    return {"field": "name", "op": "is_empty"} if levels == 1 else {"not": nest(levels - 1)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected a condition"),
        ({}, "found nothing"),
        ({"field": "name"}, "found 'field'"),
        ({"field": "name", "op": "eq", "valeu": 1}, "'valeu'"),
        ({"field": "", "op": "eq"}, "name of a field"),
        ({"field": "name", "op": 3}, "'name' needs an operator"),
        ({"all": {"field": "name"}}, "'all' needs a list"),
        ({"all": "abc"}, "'all' needs a list"),
        ({"all": [], "any": []}, "found 'all', 'any'"),
        ({"all": [{"any": [{"all": []}, {"nto": 1}]}]}, "condition 1 of 'all' > condition 2 of 'any': a condition is"),
        ({"not": {"related": "deals", "some": 4}}, "inside 'not' > inside 'some deals': expected a condition"),
        ({"related": "deals"}, "exactly one of 'some', 'none' or 'every'"),
        ({"related": "deals", "some": {"all": []}, "none": {"all": []}}, "exactly one of"),
        ({"related": 1, "some": {"all": []}}, "name of a relation"),
        ({"field": "name", "op": "eq", "value": "x" * 1001}, "1001 characters; at most 1000"),
        ({"field": "name", "op": "eq", "value": "a\0b"}, "cannot be stored"),
        ({"field": "name", "op": "eq", "value": "\ud800"}, "cannot be stored"),
        ({"field": "name", "op": "in", "value": ["x"] * 1001}, "1001 values; at most 1000"),
        ({"field": "name", "op": "in", "value": [["x"]]}, "single values only"),
        ({"field": "name", "op": "in", "value": [None]}, "single values only"),
        ({"field": "staff", "op": "eq", "value": float("nan")}, "not finite"),
        ({"field": "staff", "op": "eq", "value": {"today": 1}}, "days_from_today"),
        ({"field": "staff", "op": "eq", "value": {"me": False}}, "days_from_today"),
        ({"field": "since_on", "op": "eq", "value": {"days_from_today": 40_000}}, "between -36500 and 36500"),
        ({"field": "since_on", "op": "eq", "value": {"days_from_today": True}}, "whole number"),
        ({"field": "since_on", "op": "eq", "value": {"start_of": "decade"}}, "day, week, month, quarter, year"),
        ({"field": "since_on", "op": "eq", "value": {"start_of": "year", "offset": 1e9}}, "whole number"),
        (nest(9), "nested more than 8 levels"),
        ({"all": [{"field": "name", "op": "is_empty"}] * 500}, "more than 500 parts"),
    ],
)
def test_a_malformed_tree_is_refused_where_it_is_wrong(data: Any, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(data)
    assert message in str(refusal.value)


def test_the_limits_themselves_are_allowed() -> None:
    parse(nest(8))
    parse({"all": [{"field": "name", "op": "is_empty"}] * 499})
    parse({"field": "name", "op": "in", "value": ["x" * 1000] * 1000})


def test_a_bottomless_tree_is_refused_before_it_is_read() -> None:
    data: dict[str, Any] = {"all": []}
    for _ in range(100_000):
        data = {"not": data}
    with pytest.raises(Invalid, match="nested more than 8"):
        parse(data)


def test_uses_names_what_the_record_itself_must_change_in() -> None:
    assert uses(parse(WHOLE_TREE)) == {
        *("value_minor", "stage", "name", "owner_id", "since_on", "seen_at", "custom.signed", "deals"),
    }


def test_a_good_tree_passes(world: cw.World) -> None:
    check(parse(WHOLE_TREE), world.company)


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        (Clause("nmae", "eq", "x"), "nmae: Company has no such field; did you mean 'name'?"),
        (Clause("Value", "gt", 1), "did you mean 'value_minor'?"),
        (Clause("custom.moto", "eq", "x"), "did you mean 'custom.motto'?"),
        (Clause("tenant_id", "eq", "x"), "no such field"),
        (Clause("name", "gt", "x"), "'gt' does not fit Name (text); use one of eq, ne, contains"),
        (Clause("name", "eq"), "'is' needs one value, such as \"Acme\""),
        (Clause("name", "eq", ""), "an empty text is not a value of Name"),
        (Clause("name", "eq", 5), "5 is not a value of Name"),
        (Clause("name", "in", ()), "at least one value"),
        (Clause("name", "in", "x"), "needs a list"),
        (Clause("name", "is_empty", True), "takes no value"),
        (Clause("staff", "gt", "5"), "'5' is not a value of Staff (number); give one such as 45"),
        (Clause("staff", "gt", 2.5), "2.5 is not a value of Staff"),
        (Clause("staff", "gt", True), "True is not a value of Staff"),
        (Clause("staff", "eq", 2**63), "is not a value of Staff"),
        (Clause("staff", "between", (5, 1)), "smaller value first: [1, 5]"),
        (Clause("staff", "between", (1, 2, 3)), "list of two values"),
        (Clause("rate", "eq", "abc"), "'abc' is not a value of Rate (decimal); give one such as 12.5"),
        (Clause("rate", "eq", "Infinity"), "not a value of Rate"),
        (Clause("rate", "eq", "1e99"), "not a value of Rate"),
        (Clause("vip", "eq", "yes"), "give one such as true"),
        (Clause("stage", "eq", "opne"), "'opne' is not a choice of Stage; use one of open, won, lost"),
        (Clause("custom.colours", "has", "pink"), "'pink' is not a choice of Colours; use one of red, blue, green"),
        (Clause("since_on", "after", "31.12.2025"), 'give one such as "2026-01-31"'),
        (Clause("since_on", "after", "2026-02-30"), "'2026-02-30' is not a value of Since"),
        (Clause("since_on", "after", "0001-01-01"), "is not a value of Since"),
        (Clause("since_on", "after", "2026-01-31T10:00:00Z"), "is not a value of Since"),
        (Clause("since_on", "in_last_days", -1), "whole number from 0 to 36500"),
        (Clause("since_on", "in_last_days", Token("me")), "number of days"),
        (Clause("since_on", "between", ("2026-02-01", "2026-01-01")), "earlier day first"),
        (Clause("since_on", "eq", Token("me")), 'the token "me" is not a value of Since'),
        (Clause("seen_at", "after", "9999-12-31T23:00:00-05:00"), "is not a value of Seen"),
        (Clause("owner_id", "eq", "bob"), "'bob' is not a value of Owner (link); give one such as {\"me\": true}"),
        (Clause("parent_id", "eq", Token("me")), 'the token "me" is not a value of Parent'),
        (Clause("name", "changed"), "works in triggers only"),
        (Clause("name", "changed_to", "x"), "works in triggers only"),
        (Clause("custom.colours", "changed_to", ("red",)), "'changed_to' does not fit"),
        (Related("deal"), "Company has no such relation; did you mean 'deals'?"),
        (Related("xyz"), "Company has no such relation; it has companies, "),
        (Related("deals", "some", Clause("titel", "is_empty")), "titel: Deal has no such field; did you mean 'title'?"),
    ],
)
def test_check_names_the_field_and_the_remedy(world: cw.World, clause: Any, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check(clause, world.company)
    assert message in str(refusal.value)


def test_check_keys_its_message_by_field(world: cw.World) -> None:
    with pytest.raises(Invalid) as refusal:
        check(AllOf((Clause("custom.floor", "gt", "x"),)), world.company)
    assert list(refusal.value.fields) == ["custom.floor"]


def test_an_empty_group_of_any_is_refused_and_an_empty_group_of_all_is_everything(world: cw.World) -> None:
    check(parse({"all": []}), world.company)
    with pytest.raises(Invalid, match="add a condition to it or remove it"):
        check(parse({"all": [{"any": []}]}), world.company)


def test_a_hidden_field_does_not_exist(world: cw.World) -> None:
    hidden = frozenset({"cond_company.value_minor", "cond_company.custom.motto", "cond_deal.company_id"})
    for condition in (
        Clause("value_minor", "gt", 1),
        Clause("custom.motto", "eq", "x"),
        Related("deals"),
        Related("deals_by_partner", "some", Related("company")),
    ):
        check(condition, world.company)
        if condition == Related("deals"):
            continue  # a hidden link hides the way from its own side
        with pytest.raises(Invalid, match="no such"):
            check(condition, world.company, hidden=hidden)


def test_triggers_may_ask_what_changed_but_not_of_related_records(world: cw.World) -> None:
    check(Clause("stage", "changed_to", "won"), world.company, trigger=True)
    check(Clause("custom.colours", "changed"), world.company, trigger=True)
    with pytest.raises(Invalid, match="'changed' takes no value"):
        check(Clause("stage", "changed", "won"), world.company, trigger=True)
    with pytest.raises(Invalid, match="in triggers only"):
        check(Related("deals", "some", Clause("stage", "changed")), world.company, trigger=True)


def test_moments_may_be_written_with_and_without_a_zone(world: cw.World) -> None:
    for value in ("2026-01-31T10:00:00Z", "2026-01-31T10:00+02:00", "2026-01-31T10:00", datetime(2026, 1, 31)):  # noqa: DTZ001
        check(Clause("seen_at", "after", value), world.company)
