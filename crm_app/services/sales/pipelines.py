"""Pipelines: the ways a workspace sells, in the order the board offers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.errors import Conflict, Invalid
from crm_app.models.base import table_of
from crm_app.models.sales.facts import StageTotal
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import PIPELINE, Pipeline, Stage, StageKind
from crm_app.services.people.checks import optional_text, required_text
from crm_app.services.platform import records
from crm_app.services.sales import defaults
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, visible, visible_owners

_pipelines, _stages, _totals, _deals = table_of(Pipeline), table_of(Stage), table_of(StageTotal), table_of(Opportunity)


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """`open_deals` are those this actor sees."""

    id: UUID
    name: str
    description: str
    is_active: bool
    version: int
    open_stages: int
    open_deals: int


async def listed(uow: UnitOfWork) -> list[PipelineRow]:
    """All pipelines in their order, those that rest included."""
    uow.require("pipeline.read")
    mine = sa.and_(
        _stages.c.tenant_id == _pipelines.c.tenant_id,
        _stages.c.pipeline_id == _pipelines.c.id,
        _stages.c.kind == StageKind.open,
        _stages.c.deleted_at.is_(None),
    )
    deals = sa.select(sa.func.coalesce(sa.func.sum(_totals.c.deals), 0)).where(
        mine, _totals.c.tenant_id == _stages.c.tenant_id, _totals.c.stage_id == _stages.c.id
    )
    if (owners := visible_owners(uow.actor)) is not None:
        deals = deals.where(_totals.c.owner_id.in_(owners))
    if is_wide(uow.actor) and (seen := visible(OPPORTUNITY, uow.actor)) is not None:  # the kept totals know owners only
        deals = sa.select(sa.func.count()).where(
            mine, _deals.c.tenant_id == _stages.c.tenant_id, _deals.c.stage_id == _stages.c.id,
            _deals.c.deleted_at.is_(None), seen,
        )  # fmt: skip
    query = (
        sa.select(
            _pipelines.c.id, _pipelines.c.name, _pipelines.c.description, _pipelines.c.is_active, _pipelines.c.version,
            sa.select(sa.func.count()).select_from(_stages).where(mine).correlate(_pipelines).scalar_subquery(),
            sa.cast(deals.correlate(_pipelines).scalar_subquery(), sa.BigInteger),
        )
        .where(_pipelines.c.deleted_at.is_(None))
        .order_by(_pipelines.c.position, _pipelines.c.name)
    )  # fmt: skip
    return [PipelineRow(*tuple(row)) for row in await uow.rows(query)]


async def create(uow: UnitOfWork, *, name: str, description: str = "") -> Pipeline:
    """A pipeline behind the others, with the usual stages to start from."""
    uow.require("stage.create")
    place = await uow.scalar(sa.select(sa.func.coalesce(sa.func.max(_pipelines.c.position), -1) + 1))
    values = {"name": name, "description": description, "position": place}
    pipeline: Pipeline = await records.create(uow, PIPELINE, values)
    await defaults.add_stages(uow, pipeline, defaults.STAGES)
    _tell_boards(uow)
    return pipeline


async def change(uow: UnitOfWork, pipeline_id: UUID, *, name: str, description: str = "") -> Pipeline:
    values = {"name": name, "description": description}
    pipeline: Pipeline = await records.update(uow, PIPELINE, pipeline_id, values)
    _tell_boards(uow)
    return pipeline


async def deactivate(uow: UnitOfWork, pipeline_id: UUID) -> Pipeline:
    """Off the board; its closed deals stay in reports. Conflict while it has open deals, or is the last active one."""
    return await _set_active(uow, pipeline_id, False)


async def activate(uow: UnitOfWork, pipeline_id: UUID) -> Pipeline:
    return await _set_active(uow, pipeline_id, True)


async def _set_active(uow: UnitOfWork, pipeline_id: UUID, is_active: bool) -> Pipeline:
    pipeline: Pipeline = await records.update(uow, PIPELINE, pipeline_id, {"is_active": is_active})
    _tell_boards(uow)
    return pipeline


async def reorder(uow: UnitOfWork, pipeline_ids: Sequence[UUID]) -> None:
    """All pipelines, in the order wanted. Conflict when somebody added or removed one meanwhile."""
    uow.require("pipeline.update")
    query = sa.select(_pipelines.c.id, _pipelines.c.position).where(_pipelines.c.deleted_at.is_(None)).with_for_update()
    at = {row.id: row.position for row in await uow.rows(query)}
    if sorted(at) != sorted(pipeline_ids):
        raise Conflict("Somebody added or removed a pipeline meanwhile. Look at the list again.")
    for place, pipeline_id in enumerate(pipeline_ids):
        if at[pipeline_id] != place:
            await records.update(uow, PIPELINE, pipeline_id, {"position": place})
    _tell_boards(uow)


@guards("pipeline")
async def _keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    if draft.touches("name"):
        name = draft.values["name"] = required_text("name", draft.values["name"], 80)
        others = _pipelines.c.id != draft.before.id if draft.before else sa.true()
        same = sa.select(_pipelines.c.id).where(
            sa.func.lower(_pipelines.c.name) == name.lower(), _pipelines.c.deleted_at.is_(None), others
        )
        if await uow.scalar(same):
            raise Invalid(name="another pipeline has this name")
    if draft.touches("description"):
        draft.values["description"] = optional_text("description", draft.values["description"], 500)
    if draft.before is not None and (draft.get("deleted_at") or not draft.get("is_active")):
        await _refuse_needed(uow, draft.before)


async def _refuse_needed(uow: UnitOfWork, pipeline: Pipeline) -> None:
    """An open deal must stay on a board, and a workspace needs one pipeline to sell in."""
    if not pipeline.is_active:
        return
    open_deals = sa.select(sa.func.count()).where(
        _deals.c.pipeline_id == pipeline.id,
        _deals.c.status == OpportunityStatus.open,
        _deals.c.deleted_at.is_(None),
    )
    if count := await uow.scalar(open_deals):
        deals = "1 open deal is" if count == 1 else f"{count} open deals are"
        them = "it" if count == 1 else "them"
        raise Conflict(f"{deals} in {pipeline.name}. Move {them} to another pipeline or close {them} first.")
    rest = sa.select(_pipelines.c.id).where(
        _pipelines.c.is_active, _pipelines.c.deleted_at.is_(None), _pipelines.c.id != pipeline.id
    )
    if not await uow.scalar(rest.limit(1)):
        raise Conflict(f"{pipeline.name} is the only pipeline in use. Add or activate another one first.")


def _tell_boards(uow: UnitOfWork) -> None:
    """Boards read themselves anew when many deals changed; another pipeline means the same to them."""
    uow.changed_many("opportunity")
