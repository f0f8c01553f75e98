"""The clock: APScheduler in every process; a tick only defers a job under the key of its period, so it runs once."""

import logging
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued

from crm_app.core.clock import utcnow
from crm_app.core.jobs import ticks
from crm_app.jobs.worker import CLOCK_QUEUE, period_of
from crm_app.store.tenants import claim_period

log = logging.getLogger(__name__)
_RESCUE = "* * * * *"


class Clock:
    """Start it with the process, stop it before the queue is closed."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        for tick in ticks().values():
            self.scheduler.add_job(
                self._tick, CronTrigger.from_crontab(tick.cron, timezone=UTC), args=["run_tick", tick.name, tick.cron],
                id=tick.name, coalesce=True, max_instances=1, misfire_grace_time=60,
            )  # fmt: skip
        self.scheduler.add_job(
            self._tick, CronTrigger.from_crontab(_RESCUE, timezone=UTC), args=["rescue_jobs", "rescue_jobs", _RESCUE],
            id="rescue_jobs", coalesce=True, max_instances=1, misfire_grace_time=60,
        )  # fmt: skip
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.shutdown(wait=False)

    async def _tick(self, task: str, name: str, cron: str) -> None:
        await tick_once(self.app, task, name, cron, utcnow())


async def tick_once(app: App, task: str, name: str, cron: str, now: datetime) -> bool:
    """Defer the job of this period; False when another process did."""
    period = period_of(cron, now).isoformat()
    if not await claim_period(f"{name}:{period}"):
        return False
    args = {"period": period} if task == "rescue_jobs" else {"name": name, "period": period}
    try:
        await app.configure_task(task, queue=CLOCK_QUEUE, queueing_lock=name).defer_async(**args)
    except AlreadyEnqueued:
        log.info("%s of %s is skipped: the one before still waits", name, period)
        return False
    return True
