"""What runs in a process beside its requests: the live feed, the clock, and the worker unless that runs elsewhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from crm_app.core import garbage
from crm_app.jobs.clock import Clock
from crm_app.jobs.worker import run_worker
from crm_app.settings import settings
from crm_app.store.engine import close_engine
from crm_app.store.live import hub
from crm_app.store.queue import open_queue
from crm_app.store.warming import warm


@contextlib.asynccontextmanager
async def web_process() -> AsyncIterator[None]:
    """Around the life of a web process."""
    async with _feed(), _jobs(with_worker=settings().worker_in_process):
        garbage.settle()
        warming = asyncio.create_task(warm(), name="warming up")
        yield
        await _end(warming)
    await close_engine()


async def worker_process() -> None:
    """`crm worker`: clock and worker, until a signal ends it."""
    async with open_queue() as app:
        clock = Clock()
        clock.start()
        try:
            await run_worker(app, concurrency=4)
        finally:
            clock.stop()
    await close_engine()


@contextlib.asynccontextmanager
async def _feed() -> AsyncIterator[None]:
    task = asyncio.create_task(hub.listen(), name="live feed")
    try:
        yield
    finally:
        await _end(task)


@contextlib.asynccontextmanager
async def _jobs(*, with_worker: bool) -> AsyncIterator[None]:
    if not with_worker:
        yield
        return
    async with open_queue() as app:
        clock = Clock()
        clock.start()
        worker = asyncio.create_task(run_worker(app, in_process=True), name="job worker")
        try:
            yield
        finally:
            clock.stop()
            await _end(worker)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
