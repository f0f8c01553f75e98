"""A worker with short heartbeats, and a job that takes its time: it is killed in the middle.

    python -m tests.crash.worker FILE

The job writes a line to FILE when it begins and one when it ends.
"""

import asyncio
from pathlib import Path

from crm_app import parts
from crm_app.store.queue import open_queue, queue

NAP = 1.0


@queue.task(name="take_a_nap")
async def take_a_nap(file: str) -> None:
    note(file, "begun")
    await asyncio.sleep(NAP)
    note(file, "ended")


def note(file: str, line: str) -> None:
    with Path(file).open("a") as out:
        out.write(f"{line}\n")


async def main() -> None:
    parts.load()
    async with open_queue() as app:
        await app.run_worker_async(
            update_heartbeat_interval=0.2, stalled_worker_timeout=1.0, fetch_job_polling_interval=0.2, concurrency=2
        )


if __name__ == "__main__":
    asyncio.run(main())
