"""A deal to another stage over REST: moved, won, lost or reopened, as a drop on the board does it."""

from typing import Any

from crm_app.api.rest import bodies, queries
from crm_app.api.rest.answers import Answer
from crm_app.api.rest.calls import Call
from crm_app.api.rest.entities import named
from crm_app.api.rest.reading import recorded
from crm_app.api.rest.schemas import Schema
from crm_app.api.rest.writing import once
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.services.platform import records
from crm_app.services.platform.sight import Seen
from crm_app.services.platform.validation import problem
from crm_app.services.sales import opportunities
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import UnitOfWork

DEAL = "opportunity"
_FIELDS = {
    f.name: f
    for f in (
        FieldSpec("stage_id", "Stage", Kind.link, required=True, target="stage"),
        FieldSpec(
            "seen_stage_id",
            "Stage in which you saw it; needed to reopen a closed deal",
            Kind.link,
            nullable=True,
            target="stage",
        ),
        FieldSpec("after_id", "Deal below which it goes", Kind.link, nullable=True, target=DEAL),
        FieldSpec("reason_id", "Reason, for won and lost", Kind.link, nullable=True, target="win_loss_reason"),
        FieldSpec("competitor_id", "Who won it", Kind.link, nullable=True, target="competitor"),
        FieldSpec("details", "What we learned", Kind.long_text),
        FieldSpec("closed_on", "Closed on; default today", Kind.date, nullable=True),
        FieldSpec("values", "What the stage asks for", Kind.json),
    )
}


async def transition(call: Call) -> Answer:
    """POST /api/opportunities/<id>/stage-transition/."""
    queries.only(call.request.query_params, ())
    body, record_id = await call.object(), call.id()

    async def work(uow: UnitOfWork) -> Answer:
        entity = await named(uow, DEAL)
        said = _read(body)
        if values := said.get("values"):
            before = await uow.get(entity.model, record_id, lock=True)
            await records.update(uow, entity, record_id, bodies.change_of(entity, values, Seen(uow, entity, before)))
        stage = await uow.get(Stage, said["stage_id"])
        if stage.kind is StageKind.open:
            seen = {record_id: said["seen_stage_id"]} if said.get("seen_stage_id") else None
            after = said.get("after_id")
            await opportunities.move(uow, [record_id], to_stage_id=stage.id, after_id=after, seen_in=seen)
        else:
            closing = Closing(
                said.get("reason_id"), said.get("details") or "", said.get("competitor_id"), said.get("closed_on")
            )
            await opportunities.close(uow, [record_id], stage.kind, closing)
        record = await uow.get(entity.model, record_id)
        await uow.session.refresh(record)
        return await recorded(uow, record, entity)

    return await once(call, work)


def _read(body: dict[str, Any]) -> dict[str, Any]:
    """Typed values of the body; Invalid for each that does not fit."""
    wrong = {n[:100]: f"is not understood here; known are {', '.join(_FIELDS)}" for n in body if n not in _FIELDS}
    said = {n: bodies.typed(_FIELDS[n], raw) for n, raw in body.items() if n in _FIELDS}
    wrong |= {n: message for n, value in said.items() if (message := problem(_FIELDS[n], value))}
    if "stage_id" not in said:
        wrong["stage_id"] = "is required"
    if not isinstance(said.get("values", {}), dict):
        wrong["values"] = "must be an object of fields"
    if wrong:
        raise Invalid(**wrong)
    return said


def schema(schema_of: Any) -> Schema:
    """Of the body, for the OpenAPI document."""
    properties = {n: schema_of(f) for n, f in _FIELDS.items()}
    properties["values"] = {"type": "object", "title": _FIELDS["values"].label}
    return {"type": "object", "properties": properties, "required": ["stage_id"], "additionalProperties": False}


def is_deal(entity: Entity) -> bool:
    return entity.name == DEAL
