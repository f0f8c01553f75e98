"""How the text of a cell is read: dates, amounts and answers as people in different countries write them."""

from datetime import UTC, date, datetime

import pytest

from crm_app.core.registry import Choice, FieldSpec, Kind
from crm_app.services.platform.imports.values import Habits, Unreadable, guess_day_first, reader_of

HABITS = Habits("EUR", "Europe/Berlin")


def _read(kind: Kind, text: str, habits: Habits = HABITS, **more: object) -> object:
    return reader_of(FieldSpec("x", "X", kind, **more), habits)(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["2024-03-31", "2024/3/31", "20240331", "31.03.2024", "31.3.24", "31/03/2024", "03/31/2024", "31 Mar 2024",
     "March 31, 2024", "31-Mar-24", "2024-03-31T00:00:00", "2024-03-31 00:00:00.000", "45382"],
)  # fmt: skip
def test_one_day_in_many_spellings(text: str) -> None:
    assert _read(Kind.date, text) == date(2024, 3, 31)


def test_a_day_that_could_be_two_is_not_guessed() -> None:
    with pytest.raises(Unreadable, match="may be two different days"):
        _read(Kind.date, "03/04/2024")
    assert _read(Kind.date, "03/04/2024", Habits("EUR", day_first=True)) == date(2024, 4, 3)
    assert _read(Kind.date, "03/04/2024", Habits("EUR", day_first=False)) == date(2024, 3, 4)


def test_a_column_tells_its_own_order() -> None:
    assert guess_day_first(["03/04/2024", "13/04/2024"]) is True
    assert guess_day_first(["03/04/2024", "04/13/2024"]) is False
    assert guess_day_first(["03/04/2024"]) is None
    assert guess_day_first(["13/04/2024", "04/13/2024"]) is None


@pytest.mark.parametrize("text", ["31.02.2024", "2024-13-01", "soon", "0000-00-00", "1234", "99/99/9999"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(Unreadable):
        _read(Kind.date, text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31 14:30", datetime(2024, 3, 31, 12, 30, tzinfo=UTC)),
        ("2024-01-31T14:30:00Z", datetime(2024, 1, 31, 14, 30, tzinfo=UTC)),
        ("2024-01-31T14:30:00+0200", datetime(2024, 1, 31, 12, 30, tzinfo=UTC)),
        ("2024-01-31 02:30 PM", datetime(2024, 1, 31, 13, 30, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 31, 12, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_utc(text: str, moment: datetime) -> None:
    assert _read(Kind.datetime, text) == moment


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1234.50", 123450),
        ("1.234,50", 123450),
        ("€ 1 234,50", 123450),
        ("1,234.5 EUR", 123450),
        ("12k", 1_200_000),
        ("-5", -500),
    ],
)
def test_amounts(text: str, minor: int) -> None:
    assert _read(Kind.money, text) == minor


def test_amounts_of_a_file_that_says_how_it_writes_them() -> None:
    assert _read(Kind.money, "1.234", Habits("EUR", decimal=",")) == 123_400
    assert _read(Kind.money, "1,234", Habits("EUR", decimal=".")) == 123_400
    assert _read(Kind.money, "1,5", Habits("EUR", decimal=",")) == 150
    assert _read(Kind.money, "1000", Habits("JPY")) == 1000


@pytest.mark.parametrize("text", ["free", "", "€", "1e400", "NaN", "1-2"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(Unreadable):
        _read(Kind.money, text)


def test_numbers_answers_and_choices() -> None:
    assert _read(Kind.number, "2,822") == 2822
    assert _read(Kind.number, "12.0") == 12
    assert _read(Kind.percent, "40 %", minimum=0, maximum=100) == 40
    assert [_read(Kind.flag, t) for t in ("Yes", "x", "ja", "No", "0")] == [True, True, True, False, False]
    choices = (Choice("new_business", "New business"),)
    assert _read(Kind.choice, "NEW  business", choices=choices) == "new_business"
    assert _read(Kind.choices, "food; cold chain ; food") == ["food", "cold chain"]
    for kind, text, more in (
        (Kind.number, "12.5", {}),
        (Kind.percent, "140", {"minimum": 0, "maximum": 100}),
        (Kind.flag, "maybe", {}),
        (Kind.choice, "other", {"choices": choices}),
        (Kind.email, "nobody", {}),
        (Kind.text, "x" * 11, {"max_length": 10}),
    ):
        with pytest.raises(Unreadable):
            _read(kind, text, **more)  # type: ignore[arg-type]
