"""Stages of a pipeline: at least one open stage, in order, then exactly one for won and one for lost deals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.errors import Conflict, Invalid
from crm_app.core.registry import FieldSpec, Kind
from crm_app.models.base import table_of
from crm_app.models.sales.facts import StageTotal
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import STAGE, Pipeline, Stage, StageKind
from crm_app.services.people.checks import required_text
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, visible, visible_owners

_stages, _totals, _deals = table_of(Stage), table_of(StageTotal), table_of(Opportunity)
_TEXTS = frozenset({Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url, Kind.choices})
_FIXED_AT_ENDS = {"probability": "chance", "rotting_days": "limit in days", "required_fields": "needed fields"}


@dataclass(frozen=True, slots=True)
class StageName:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """`deals` are those this actor sees."""

    id: UUID
    name: str
    kind: StageKind
    color: int
    probability: int
    rotting_days: int | None
    description: str
    required_fields: list[str]
    version: int
    deals: int


@dataclass(frozen=True, slots=True)
class Changed:
    """`followed` counts the open deals whose probability went with that of the stage."""

    stage: Stage
    followed: int


async def listed(uow: UnitOfWork, pipeline_id: UUID) -> list[StageRow]:
    """The stages of a pipeline in their order, the ends last. NotFound for an unknown pipeline."""
    uow.require("stage.read")
    await uow.get(Pipeline, pipeline_id)
    deals = sa.select(sa.func.coalesce(sa.func.sum(_totals.c.deals), 0)).where(
        _totals.c.tenant_id == _stages.c.tenant_id, _totals.c.stage_id == _stages.c.id
    )
    if (owners := visible_owners(uow.actor)) is not None:
        deals = deals.where(_totals.c.owner_id.in_(owners))
    if is_wide(uow.actor) and (seen := visible(OPPORTUNITY, uow.actor)) is not None:  # the kept totals know owners only
        deals = (
            sa.select(sa.func.count())
            .where(
                _deals.c.tenant_id == _stages.c.tenant_id,
                _deals.c.stage_id == _stages.c.id,
                _deals.c.deleted_at.is_(None),
            )
            .where(seen)
        )
    query = (
        sa.select(
            _stages.c.id, _stages.c.name, _stages.c.kind, _stages.c.color, _stages.c.probability,
            _stages.c.rotting_days, _stages.c.description, _stages.c.required_fields, _stages.c.version,
            sa.cast(deals.scalar_subquery(), sa.BigInteger),
        )
        .where(_stages.c.pipeline_id == pipeline_id, _stages.c.deleted_at.is_(None))
        .order_by(_stages.c.kind != StageKind.open, _stages.c.kind == StageKind.lost, _stages.c.position, _stages.c.id)
    )  # fmt: skip
    return [StageRow(*tuple(row)) for row in await uow.rows(query)]


def requirable_fields() -> list[FieldSpec]:
    """Fields of a deal that a stage may ask for: those that can be empty and that a person fills in."""
    named = [name for section in OPPORTUNITY.form for name in section.fields]
    specs = [OPPORTUNITY.fields[name] for name in named if name not in OPPORTUNITY.readonly]
    return [s for s in specs if not s.required and (s.nullable or s.kind in _TEXTS) and s.name != "currency"]


async def add(
    uow: UnitOfWork,
    pipeline_id: UUID,
    *,
    name: str,
    probability: int | None = None,
    rotting_days: int | None = None,
    color: int = 0,
    description: str = "",
    required_fields: Sequence[str] = (),
) -> Stage:
    """An open stage behind the other open ones; without a probability it takes that of the stage before it."""
    here = await _of_pipeline(uow, pipeline_id)
    before = [s for s in here if s.kind is StageKind.open]
    stage: Stage = await records.create(
        uow,
        STAGE,
        {
            "pipeline_id": pipeline_id,
            "name": name,
            "position": len(before),
            "probability": probability if probability is not None else before[-1].probability if before else 0,
            "rotting_days": rotting_days,
            "color": color,
            "description": description,
            "required_fields": list(required_fields),
        },
    )
    await _number(uow, [*before, stage, *(s for s in here if s.kind is not StageKind.open)])
    uow.changed_many("opportunity")
    return stage


async def change(uow: UnitOfWork, stage_id: UUID, values: Mapping[str, Any], *, version: int | None = None) -> Changed:
    """Change a stage's fields. Its open deals follow a new probability, except those with one of their own.

    `version` is what the person saw; when somebody saved since, it is a Conflict.
    """
    stage = await uow.get(Stage, stage_id, lock=True)
    if version is not None and stage.version != version:
        raise Conflict(f"Somebody changed {stage.name} meanwhile. Look at it again, then save.")
    before = stage.probability
    stage = await records.update(uow, STAGE, stage_id, values)
    followed = await _follow(uow, stage) if stage.probability != before else 0
    uow.changed_many("opportunity")
    return Changed(stage, followed)


async def _follow(uow: UnitOfWork, stage: Stage) -> int:
    statement = (
        sa.update(_deals)
        .where(
            _deals.c.stage_id == stage.id,
            _deals.c.status == OpportunityStatus.open,
            sa.not_(_deals.c.probability_is_manual),
            _deals.c.probability != stage.probability,
            _deals.c.deleted_at.is_(None),
        )
        .values(
            probability=stage.probability,
            version=_deals.c.version + 1,
            updated_at=uow.now,
            updated_by_id=uow.actor.user_id,
        )
    )
    return await uow.write(statement)


async def reorder(uow: UnitOfWork, pipeline_id: UUID, stage_ids: Sequence[UUID]) -> None:
    """All open stages of the pipeline, in the order wanted; the ends stay behind them.

    Conflict when somebody added or removed one meanwhile.
    """
    uow.require("stage.update")
    here = await _of_pipeline(uow, pipeline_id)
    open_stages = {s.id: s for s in here if s.kind is StageKind.open}
    if sorted(open_stages) != sorted(stage_ids):
        raise Conflict("Somebody added or removed a stage meanwhile. Look at the pipeline again.")
    await _number(uow, [*(open_stages[i] for i in stage_ids), *(s for s in here if s.kind is not StageKind.open)])
    uow.changed_many("opportunity")


async def remove(uow: UnitOfWork, stage_id: UUID) -> None:
    """Take an open stage out of its pipeline. Conflict while deals are in it, or when it is the last open one.

    Deals that lie in the trash go to its neighbour, so that they can still come back.
    """
    uow.require("stage.delete")
    stage = await uow.get(Stage, stage_id)
    here = await _of_pipeline(uow, stage.pipeline_id)
    await uow.get(Stage, stage_id, lock=True)  # waits for moves into it that are under way
    await _refuse_full(uow, stage)
    await records.delete(uow, STAGE, stage_id)
    rest = [s for s in here if s.id != stage_id]
    at = [s.id for s in here].index(stage_id)
    neighbour = rest[max(at - 1, 0)]
    await uow.execute(
        sa.update(_deals)
        .where(_deals.c.stage_id == stage_id)
        .values(stage_id=neighbour.id, stage_entered_at=uow.now, version=_deals.c.version + 1, updated_at=uow.now)
    )
    await _number(uow, rest)
    uow.changed_many("opportunity")


async def _refuse_full(uow: UnitOfWork, stage: Stage) -> None:
    deals = sa.select(sa.func.count()).where(_deals.c.stage_id == stage.id, _deals.c.deleted_at.is_(None))
    if count := await uow.scalar(deals):
        what = "1 deal is" if count == 1 else f"{count} deals are"
        raise Conflict(
            f"{what} in {stage.name}. Move {'it' if count == 1 else 'them'} to another stage first.",
            current={"deals": count},
        )


async def _of_pipeline(uow: UnitOfWork, pipeline_id: UUID) -> list[Stage]:
    """The stages in their order. The pipeline is locked: who adds, moves or removes stages waits for the other."""
    await uow.get(Pipeline, pipeline_id, lock=True)
    query = (
        sa.select(Stage)
        .where(_stages.c.pipeline_id == pipeline_id, _stages.c.deleted_at.is_(None))
        .order_by(_stages.c.kind != StageKind.open, _stages.c.kind == StageKind.lost, _stages.c.position, _stages.c.id)
    )
    return list((await uow.execute(query)).scalars())


async def _number(uow: UnitOfWork, in_order: Sequence[Stage]) -> None:
    for place, stage in enumerate(in_order):
        if stage.position != place:
            stage.position = place
            uow.changed("stage", stage.id, stage.version + 1)
    await uow.flush()


@guards("stage")
async def _keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    is_leaving = draft.touches("deleted_at") or (draft.touches("is_active") and not draft.get("is_active"))
    if draft.before is not None and is_leaving:
        await _refuse_needed(uow, draft.before)
    if draft.before is None:
        if draft.get("kind") not in (None, StageKind.open):
            raise Invalid(kind="can only be open: a pipeline has its Won and its Lost from the start")
    elif draft.touches("kind", "pipeline_id"):
        raise Invalid(kind="stays what it is, and a stage stays in its pipeline; add a new stage instead")
    elif draft.before.kind is not StageKind.open and draft.touches(*_FIXED_AT_ENDS):
        raise Invalid(**{n: f"is fixed: {draft.before.name} is an end" for n in _FIXED_AT_ENDS if draft.touches(n)})
    if draft.touches("name"):
        await _keep_name(uow, draft)
    if draft.touches("required_fields"):
        draft.values["required_fields"] = _known_fields(draft.values["required_fields"])


async def _keep_name(uow: UnitOfWork, draft: Draft) -> None:
    name = draft.values["name"] = required_text("name", draft.values["name"], 100)
    same = sa.select(_stages.c.id).where(
        _stages.c.pipeline_id == draft.get("pipeline_id"),
        sa.func.lower(_stages.c.name) == name.lower(),
        _stages.c.deleted_at.is_(None),
        _stages.c.id != draft.before.id if draft.before else sa.true(),
    )
    if await uow.scalar(same):
        raise Invalid(name="another stage of this pipeline has this name")


def _known_fields(names: Sequence[str]) -> list[str]:
    """In the order of the form, each once."""
    known = [s.name for s in requirable_fields()]
    if unknown := [n for n in names if n not in known]:
        raise Invalid(required_fields=f"{unknown[0]} cannot be asked for; choose fields of a deal that may be empty")
    return [n for n in known if n in names]


async def _refuse_needed(uow: UnitOfWork, stage: Stage) -> None:
    """What a pipeline cannot do without stays."""
    if stage.kind is not StageKind.open:
        raise Conflict(f"{stage.name} stays: every pipeline needs one stage for won and one for lost deals.")
    rest = sa.select(_stages.c.id).where(
        _stages.c.pipeline_id == stage.pipeline_id,
        _stages.c.kind == StageKind.open,
        _stages.c.is_active,
        _stages.c.deleted_at.is_(None),
        _stages.c.id != stage.id,
    )
    if not await uow.scalar(rest.limit(1)):
        raise Conflict(f"{stage.name} is the only open stage of this pipeline. Add another one first.")
    await _refuse_full(uow, stage)


async def next_of(uow: UnitOfWork, opportunity_id: UUID) -> StageName | None:
    """The open stage after the one that a deal is in; None for the last one and for a closed deal."""
    uow.require("opportunity.read")
    deal = await uow.get(Opportunity, opportunity_id)
    if deal.status is not OpportunityStatus.open:
        return None
    here = sa.select(_stages.c.position).where(_stages.c.id == deal.stage_id).scalar_subquery()
    open_ones = sa.select(_stages.c.id, _stages.c.name).where(
        _stages.c.pipeline_id == deal.pipeline_id, _stages.c.kind == StageKind.open,
        _stages.c.is_active, _stages.c.deleted_at.is_(None), _stages.c.position > here,
    )  # fmt: skip
    row = (await uow.execute(open_ones.order_by(_stages.c.position).limit(1))).one_or_none()
    return None if row is None else StageName(row.id, row.name)
