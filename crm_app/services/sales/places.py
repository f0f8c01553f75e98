"""Where cards stand in a column: between two neighbours, on top, at the end."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from crm_app.models.base import table_of
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.sales.opportunity_rules import POSITION_STEP
from crm_app.store.uow import UnitOfWork

_deals = table_of(Opportunity)
_CLOSEST = 1e-6  # neighbours nearer than this: the column is numbered anew first


async def below(uow: UnitOfWork, stage_id: UUID, after_id: UUID | None, moving: Sequence[UUID]) -> list[float]:
    """Positions for the moving deals, in order, right below `after_id`; numbers the column anew where it got tight."""
    low, high = await _gap(uow, stage_id, after_id, moving)
    if low is not None and high is not None and (high - low) / (len(moving) + 1) < _CLOSEST:
        await _renumber(uow, stage_id)
        low, high = await _gap(uow, stage_id, after_id, moving)
    if high is None:
        start = 0.0 if low is None else low
        return [start + POSITION_STEP * (i + 1) for i in range(len(moving))]
    if low is None:
        return [high - POSITION_STEP * (len(moving) - i) for i in range(len(moving))]
    step = (high - low) / (len(moving) + 1)
    return [low + step * (i + 1) for i in range(len(moving))]


async def _gap(
    uow: UnitOfWork, stage_id: UUID, after_id: UUID | None, moving: Sequence[UUID]
) -> tuple[float | None, float | None]:
    """Positions of the neighbours above and below the place; None where there is none."""
    others = sa.and_(_deals.c.stage_id == stage_id, _deals.c.deleted_at.is_(None), _deals.c.id.not_in(list(moving)))
    first = sa.select(_deals.c.position).where(others).order_by(_deals.c.position, _deals.c.id)
    below = first.limit(sa.literal_column("1"))
    if after_id is None:
        return None, await uow.scalar(below)
    above = _deals.alias("above")
    behind = sa.tuple_(_deals.c.position, _deals.c.id) > sa.tuple_(above.c.position, above.c.id)
    query = (
        sa.select(above.c.position, below.where(behind).scalar_subquery())
        .where(above.c.id == after_id, above.c.stage_id == stage_id, above.c.deleted_at.is_(None))
    )  # fmt: skip
    found = await uow.rows(query)
    if not found:  # the neighbour went elsewhere meanwhile: on top
        return None, await uow.scalar(below)
    low, high = tuple(found[0])
    return low, high


async def _renumber(uow: UnitOfWork, stage_id: UUID) -> None:
    order = sa.func.row_number().over(order_by=(_deals.c.position, _deals.c.id)) * POSITION_STEP
    numbered = (
        sa.select(_deals.c.id, order.label("place"))
        .where(_deals.c.stage_id == stage_id, _deals.c.deleted_at.is_(None))
        .subquery()
    )
    await uow.execute(sa.update(_deals).where(_deals.c.id == numbered.c.id).values(position=numbered.c.place))
    uow.changed_many("opportunity")
