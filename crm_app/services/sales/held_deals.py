"""Deals that are held for a move or a closing, and the stage they go into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import NotFound
from crm_app.models.base import table_of
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.store.ready import Ready, Rows, Values, one_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, owned_later, sight_of

_deals = table_of(Opportunity)
_stages = table_of(Stage)
# What a move or a closing may change, and so what a step back restores; the health besides, which follows from others
# and is worked out anew.
MOVED_FIELDS = (
    "pipeline_id", "stage_id", "position", "status", "probability", "probability_is_manual", "actual_close_on",
    "stage_entered_at", "win_loss_reason_id", "win_loss_details", "competitor_won_id",
)  # fmt: skip
Row = Mapping[str, Any]
STAGE = Ready(
    sa.select(*_stages.c["id", "name", "kind", "pipeline_id", "probability", "required_fields"]).where(
        _stages.c.id == sa.bindparam("stage", type_=sa.Uuid()), _stages.c.deleted_at.is_(None)
    )
)
# What moves and closings look at or change.
_LOOKED_AT = (
    "id", "version", "name", "amount_minor", "currency", "expected_close_on", "next_activity_at", "updated_at",
    "updated_by_id", "health", "health_changes_at", "custom", *MOVED_FIELDS,
)  # fmt: skip


def _lock(*, wide: bool) -> Ready:
    mine = owned_later(OPPORTUNITY, wide=wide, to_write=True)
    asked = sa.select(*_deals.c[_LOOKED_AT]).where(one_of(_deals.c.id, "ids"), _deals.c.deleted_at.is_(None), mine)
    return Ready(asked.order_by(_deals.c.id).with_for_update())


_LOCK, _LOCK_WIDE = _lock(wide=False), _lock(wide=True)


@dataclass(frozen=True, slots=True)
class Into:
    """The stage that deals come into."""

    id: UUID
    name: str
    kind: StageKind
    pipeline_id: UUID
    probability: int
    required_fields: list[str]


async def lock(uow: UnitOfWork, record_ids: Sequence[UUID]) -> list[Row]:
    """The live deals the actor may see, locked, in the order asked for. NotFound when one is missing."""
    return await in_order(uow, (await uow.together(asking(uow, record_ids)))[0], record_ids)


def asking(uow: UnitOfWork, record_ids: Sequence[UUID]) -> tuple[Ready, Values]:
    """What to ask for before `in_order`, together with something else."""
    return _LOCK_WIDE if is_wide(uow.actor) else _LOCK, {"ids": list(record_ids), **sight_of(OPPORTUNITY, uow.actor)}


async def in_order(uow: UnitOfWork, rows: Rows, record_ids: Sequence[UUID], stage: Into | None = None) -> list[Row]:
    found = {r["id"]: r for r in rows}
    if missing := [i for i in record_ids if i not in found]:
        if is_wide(uow.actor):
            for record_id in missing:
                await uow.get(Opportunity, record_id, to_write=True)  # shown to read only: it says so
        raise NotFound(
            "This deal was deleted, or you may not see it." if len(missing) == 1 else "Some deals were deleted."
        )
    wanted = [n for n in (stage.required_fields if stage else ()) if n in _deals.c and n not in _LOOKED_AT]
    if wanted:
        query = sa.select(_deals.c.id, *(_deals.c[n] for n in wanted)).where(_deals.c.id.in_(found))
        for row in (await uow.execute(query)).mappings():
            found[row["id"]] |= row
    return [found[i] for i in record_ids]


def into(stages: Rows) -> Into:
    if not stages:
        raise NotFound("This stage does not exist, or you may not see it.")
    return Into(**stages[0])
