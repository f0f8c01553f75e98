"""Values of custom fields in SQL, as `stored` has them in JSON."""

from typing import Any

import sqlalchemy as sa

from crm_app.core.conditions import stored
from crm_app.core.conditions.operators import NUMBERS
from crm_app.core.registry import Kind


def custom_value(kind: Kind, column: Any, key: str) -> sa.ColumnElement[Any]:
    """The typed value of a custom field; NULL when absent or malformed, so that no row can break a query."""
    node, text = column[key], column[key].astext
    shape = sa.func.jsonb_typeof(node)
    if kind in NUMBERS:
        is_plain = sa.and_(shape == "number", sa.func.char_length(text) <= stored.SHORT)  # without reading the pattern
        well_formed = text.regexp_match(f"^{stored.NUMBER}$")
        return sa.case((is_plain, sa.cast(node, sa.Numeric)), (well_formed, sa.cast(text, sa.Numeric)))
    if kind is Kind.flag:
        return sa.case((shape == "boolean", sa.cast(text, sa.Boolean)))
    if kind is Kind.choices:
        return sa.case((shape == "array", node))
    is_text = shape == "string"
    if kind not in stored.PATTERN:
        return sa.case((is_text, text))
    well_formed = sa.and_(is_text, text.regexp_match(f"^{stored.PATTERN[kind]}$"))
    value = sa.func.rtrim(text, "Z") if kind is Kind.datetime else text
    return sa.case((well_formed, value)).collate("C")  # byte order is the order in time
