"""Several records of one person or company become one over REST, and are parted again: as on the duplicates page."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from crm_app.api.rest import queries
from crm_app.api.rest.answers import Answer, answer
from crm_app.api.rest.bodies import is_id
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import entity_of
from crm_app.api.rest.schemas import Schema
from crm_app.api.rest.writing import once
from crm_app.core.errors import Invalid, NotFound
from crm_app.core.matching import matched_entities
from crm_app.core.registry import Entity
from crm_app.services.platform import merges
from crm_app.store.uow import UnitOfWork

_KNOWN = ("other_ids", "picks", "versions")
_ID: Schema = {"type": "string", "format": "uuid"}


def is_merged(entity: Entity | None) -> bool:
    """Whether records of this kind can become one."""
    return entity is not None and entity.name in matched_entities() and not entity.is_managed


async def merge(call: Call) -> Answer:
    """POST /api/<plural>/<id>/merge/: the others go into the record of the address."""
    queries.only(call.request.query_params, ())
    body, record_id = await call.object(), call.id()
    other_ids, picks, versions = _read(body)

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        done = await merges.merge(uow, entity, record_id, other_ids, picks, versions=versions)
        return answer(
            {
                "merge_id": done.id,
                "survivor_id": done.survivor_id,
                "merged_ids": done.loser_ids,
                "undo": f"/api/{entity.slug}/{record_id}/merges/{done.id}/undo/",
            }
        )

    return await once(call, work)


async def listed(call: Call) -> Answer:
    """GET /api/<plural>/<id>/merges/: what went into the record and can still be parted from it, latest first."""
    queries.only(call.request.query_params, ())
    async with call.work() as uow:
        entity = await entity_of(uow, call.segments[0])
        uow.require(f"{entity.name}.merge")
        await uow.get(entity.model, call.id())
        found = await merges.lately(uow, entity, record_id=call.id())
    return answer({"data": [{"id": m.id, "count": m.count, "at": m.at, "who": m.who} for m in found]})


async def undo(call: Call) -> Answer:
    """POST /api/<plural>/<id>/merges/<merge id>/undo/: part them again; what was changed since stays and is told."""
    queries.only(call.request.query_params, ())
    record_id, merge_id = call.id(), call.id(3)

    async def work(uow: UnitOfWork) -> Answer:
        entity = await entity_of(uow, call.segments[0])
        uow.require(f"{entity.name}.merge")
        if merge_id not in {m.id for m in await merges.lately(uow, entity, record_id=record_id, limit=500)}:
            raise NotFound("There is no merge of this record with this id that can be taken back.")
        parted = await merges.unmerge(uow, merge_id)
        return answer(
            {
                "survivor_id": parted.survivor_id,
                "restored": parted.restored,
                "kept": [{"entity": k.entity, "id": k.id, "title": k.title} for k in parted.kept],
                "kept_unnamed": parted.more,
                "fields_kept": parted.fields,
            }
        )

    return await once(call, work)


def _read(body: dict[str, Any]) -> tuple[list[UUID], dict[str, UUID], dict[UUID, int]]:
    """Typed values of the body; Invalid for each that does not fit."""
    wrong = {n[:100]: f"is not understood here; known are {', '.join(_KNOWN)}" for n in body if n not in _KNOWN}
    others, picks, versions = body.get("other_ids"), body.get("picks", {}), body.get("versions", {})
    if not isinstance(others, list) or not others or not all(map(is_id, others)):
        wrong["other_ids"] = "must be a list of ids"
    if not isinstance(picks, dict) or not all(map(is_id, picks.values())):
        wrong["picks"] = "must name, for a field, the id of the record whose value it gets"
    if not isinstance(versions, dict) or not all(is_id(k) and type(v) is int for k, v in versions.items()):
        wrong["versions"] = "must be the versions that you read, by id"
    if wrong:
        raise Invalid(**wrong)
    return (
        [UUID(i) for i in others or ()],
        {str(n): UUID(i) for n, i in picks.items()},
        {UUID(i): v for i, v in versions.items()},
    )


def paths(entity: Entity, one: str, writes: Callable[..., Schema], lately: Schema, record_id: Schema) -> Schema:
    """For the OpenAPI document; `writes` and `lately` as the others there are made."""
    several = entity.plural.lower()
    merging = writes(entity, "merge", f"Make one of several {several}", body="Merge", gives="Merged")
    parting = writes(entity, "unmerge", f"Part merged {several} again", gives="Parted")
    reading = {
        "tags": [entity.plural],
        "operationId": f"merges_{entity.name}",
        "summary": f"Merges of {several} that can be taken back",
        "responses": lately,
    }
    ids = [record_id, {**record_id, "name": "merge_id"}]
    return {
        f"{one}merge/": {"parameters": ids[:1], "post": merging},
        f"{one}merges/": {"parameters": ids[:1], "get": reading},
        f"{one}merges/{{merge_id}}/undo/": {"parameters": ids, "post": parting},
    }


def schema() -> Schema:
    """Of the body, for the OpenAPI document."""
    return {
        "type": "object",
        "properties": {
            "other_ids": {"type": "array", "items": _ID, "minItems": 1, "maxItems": merges.MOST - 1},
            "picks": {"type": "object", "additionalProperties": _ID},
            "versions": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["other_ids"],
        "additionalProperties": False,
    }


def answers() -> dict[str, Schema]:
    """Of what is answered."""
    ids: Schema = {"type": "array", "items": _ID}
    text: Schema = {"type": "string"}
    whole: Schema = {"type": "integer"}
    kept = {"type": "object", "properties": {"entity": text, "id": _ID, "title": text}}
    line = {
        "type": "object",
        "properties": {"id": _ID, "count": whole, "at": {"type": "string", "format": "date-time"}, "who": text},
    }
    return {
        "Merged": _whole(merge_id=_ID, survivor_id=_ID, merged_ids=ids, undo=text),
        "Merges": _whole(data={"type": "array", "items": line}),
        "Parted": _whole(
            survivor_id=_ID,
            restored=ids,
            kept={"type": "array", "items": kept},
            kept_unnamed=whole,
            fields_kept={"type": "array", "items": text},
        ),
    }


def _whole(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}
