"""Money is an integer of minor units plus an ISO 4217 code. Decimal only while reading or showing."""

import re
from decimal import ROUND_HALF_UP, Decimal
from unicodedata import category

from crm_app.core.numbers import MINUS, parse_number

# ISO 4217 active codes and their minor-unit exponents where they are not 2.
_EXPONENT = {
    **dict.fromkeys(("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF").split(), 0),
    **dict.fromkeys(("BHD IQD JOD KWD LYD OMR TND").split(), 3),
    **dict.fromkeys(("CLF UYW").split(), 4),
}
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY"
    " COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS"
    " INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR"
    " MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP"
    " STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_TWO.split()) | frozenset(_EXPONENT)
_SYMBOL = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CHF": "CHF", "PLN": "zł", "SEK": "kr", "INR": "₹"}
NNBSP, NBSP = "\u202f", "\u00a0"  # between groups, after the sign
MAX_MINOR = 99_999_999_999_999  # 999,999,999,999.99 in a currency with two decimals

_AMOUNT = re.compile(r"([^\d.,]*)((?:\d[\d.,'\u2019\s]*)?\d|[.,]\d+)(\D*)")
_PRICE_DASH = re.compile(r"(?<=\d)[.,][-\u2013\u2014]+")  # 12,- and 12.–
_UNIT = re.compile(r"(tsd|k|mio|million|mn|mrd|billion|bn|m|b)\.?\s*", re.IGNORECASE)
_UNITS = {
    **dict.fromkeys(("k", "tsd"), 1_000),
    **dict.fromkeys(("m", "mn", "mio", "million"), 1_000_000),
    **dict.fromkeys(("b", "bn", "mrd", "billion"), 1_000_000_000),
}
_MARKS = frozenset("kr kč zł fr sfr ft lei lv лв rs rp rm r us$ a$ au$ c$ ca$ nz$ s$ hk$ r$ mx$".split())
_SHORT = (  # from where on a unit is used: 999 500 would round to 1000 k, so it is 1.00 M
    (999_995_000, 1_000_000_000, "bn", 2),
    (999_500, 1_000_000, "M", 2),
    (1_000, 1_000, "k", 0),
)
_ONLY = {"€": "EUR", "zł": "PLN", "₹": "INR", "kč": "CZK", "us$": "USD", "r$": "BRL", "hk$": "HKD"}


def exponent(currency: str) -> int:
    """Digits after the decimal point (ISO 4217)."""
    return _EXPONENT.get(currency, 2)


def symbol(currency: str) -> str:
    return _SYMBOL.get(currency, currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """12.345 EUR -> 1235, half up."""
    return int(amount.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def to_major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))


def parse_amount(text: str, currency: str, *, decimal_sign: str | None = None) -> int:
    """What a person typed ("1.234,56", "€ 1 234.56", "12k", "500 kr") in minor units.

    ValueError when it is no amount, names another currency or is past the largest. `decimal_sign`: see parse_number.
    """
    found = _AMOUNT.fullmatch(_PRICE_DASH.sub("", text.strip()))
    if found is None:
        raise _no_amount(text)
    before, number, after = found.groups()
    minus = bool(re.search(f"[-{MINUS}]", before + after)) or (before.startswith("(") and after.endswith(")"))
    marks = re.sub(f"[-+(){MINUS}]", " ", before).strip(), re.sub(f"[-(){MINUS}]", " ", after).strip()
    factor, unit = _factor(marks[1])
    for mark in (marks[0], marks[1][len(unit) :].strip()):
        _check_mark(mark, currency, text)
    try:
        value = parse_number(number, decimal_sign=decimal_sign, places=None if unit else exponent(currency)) * factor
    except ValueError:
        raise _no_amount(text) from None
    if value > to_major(MAX_MINOR, currency):
        raise ValueError(f"“{text.strip()}” is too large; the most is {show(MAX_MINOR, currency)}")
    return to_minor(-value if minus else value, currency)


def _factor(mark: str) -> tuple[int, str]:
    """1000 and "k" for "k", "k €" and "kEUR", but 1 and "" for "kr"."""
    unit = None if _is_mark(mark) else _UNIT.match(mark)
    if unit is None or not (unit[0] == mark or not mark[unit.end()].isalpha() or _is_mark(mark[unit.end() :])):
        return 1, ""
    return _UNITS[unit[1].lower()], unit[0]


def _is_mark(mark: str) -> bool:
    return (
        mark.upper() in CURRENCIES or mark.lower().rstrip(".") in _MARKS or (len(mark) == 1 and category(mark) == "Sc")
    )


def _check_mark(mark: str, currency: str, text: str) -> None:
    if mark and not _is_mark(mark):
        raise _no_amount(text)
    meant = mark.upper() if mark.upper() in CURRENCIES else _ONLY.get(mark.lower(), currency)
    if meant != currency:
        raise ValueError(f"“{text.strip()}” is in {meant}, but this amount is in {currency}")


def _no_amount(text: str) -> ValueError:
    return ValueError(f"“{text.strip()}” is not an amount; write it like 1234.50")


def show(minor: int | None, currency: str, *, cents: bool | None = None) -> str:
    """€ 184 500 or € 12.50: groups by U+202F, decimals only where there are any (or `cents`)."""
    if minor is None:
        return ""
    major, digits = to_major(abs(minor), currency), exponent(currency)
    shown = digits if (cents if cents is not None else major != int(major)) else 0
    body = f"{major:,.{shown}f}".replace(",", NNBSP)
    return f"{MINUS if minor < 0 else ''}{symbol(currency)}{NBSP}{body}"


def show_short(minor: int, currency: str) -> str:
    """€ 456 k, € 1.54 M: for sums in heads."""
    major = to_major(abs(minor), currency)
    body = f"{major:,.0f}"
    for least, size, unit, digits in _SHORT:
        if major >= least:
            body = f"{major / size:,.{digits}f}{NBSP}{unit}"
            break
    return f"{MINUS if minor < 0 else ''}{symbol(currency)}{NBSP}{body.replace(',', NNBSP)}"
