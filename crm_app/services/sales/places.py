"""Where cards stand in a column: between two neighbours, on top, at the end."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from crm_app.models.base import table_of
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.sales.opportunity_rules import POSITION_STEP
from crm_app.store.ready import Ready, Rows, Values, array
from crm_app.store.uow import UnitOfWork

_deals = table_of(Opportunity)
_above = _deals.alias("above")
_CLOSEST = 1e-6  # neighbours nearer than this: the column is numbered anew first
_first = (
    sa.select(_deals.c.position.label("high"))
    .where(
        _deals.c.stage_id == sa.bindparam("stage", type_=sa.Uuid()),
        _deals.c.deleted_at.is_(None),
        _deals.c.id != sa.all_(array("moving", sa.Uuid())),
    )
    .order_by(_deals.c.position, _deals.c.id)
    .limit(sa.literal_column("1"))
)
_TOP = Ready(_first)
# The position of the card above the place, and of the one below it.
_GAP = Ready(
    sa.select(
        _above.c.position.label("low"),
        _first.where(sa.tuple_(_deals.c.position, _deals.c.id) > sa.tuple_(_above.c.position, _above.c.id))
        .scalar_subquery()
        .label("high"),
    ).where(
        _above.c.id == sa.bindparam("after", type_=sa.Uuid()),
        _above.c.stage_id == sa.bindparam("stage", type_=sa.Uuid()),
        _above.c.deleted_at.is_(None),
    )
)


def neighbours(stage_id: UUID, after_id: UUID | None, moving: Sequence[UUID]) -> tuple[Ready, Values]:
    """What to ask for before `below`, together with something else."""
    values = {"stage": stage_id, "moving": list(moving)}
    return (_TOP, values) if after_id is None else (_GAP, values | {"after": after_id})


async def below(
    uow: UnitOfWork, stage_id: UUID, after_id: UUID | None, moving: Sequence[UUID], found: Rows | None = None
) -> list[float]:
    """Positions for the moving deals, in order, right below `after_id`; numbers the column anew where it got tight.

    `found` are the rows of `neighbours`, if they were asked for already.
    """
    low, high = await _gap(uow, stage_id, after_id, moving, found)
    if low is not None and high is not None and (high - low) / (len(moving) + 1) < _CLOSEST:
        await _renumber(uow, stage_id)
        low, high = await _gap(uow, stage_id, after_id, moving, None)
    if high is None:
        start = 0.0 if low is None else low
        return [start + POSITION_STEP * (i + 1) for i in range(len(moving))]
    if low is None:
        return [high - POSITION_STEP * (len(moving) - i) for i in range(len(moving))]
    step = (high - low) / (len(moving) + 1)
    return [low + step * (i + 1) for i in range(len(moving))]


async def _gap(
    uow: UnitOfWork, stage_id: UUID, after_id: UUID | None, moving: Sequence[UUID], found: Rows | None
) -> tuple[float | None, float | None]:
    """Positions of the neighbours above and below the place; None where there is none."""
    if found is None:
        found = (await uow.together(neighbours(stage_id, after_id, moving)))[0]
    if not found and after_id is not None:  # the neighbour went elsewhere meanwhile: on top
        found = (await uow.together(neighbours(stage_id, None, moving)))[0]
    return (found[0].get("low"), found[0]["high"]) if found else (None, None)


async def _renumber(uow: UnitOfWork, stage_id: UUID) -> None:
    order = sa.func.row_number().over(order_by=(_deals.c.position, _deals.c.id)) * POSITION_STEP
    numbered = (
        sa.select(_deals.c.id, order.label("place"))
        .where(_deals.c.stage_id == stage_id, _deals.c.deleted_at.is_(None))
        .subquery()
    )
    await uow.execute(sa.update(_deals).where(_deals.c.id == numbered.c.id).values(position=numbered.c.place))
    uow.changed_many("opportunity")
