"""Handlers and jobs of the clock may run twice: the second time changes nothing. One test over all of them."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core import events, jobs, registry
from crm_app.core.context import Actor
from crm_app.core.events import StoredEvent
from crm_app.jobs.delivery import system_actor
from crm_app.models.base import table_of
from crm_app.models.platform.events import Event
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import FIXED, make, value_of, writable

HANDLED = sorted(
    (event, name)
    for event, handlers in events._handlers.items()
    for name, fn in handlers.items()
    if fn.__module__.startswith("crm_app.")
)
TICKS = sorted(n for n, t in jobs.ticks().items() if t.run.__module__.startswith("crm_app."))
# Facts beyond <entity>.created and its like: how each comes about. Async (admin) -> None.
MAKERS: dict[str, Callable[[Actor], Awaitable[None]]] = {}
_VERBS = ("created", "updated", "deleted", "restored")


async def cause(admin: Actor, event: str) -> None:
    """Let the fact happen."""
    if event in MAKERS:
        await MAKERS[event](admin)
        return
    name, _, verb = event.partition(".")
    entity = registry.get(name)
    async with unit_of_work(admin) as uow:
        record = await make(uow, entity, whole=True)
    async with unit_of_work(admin) as uow:
        if verb == "updated":
            plain = next(s for s in writable(entity) if not s.choices and not s.target and (name, s.name) not in FIXED)
            await records.update(uow, entity, record.id, {plain.name: value_of(entity, plain, day=uow.today)})
        elif verb in ("deleted", "restored"):
            await records.delete(uow, entity, record.id)
    if verb == "restored":
        async with unit_of_work(admin) as uow:
            await records.restore(uow, entity, record.id)


async def picture(tenant_id: UUID) -> dict[str, str]:
    """A digest of every table of the tenant."""
    found = {}
    async with unit_of_work(system_actor(tenant_id)) as uow:
        names = await uow.rows(sa.text("SELECT tablename FROM pg_policies ORDER BY 1"))
        for (name,) in names:
            rows = await uow.scalar(sa.text(f"SELECT string_agg(t::text, '|' ORDER BY t::text) FROM {name} t"))
            found[name] = hashlib.sha256((rows or "").encode()).hexdigest()
    return found


async def run(admin: Actor, event: str, handler: Any) -> int:
    """Give the handler every such fact of the workspace; how many there were."""
    table = table_of(Event)
    actor = system_actor(admin.tenant_id)
    async with unit_of_work(actor) as uow:
        rows = (await uow.execute(sa.select(table).where(table.c.name == event))).mappings().all()
    for r in rows:
        fact = StoredEvent(r["id"], r["name"], r["entity"], r["record_id"], r["payload"], r["user_id"], r["depth"])
        async with unit_of_work(actor) as uow:
            await handler(uow, fact)
    return len(rows)


@pytest.mark.parametrize(("event", "name"), HANDLED)
async def test_a_handler_that_runs_twice_has_the_effect_of_once(admin, event, name):
    handler = events._handlers[event][name]
    await cause(admin, event)
    assert await run(admin, event, handler) > 0
    once = await picture(admin.tenant_id)
    await run(admin, event, handler)
    twice = await picture(admin.tenant_id)
    assert {t for t in once if once[t] != twice[t]} == set()


@pytest.mark.parametrize(("event", "name"), HANDLED)
async def test_a_handler_bears_that_the_record_has_gone_on(admin, event, name):
    """Between the fact and its handler time passes: the record may be changed or in the trash by then."""
    handler = events._handlers[event][name]
    await cause(admin, event)
    entity = registry.find(event.partition(".")[0])
    if entity is not None and not entity.is_managed:
        table = entity.table
        async with unit_of_work(admin) as uow:
            await uow.execute(sa.update(table).values(deleted_at=uow.now, version=table.c.version + 1))
    assert await run(admin, event, handler) > 0


@pytest.mark.parametrize("name", TICKS)
async def test_a_job_of_the_clock_that_runs_twice_has_the_effect_of_once(admin, name):
    async with unit_of_work(admin) as uow:
        for entity in ("opportunity", "activity", "account"):
            await make(uow, registry.get(entity), whole=True)
        now = uow.now
    pictures = []
    for _ in range(2):
        async with unit_of_work(system_actor(admin.tenant_id), now=now) as uow:
            await jobs.ticks()[name].run(uow)
        pictures.append(await picture(admin.tenant_id))
    once, twice = pictures
    assert {t for t in once if once[t] != twice[t]} == set()


def test_every_fact_that_is_heard_can_be_caused_here():
    names = {e.name for e in registry.all_entities()}
    known = {f"{n}.{v}" for n in names for v in _VERBS} | set(MAKERS)
    assert {event for event, _ in HANDLED} - known == set()
    assert HANDLED
    assert TICKS
