"""What each change leaves behind: the seven fields in the audit log, one fact, one word to open screens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core.registry import Entity, Kind
from crm_app.models.base import table_of
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.events import Event
from crm_app.services.platform import records
from crm_app.store.live import Changed, LiveHub
from crm_app.store.uow import unit_of_work
from tests.entities.values import OPEN, SPECIAL, ids, make, value_of, writable

_log, _events = table_of(AuditEntry), table_of(Event)
SECONDS = 5


@pytest.fixture(scope="module")
async def hub(app_database: None) -> AsyncIterator[LiveHub]:
    made = LiveHub()
    task = asyncio.create_task(made.listen())
    await asyncio.wait_for(made.is_listening.wait(), SECONDS)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def entries(actor, entity: Entity, record_id: UUID) -> list[Any]:
    query = sa.select(_log).where(_log.c.entity == entity.name, _log.c.record_id == record_id).order_by(_log.c.at)
    async with unit_of_work(actor) as uow:
        return list((await uow.execute(query)).mappings())


def changed_field(entity: Entity) -> str:
    """A text that every record of the entity has."""
    texts = (s.name for s in writable(entity) if s.kind is Kind.text and s.required and not s.choices)
    return next(n for n in texts if (entity.name, n) not in SPECIAL)


async def through_life(cast, entity: Entity) -> tuple[UUID, str, Any, Any]:
    """Made by alice, changed, thrown away and taken back: its id, the changed field, the old value and the new."""
    name = changed_field(entity)
    async with unit_of_work(cast.admin) as uow:  # what it needs is made before
        template = await make(uow, entity)
        links = {
            s.name: getattr(template, s.name) for s in writable(entity) if s.kind is Kind.link and s.name != "owner_id"
        }
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity, **links)
        old, new = getattr(record, name), value_of(entity, entity.fields[name], day=uow.today)
    async with unit_of_work(cast.alice) as uow:
        await records.update(uow, entity, record.id, {name: new})
    async with unit_of_work(cast.alice) as uow:
        await records.delete(uow, entity, record.id)
    async with unit_of_work(cast.alice) as uow:
        await records.restore(uow, entity, record.id)
    return record.id, name, old, new


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_the_log_tells_who_what_when_and_from_where(cast, entity):
    record_id, name, old, new = await through_life(cast, entity)
    told = await entries(cast.admin, entity, record_id)
    assert [e["action"] for e in told] == ["create", "update", "delete", "restore"]
    for entry in told:
        assert (entry["user_id"], entry["tenant_id"]) == (cast.alice.user_id, cast.alice.tenant_id)
        assert (entry["ip"], entry["user_agent"], entry["source"]) == (cast.alice.ip, cast.alice.user_agent, "ui")
        assert entry["at"].tzinfo is not None
    create, update, delete, _ = told
    assert create["changes"][name] == [None, old]
    assert update["changes"].pop(name) == [old, new]
    assert set(update["changes"]) <= set(entity.model.derived)  # what follows from it
    assert set(delete["changes"]) == {"deleted_at", "deleted_by_id"}
    assert not {"id", "tenant_id", "version", "updated_at"} & set(create["changes"])


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_each_change_is_one_fact(cast, entity):
    record_id, name, old, new = await through_life(cast, entity)
    query = sa.select(_events).where(_events.c.record_id == record_id).order_by(_events.c.id)
    async with unit_of_work(cast.admin) as uow:
        facts = (await uow.execute(query)).mappings().all()
    assert [f["name"] for f in facts] == [f"{entity.name}.{v}" for v in ("created", "updated", "deleted", "restored")]
    assert {f["user_id"] for f in facts} == {cast.alice.user_id}
    assert facts[0]["payload"]["diff"][name] == [None, old]
    assert facts[1]["payload"] == {"diff": {name: [old, new]}}


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_each_change_is_told_to_open_screens_of_the_tenant_alone(cast, hub, entity):
    with (
        hub.subscribe(cast.alice.tenant_id, f"mine {entity.name}") as mine,
        hub.subscribe(cast.mallory.tenant_id, f"hers {entity.name}") as hers,
    ):
        record_id, *_ = await through_life(cast, entity)
        heard = []
        while len(heard) < 4:
            message = await asyncio.wait_for(mine.get(), SECONDS)
            if isinstance(message, Changed) and message.record_id == record_id:
                heard.append(message)
        assert [m.action for m in heard] == ["created", "updated", "deleted", "restored"]
        assert [m.version for m in heard] == [1, 2, 3, 4]
        assert {(m.entity, m.user_id) for m in heard} == {(entity.name, str(cast.alice.user_id))}
        async with unit_of_work(cast.mallory) as uow:  # hers comes after all of ours: nothing was before it
            uow.changed("account", record_id, 1)
        first = await asyncio.wait_for(hers.get(), SECONDS)
        assert first == Changed("account", record_id, 1, "updated", str(cast.mallory.user_id))
        assert hers.empty()


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_a_change_that_is_taken_back_leaves_nothing(cast, entity):
    record_id = None
    with pytest.raises(KeyError):
        async with unit_of_work(cast.alice) as uow:
            record_id = (await make(uow, entity)).id
            raise KeyError
    assert await entries(cast.admin, entity, record_id) == []
    async with unit_of_work(cast.admin) as uow:
        assert not await uow.scalar(sa.select(sa.exists().where(_events.c.record_id == record_id)))
        assert not await uow.scalar(sa.select(sa.exists().where(entity.table.c.id == record_id)))


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_no_change_leaves_no_trace(cast, entity):
    async with unit_of_work(cast.alice) as uow:
        record = await make(uow, entity)
    before = await entries(cast.admin, entity, record.id)
    async with unit_of_work(cast.alice) as uow:
        same = {s.name: getattr(record, s.name) for s in writable(entity)}
        await records.update(uow, entity, record.id, same)
    assert await entries(cast.admin, entity, record.id) == before
