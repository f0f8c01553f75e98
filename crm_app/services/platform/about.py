"""What hangs on a record of any kind, as files and comments do: it is seen by whoever sees the record."""

from typing import Any
from uuid import UUID

from crm_app.core import registry
from crm_app.core.errors import Forbidden, NotFound
from crm_app.core.registry import Entity
from crm_app.store.uow import UnitOfWork


async def seen(uow: UnitOfWork, entity: Entity, record_id: UUID, *, to_write: bool = False) -> Any:
    """The record. Forbidden when the role reads no such records, or with `to_write` when this one is shown to be read
    only; NotFound when it is not seen."""
    uow.require(f"{entity.name}.read")
    return await uow.get(entity.model, record_id, to_write=to_write)


async def seen_behind(uow: UnitOfWork, about: str, record_id: UUID, label: str) -> Entity:
    """The entity of a record that something hangs on. NotFound, in the words of the thing, when the actor may not know
    of the record: an id must not tell that something is there."""
    entity = registry.find(about)
    try:
        if entity is not None:
            await seen(uow, entity, record_id)
            return entity
    except (Forbidden, NotFound):
        pass
    raise NotFound(f"This {label} does not exist, or you may not see it.")
