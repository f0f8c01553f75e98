"""Values as people type them and as files hold them, and back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_app.core.conditions.stored import load, store
from crm_app.core.fields import parse_value, show_value
from crm_app.core.money import MAX_MINOR, NBSP, NNBSP
from crm_app.core.registry import Choice, FieldSpec, Kind

STAGES = (
    Choice("new_lead", "New lead"),
    Choice("won", "Won"),
    Choice("lost", "Lost, for good"),
    Choice("on_hold", "On hold"),
)
ACME = UUID(int=77)


def spec(kind: Kind, **more: Any) -> FieldSpec:
    return FieldSpec(name="x", label="Field", kind=kind, **more)


def read(kind: Kind, raw: Any, *, how: dict[str, Any] | None = None, **more: Any) -> Any:
    return parse_value(spec(kind, **more), raw, **(how or {}))


def refused(kind: Kind, raw: Any, *, how: dict[str, Any] | None = None, **more: Any) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        read(kind, raw, how=how, **more)
    return str(error.value)


def test_nothing_given() -> None:
    for kind in Kind:
        for raw in (None, "", "  \u00a0"):
            with pytest.raises(ValueError, match="Field is needed"):
                read(kind, raw, required=True)
            empty = read(kind, raw, nullable=True)
            assert empty == ([] if kind is Kind.choices else None)
    assert read(Kind.text, " ") == "" and read(Kind.email, None) == "" and read(Kind.number, "") is None


def test_text() -> None:
    assert read(Kind.text, "  Acme \n  Corp\t ") == "Acme Corp"
    assert read(Kind.long_text, " a\r\n b\r") == "a\n b"
    assert read(Kind.text, "e\u0301") == "é", "letters and their accents are put together"
    assert (
        read(Kind.text, 4711.0) == "4711"
        and read(Kind.text, 0.5) == "0.5"
        and read(Kind.text, date(2026, 1, 2)) == "2026-01-02"
    )
    assert refused(Kind.text, "abcdef", max_length=5) == "has 6 characters; at most 5 fit"
    assert "cannot be stored" in refused(Kind.text, "a\x00b") and "cannot be stored" in refused(Kind.text, "\ud800")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("12", 12),
        ("1 234", 1234),
        ("1.234", 1234),
        ("1,234", 1234),
        ("-5", -5),
        ("12.0", 12),
        (7, 7),
        (7.0, 7),
        ("(3)", -3),
    ],
)
def test_number(raw: Any, value: int) -> None:
    found = read(Kind.number, raw)
    assert found == value and isinstance(found, int)


def test_number_refused() -> None:
    assert refused(Kind.number, "12.5") == "“12.5” is not a whole number; write it like 12"
    assert refused(Kind.number, "abc") == "“abc” is not a number; write it like 1234.5"
    assert refused(Kind.number, 150, maximum=100) == "150 does not fit; it must be at most 100"
    assert refused(Kind.number, "-1", minimum=0) == "−1 does not fit; it must be at least 0"
    for raw in (True, float("nan"), float("inf"), [1], "1e5", "0x10", "9" * 30, "1/2", "1 2", "12.03.2025"):
        refused(Kind.number, raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1.234", "1.234"),
        ("1,5", "1.5"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        (0.1, "0.1"),
        (".5", "0.5"),
        (Decimal("2.50"), "2.5"),
    ],
)
def test_decimal(raw: Any, value: str) -> None:
    assert read(Kind.decimal, raw) == Decimal(value)


def test_decimal_sign_of_a_file() -> None:
    assert read(Kind.decimal, "1,234", how={"decimal_sign": ","}) == Decimal("1.234")
    assert read(Kind.decimal, "1,234", how={"decimal_sign": "."}) == 1234
    assert read(Kind.money, "105.125", how={"decimal_sign": "."}) == 10513
    assert "is not an amount" in refused(Kind.money, "1.234,50", how={"decimal_sign": "."})


def test_money_is_read_in_major_units() -> None:
    assert read(Kind.money, "€ 1 234.56", how={"currency": "EUR"}) == 123456
    assert read(Kind.money, 1234.5) == 123450 and read(Kind.money, 1234, how={"currency": "JPY"}) == 1234
    assert refused(Kind.money, 0, minimum=1).replace(NBSP, " ") == "$ 0 does not fit; it must be at least $ 0.01"
    assert "too large" in refused(Kind.money, 10**13) and "too large" in refused(Kind.money, "10000 bn")
    assert "not a number" in refused(Kind.money, True)


def test_percent() -> None:
    assert [read(Kind.percent, raw) for raw in ("45 %", "45%", "45", 45.0, "0")] == [45, 45, 45, 45, 0]
    assert [read(Kind.percent, raw, how={"from_sheet": True}) for raw in (0.45, 1.0, 45, 0.07)] == [45, 100, 45, 7]
    assert refused(Kind.percent, "0.45") == "“0.45” is not a whole percentage; write it like 45 %"
    assert "at most 100" in refused(Kind.percent, "120 %", minimum=0, maximum=100)


def test_flag() -> None:
    assert all(read(Kind.flag, raw) is True for raw in ("yes", "Y", "TRUE", "1", 1, 1.0, True, "x", "Ja", " on "))
    assert all(read(Kind.flag, raw) is False for raw in ("no", "N", "false", "0", 0, False, "off", "nein"))
    assert refused(Kind.flag, "maybe") == "“maybe” is neither yes nor no"


@pytest.mark.parametrize(
    "raw",
    [
        *("2025-12-31", "2025/12/31", "20251231", "31.12.2025", "31. 12. 2025", "31.12.25", "31/12/2025", "12/31/2025"),
        *("12-31-25", "31 Dec 2025", "31-Dec-25", "December 31, 2025", "Dec. 31st, 2025", "31 december 2025"),
        *(
            "2025-12-31 00:00:00",
            "2025-12-31T13:00:00",
            "12/31/2025 1:00 PM",
            date(2025, 12, 31),
            datetime(2025, 12, 31, 9),  # noqa: DTZ001
        ),
        *("2025-12-31T08:00:00+09:00",),
    ],
)
def test_date(raw: Any) -> None:
    assert read(Kind.date, raw, how={"time_zone": "Asia/Tokyo"}) == date(2025, 12, 31)


def test_a_day_that_could_be_two_is_refused_until_told() -> None:
    assert (
        refused(Kind.date, "03/04/2025") == "“03/04/2025” could be 3 Apr 2025 or 4 Mar 2025; write it like 2025-04-03"
    )
    assert read(Kind.date, "03/04/2025", how={"day_first": True}) == date(2025, 4, 3)
    assert read(Kind.date, "03/04/2025", how={"day_first": False}) == date(2025, 3, 4)
    assert read(Kind.date, "04/04/2025") == date(2025, 4, 4)
    assert read(Kind.date, "03.04.2025", how={"day_first": False}) == date(2025, 4, 3), "with dots the day stands first"


def test_two_digits_of_a_year() -> None:
    assert [read(Kind.date, f"1.2.{y}").year for y in ("00", "68", "69", "99")] == [2000, 2068, 1969, 1999]


@pytest.mark.parametrize(
    "raw",
    [
        "2025-02-30",
        "31.04.2025",
        "13/13/2025",
        "2025",
        "soon",
        "0000-01-01",
        "0001-01-01",
        45_000,
        True,
        "31 Foo 2025",
        "25:00",
    ],
)
def test_no_date(raw: Any) -> None:
    assert "2025-12-31" in refused(Kind.date, raw) or "not a day of the calendar" in refused(Kind.date, raw)


def test_days_of_a_spreadsheet_only_when_told() -> None:
    sheet = {"from_sheet": True, "time_zone": "Europe/Berlin"}
    assert read(Kind.date, 45_292, how=sheet) == date(2024, 1, 1) == read(Kind.date, "45292", how=sheet)
    assert read(Kind.date, 1, how=sheet) == date(1900, 1, 1) and read(Kind.date, 61, how=sheet) == date(1900, 3, 1)
    assert read(Kind.datetime, 45_292.5, how=sheet) == datetime(2024, 1, 1, 11, tzinfo=UTC)
    assert "date of a spreadsheet" in refused(Kind.date, 0, how=sheet)


@pytest.mark.parametrize(
    ("raw", "hour", "minute"),
    [
        ("2025-07-01", 22, 0),  # midnight in Berlin is the evening before in UTC
        ("2025-07-01 14:30", 12, 30),
        ("1.7.2025 14:30", 12, 30),
        ("7/1/2025, 2:30 pm", 12, 30),
        ("2025-07-01T14:30:00Z", 14, 30),
        ("2025-07-01T14:30:00-02:00", 16, 30),
        ("1 Jul 2025 12:15 a.m.", 22, 15),
    ],
)
def test_moment(raw: str, hour: int, minute: int) -> None:
    found = read(Kind.datetime, raw, how={"time_zone": "Europe/Berlin", "day_first": False})
    assert (found.tzinfo, found.hour, found.minute) == (UTC, hour, minute)


def test_no_moment() -> None:
    for raw in ("2025-07-01 25:00", "2025-07-01 14:61", "1.7.2025 13:00 pm", "14:30", 5, "9999-12-31T23:59:59"):
        refused(Kind.datetime, raw)


def test_choice() -> None:
    for raw in ("new_lead", "NEW_LEAD", "New lead", " new  LEAD "):
        assert read(Kind.choice, raw, choices=STAGES) == "new_lead"
    assert refused(Kind.choice, "Wonn", choices=STAGES) == (
        "“Wonn” is not one of New lead, Won, Lost, for good, On hold; did you mean Won?"
    )
    assert read(Kind.choice, "anything") == "anything"


def test_choices() -> None:
    for raw in ("won; Lost, for good", "WON|lost", ["won", "lost"], "Won\nlost", "won,lost,won"):
        assert read(Kind.choices, raw, choices=STAGES) == ["won", "lost"]
    assert read(Kind.choices, "Lost, for good", choices=STAGES) == ["lost"]
    assert read(Kind.choices, "a, b,, a") == ["a", "b"]
    assert "“pink” is not one of" in refused(Kind.choices, "won; pink", choices=STAGES)


def test_link() -> None:
    known = {"links": lambda s, text: ACME if (s.target, text) == ("account", "Acme") else None}
    assert read(Kind.link, " Acme ", how=known, target="account") == ACME
    assert read(Kind.link, str(ACME)) == read(Kind.link, ACME) == ACME
    assert (
        refused(Kind.link, "Acne", how=known, target="account")
        == "“Acne” was not found; check the spelling or create it first"
    )
    refused(Kind.link, "Acme")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" Dana@ACME.com ", "Dana@acme.com"),
        ("Dana Roth <dana@acme.co.uk>", "dana@acme.co.uk"),
        ("mailto:a+b_c.d@x-y.example", "a+b_c.d@x-y.example"),
        ("jürgen@münchen.de", "jürgen@münchen.de"),
    ],
)
def test_email(raw: str, value: str) -> None:
    assert read(Kind.email, raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        "dana",
        "dana@acme",
        "@acme.com",
        "a b@acme.com",
        "a@b@c.com",
        "a..b@c.com",
        ".a@c.com",
        "a@-c.com",
        "a@c..com",
        "a@c.com, d@e.com",
        "<script>@x.com",
        "a" * 65 + "@c.com",
    ],
)
def test_no_email(raw: str) -> None:
    assert "write it like name@example.com" in refused(Kind.email, raw)


def test_phone() -> None:
    assert read(Kind.phone, "+49 (0)30 / 1234-5678") == "+493012345678"
    assert read(Kind.phone, "030 12345678", how={"region": "DE"}) == "+493012345678"
    assert read(Kind.phone, "(415) 555-2671") == "+14155552671"
    assert read(Kind.phone, 4155552671.0) == "+14155552671"
    with_extension = read(Kind.phone, "+1 415 555 2671 ext. 12")
    assert with_extension == "+14155552671;ext=12" == read(Kind.phone, with_extension)
    assert show_value(spec(Kind.phone), with_extension) == "+1 415-555-2671 ext. 12"
    assert show_value(spec(Kind.phone), "call reception") == "call reception"
    for raw in ("123", "call me", "+999 123", "1" * 30):
        assert "with the country code" in refused(Kind.phone, raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("acme.com", "https://acme.com"),
        ("HTTP://Acme.COM/Path?q=1#x", "http://acme.com/Path?q=1#x"),
        ("//acme.com/a", "https://acme.com/a"),
        ("acme.com:8080/a", "https://acme.com:8080/a"),
        ("https://münchen.de", "https://münchen.de"),
        ("localhost:3000", "https://localhost:3000"),
        ("http://10.0.0.1/x", "http://10.0.0.1/x"),
    ],
)
def test_url(raw: str, value: str) -> None:
    assert read(Kind.url, raw) == value
    assert read(Kind.url, value) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "javascript:1",
            "data:text/html,x",
        ),
        *(
            "vbscript:x",
            "file:///etc/passwd",
            "mailto:a@b.com",
            "ftp://a.com",
            "https://good.com@evil.com",
            "acme",
            "a b.com",
            "http://",
        ),
        *(
            'https://a.com/"onclick=x',
            "https://a.com\\@b.com",
            "https://a.com:99999",
            "https://[::1",
            "https://a.com/<b>",
        ),
    ],
)
def test_no_url(raw: str) -> None:
    refused(Kind.url, raw)


def test_json_is_not_typed() -> None:
    assert read(Kind.json, {"a": 1}) == {"a": 1}
    refused(Kind.json, "{}")


def test_shown_to_people() -> None:
    shown = {
        Kind.money: (123450, f"€{NBSP}1{NNBSP}234.50"),
        Kind.number: (-1234567, f"−1{NNBSP}234{NNBSP}567"),
        Kind.decimal: (Decimal("1234.50"), f"1{NNBSP}234.50"),
        Kind.percent: (45, f"45{NBSP}%"),
        Kind.flag: (False, "No"),
        Kind.date: (date(2026, 1, 5), "5 Jan 2026"),
        Kind.datetime: (datetime(2026, 1, 5, 23, 30, tzinfo=UTC), "6 Jan 2026, 00:30"),
        Kind.choices: (["won", "lost", "gone"], "Won; Lost, for good; gone"),
        Kind.link: (ACME, "Acme"),
    }
    for kind, (value, text) in shown.items():
        found = show_value(
            spec(kind, choices=STAGES), value, currency="EUR", time_zone="Europe/Berlin", names=lambda s, key: "Acme"
        )
        assert found == text
    assert all(show_value(spec(kind), None) == "" for kind in Kind)
    assert show_value(spec(Kind.number), 0) == "0" and show_value(spec(Kind.flag), False) == "No"


VALUES = {
    Kind.text: st.text(st.characters(exclude_categories=["C", "Z"])).filter(lambda t: t.isascii()),
    Kind.number: st.integers(-(2**63) + 1, 2**63 - 1),
    Kind.decimal: st.decimals(-(10**12), 10**12, places=6),
    Kind.money: st.integers(-MAX_MINOR // 100, MAX_MINOR // 100),
    Kind.percent: st.integers(0, 100),
    Kind.flag: st.booleans(),
    Kind.date: st.dates(date(1000, 1, 1), date(8999, 12, 31)),
    Kind.datetime: st.datetimes(datetime(1000, 1, 2), datetime(8999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    Kind.choice: st.sampled_from([c.value for c in STAGES]),
    Kind.choices: st.lists(st.sampled_from([c.value for c in STAGES]), unique=True),
    Kind.link: st.uuids(),
}


@pytest.mark.parametrize("kind", VALUES)
@settings(deadline=None, derandomize=True)
@given(data=st.data(), currency=st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "SEK", "CHF"]))
def test_what_is_written_is_read_back(kind: Kind, data: st.DataObject, currency: str) -> None:
    one, value = spec(kind, choices=STAGES if kind in (Kind.choice, Kind.choices) else ()), data.draw(VALUES[kind])
    how = {"currency": currency, "time_zone": "Asia/Kathmandu"}
    plain = show_value(one, value, plain=True, **how)
    if value not in ("", []):
        assert parse_value(one, plain, decimal_sign=".", **how) == value
        assert parse_value(one, plain, **how) == value, "also when nothing is known of the file"
    if kind is not Kind.datetime and value not in ("", []):  # a screen shows minutes only
        assert parse_value(one, show_value(one, value, **how), **how) == value
    assert load(kind, store(value)) == (value if value not in ("", []) else None)


@settings(deadline=None, derandomize=True)
@given(
    st.sampled_from(list(Kind)),
    st.text(max_size=30) | st.floats() | st.integers() | st.booleans() | st.dates(),
    st.booleans(),
)
def test_whatever_is_typed_is_read_or_refused_with_a_reason(kind: Kind, raw: Any, from_sheet: bool) -> None:
    try:
        value = read(kind, raw, how={"from_sheet": from_sheet}, nullable=True)
    except ValueError as error:
        assert str(error)
    else:
        show_value(spec(kind), value)
        show_value(spec(kind), value, plain=True)
