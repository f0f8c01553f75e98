"""The clock: each period once, however many processes there are; one workspace that fails holds up no other."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crm_app.core import jobs as declared
from crm_app.jobs import worker
from crm_app.jobs.clock import Clock, tick_once
from crm_app.jobs.worker import period_of
from crm_app.models.base import table_of
from crm_app.models.catalog.products import Product
from crm_app.store import queue as store_queue
from crm_app.store.engine import engine
from crm_app.store.queue import queue
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.jobs.test_delivery import let_time_pass
from tests.work import jobs, work_off

NOON = datetime(2031, 5, 6, 12, 3, 20, tzinfo=UTC)
CRON = "*/5 * * * *"


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`tick(fn)` declares fn as a job of the clock for the test."""

    def declare(fn: Any, name: str = "of_a_test") -> None:
        known = {**declared._ticks, name: declared.Tick(name, CRON, fn)}
        monkeypatch.setattr(declared, "_ticks", known)

    return declare


@pytest.fixture(autouse=True)
async def fresh_periods(app_database: None) -> None:
    async with engine().begin() as connection:
        await connection.execute(sa.text("DELETE FROM clock_period"))


def test_a_period_begins_at_its_round_time():
    assert period_of(CRON, NOON) == datetime(2031, 5, 6, 12, 0, tzinfo=UTC)
    assert period_of("17 3 * * *", NOON) == datetime(2031, 5, 6, 3, 17, tzinfo=UTC)
    assert period_of("17 3 * * *", NOON.replace(hour=2)) == datetime(2031, 5, 5, 3, 17, tzinfo=UTC)


async def test_of_many_processes_one_begins_the_period():
    moments = [NOON + timedelta(seconds=i) for i in range(9)]
    begun = await asyncio.gather(*(tick_once("run_tick", "seal_audit", CRON, m) for m in moments))
    assert sorted(begun) == [False] * 8 + [True]
    (job,) = await jobs()
    assert (job["task_name"], job["args"]["name"]) == ("run_tick", "seal_audit")
    assert datetime.fromisoformat(job["args"]["period"]) == datetime(2031, 5, 6, 12, 0, tzinfo=UTC)


async def test_the_next_period_begins_anew_unless_the_one_before_still_waits():
    assert await tick_once("run_tick", "seal_audit", CRON, NOON)
    assert not await tick_once("run_tick", "seal_audit", CRON, NOON + timedelta(minutes=5))
    assert await tick_once("run_tick", "sweep", CRON, NOON)  # another job of the clock goes its own way
    await work_off()
    assert await tick_once("run_tick", "seal_audit", CRON, NOON + timedelta(minutes=5))


async def test_who_dies_before_the_job_is_there_leaves_the_period_to_others(monkeypatch):
    async def die(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(store_queue, "defer", die)
        with pytest.raises(ConnectionError):
            await tick_once("run_tick", "seal_audit", CRON, NOON)
    assert await jobs() == []
    assert await tick_once("run_tick", "seal_audit", CRON, NOON)


async def test_every_declared_job_is_on_the_clock():
    clock = Clock()
    clock.start()
    try:
        assert {j.id for j in clock.scheduler.get_jobs()} == {*declared.ticks(), "rescue_jobs"}
        assert all(str(j.trigger.timezone) == "UTC" for j in clock.scheduler.get_jobs())
    finally:
        clock.stop()


async def test_it_runs_in_every_workspace_and_one_that_fails_holds_up_no_other(admin, mallory, tick):
    ran: list[Any] = []

    async def fails_here(uow: UnitOfWork) -> None:
        uow.session.add(Product(name=f"tick {uow.actor.tenant_id}"))
        await uow.flush()
        ran.append(uow.actor.tenant_id)
        assert uow.actor.source.value == "job"
        if uow.actor.tenant_id == admin.tenant_id:
            raise ValueError("here")

    tick(fails_here)
    with pytest.raises(RuntimeError, match="failed for 1 workspaces"):
        await worker.run_tick("of_a_test", "p")
    assert {admin.tenant_id, mallory.tenant_id} <= set(ran)
    products = table_of(Product)
    for actor, made in ((admin, 0), (mallory, 1)):
        async with unit_of_work(actor) as uow:
            count = sa.select(sa.func.count()).where(products.c.name.startswith("tick"))
            assert await uow.scalar(count) == made


async def test_a_failing_tick_comes_again_and_then_stays_for_an_admin_to_see(admin, tick):
    async def fails(uow: UnitOfWork) -> None:
        raise ValueError("always")

    tick(fails)
    await tick_once("run_tick", "of_a_test", CRON, NOON)
    seen = []
    for _ in range(5):
        await work_off()
        seen.append((await jobs())[0]["status"])
        await let_time_pass()
    assert seen[0] == "todo"
    assert seen[-1] == "failed"


async def test_every_task_is_known_by_its_name():
    assert {"deliver_events", "run_tick", "rescue_jobs"} <= set(queue.tasks)
