"""The pool of connections: turns are kept, and a connection that was cut is replaced unseen."""

import asyncio

import pytest
import sqlalchemy as sa

from crm_app.settings import settings
from crm_app.store.engine import close_engine, engine

PID = sa.text("SELECT pg_backend_pid()")


@pytest.fixture(autouse=True)
async def small_pool(app_database: None, monkeypatch: pytest.MonkeyPatch):
    await close_engine()
    monkeypatch.setenv("CRM_POOL_SIZE", "1")
    settings.cache_clear()
    yield
    await close_engine()
    monkeypatch.undo()
    settings.cache_clear()


async def test_who_waits_for_a_connection_is_served_before_who_gives_it_back():
    served: list[str] = []

    async def busy(name: str, times: int) -> None:
        for _ in range(times):
            async with engine().connect() as connection:
                await connection.execute(PID)
                served.append(name)

    await asyncio.gather(busy("hog", 6), busy("ann", 1), busy("ben", 1))
    assert served[:3] == ["hog", "ann", "ben"]


async def test_a_caller_that_gives_up_leaves_no_gap():
    async def one() -> int:
        async with engine().connect() as connection:
            return (await connection.execute(PID)).scalar_one()

    async with engine().connect() as connection:
        held = (await connection.execute(PID)).scalar_one()
        waiting = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
    assert await asyncio.gather(*waiting[1:]) == [held, held]
    assert await one() == held


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine().sync_engine.pool, "_timeout", 0.05)
    async with engine().connect():
        with pytest.raises(sa.exc.TimeoutError):
            await asyncio.wait_for(engine().connect().start(), 5)
    async with engine().connect() as connection:
        assert (await connection.execute(PID)).scalar_one()


async def test_a_connection_that_was_cut_meanwhile_is_replaced_unseen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("crm_app.store.engine._PING_AFTER", 0.0)
    async with engine().connect() as connection:
        first = (await connection.execute(PID)).scalar_one()
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
    await driver.close()
    async with engine().connect() as connection:
        assert (await connection.execute(PID)).scalar_one() != first


async def test_a_connection_with_answers_still_to_come_is_replaced_unseen():
    async with engine().connect() as connection:
        first = (await connection.execute(PID)).scalar_one()
        driver = (await connection.get_raw_connection()).driver_connection
    driver.pgconn.enter_pipeline_mode()
    async with asyncio.timeout(10), engine().connect() as connection:
        assert (await connection.execute(PID)).scalar_one() != first
