"""Entities as a caller knows them: by their plural in the address, without what the role may not see."""

from difflib import get_close_matches
from typing import Any

from crm_app.core import registry
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity
from crm_app.services.platform import schema
from crm_app.store.uow import UnitOfWork


async def entity_of(uow: UnitOfWork, slug: str) -> Entity:
    """The entity of this address, as the actor may see it; NotFound names the nearest."""
    found = registry.by_slug(slug)
    if found is None:
        slugs = [e.slug for e in registry.all_entities()]
        near = get_close_matches(slug, slugs, 1)
        raise NotFound(f"There is nothing at this address; {f'did you mean /api/{near[0]}/?' if near else ALL}")
    return await named(uow, found.name)


async def named(uow: UnitOfWork, name: str) -> Entity:
    """The declaration as this actor of this tenant sees it."""
    return await schema.entity_of(uow, name)


def value_of(record: Any, name: str) -> Any:
    """What a record holds in a field: everything here reads records by this."""
    return getattr(record, name)


ALL = "GET /api/openapi.json lists what there is."
