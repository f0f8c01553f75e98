"""The job queue: Procrastinate on our own database. A job deferred in a unit of work exists only if that commits."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import procrastinate
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from crm_app.store.databases import database_urls

DELIVER = "deliver_events"


class Backoff(BaseRetryStrategy):
    """Exponential with jitter; after `attempts` tries the job stays failed, for an admin to look at."""

    def __init__(self, attempts: int = 6, base: float = 2.0, longest: float = 3600.0) -> None:
        self.attempts, self.base, self.longest = attempts, base, longest

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= self.attempts:
            return None
        wait = min(self.longest, self.base * 2**job.attempts) * random.uniform(0.8, 1.2)  # noqa: S311
        return RetryDecision(retry_in={"seconds": int(wait) + 1})


queue = procrastinate.App(connector=procrastinate.PsycopgConnector())


@asynccontextmanager
async def open_queue() -> AsyncIterator[procrastinate.App]:
    """The queue with a small pool of its own, past a pooler: it listens. One at a time in a process."""
    connector = procrastinate.PsycopgConnector(
        conninfo=database_urls().direct, min_size=1, max_size=4, kwargs={"application_name": "salescompass jobs"}
    )
    with queue.replace_connector(connector) as app:
        await app.open_async()
        try:
            yield app
        finally:
            await app.close_async()


async def defer(
    connection: Any,
    task: str,
    *,
    lock: str | None = None,
    key: str | None = None,
    priority: int = 0,
    delay: int = 0,
    **args: Any,
) -> None:
    """Put a job into the queue on an open psycopg connection, in its transaction.

    `lock`: jobs of one lock run one after another; `key`: a second job of this key is refused while one waits;
    `priority`: a higher one goes before others that wait, as what a person looks at does; `delay`: it waits for so many
    seconds at least.
    """
    how: Any = {"lock": lock, "queueing_lock": key, "priority": priority}
    if delay:
        how["schedule_in"] = {"seconds": delay}
    await queue.configure_task(task, connection=connection, **how).defer_async(**args)
