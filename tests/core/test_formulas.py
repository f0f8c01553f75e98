"""The language of formulas: what it works out, what it refuses in which words, and that nothing breaks out."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_app.core.formula_functions import FUNCTIONS
from crm_app.core.formula_parts import FormulaError, Type
from crm_app.core.formulas import compile_formula, names_in, renamed

FIELDS = {"amount": Type.number, "name": Type.text, "due": Type.day, "paid": Type.truth}
VALUES = {"amount": Decimal(120), "name": "Kessler & Co", "due": date(2027, 3, 1), "paid": True}
TODAY = date(2027, 2, 20)


def worked_out(text, **values):
    return compile_formula(text, FIELDS).value({**VALUES, **values}, TODAY)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", Decimal(7)),
        ("(1 + 2) * 3", Decimal(9)),
        ("10 - 4 - 3", Decimal(3)),
        ("-{amount} / 8", Decimal(-15)),
        ("{amount} / 7", Decimal("17.1429")),
        ("{due} - today()", Decimal(9)),
        ("{due} + 30", date(2027, 3, 31)),
        ("if({amount} > 100, 'large', 'small')", "large"),
        ("if({paid}, 1)", Decimal(1)),
        ("max({amount}, 500; 3)", Decimal(500)),
        ("min({due}, today())", TODAY),
        ("round({amount} / 7, 1)", Decimal("17.1")),
        ("{name} & ' (' & {amount} & ')'", "Kessler & Co (120)"),
        ("upper(left({name}, 4))", "KESS"),
        ("{name} = 'KESSLER & CO'", True),
        ("not {paid} or {amount} <> 120", False),
        ("not not {paid} and true", True),
        ("year({due}) * 100 + month({due})", Decimal(202703)),
        ("floor(-1.5) + ceil(-1.5)", Decimal(-3)),
        ("mod(7, 3)", Decimal(1)),
        ("date(2027, 2, 30)", None),
        ("contains({name}, 'kess')", True),
        ("right('abc', 0)", None),
        ("weekday({due})", Decimal(1)),
        ("IF({amount} >= 120 AND {paid}, 2, 3)", Decimal(2)),
    ],
)
def test_it_is_worked_out(text, value):
    assert worked_out(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{amount} + 1", None),
        ("{amount} > 0", False),
        ("{amount} < 0", False),
        ("{name} & '!'", "!"),
        ("coalesce({amount}, 7)", Decimal(7)),
        ("is_empty({amount})", True),
        ("max({amount}, 3)", Decimal(3)),
        ("if({paid}, 1, 2)", Decimal(2)),
        ("{due} + 1", None),
        ("abs({amount})", None),
    ],
)
def test_what_is_empty_stays_empty(text, value):
    assert worked_out(text, amount=None, name=None, due=None, paid=None) == value


@pytest.mark.parametrize(
    "text", ["1 / ({amount} - 120)", "{due} + 999999999", "mod(1, 0)", "date(99999, 1, 1)", "9" * 28 + " * " + "9" * 28]
)
def test_what_cannot_be_worked_out_is_empty(text):
    assert worked_out(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1 +", "ends too early"),
        ("{nothing} + 1", "no field"),
        ("amount + 1", "in braces"),
        ("1 2", "not understood at “2”"),
        ("{name} + 1", "joined by &"),
        ("{name} * 2", "a text, where a number"),
        ("if(1, 2, 3)", "yes or no is needed"),
        ("if({paid}, 1, 'x')", "all must be of one kind"),
        ("{amount} = {name}", "compares a number with a text"),
        ("round()", "takes 1 to 2"),
        ("(1", "needs “)”"),
        ("__import__('os')", "functions are"),
        ("{amount}.real", "cannot be read"),
        ("open('x')", "functions are"),
        ("lambda: 1", "cannot be read"),
        ("'a' 'b'", "not understood"),
        ("if(true)", "takes 2 to 3"),
        ("(" * 50 + "1" + ")" * 50, "levels deep"),
        ("1" + "+1" * 200, "parts"),
        ("1" * 1001, "too long"),
        ("if({paid}, coalesce())", "takes"),
        ("upper(1)", "a number, where a text is needed"),
        ("{due} + {due}", "a date, where a number"),
        ("'a", "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_said(text, message):
    with pytest.raises(FormulaError, match=message.replace("(", r"\(").replace(")", r"\)").replace("+", r"\+")):
        worked_out(text)


def test_fields_get_other_names_outside_of_texts():
    text = "{Amount} & '{Amount}' & { Due date }"
    assert names_in(text) == ["Amount", "Due date"]
    assert renamed(text, {"Amount": "amount_minor", "Due date": "due"}) == "{amount_minor} & '{Amount}' & {due}"


_PIECES = st.sampled_from(
    [
        *FUNCTIONS,
        *(f"{{{n}}}" for n in FIELDS),
        "1",
        "0.5",
        "'x'",
        "+",
        "-",
        "*",
        "/",
        "&",
        "=",
        "<",
        "(",
        ")",
        ",",
        "and",
        "not",
        "\x00",
    ]
)


@given(st.lists(_PIECES, max_size=25).map(" ".join))
def test_nothing_but_its_own_error_comes_out(text):
    try:
        formula = compile_formula(text, FIELDS)
    except FormulaError:
        return
    for values in (VALUES, dict.fromkeys(FIELDS)):
        found = formula.value(values, TODAY)
        assert found is None or isinstance(found, Decimal | str | bool | date)
