"""Operations a browser may send twice, because the line was bad: done once, answered twice."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core.errors import Unauthenticated
from crm_app.models.base import table_of
from crm_app.models.platform.workspaces import ClientOperation
from crm_app.store.uow import UnitOfWork

_table = table_of(ClientOperation)


async def begin(uow: UnitOfWork, operation_id: UUID) -> dict[str, Any] | None:
    """None when this operation is new and now ours; else what it led to. A twin under way is waited for."""
    if uow.actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    statement = (
        insert(_table)
        .values(
            tenant_id=uow.actor.tenant_id, id=operation_id, user_id=uow.actor.user_id, outcome={}, created_at=uow.now
        )
        .on_conflict_do_nothing()
        .returning(_table.c.id)
    )
    if await uow.scalar(statement) is not None:
        return None
    return await outcome_of(uow, operation_id)


async def keep(uow: UnitOfWork, operation_id: UUID, outcome: dict[str, Any]) -> None:
    """Write down what the operation led to, with its transaction."""
    await uow.execute(sa.update(_table).where(_table.c.id == operation_id).values(outcome=outcome))


async def outcome_of(uow: UnitOfWork, operation_id: UUID) -> dict[str, Any]:
    """What one's own operation led to; empty when it is unknown."""
    query = sa.select(_table.c.outcome).where(_table.c.id == operation_id, _table.c.user_id == uow.actor.user_id)
    return await uow.scalar(query) or {}
