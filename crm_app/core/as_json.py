"""Values of records as JSON, the same in answers and files."""

from decimal import Decimal
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Ids, days and moments as text, moments in UTC, decimals as text, so that no digit is lost."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
