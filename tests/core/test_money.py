from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_app.core.money import CURRENCIES, MAX_MINOR, NBSP, NNBSP, exponent, parse_amount, show, show_short, to_minor
from crm_app.core.numbers import guess_decimal_sign


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("1234", 123400),
        ("1.234,56", 123456),
        ("1,234.56", 123456),
        ("€ 1 234.56", 123456),
        (f"€{NBSP}1{NNBSP}234.56", 123456),
        ("1'234.50", 123450),
        ("1’234’567", 123456700),
        ("12,34,567.00", 123456700),
        ("1.234", 123400),
        ("1,234", 123400),
        ("1.234.567", 123456700),
        ("0.125", 13),
        ("1,5", 150),
        (".5", 50),
        ("5,-", 500),
        ("5.–", 500),
        ("-12.50", -1250),
        ("−12,50", -1250),
        ("-€5", -500),
        ("€ -5", -500),
        ("5-", -500),
        ("(12.50)", -1250),
        ("(€ 5)", -500),
        ("+5", 500),
        ("12k", 1_200_000),
        ("12 K€", 1_200_000),
        ("1.234k", 123_400),
        ("5 kEUR", 500_000),
        ("2,5m", 250_000_000),
        ("2 Mio. €", 200_000_000),
        ("1.5 million", 150_000_000),
        ("1 bn", 100_000_000_000),
        ("500 kr", 50_000),
        ("kr 500", 50_000),
        ("EUR 500", 50_000),
        ("500 eur", 50_000),
        ("$500", 50_000),
    ],
)
def test_amounts_as_people_write_them(text: str, minor: int) -> None:
    assert parse_amount(text, "EUR") == minor


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "k", "€", "abc", "12 apples", "12abc34", "1e5", "45%", "5²", "1/2", "NaN", "Infinity", "12.03.2025"),
        *("1.2.3", "1,2,3", "12 34", "1,2345,678", "1.234 567,8", "1,234.567.890", "--", "1 000 00", "0x12", "٣.٤.٥"),
    ],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount; write it like"):
        parse_amount(text, "EUR")


def test_another_currency_is_refused() -> None:
    for text, meant in (
        ("USD 500", "USD"),
        ("500 zł", "PLN"),
        ("5 kUSD", "USD"),
        ("CHF 1'000.–", "CHF"),
        ("₹ 5", "INR"),
    ):
        with pytest.raises(ValueError, match=f"is in {meant}, but this amount is in EUR"):
            parse_amount(text, "EUR")
    assert parse_amount("500 zł", "PLN") == 50_000


def test_the_largest() -> None:
    assert parse_amount("999 999 999 999.99", "EUR") == MAX_MINOR
    for text in ("1 000 000 000 000", "9" * 38, "1001 bn"):
        with pytest.raises(ValueError, match="too large; the most is"):
            parse_amount(text, "EUR")


def test_currencies_with_other_decimals() -> None:
    assert [parse_amount("1.234", c) for c in ("KWD", "JPY", "EUR")] == [1234, 1234, 123400]
    assert parse_amount("1,234", "KWD") == 1234 and parse_amount("1.2345", "CLF") == 12345
    assert exponent("JPY") == 0 and exponent("EUR") == 2 and {"EUR", "JPY", "KWD"} <= CURRENCIES


def test_half_a_cent_goes_up() -> None:
    assert [to_minor(Decimal(x), "EUR") for x in ("0.005", "0.0049", "-0.005", "1.015")] == [1, 0, -1, 102]


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_shown_is_read_back(minor: int, currency: str) -> None:
    if abs(minor) * 10**2 <= MAX_MINOR * 10 ** (2 - max(exponent(currency) - 2, 0)):
        assert parse_amount(show(minor, currency), currency) == minor
        assert parse_amount(show(minor, currency, cents=True), currency) == minor


def test_shown() -> None:
    shown = {
        (None, None): "",
        (18_450_000, None): "€ 184 500",
        (1250, None): "€ 12.50",
        (-1250, None): "−€ 12.50",
        (1200, True): "€ 12.00",
        (1250, False): "€ 12",
        (0, None): "€ 0",
    }
    for (minor, cents), text in shown.items():
        assert show(minor, "EUR", cents=cents).replace(NBSP, " ").replace(NNBSP, " ") == text
    assert show(5, "XOF") == f"XOF{NBSP}5"


def test_shown_short() -> None:
    shown = {
        0: "€ 0",
        99_900: "€ 999",
        100_000: "€ 1 k",
        45_600_000: "€ 456 k",
        99_949_900: "€ 999 k",
        99_950_000: "€ 1.00 M",
        154_000_000: "€ 1.54 M",
        -154_000_000: "−€ 1.54 M",
        99_970_000_000: "€ 999.70 M",
        99_999_600_000: "€ 1.00 bn",
        99_999_999_999_999: "€ 1 000.00 bn",
    }
    for minor, text in shown.items():
        assert show_short(minor, "EUR").replace(NBSP, " ").replace(NNBSP, " ") == text


def test_a_column_tells_its_decimal_sign() -> None:
    assert guess_decimal_sign(["1.234", "12", "7,5"]) == ","
    assert guess_decimal_sign(["1.234", "1,234.50"]) == "."
    assert guess_decimal_sign(["1.234.567"]) == "," and guess_decimal_sign(["1,234,567"]) == "."
    assert guess_decimal_sign(["1.234", "abc 1,5", "", "5"]) is None
