"""What lies in the trash, over REST; taking out is /api/<plural>/<id>/restore/."""

from datetime import datetime
from typing import Any
from uuid import UUID

from crm_app.api.rest import queries
from crm_app.api.rest.answers import Answer, dumps
from crm_app.api.rest.calls import Call
from crm_app.api.rest.reading import conditional
from crm_app.api.rest.schemas import Schema
from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.services.platform import trash
from crm_app.services.platform.trash import Mark, Thrown

_PARAMETERS = ("entity", "page_size", "after")


async def listed(call: Call) -> Answer:
    """GET /api/trash/: the latest first, of what the caller may see and delete."""
    params = call.request.query_params
    queries.only(params, _PARAMETERS)
    name, size = params.get("entity", ""), _size(params.get("page_size"))
    if "entity" in params and name not in kinds():
        raise Invalid(entity=f"must be one of {', '.join(kinds())}")
    after = _mark(params["after"]) if "after" in params else None
    async with call.work() as uow:
        found = await trash.listed(uow, entity_name=name, before=after, limit=size + 1)
    rows = found[:size]
    more = f"{rows[-1].deleted_at.isoformat()}~{rows[-1].id}" if len(found) > size else None
    body = {"data": [_shown(t) for t in rows], "paging": {"page_size": size, "after": more}}
    return conditional(call, dumps(body))


def kinds() -> list[str]:
    """Entities that are thrown away by the generic services."""
    return sorted(e.name for e in registry.all_entities() if not e.is_managed)


def _shown(thrown: Thrown) -> dict[str, Any]:
    slug = registry.get(thrown.entity).slug
    return {
        "entity": thrown.entity,
        "id": thrown.id,
        "title": thrown.title,
        "deleted_at": thrown.deleted_at,
        "deleted_by_id": thrown.by_id,
        "deleted_by": thrown.by_name,
        "goes_at": thrown.goes_at,
        "along": thrown.along,
        "restore": f"/api/{slug}/{thrown.id}/restore/",
    }


def _size(text: str | None) -> int:
    if text is None:
        return queries.DEFAULT_SIZE
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= queries.MOST_SIZE:
        raise Invalid(page_size=f"must be a whole number from 1 to {queries.MOST_SIZE}")
    return number


def _mark(text: str) -> Mark:
    moment, _, record_id = text.partition("~")
    try:
        at, last = datetime.fromisoformat(moment), UUID(record_id)
    except ValueError:
        at, last = datetime.min, UUID(int=0)  # noqa: DTZ901  refused below: it has no zone
    if at.tzinfo is None:
        raise Invalid(after="is not a mark of this list; take the one that the page before gave")
    return at, last


def described(query: Any, answers: Schema, whole: Schema) -> Schema:
    """The operation for the OpenAPI document; `query(name, schema, about)` makes a parameter."""
    return {
        "tags": ["Trash"],
        "operationId": "list_trash",
        "summary": "What lies in the trash and can be restored, the latest first",
        "parameters": [
            query("entity", {"type": "string", "enum": kinds()}, "Of one kind only."),
            query("page_size", whole, f"Default {queries.DEFAULT_SIZE}."),
            query("after", {"type": "string"}, "`paging.after` of the page before."),
        ],
        "responses": answers,
    }


def list_schema() -> Schema:
    paging = {
        "type": "object",
        "properties": {
            "page_size": {"type": "integer"}, "after": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["page_size", "after"],
    }  # fmt: skip
    properties = {"data": {"type": "array", "items": _row_schema()}, "paging": paging}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _row_schema() -> Schema:
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    link = {"type": "string", "format": "uuid"}
    properties = {
        "entity": text, "id": link, "title": text, "deleted_at": moment, "goes_at": moment, "restore": text,
        "deleted_by_id": {"anyOf": [link, {"type": "null"}]}, "deleted_by": text,
        "along": {"type": "integer", "description": "Records that went with it, and come back with it."},
    }  # fmt: skip
    return {"type": "object", "properties": properties, "required": list(properties)}
