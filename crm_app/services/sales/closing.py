"""What somebody chooses from when a deal is closed or carried to another pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.models.base import table_of
from crm_app.models.sales.competitors import Competitor, WinLossReason
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.store.uow import UnitOfWork

_reasons, _competitors = table_of(WinLossReason), table_of(Competitor)
_stages, _pipelines = table_of(Stage), table_of(Pipeline)


@dataclass(frozen=True)
class Choices:
    now: datetime
    reasons: Sequence[sa.RowMapping] = ()
    competitors: Sequence[sa.RowMapping] = ()
    stages: Sequence[sa.RowMapping] = ()


async def choices(uow: UnitOfWork, end: str) -> Choices:
    """For "won" and "lost": reasons of that kind (id, name) and competitors; for "pipeline": open stages everywhere."""
    uow.require("opportunity.read")
    if end == "pipeline":
        query = (
            sa.select(_stages.c.id, _stages.c.name, _pipelines.c.name.label("pipeline"))
            .join(
                _pipelines,
                sa.and_(_pipelines.c.tenant_id == _stages.c.tenant_id, _pipelines.c.id == _stages.c.pipeline_id),
            )
            .where(_stages.c.kind == StageKind.open, _stages.c.is_active, _stages.c.deleted_at.is_(None))
            .where(_pipelines.c.is_active, _pipelines.c.deleted_at.is_(None))
            .order_by(_pipelines.c.position, _stages.c.position)
        )
        return Choices(uow.now, stages=(await uow.execute(query)).mappings().all())
    reasons = (
        sa.select(_reasons.c.id, _reasons.c.name)
        .where(_reasons.c.kind == end, _reasons.c.is_active, _reasons.c.deleted_at.is_(None))
        .order_by(_reasons.c.position, _reasons.c.name)
    )
    rivals = sa.select(_competitors.c.id, _competitors.c.name).where(_competitors.c.deleted_at.is_(None))
    return Choices(
        uow.now,
        reasons=(await uow.execute(reasons)).mappings().all(),
        competitors=(await uow.execute(rivals.order_by(_competitors.c.name).limit(200))).mappings().all(),
    )


def in_stage(stage_id: str) -> dict[str, Any]:
    """The value that puts a new deal into a stage; nothing for the first one."""
    return {"stage_id": UUID(stage_id)} if stage_id else {}
