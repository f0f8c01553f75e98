"""The rules every opportunity keeps, whoever writes it (blueprint, sections 6.1 and 6.2)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.errors import Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.platform.workspaces import Workspace
from crm_app.models.sales.opportunities import Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.platform import numbers
from crm_app.services.sales.health import health_of
from crm_app.store.ready import Ready
from crm_app.store.uow import UnitOfWork

LONGEST_AHEAD = timedelta(days=730)
POSITION_STEP = 1024.0
NUMBER_FORM = re.compile(r"[A-Za-z0-9-]+")


@guards("opportunity")
async def keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    wrong = await _complete(uow, draft) if draft.before is None else {}
    wrong |= _wrong_values(uow, draft)
    stage: Stage | None = None
    if draft.before is not None and draft.touches("probability", "expected_close_on"):
        stage = await uow.get(Stage, draft.before.stage_id)
        wrong |= _wrong_probability(uow, draft, stage)
    if wrong:
        raise Invalid(**wrong)
    if stage is not None:
        _follow(uow, draft, stage)


async def _complete(uow: UnitOfWork, draft: Draft) -> dict[str, str]:
    """What a new opportunity gets by itself: stage, probability, currency, number, its place on top of the column.
    Returns what is wrong with it."""
    values, wrong = draft.values, {}
    start = await _start(uow, values.get("pipeline_id"), values.get("stage_id"))
    values["stage_id"], values["pipeline_id"] = start.id, start.pipeline_id
    if values.get("probability") is None:
        values["probability"] = start.probability
    else:
        values["probability_is_manual"] = values["probability"] != start.probability
        wrong = _too_low(uow, values["probability"], start)
    values["currency"] = values.get("currency") or uow.actor.currency
    values.setdefault("stage_entered_at", uow.now)
    values["position"] = float(start.top or 0.0) - POSITION_STEP
    if values.get("expected_close_on") is not None:
        _keep_health(uow, draft)
    if not values.get("number"):
        taken = table_of(Opportunity).c.number
        values["number"] = await numbers.document_number(uow, start.prefix or "OPP", taken)
    return wrong


@dataclass(frozen=True, slots=True)
class _Start:
    """The stage a new deal begins in, the top of its column and the number prefix of the workspace."""

    id: UUID
    name: str
    pipeline_id: UUID
    probability: int
    kind: StageKind
    top: float | None
    prefix: str | None


async def _start(uow: UnitOfWork, pipeline_id: UUID | None, stage_id: UUID | None) -> _Start:
    wanted = {"stage": stage_id} if stage_id is not None else {} if pipeline_id is None else {"pipeline": pipeline_id}
    rows = await uow.ready(_starts(frozenset(wanted)), **wanted)
    if not rows:
        if stage_id is not None:
            raise NotFound("This stage does not exist.")
        raise Invalid(pipeline_id="has no open stage; add one under Settings, Pipelines")
    start = _Start(**rows[0])
    if start.kind is not StageKind.open:
        raise Invalid(stage_id="is an end: start in an open stage, then win or lose the deal")
    return start


@cache
def _starts(wanted: frozenset[str]) -> Ready:
    stages, pipelines, deals = table_of(Stage), table_of(Pipeline), table_of(Opportunity)
    top = (
        sa.select(deals.c.position)
        .where(deals.c.tenant_id == stages.c.tenant_id, deals.c.stage_id == stages.c.id, deals.c.deleted_at.is_(None))
        .order_by(deals.c.position)
        .limit(sa.literal_column("1"))
        .scalar_subquery()
    )
    prefix = sa.select(table_of(Workspace).c.number_prefix).scalar_subquery()
    query = (
        sa.select(
            stages.c.id,
            stages.c.name,
            stages.c.pipeline_id,
            stages.c.probability,
            stages.c.kind,
            top.label("top"),
            prefix.label("prefix"),
        )
        .join(pipelines, sa.and_(pipelines.c.tenant_id == stages.c.tenant_id, pipelines.c.id == stages.c.pipeline_id))
        .where(stages.c.is_active, stages.c.deleted_at.is_(None), pipelines.c.deleted_at.is_(None))
        .order_by(pipelines.c.position, stages.c.position)
        .limit(sa.literal_column("1"))
    )
    if "stage" in wanted:
        return Ready(query.where(stages.c.id == sa.bindparam("stage", type_=sa.Uuid())))
    query = query.where(stages.c.kind == sa.literal_column(f"'{StageKind.open.value}'"), pipelines.c.is_active)
    if "pipeline" in wanted:
        query = query.where(stages.c.pipeline_id == sa.bindparam("pipeline", type_=sa.Uuid()))
    return Ready(query)


def _wrong_values(uow: UnitOfWork, draft: Draft) -> dict[str, str]:
    wrong: dict[str, str] = {}
    number = draft.get("number") or ""
    if draft.touches("number") and not NUMBER_FORM.fullmatch(number):
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
    return _too_low(uow, draft.values["probability"], stage)


def _too_low(uow: UnitOfWork, probability: int, stage: Any) -> dict[str, str]:
    if probability >= stage.probability or uow.actor.can("opportunity.override_probability"):
        return {}
    return {"probability": f"cannot be below the {stage.probability} % of {stage.name}; ask a manager"}


def _follow(uow: UnitOfWork, draft: Draft, stage: Stage) -> None:
    """Keep what depends on the changed fields: the manual mark of the probability, the health."""
    if draft.touches("probability"):
        draft.values["probability_is_manual"] = draft.values["probability"] != stage.probability
    _keep_health(uow, draft)


def _keep_health(uow: UnitOfWork, draft: Draft) -> None:
    draft.values["health"], draft.values["health_changes_at"] = health_of(
        is_open=(draft.get("status") or OpportunityStatus.open) is OpportunityStatus.open,
        now=uow.now,
        expected_close_on=draft.get("expected_close_on"),
        next_activity_at=draft.get("next_activity_at"),
    )


def missing_fields(required: Iterable[str], deal: Mapping[str, Any]) -> list[str]:
    """Which of the fields that a stage requires the opportunity does not have yet."""
    return [n for n in required if deal.get(n) in (None, "", [], {})]
