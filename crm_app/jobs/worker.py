"""The hands: tasks of the queue, run in the web process or by `crm worker`."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from uuid import UUID

import procrastinate
from croniter import croniter

from crm_app.core.jobs import Tick, ticks
from crm_app.jobs.delivery import deliver, system_actor
from crm_app.services.platform import failures
from crm_app.store import queue as store_queue
from crm_app.store.queue import Backoff, queue
from crm_app.store.tenants import forget_old_periods, tenant_ids
from crm_app.store.uow import unit_of_work

log = logging.getLogger(__name__)
CLOCK_QUEUE = "clock"
TICK_HERE = "run_tick_here"
_HEARTBEAT = 5.0  # seconds
_STALLED_SECONDS = 20  # without one, after which a worker is taken for dead
_IN_PAGES = "web"  # the worker that shares its process with pages
_REST = 2.0  # times as long as it worked: two jobs at a time then leave the processor and eight connections to pages
_LONGEST_REST = 0.5  # seconds


@queue.task(name=store_queue.DELIVER, retry=Backoff(), pass_context=True)
async def deliver_events(context: procrastinate.JobContext, tenant_id: str, event_ids: list[str]) -> None:
    begun = time.monotonic()
    await deliver(UUID(tenant_id), [UUID(i) for i in event_ids])
    if context.worker_name == _IN_PAGES:  # thousands may wait; people who open a page come first
        await asyncio.sleep(min(_LONGEST_REST, _REST * (time.monotonic() - begun)))


@queue.task(name="run_tick", queue=CLOCK_QUEUE, retry=Backoff(attempts=3))
async def run_tick(name: str, period: str) -> None:
    """One job of the clock for every workspace; one that fails does not keep the others from theirs."""
    tick = ticks()[name]
    failed: list[str] = []
    for tenant_id in await tenant_ids():
        try:
            await _tick(tenant_id, tick)
        except Exception as error:  # told below, for all workspaces together
            log.exception("%s failed for workspace %s", name, tenant_id)
            failed.append(f"{tenant_id}: {error}")
    if failed:
        raise RuntimeError(f"{name} of {period} failed for {len(failed)} workspaces: {failed[0]}")


@queue.task(name=TICK_HERE, queue=CLOCK_QUEUE)
async def run_tick_here(tenant_id: str, name: str) -> None:
    """One job of the clock for one workspace: an admin runs it again."""
    try:
        await _tick(UUID(tenant_id), ticks()[name])
    except Exception:  # it is in the admin's list again; nobody else waits for it
        log.exception("%s failed again for workspace %s", name, tenant_id)


async def _tick(tenant_id: UUID, tick: Tick) -> None:
    """Run it, and keep what failed in the list of the workspace's admins until it succeeds."""
    actor, key = system_actor(tenant_id), f"tick:{tick.name}"
    try:
        async with unit_of_work(actor) as uow:
            await tick.run(uow)
            await failures.settle(uow, key)
    except Exception as error:
        args = {"tenant_id": str(tenant_id), "name": tick.name}
        async with unit_of_work(actor) as uow:
            await failures.record(uow, key, task=TICK_HERE, args=args, error=f"{type(error).__name__}: {error}")
        raise


@queue.task(name="rescue_jobs", queue=CLOCK_QUEUE, pass_context=True)
async def rescue_jobs(context: procrastinate.JobContext, period: str) -> None:
    """Jobs whose worker died are run again: nothing else brings them back."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS):
        log.warning("job %s (%s) lost its worker and runs again, found at %s", job.id, job.task_name, period)
        await manager.retry_job(job)
    await forget_old_periods()


def period_of(cron: str, now: datetime) -> datetime:
    """The beginning of the period `now` lies in: what makes a tick once, however many clocks there are."""
    begun: datetime = croniter(cron, now.astimezone(UTC)).get_prev(datetime)
    return begun


async def run_worker(app: procrastinate.App, *, concurrency: int = 2, in_process: bool = False) -> None:
    """Work until cancelled. In the web process it leaves signals to the server."""
    await app.run_worker_async(
        concurrency=concurrency,
        install_signal_handlers=not in_process,
        fetch_job_polling_interval=1.0,
        listen_notify=True,
        update_heartbeat_interval=_HEARTBEAT,
        stalled_worker_timeout=_STALLED_SECONDS,
        delete_jobs="successful",
        name=_IN_PAGES if in_process else "worker",
    )
