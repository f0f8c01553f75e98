"""What happens when cards are dropped: moved, closed or carried to another pipeline, once for every operation id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.platform import operations, records
from crm_app.services.sales import opportunities
from crm_app.services.sales.opportunities import Closing, Moved
from crm_app.services.sales.undo import as_json
from crm_app.store.uow import UnitOfWork


@dataclass(frozen=True)
class Drop:
    """The moved deals' names and what kept others back: {record id: reason}."""

    names: list[str] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


async def move(
    uow: UnitOfWork,
    operation_id: UUID,
    record_ids: Sequence[UUID],
    *,
    to_stage_id: UUID,
    after_id: UUID | None = None,
    seen_in: Mapping[UUID, UUID] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Drop:
    """Move the deals; `values` are filled in first, as the stage asked for them. Refuses as opportunities.move does."""
    if (before := await operations.begin(uow, operation_id)) is not None:
        return _repeated(before)
    if values:
        for record_id in sorted(record_ids):  # in one order everywhere, so that two drops cannot block each other
            await records.update(uow, OPPORTUNITY, record_id, values)
    result = await opportunities.move(uow, record_ids, to_stage_id=to_stage_id, after_id=after_id, seen_in=seen_in)
    blocked = {str(i): why for i, why in result.blocked.items()}
    return await _keep(uow, operation_id, result.moved, blocked)


async def close(
    uow: UnitOfWork, operation_id: UUID, record_ids: Sequence[UUID], *, won: bool, closing: Closing
) -> Drop:
    """Win or lose all of these deals, or none."""
    if (before := await operations.begin(uow, operation_id)) is not None:
        return _repeated(before)
    moved = await opportunities.close(uow, record_ids, StageKind.won if won else StageKind.lost, closing)
    return await _keep(uow, operation_id, moved, {})


async def reopen(uow: UnitOfWork, operation_id: UUID, record_id: UUID, *, to_stage_id: UUID | None = None) -> Drop:
    """Back into the last open stage of the deal, or the given one."""
    if (before := await operations.begin(uow, operation_id)) is not None:
        return _repeated(before)
    return await _keep(uow, operation_id, [await opportunities.reopen(uow, record_id, to_stage_id=to_stage_id)], {})


async def _keep(uow: UnitOfWork, operation_id: UUID, moved: list[Moved], blocked: dict[str, str]) -> Drop:
    await operations.keep(uow, operation_id, {"moved": as_json(moved), "blocked": blocked})
    return Drop([m.name for m in moved], blocked)


def _repeated(outcome: Mapping[str, Any]) -> Drop:
    return Drop([m["name"] for m in outcome.get("moved", ())], dict(outcome.get("blocked", {})))
