"""Operations a browser may send twice, because the line was bad: done once, answered twice."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core.errors import Unauthenticated
from crm_app.models.base import table_of
from crm_app.models.platform.workspaces import ClientOperation
from crm_app.store.ready import Ready
from crm_app.store.uow import UnitOfWork

_table = table_of(ClientOperation)
_BEGIN = Ready(
    insert(_table).on_conflict_do_nothing().returning(_table.c.id),
    writes=("tenant_id", "id", "user_id", "outcome", "created_at"),
)
_KEEP = Ready(sa.update(_table).where(_table.c.id == sa.bindparam("operation")), writes=("outcome",))


async def begin(uow: UnitOfWork, operation_id: UUID) -> dict[str, Any] | None:
    """None when this operation is new and now ours; else what it led to. A twin under way is waited for."""
    if uow.actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    values = {"tenant_id": uow.actor.tenant_id, "user_id": uow.actor.user_id, "outcome": {}, "created_at": uow.now}
    if await uow.ready(_BEGIN, id=operation_id, **values):
        return None
    return await outcome_of(uow, operation_id)


async def keep(uow: UnitOfWork, operation_id: UUID, outcome: dict[str, Any]) -> None:
    """Write down what the operation led to, with the end of its transaction."""
    uow.at_end(_KEEP, operation=operation_id, outcome=outcome)


async def outcome_of(uow: UnitOfWork, operation_id: UUID) -> dict[str, Any]:
    """What one's own operation led to; empty when it is unknown."""
    query = sa.select(_table.c.outcome).where(_table.c.id == operation_id, _table.c.user_id == uow.actor.user_id)
    return await uow.scalar(query) or {}
