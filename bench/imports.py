"""`python -m bench.imports`: 100,000 contacts and 20,000 deals through the import as the page runs it, and raw COPY.

The check plans all rows; the run writes the plan in bits, each a transaction with audit, history and totals.
"""

import asyncio
import json
import random
import sys
import time
from datetime import timedelta
from typing import Any

import psycopg

from bench import ground, runner
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.models.base import new_id
from crm_app.services.platform.imports import adding, checking, guided, jobs, running, writing
from crm_app.services.platform.imports.jobs import JobView
from crm_app.store import databases, uploads
from crm_app.store.uow import unit_of_work

CONTACTS, DEALS = 100_000, 20_000
AIM = 20_000  # rows a second, written
_RAW = """
CREATE TEMP TABLE raw_contact ON COMMIT DROP AS SELECT * FROM contact WITH NO DATA;
ALTER TABLE raw_contact DROP COLUMN search_text"""


async def measure(contacts: int, deals: int) -> dict[str, Any]:
    """Figures by kind of record."""
    world, _ = await ground.furnish(2_000)
    found = {
        "contacts": await _imported(world.admin, "contacts.csv", _people(contacts)),
        "deals": await _imported(world.admin, "deals.csv", _deals(deals)),
        "raw copy of contacts": await _raw(world, contacts),
    }
    await ground.leave()
    return found


async def _imported(actor: Actor, name: str, text: str) -> dict[str, float]:
    async def whole() -> Any:
        yield text.encode()

    begun = time.perf_counter()
    async with unit_of_work(actor) as uow:
        job = await jobs.start(uow)
    kept = await uploads.spool(actor, name, whole(), endings=guided.ENDINGS)
    job = await adding.add_file(actor, job.id, kept.path)
    read = time.perf_counter()
    async with unit_of_work(actor) as uow:
        await jobs.check(uow, job.id)
    await checking.check(actor, job.id, jobs.folder_of(actor, job.id), uploads.home(actor), checking.Progress())
    checked = time.perf_counter()
    rows = await _run(actor, job)
    done = time.perf_counter()
    return {
        "rows": rows, "read_seconds": read - begun, "check_seconds": checked - read, "write_seconds": done - checked,
        "written_per_second": rows / (done - checked), "rows_per_second": rows / (done - begun),
    }  # fmt: skip


async def _run(actor: Actor, job: JobView) -> int:
    async with unit_of_work(actor) as uow:
        assert not (await jobs.run(uow, job.id)).error
    run, begun, told = running.Run(job.id, jobs.folder_of(actor, job.id)), None, None
    while told is None or not told.is_over:
        async with unit_of_work(writing.importer(actor), now=begun, silent=True) as uow:
            begun = begun or uow.now
            told = await run.write_next(uow)
    return told.done


def _people(count: int) -> str:
    head = "First name,Last name,E-mail,Phone,City\n"
    return head + "".join(
        f"First{i % 997},Last{i % 4993},person{i}@import.example,+49 30 {1_000_000 + i},City {i % 97}\n"
        for i in range(count)
    )


def _deals(count: int) -> str:
    rng, today = random.Random(count), utcnow().date()
    return "Number,Deal,Account,Amount,Close date,Stage\n" + "".join(
        f"I-{i:07d},Deal {i},Firm {i % 500},{rng.randint(500, 400_000)},{today + timedelta(days=rng.randint(1, 300))},"
        f"{rng.choice(('Qualify', 'Discovery', 'Proposal'))}\n"
        for i in range(count)
    )


async def _raw(world: ground.World, count: int) -> dict[str, float]:
    """As many rows by COPY into a table without an index, a trigger or a policy: what nothing can be faster than."""
    async with await psycopg.AsyncConnection.connect(databases.database_urls().owner) as connection:
        await connection.execute(_RAW)
        now = utcnow()
        begun = time.perf_counter()
        columns = "tenant_id, id, created_at, updated_at, version, name, last_name, email"
        async with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY raw_contact ({columns}) FROM STDIN") as copy,
        ):
            for i in range(count):
                await copy.write_row(
                    (world.tenant_id, new_id(), now, now, 1, f"Last {i}", f"Last {i}", f"p{i}@x.example")
                )
        took = time.perf_counter() - begun
    return {"rows": count, "write_seconds": took, "written_per_second": count / took}


def main() -> None:
    contacts, deals = (CONTACTS, DEALS) if "quick" not in sys.argv else (10_000, 5_000)
    with ground.scratch():
        found = asyncio.run(measure(contacts, deals))
    print(json.dumps({"machine": runner.machine(), **found}, indent=1))
    for name, figures in found.items():
        print(f"{name}: {figures['rows']:,} rows, {figures['written_per_second']:,.0f} written a second (aim {AIM:,})")


if __name__ == "__main__":
    main()
