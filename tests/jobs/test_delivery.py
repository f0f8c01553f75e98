"""Facts reach their handlers: with the transaction or not at all, in effect once, parked when they keep failing."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core import events
from crm_app.core.context import Actor
from crm_app.core.events import MAX_DEPTH
from crm_app.jobs.delivery import MOST_ATTEMPTS, SomeFailed, deliver
from crm_app.jobs.worker import run_worker
from crm_app.models.base import new_id, table_of
from crm_app.models.catalog.products import PRODUCT, Product
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.events import Event, EventDelivery
from crm_app.services.platform import failures, records
from crm_app.store.engine import engine
from crm_app.store.queue import open_queue
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.jobs.conftest import Rang, ring
from tests.work import jobs, work_off

_events, _deliveries = table_of(Event), table_of(EventDelivery)


async def make_product(uow: UnitOfWork, fact: Any) -> None:
    """The effect that is counted in most tests."""
    await records.create(uow, PRODUCT, {"name": f"From {fact.record_id}"})


async def products(actor: Actor) -> int:
    async with unit_of_work(actor) as uow:
        return int(await uow.scalar(sa.select(sa.func.count()).select_from(table_of(Product))))


async def told(actor: Actor, name: str = Rang.name) -> list[UUID]:
    async with unit_of_work(actor) as uow:
        return list((await uow.execute(sa.select(_events.c.id).where(_events.c.name == name))).scalars())


async def deliveries(actor: Actor) -> list[sa.RowMapping]:
    async with unit_of_work(actor) as uow:
        return list((await uow.execute(sa.select(_deliveries).order_by(_deliveries.c.id))).mappings())


async def let_time_pass() -> None:
    """Attempts that were put off are due."""
    async with engine().begin() as connection:
        await connection.execute(sa.text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))


# -- with the transaction


async def test_a_transaction_that_fails_tells_nothing(admin, hear):
    hear(make_product)
    with pytest.raises(KeyError):
        async with unit_of_work(admin) as uow:
            uow.emit(Rang(record_id=new_id()))
            await uow.flush()
            raise KeyError
    assert await told(admin) == []
    assert await jobs() == []


async def test_a_transaction_that_fails_at_its_end_tells_nothing(admin, hear):
    """The job is in the queue already when the commit finds a broken constraint."""
    hear(make_product)
    with pytest.raises(sa.exc.DBAPIError):
        async with unit_of_work(admin) as uow:
            uow.emit(Rang(record_id=new_id()))
            await uow.finish()
            await uow.execute(sa.text("SELECT 1 / 0"))
    assert await told(admin) == []
    assert await jobs() == []


async def test_one_job_for_all_facts_of_a_transaction(admin, hear):
    hear(make_product)
    async with unit_of_work(admin) as uow:
        for _ in range(5):
            uow.emit(Rang(record_id=new_id()))
    waiting = await jobs()
    assert [j["task_name"] for j in waiting] == ["deliver_events"]
    assert sorted(waiting[0]["args"]["event_ids"]) == sorted(str(i) for i in await told(admin))
    assert waiting[0]["args"]["tenant_id"] == str(admin.tenant_id)
    await work_off()
    assert await products(admin) == 5
    assert await jobs() == []


async def test_no_job_where_nobody_listens(admin):
    await ring(admin)
    assert len(await told(admin)) == 1
    assert await jobs() == []


async def test_silent_work_tells_nobody_and_is_in_the_log_all_the_same(admin, hear):
    hear(make_product)
    async with unit_of_work(admin, silent=True) as uow:
        uow.emit(Rang(record_id=new_id()))
        account = await records.create(uow, ACCOUNT, {"name": "Quiet"})
    assert await told(admin) == []
    assert await told(admin, "account.created") == []
    assert await jobs() == []
    log = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        assert await uow.scalar(sa.select(log.c.action).where(log.c.record_id == account.id)) == "create"


# -- in effect once


async def test_delivered_twice_it_has_one_effect(admin, hear):
    hear(make_product)
    await ring(admin)
    for _ in range(3):
        await deliver(admin.tenant_id, await told(admin))
    assert await products(admin) == 1
    assert [(d["attempts"], d["done_at"] is not None) for d in await deliveries(admin)] == [(0, True)]


async def test_delivered_at_once_by_many_it_has_one_effect(admin, hear):
    async def slowly(uow: UnitOfWork, fact: Any) -> None:
        await asyncio.sleep(0.05)
        await make_product(uow, fact)

    hear(slowly)
    await ring(admin)
    ids = await told(admin)
    await asyncio.gather(*(deliver(admin.tenant_id, ids) for _ in range(6)))
    assert await products(admin) == 1


async def test_each_handler_has_a_transaction_of_its_own(admin, hear):
    """One that fails leaves nothing of itself behind and keeps no other from its work."""

    async def half(uow: UnitOfWork, fact: Any) -> None:
        await records.create(uow, PRODUCT, {"name": "half"})
        raise ValueError("no further")

    hear(half)
    hear(make_product)
    await ring(admin)
    with pytest.raises(SomeFailed):
        await deliver(admin.tenant_id, await told(admin))
    assert await products(admin) == 1
    state = {
        d["handler"].rsplit(".", 1)[1]: (d["attempts"], d["error"], d["done_at"] is None)
        for d in await deliveries(admin)
    }
    assert state == {"half": (1, "ValueError: no further", True), "make_product": (0, "", False)}
    with pytest.raises(SomeFailed):
        await deliver(admin.tenant_id, await told(admin))
    assert await products(admin) == 1


async def test_a_handler_acts_for_the_workspace_and_in_no_other(admin, mallory, hear):
    seen: list[Any] = []

    async def look(uow: UnitOfWork, fact: Any) -> None:
        names = (await uow.execute(sa.select(table_of(Account).c.name))).scalars().all()
        seen.append((uow.actor.tenant_id, uow.actor.source.value, uow.actor.user_id, list(names), fact.actor_id))
        await records.create(uow, PRODUCT, {"name": "x"})

    hear(look)
    for actor, name in ((admin, "ours"), (mallory, "hers")):
        async with unit_of_work(actor) as uow:
            await records.create(uow, ACCOUNT, {"name": name})
    await ring(admin)
    await work_off()
    assert seen == [(admin.tenant_id, "workflow", None, ["ours"], admin.user_id)]
    log = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        entry = (await uow.execute(sa.select(log).where(log.c.entity == "product"))).mappings().one()
    assert (entry["source"], entry["user_id"]) == ("workflow", None)


async def test_facts_of_another_workspace_are_not_delivered_in_ones_name(admin, mallory, hear):
    hear(make_product)
    await ring(admin)
    await deliver(mallory.tenant_id, await told(admin))
    assert await products(mallory) == 0
    assert await deliveries(mallory) == []


# -- failing


async def retry(actor: Any, ids: list[Any]) -> int:
    async with unit_of_work(actor) as uow:
        return await failures.retry(uow, ids)


async def test_a_failing_handler_is_tried_again_later_then_parked_then_retried(admin, hear):
    patience = [MOST_ATTEMPTS + 1]

    async def stubborn(uow: UnitOfWork, fact: Any) -> None:
        await make_product(uow, fact)
        patience[0] -= 1
        if patience[0] > 0:
            raise ValueError("not yet")

    hear(stubborn)
    await ring(admin)
    waits = []
    for attempt in range(1, MOST_ATTEMPTS):
        await work_off()
        (job,) = await jobs()
        assert (job["status"], job["attempts"]) == ("todo", attempt)
        async with engine().connect() as connection:
            left = sa.text("SELECT extract(epoch FROM :at - now())")
            waits.append(await connection.scalar(left, {"at": job["scheduled_at"]}))
        (row,) = await deliveries(admin)
        assert (row["attempts"], row["error"], row["parked_at"]) == (attempt, "ValueError: not yet", None)
        await work_off()  # nothing is due
        assert (await deliveries(admin))[0]["attempts"] == attempt
        await let_time_pass()
    assert waits == sorted(waits)  # longer each time
    assert waits[0] > 0
    await work_off()
    (row,) = await deliveries(admin)
    assert row["attempts"] == MOST_ATTEMPTS
    assert row["parked_at"] is not None
    assert await jobs() == []
    assert await products(admin) == 0
    assert await retry(admin, [row["id"]]) == 1
    assert len(await jobs()) == 1
    await work_off()
    (row,) = await deliveries(admin)
    assert (row["parked_at"], row["done_at"] is not None) == (None, True)
    assert await products(admin) == 1
    assert await retry(admin, [row["id"]]) == 0


async def test_retried_and_failing_again_it_is_parked_again(admin, hear):
    async def never(uow: UnitOfWork, fact: Any) -> None:
        raise ValueError("never")

    hear(never)
    await ring(admin)
    for _ in range(2):
        for _ in range(MOST_ATTEMPTS):
            await work_off()
            await let_time_pass()
        (row,) = await deliveries(admin)
        assert row["parked_at"] is not None
        assert await jobs(status="todo") == []
        await retry(admin, [row["id"]])


async def test_nobody_retries_what_is_parked_elsewhere(admin, mallory, hear):
    async def never(uow: UnitOfWork, fact: Any) -> None:
        raise ValueError("never")

    hear(never)
    await ring(admin)
    for _ in range(MOST_ATTEMPTS):
        await work_off()
        await let_time_pass()
    (row,) = await deliveries(admin)
    assert await retry(mallory, [row["id"]]) == 0
    assert (await deliveries(admin))[0]["parked_at"] is not None


async def test_a_loop_ends(admin, hear):
    """A handler that causes the fact it hears: the chain stops and says so."""
    heard: list[int] = []

    async def echo(uow: UnitOfWork, fact: Any) -> None:
        heard.append(fact.depth)
        uow.emit(Rang(record_id=fact.record_id))

    hear(echo)
    await ring(admin)
    for _ in range(MAX_DEPTH + 3):
        await work_off()
    assert heard == list(range(MAX_DEPTH))
    assert await jobs() == []


async def test_a_handler_that_went_away_keeps_nobody_waiting(admin, hear):
    """A fact told before a version without its handler."""
    hear(make_product)
    await ring(admin)
    events._handlers[Rang.name].clear()
    await work_off()
    assert await jobs() == []
    assert await deliveries(admin) == []


async def test_facts_come_in_the_order_they_were_told(admin, hear):
    order: list[int] = []

    async def note(uow: UnitOfWork, fact: Any) -> None:
        order.append(fact.payload["loudness"])

    hear(note)
    async with unit_of_work(admin) as uow:
        for i in range(8):
            uow.emit(Rang(record_id=new_id(), loudness=i))
    await work_off()
    assert order == list(range(8))


# -- beside pages


async def test_the_worker_among_pages_rests_twice_as_long_as_it_works(admin, hear):
    """Thousands of jobs then leave pages their share of the processor and of the connections."""
    worked, rounds = 0.02, 12
    at_once, most, left, done = 0, 0, rounds, asyncio.Event()

    async def slow(_uow: UnitOfWork, _fact: Any) -> None:
        nonlocal at_once, most, left
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(worked)
        at_once, left = at_once - 1, left - 1
        if not left:
            done.set()

    hear(slow)
    for _ in range(rounds):
        await ring(admin)
    begun = asyncio.get_running_loop().time()
    async with open_queue() as app:
        working = asyncio.create_task(run_worker(app, in_process=True))
        await asyncio.wait_for(done.wait(), 30)
        took = asyncio.get_running_loop().time() - begun
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert most <= 2
    assert took >= (rounds / 2 - 1) * 3 * worked
