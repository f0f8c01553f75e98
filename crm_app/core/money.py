"""Money is an integer of minor units plus an ISO 4217 code. Decimal only while reading or showing."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

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
NNBSP, NBSP, MINUS = "\u202f", "\u00a0", "\u2212"  # between groups, after the sign
MAX_MINOR = 99_999_999_999_999  # 999,999,999,999.99 in a currency with two decimals


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


def parse_amount(text: str, currency: str) -> int:
    """What a person typed ("1.234,56", "€ 1 234.56", "12k") in minor units. ValueError when it is no amount."""
    raw = re.sub(r"[^\d.,kKmM'\-\u2212]", "", text.strip()).replace("\u2212", "-").replace("'", "")
    factor = 1
    if raw[-1:] in "kKmM" and raw[-1:]:
        factor = 1_000 if raw[-1] in "kK" else 1_000_000
        raw = raw[:-1]
    comma, dot = raw.rfind(","), raw.rfind(".")
    if comma >= 0 and dot >= 0:  # the later one is the decimal sign
        raw = raw.replace("." if comma > dot else ",", "").replace(",", ".")
    elif comma >= 0:
        groups = raw.split(",")
        is_group = len(groups) > 2 or (len(groups[-1]) == 3 and exponent(currency) != 3)
        raw = raw.replace(",", "" if is_group else ".")
    elif raw.count(".") > 1:
        raw = raw.replace(".", "")
    try:
        value = Decimal(raw) * factor
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not an amount; write it like 1234.50") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not an amount; write it like 1234.50")
    return to_minor(value, currency)


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
    major = to_major(minor, currency)
    for limit, unit in ((Decimal(1_000_000_000), "bn"), (Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if abs(major) >= limit:
            digits = 0 if unit == "k" else 2
            return f"{symbol(currency)}{NBSP}{major / limit:,.{digits}f}{NBSP}{unit}"
    return f"{symbol(currency)}{NBSP}{major:,.0f}"
