"""Do the jobs that wait in the queue, as a worker would, and return when none is left."""

import sqlalchemy as sa

from crm_app import parts
from crm_app.store.engine import engine
from crm_app.store.queue import open_queue

parts.load()


async def work_off() -> None:
    """All jobs that are due; those that wait for a later attempt stay."""
    async with open_queue() as app:
        await app.run_worker_async(
            wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="successful", name="tests"
        )


async def jobs(task: str = "", status: str = "") -> list[sa.RowMapping]:
    """What is in the queue, oldest first."""
    query = "SELECT id, task_name, status::text, attempts, args, scheduled_at FROM procrastinate_jobs"
    async with engine().connect() as connection:
        found = (await connection.execute(sa.text(f"{query} ORDER BY id"))).mappings().all()
    return [j for j in found if task in ("", j["task_name"]) and status in ("", j["status"])]


async def forget_jobs() -> None:
    """An empty queue to begin with."""
    async with engine().begin() as connection:
        await connection.execute(sa.text("DELETE FROM procrastinate_jobs"))
