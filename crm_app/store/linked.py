"""Whether records point somewhere, asked by open pages before they read anew; only what the tenant has is looked at."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.registry import Entity
from crm_app.store.uow import UnitOfWork


async def any_linked(uow: UnitOfWork, entity: Entity, record_ids: Sequence[UUID], link: str, to_id: UUID) -> bool:
    """Whether one of these records points to `to_id` over `link`: what an open page asks before it reads anew."""
    if not record_ids:
        return False
    table = entity.table
    found = sa.select(sa.exists().where(table.c.id.in_(list(record_ids)), table.c[link] == to_id))
    return bool(await uow.scalar(found))
