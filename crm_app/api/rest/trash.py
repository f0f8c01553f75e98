"""What lies in the trash, over REST; taking out is /api/<plural>/<id>/restore/."""

from typing import Any

from crm_app.api.rest import marks, queries
from crm_app.api.rest.answers import Answer, dumps
from crm_app.api.rest.calls import Call
from crm_app.api.rest.reading import conditional
from crm_app.api.rest.schemas import Schema
from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.services.platform import trash
from crm_app.services.platform.trash import Thrown


async def listed(call: Call) -> Answer:
    """GET /api/trash/: the latest first, of what the caller may see and delete."""
    params = call.request.query_params
    queries.only(params, ("entity", *marks.PARAMETERS))
    name, size, after = params.get("entity", ""), marks.size_of(params), marks.after_of(params)
    if "entity" in params and name not in kinds():
        raise Invalid(entity=f"must be one of {', '.join(kinds())}")
    async with call.work() as uow:
        found = await trash.listed(uow, entity_name=name, before=after, limit=size + 1)
    body = marks.paged([_shown(t) for t in found], [(t.deleted_at, t.id) for t in found], size)
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


def described(query: Any, answers: Schema, if_none_match: Schema) -> Schema:
    """The operation for the OpenAPI document; `query(name, schema, about)` makes a parameter."""
    return {
        "tags": ["Trash"],
        "operationId": "list_trash",
        "summary": "What lies in the trash and can be restored, the latest first",
        "parameters": [
            query("entity", {"type": "string", "enum": kinds()}, "Of one kind only."),
            *marks.parameters(),
            if_none_match,
        ],
        "responses": answers,
    }


def list_schema() -> Schema:
    return marks.list_schema(_row_schema())


def _row_schema() -> Schema:
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    link = {"type": "string", "format": "uuid"}
    properties = {
        "entity": text, "id": link, "title": text, "deleted_at": moment, "goes_at": moment, "restore": text,
        "deleted_by_id": {"anyOf": [link, {"type": "null"}]}, "deleted_by": text,
        "along": {"type": "integer", "description": "Records that went with it, and come back with it."},
    }  # fmt: skip
    return {"type": "object", "properties": properties, "required": list(properties)}
