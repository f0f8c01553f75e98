"""The clock: APScheduler in every process; a tick only defers a job under the key of its period, so it runs once."""

import logging
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from procrastinate.exceptions import AlreadyEnqueued

from crm_app.core.clock import utcnow
from crm_app.core.jobs import ticks
from crm_app.jobs.worker import period_of
from crm_app.store import queue
from crm_app.store.tenants import claimed_period

log = logging.getLogger(__name__)
_RESCUE = "* * * * * */20"  # with seconds: who waits for a job whose server fell over looks at the page meanwhile


class Clock:
    """Start it with the process."""

    def __init__(self) -> None:
        self.scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        for tick in ticks().values():
            self.scheduler.add_job(
                self._tick, CronTrigger.from_crontab(tick.cron, timezone=UTC), args=["run_tick", tick.name, tick.cron],
                id=tick.name, coalesce=True, max_instances=1, misfire_grace_time=60,
            )  # fmt: skip
        self.scheduler.add_job(
            self._tick, CronTrigger(second="*/20", timezone=UTC), args=["rescue_jobs", "rescue_jobs", _RESCUE],
            id="rescue_jobs", coalesce=True, max_instances=1, misfire_grace_time=60,
        )  # fmt: skip
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.shutdown(wait=False)

    async def _tick(self, task: str, name: str, cron: str) -> None:
        await tick_once(task, name, cron, utcnow())


async def tick_once(task: str, name: str, cron: str, now: datetime) -> bool:
    """Defer the job of this period; False when another process did. Claim and job are one transaction: whoever dies
    between them leaves the period to the others."""
    period = period_of(cron, now).isoformat()
    args: dict[str, Any] = {"period": period} if task == "rescue_jobs" else {"name": name, "period": period}
    try:
        async with claimed_period(f"{name}:{period}") as connection:
            if connection is None:
                return False
            await queue.defer(connection, task, key=name, **args)
    except AlreadyEnqueued:
        log.info("%s of %s is skipped: the one before still waits", name, period)
        return False
    return True
