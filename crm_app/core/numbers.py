"""Numbers as people write them: groups by comma, dot, blank or apostrophe, decimals by comma or dot."""

import re
from decimal import Decimal

MINUS = "\u2212"
_MINUSES = "-\u2212\u2013"
_DIGITS = re.compile(r"\d[\d.,'\u2019\s]*\d|\d|[.,]\d+")
_LONGEST = 40


def parse_number(text: str, *, decimal_sign: str | None = None, places: int | None = None) -> Decimal:
    """ "1 234,5", "1,234.50", "(12)", "-3" as a Decimal. ValueError when it is no number.

    `decimal_sign` ("." or ",") is what a file is known to use; without it the text itself must tell. `places` is how
    many decimals are possible at all (2 for euros, 0 for pieces): "1.234" euros then can only mean 1234.
    """
    body = text.strip()
    negative = body.startswith("(") and body.endswith(")")
    if negative:
        body = body[1:-1].strip()
    if body[:1] in {*_MINUSES, "+"}:
        negative ^= body[0] != "+"
        body = body[1:].lstrip()
    elif body[-1:] in set(_MINUSES):
        negative, body = not negative, body[:-1].rstrip()
    if not body or len(body) > _LONGEST or not _DIGITS.fullmatch(body):
        raise ValueError(f"“{text.strip()}” is not a number; write it like 1234.5")
    try:
        number = _read(body, decimal_sign, places)
    except ValueError as error:
        raise ValueError(f"“{text.strip()}” {error}; write it like 1234.5") from None
    return -number if negative and number else number


def guess_decimal_sign(samples: list[str]) -> str | None:
    """The decimal sign that a column of a file must be using, or None when no value tells."""
    for text in samples:
        signs: list[str] = re.findall(r"[.,]", text)
        if not signs or re.search(r"[^\d.,\s'()+\-]", text):
            continue
        last, after = signs[-1], len(re.split(r"[.,]", text)[-1].strip(" )-"))
        if len(set(signs)) == 2 or (signs.count(last) == 1 and after != 3):
            return last
        if signs.count(last) > 1:
            return "," if last == "." else "."
    return None


def _read(body: str, decimal_sign: str | None, places: int | None) -> Decimal:
    parts = re.split(r"([.,'\u2019]|\s+)", body)
    digits, signs = parts[::2], parts[1::2]
    has_decimals = bool(signs) and signs[-1] in ".," and signs.count(signs[-1]) == 1
    if has_decimals and decimal_sign:
        has_decimals = signs[-1] == decimal_sign
    elif has_decimals and len(signs) == 1:
        has_decimals = not _is_group(digits, signs[0], places)
    decimals = digits.pop() if has_decimals else ""
    groups = {" " if s.isspace() else s for s in (signs[:-1] if has_decimals else signs)}
    if len(groups) > 1 or (decimal_sign and decimal_sign in groups):
        raise ValueError("mixes its signs")
    if groups and not _well_grouped(digits):
        raise ValueError("is not grouped like a number")
    return Decimal(f"{''.join(digits) or '0'}.{decimals or '0'}") if decimals else Decimal("".join(digits))


def _is_group(digits: list[str], sign: str, places: int | None) -> bool:
    """Whether a lone sign groups thousands: 1,234 always does, 1.234 where three decimals cannot be."""
    before, after = digits
    if len(after) != 3 or not 1 <= len(before) <= 3 or before.startswith("0"):
        return False
    return places is None or places < 3 if sign == "," else places is not None and places < 3


def _well_grouped(digits: list[str]) -> bool:
    first, *middle, last = digits
    sizes = {len(d) for d in middle}
    return 1 <= len(first) <= 3 and len(last) == 3 and sizes in (set(), {3}, {2})  # {2}: 12,34,567 in India
