"""Steps back that survive a lost connection: what a move changed, kept beside the browser's operation id."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from crm_app.core.errors import Conflict
from crm_app.services.platform import operations
from crm_app.services.sales import opportunities
from crm_app.services.sales.opportunities import Moved
from crm_app.store.uow import UnitOfWork


async def undo(uow: UnitOfWork, operation_id: UUID) -> list[Moved]:
    """Take back what the operation moved or closed. Conflict when it is undone already or somebody changed the
    same fields of a deal since."""
    uow.require("opportunity.move")
    outcome = await operations.outcome_of(uow, operation_id)
    if not outcome.get("moved"):
        raise Conflict("There is nothing to undo any more.")
    back = await opportunities.step_back(uow, from_json(outcome["moved"]))
    await operations.keep(uow, operation_id, {"undone": True})
    return back


def as_json(moved: Sequence[Moved]) -> list[dict[str, Any]]:
    """For keeping beside the operation id, so that a step back still works after a reconnect."""
    return [
        {
            "id": str(m.record_id),
            "name": m.name,
            "at": m.at.isoformat(),
            "before": {k: _plain(v) for k, v in m.before.items()},
            "after": {k: _plain(v) for k, v in m.after.items()},
        }
        for m in moved
    ]


def from_json(data: Sequence[Mapping[str, Any]]) -> list[Moved]:
    return [
        Moved(
            UUID(m["id"]), m["name"], datetime.fromisoformat(m["at"]),
            *({k: _typed(k, v) for k, v in m[side].items()} for side in ("before", "after")),
        )
        for m in data
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    return value.isoformat() if isinstance(value, date) else str(getattr(value, "value", value))


def _typed(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_id"):
        return UUID(value)
    if name == "actual_close_on":
        return date.fromisoformat(value)
    if name == "stage_entered_at":
        return datetime.fromisoformat(value)
    return value
