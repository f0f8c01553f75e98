"""Who acts in a job that a person began: that person, with the rights of this moment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_app.core.context import Actor, Source
from crm_app.jobs.delivery import system_actor
from crm_app.services.people import actors
from crm_app.store.uow import unit_of_work


async def acting(tenant_id: UUID, began: Mapping[Any, Any]) -> Actor:
    """`began` has user_id, ip, user_agent and perhaps source. NotFound when the person is disabled by now."""
    async with unit_of_work(system_actor(tenant_id)) as uow:
        actor = await actors.load(uow, began["user_id"], source=Source(began.get("source", Source.ui)))
    return replace(actor, ip=began["ip"], user_agent=began["user_agent"])
