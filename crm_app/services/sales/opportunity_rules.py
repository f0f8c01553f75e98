"""The rules every opportunity keeps, whoever writes it (blueprint, sections 6.1 and 6.2)."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.errors import Invalid
from crm_app.models.base import table_of
from crm_app.models.platform.workspaces import Workspace
from crm_app.models.sales.opportunities import Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.platform import numbers
from crm_app.services.sales.health import health_of
from crm_app.store.uow import UnitOfWork

LONGEST_AHEAD = timedelta(days=730)
POSITION_STEP = 1024.0
_NUMBER = re.compile(r"[A-Za-z0-9-]+")


@guards("opportunity")
async def keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    if draft.before is None:
        await _complete(uow, draft)
    wrong = _wrong_values(uow, draft)
    stage: Stage | None = None
    if draft.before is not None and draft.touches("probability", "expected_close_on"):
        stage = await uow.get(Stage, draft.before.stage_id)
        wrong |= _wrong_probability(uow, draft, stage)
    if wrong:
        raise Invalid(**wrong)
    if stage is not None:
        _follow(uow, draft, stage)


async def _complete(uow: UnitOfWork, draft: Draft) -> None:
    """What a new opportunity gets by itself: stage, probability, currency, number, its place on top of the column."""
    values = draft.values
    stage = await _first_stage(uow, values.get("pipeline_id"), values.get("stage_id"))
    values["stage_id"], values["pipeline_id"] = stage.id, stage.pipeline_id
    if values.get("probability") is None:
        values["probability"] = stage.probability
    else:
        values["probability_is_manual"] = values["probability"] != stage.probability
    values["currency"] = values.get("currency") or uow.actor.currency
    values.setdefault("stage_entered_at", uow.now)
    values["position"] = await top_position(uow, stage.id)
    if values.get("expected_close_on") is not None:
        _follow(uow, draft, stage)
    if not values.get("number"):
        prefix: str = await uow.scalar(sa.select(table_of(Workspace).c.number_prefix)) or "OPP"
        values["number"] = await numbers.document_number(uow, prefix)


async def _first_stage(uow: UnitOfWork, pipeline_id: UUID | None, stage_id: UUID | None) -> Stage:
    if stage_id is not None:
        stage = await uow.get(Stage, stage_id)
        if stage.kind is not StageKind.open:
            raise Invalid(stage_id="start in an open stage, then win or lose the deal")
        return stage
    stages, pipelines = table_of(Stage), table_of(Pipeline)
    query = (
        sa.select(stages.c.id)
        .join(pipelines, sa.and_(pipelines.c.tenant_id == stages.c.tenant_id, pipelines.c.id == stages.c.pipeline_id))
        .where(stages.c.kind == StageKind.open, stages.c.is_active, stages.c.deleted_at.is_(None))
        .where(pipelines.c.deleted_at.is_(None))
        .order_by(pipelines.c.position, stages.c.position)
        .limit(1)
    )
    if pipeline_id is not None:
        query = query.where(stages.c.pipeline_id == pipeline_id)
    first: UUID | None = await uow.scalar(query)
    if first is None:
        raise Invalid(pipeline_id="has no open stage; add one under Settings, Pipelines")
    return await uow.get(Stage, first)


async def top_position(uow: UnitOfWork, stage_id: UUID) -> float:
    table = table_of(Opportunity)
    top = await uow.scalar(
        sa.select(table.c.position)
        .where(table.c.stage_id == stage_id, table.c.deleted_at.is_(None))
        .order_by(table.c.position)
        .limit(1)
    )
    return float(top or 0.0) - POSITION_STEP


def _wrong_values(uow: UnitOfWork, draft: Draft) -> dict[str, str]:
    wrong: dict[str, str] = {}
    number = draft.get("number") or ""
    if draft.touches("number") and not _NUMBER.fullmatch(number):
        wrong["number"] = "can only hold letters, digits and hyphens, like OPP-2026-0412"
    closes = draft.get("expected_close_on")
    # Checked when it is changed only: a deal that ran late must stay editable and draggable.
    if closes is not None and draft.touches("expected_close_on"):
        if closes < uow.today:
            wrong["expected_close_on"] = "lies in the past; choose today or later"
        elif closes > uow.today + LONGEST_AHEAD:
            wrong["expected_close_on"] = "is more than two years away"
    return wrong


def _wrong_probability(uow: UnitOfWork, draft: Draft, stage: Stage) -> dict[str, str]:
    if not draft.touches("probability"):
        return {}
    if draft.before.status is not OpportunityStatus.open:
        return {"probability": "is fixed once a deal is closed"}
    if draft.values["probability"] < stage.probability and not uow.actor.can("opportunity.override_probability"):
        return {"probability": f"cannot be below the {stage.probability} % of {stage.name}; ask a manager"}
    return {}


def _follow(uow: UnitOfWork, draft: Draft, stage: Stage) -> None:
    """Keep what depends on the changed fields: the manual mark of the probability, the health."""
    if draft.before is not None and draft.touches("probability"):
        draft.values["probability_is_manual"] = draft.values["probability"] != stage.probability
    draft.values["health"], draft.values["health_changes_at"] = health_of(
        is_open=(draft.get("status") or OpportunityStatus.open) is OpportunityStatus.open,
        now=uow.now,
        expected_close_on=draft.get("expected_close_on"),
        next_activity_at=draft.get("next_activity_at"),
    )


def missing_fields(stage: Stage, record: Any) -> list[str]:
    """Which of the stage's required fields the opportunity does not have yet."""
    return [n for n in stage.required_fields if getattr(record, n, None) in (None, "", [], {})]
