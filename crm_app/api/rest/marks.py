"""Pages of what has no fields to sort by: the latest first, on from the moment and the id of the last."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.datastructures import QueryParams

from crm_app.api.rest import queries
from crm_app.api.rest.schemas import Schema
from crm_app.core.errors import Invalid

Mark = tuple[datetime, UUID]
PARAMETERS = ("page_size", "after")


def size_of(params: QueryParams) -> int:
    text = params.get("page_size")
    if text is None:
        return queries.DEFAULT_SIZE
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= queries.MOST_SIZE:
        raise Invalid(page_size=f"must be a whole number from 1 to {queries.MOST_SIZE}")
    return number


def after_of(params: QueryParams) -> Mark | None:
    if "after" not in params:
        return None
    moment, _, record_id = params["after"].partition("~")
    try:
        at, last = datetime.fromisoformat(moment), UUID(record_id)
    except ValueError:
        at, last = datetime.min, UUID(int=0)  # noqa: DTZ901  refused below: it has no zone
    if at.tzinfo is None:
        raise Invalid(after="is not a mark of this list; take the one that the page before gave")
    return at, last


def paged(rows: list[dict[str, Any]], marks: list[Mark], size: int) -> dict[str, Any]:
    """The body of an answer: `rows` are one more than `size` where another page follows."""
    more = f"{marks[size - 1][0].isoformat()}~{marks[size - 1][1]}" if len(rows) > size else None
    return {"data": rows[:size], "paging": {"page_size": size, "after": more}}


def parameters() -> list[Schema]:
    """For the OpenAPI document."""
    size = {"type": "integer", "minimum": 1, "maximum": queries.MOST_SIZE}
    return [
        {"name": "page_size", "in": "query", "schema": size, "description": f"Default {queries.DEFAULT_SIZE}."},
        {
            "name": "after", "in": "query", "schema": {"type": "string"},
            "description": "`paging.after` of the page before.",
        },
    ]  # fmt: skip


def list_schema(row: Schema, **more: Schema) -> Schema:
    paging = {
        "type": "object",
        "properties": {
            "page_size": {"type": "integer"}, "after": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["page_size", "after"],
    }  # fmt: skip
    properties = {"data": {"type": "array", "items": row}, "paging": paging, **more}
    return {"type": "object", "properties": properties, "required": list(properties)}
