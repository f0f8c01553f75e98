"""Bring stored facts to their handlers: each in its own transaction, in effect once, parked when it keeps failing."""

import logging
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor, Scope, Source
from crm_app.core.events import MAX_DEPTH, Handler, StoredEvent, handlers_for
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event, EventDelivery
from crm_app.services.platform import failures
from crm_app.store.uow import unit_of_work

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 5
_events, _deliveries = table_of(Event), table_of(EventDelivery)


class SomeFailed(Exception):
    """A handler failed; the job comes again after a while."""


def system_actor(tenant_id: UUID, source: Source = Source.job) -> Actor:
    """Who acts when nobody does: the workspace itself. It sees the whole workspace and no other."""
    return Actor(
        tenant_id=tenant_id, user_id=None, name="System", permissions=frozenset({"*"}), scope=Scope.all, source=source
    )


async def deliver(tenant_id: UUID, event_ids: list[UUID]) -> None:
    """Run the handlers of these facts that have not dealt with them. SomeFailed when one must be tried again."""
    actor = system_actor(tenant_id, Source.workflow)
    async with unit_of_work(actor) as uow:
        rows = (
            await uow.execute(sa.select(_events).where(_events.c.id.in_(event_ids)).order_by(_events.c.id))
        ).mappings()
        facts = [
            StoredEvent(r["id"], r["name"], r["entity"], r["record_id"], r["payload"], r["user_id"], r["depth"])
            for r in rows
        ]
    failed = False
    for fact in facts:
        if fact.depth >= MAX_DEPTH:
            log.error("event %s of %s is number %s of a chain: a loop, stopped", fact.name, fact.record_id, fact.depth)
            continue
        for name, handler in handlers_for(fact.name).items():
            failed |= not await _deliver(actor, fact, name, handler)
    if failed:
        raise SomeFailed(f"a handler failed on {len(facts)} events")


async def _deliver(actor: Actor, fact: StoredEvent, name: str, handler: Handler) -> bool:
    """True when this handler has dealt with the fact, now or before, or was given up."""
    try:
        async with unit_of_work(actor, depth=fact.depth + 1) as uow:
            delivery = await _claim(uow, fact, name)
            if delivery is None or delivery["done_at"] or delivery["parked_at"]:
                return True
            await handler(uow, fact)
            await uow.execute(sa.update(_deliveries).where(_deliveries.c.id == delivery["id"]).values(done_at=utcnow()))
        return True
    except Exception as error:  # whatever a handler raises: it is logged, counted and shown to an admin
        log.exception("handler %s failed on %s %s", name, fact.name, fact.record_id)
        return await _count_failure(actor, fact, name, error)


async def _claim(uow: Any, fact: StoredEvent, name: str) -> sa.RowMapping | None:
    """The delivery's row, locked; None while another worker is on it."""
    row = {
        "tenant_id": uow.actor.tenant_id,
        "id": new_id(),
        "event_id": fact.id,
        "handler": name,
        "attempts": 0,
        "error": "",
    }
    await uow.execute(insert(_deliveries).values(row).on_conflict_do_nothing())
    query = sa.select(_deliveries).where(_deliveries.c.event_id == fact.id, _deliveries.c.handler == name)
    found: sa.RowMapping | None = (await uow.execute(query.with_for_update(skip_locked=True))).mappings().one_or_none()
    return found


async def _count_failure(actor: Actor, fact: StoredEvent, name: str, error: Exception) -> bool:
    """Write the failure down; at the last attempt the delivery is parked. True when it is not to be tried again."""
    async with unit_of_work(actor) as uow:
        row = {"tenant_id": actor.tenant_id, "id": new_id(), "event_id": fact.id, "handler": name, "attempts": 1}
        text = f"{type(error).__name__}: {error}"[:2000]
        statement = (
            insert(_deliveries)
            .values(row | {"error": text})
            .on_conflict_do_update(
                index_elements=["tenant_id", "event_id", "handler"],
                set_={"attempts": _deliveries.c.attempts + 1, "error": text},
            )
            .returning(_deliveries.c.attempts)
        )
        if await uow.scalar(statement) < MOST_ATTEMPTS:
            return False
        here = sa.and_(_deliveries.c.event_id == fact.id, _deliveries.c.handler == name)
        await uow.execute(sa.update(_deliveries).where(here).values(parked_at=utcnow()))
        uow.changed_many(failures.TOPIC)
        return True
