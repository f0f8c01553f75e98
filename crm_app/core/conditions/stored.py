"""How values of custom fields stand in JSON, so that SQL and Python read them alike and a malformed one is just empty.

Numbers: JSON numbers, or strings of digits where a float would lose some (`decimal`). Days and moments: ISO text
(`2026-01-31`, `2026-01-31T09:30:00Z`), which sorts as time does; so a comparison needs no cast that could fail.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from crm_app.core.conditions.operators import NUMBERS
from crm_app.core.registry import Kind

# Read by both `re` (fullmatch) and PostgreSQL (anchored).
NUMBER = r"-?[0-9]{1,30}(\.[0-9]{1,30})?"
SHORT = 30  # a JSON number that is not longer fits the pattern: PostgreSQL writes none with an exponent
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{0,5}[1-9])?Z"
IDENTITY = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PATTERN = {Kind.date: DAY, Kind.datetime: MOMENT, Kind.link: IDENTITY}


def store(value: Any) -> Any:
    """The JSON form of a typed value of a custom field."""
    if isinstance(value, datetime):
        return f"{moment_text(value)}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def load(kind: Kind, raw: Any) -> Any:
    """The typed value of a JSON form, or None when it is empty or malformed."""
    raw = read(kind, raw)
    try:
        if isinstance(raw, str):
            if kind is Kind.date:
                return date.fromisoformat(raw)
            if kind is Kind.datetime:
                return datetime.fromisoformat(raw).replace(tzinfo=UTC)
            return UUID(raw) if kind is Kind.link else raw
        return int(raw) if isinstance(raw, Decimal) and kind is not Kind.decimal else raw
    except ValueError:
        return None


def read(kind: Kind, raw: Any) -> Any:
    """What a comparison sees of a stored value: Decimal, bool, list or text; None when empty or malformed."""
    if kind in NUMBERS:
        return _number(raw)
    if kind is Kind.flag:
        return raw if isinstance(raw, bool) else None
    if kind is Kind.choices:
        return raw if isinstance(raw, list) and raw else None
    if not isinstance(raw, str) or not raw:
        return None
    if kind in PATTERN and not re.fullmatch(PATTERN[kind], raw):
        return None
    return raw.removesuffix("Z") if kind is Kind.datetime else raw


def comparable(bound: Any) -> Any:
    """A bound in the form that `read` gives."""
    if isinstance(bound, datetime):
        return moment_text(bound)
    return bound.isoformat() if isinstance(bound, date) else str(bound) if isinstance(bound, UUID) else bound


def moment_text(moment: datetime) -> str:
    """ISO in UTC without zone and without trailing zeros: sorts as text exactly as in time."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text.rstrip("0") if "." in text else text


def _number(raw: Any) -> Decimal | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        return None
    text = format(Decimal(repr(raw)), "f") if isinstance(raw, float) and isfinite(raw) else str(raw)
    return Decimal(text) if re.fullmatch(NUMBER, text) else None
