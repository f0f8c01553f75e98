"""Many records at once: 10,000 contacts edited and put back, 100,000 written to files; each beside raw SQL.

`python -m bench.bulk` runs these alone. The raw edit is one statement, as the owner of the tables, with the same
triggers; the raw file is a COPY of the same columns and titles.
"""

import asyncio
import contextlib
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool

from bench import ground, runner
from bench.ground import World
from crm_app.core import garbage
from crm_app.models.base import new_id
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.platform.bulk import BulkStatus
from crm_app.services.platform import bulk_chunks, bulk_operations, exporting
from crm_app.services.platform.bulk_operations import Change
from crm_app.services.platform.exporting import Wanted
from crm_app.store.uow import UnitOfWork, retrying, unit_of_work

PEOPLE, EDITED = 100_000, 10_000
AIM_SECONDS = 5.0  # for an edit of 10,000
_DEALS = 10_000
_COLUMNS = ("name", "account_id", "title", "email", "phone", "owner_id", "updated_at")
_RAW_EDIT = """UPDATE contact SET city = 'Wien', version = version + 1, updated_at = now()
WHERE tenant_id = %s AND id = ANY (%s)"""
_RAW_FILE = """COPY (SELECT c.name, a.name, c.title, c.email, c.phone, u.name, c.updated_at FROM contact c
LEFT JOIN account a ON a.tenant_id = c.tenant_id AND a.id = c.account_id
LEFT JOIN crm_user u ON u.tenant_id = c.tenant_id AND u.id = c.owner_id
WHERE c.tenant_id = '{tenant}' AND c.deleted_at IS NULL ORDER BY c.sort_key, c.id) TO STDOUT (FORMAT csv)"""


async def measure() -> dict[str, Any]:
    """Figures by operation; seconds and megabytes."""
    world, _ = await ground.furnish(_DEALS, PEOPLE)
    garbage.settle()
    table = CONTACT.table
    async with unit_of_work(world.admin) as uow:
        ids = [r.id for r in await uow.rows(sa.select(table.c.id).order_by(table.c.email).limit(EDITED))]
    found: dict[str, Any] = {}
    async with ground.connections() as raw:
        raw_edit = await _timed(lambda: _raw_edit(raw, world, ids))
        made, edit = await _bulk(world, lambda uow: _edit(uow, ids))
        found["edit"] = {**edit, "raw_seconds": raw_edit["seconds"], "raw_database_cpu": raw_edit["database_cpu"]}
        _, found["undo"] = await _bulk(world, lambda uow: _undo(uow, made))
        raw_file = await _timed(lambda: _raw_file(raw, world))
        for form in ("csv", "xlsx"):
            figures = await _timed(partial(_export, world, form))
            found[form] = {**figures, "raw_seconds": raw_file["seconds"], "raw_database_cpu": raw_file["database_cpu"]}
    await ground.leave()
    return found


async def _raw_edit(raw: AsyncConnectionPool, world: World, ids: list[UUID]) -> None:
    async with raw.connection() as plain:
        await plain.execute("SELECT set_config('app.source', 'ui', true)")
        await plain.execute(_RAW_EDIT, [world.tenant_id, ids])


async def _raw_file(raw: AsyncConnectionPool, world: World) -> None:
    statement = _RAW_FILE.format(tenant=world.tenant_id)
    with tempfile.TemporaryFile() as file:
        async with raw.connection() as plain, plain.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[arg-type]
            async for data in copy:
                file.write(data)


async def _edit(uow: UnitOfWork, ids: list[UUID]) -> bulk_operations.Progress:
    change = [Change("city", "Linz"), Change("lead_source", "Web")]
    return await bulk_operations.edit(uow, CONTACT, change, operation_id=new_id(), record_ids=ids)


async def _undo(uow: UnitOfWork, bulk_id: UUID) -> bulk_operations.Progress:
    return await bulk_operations.undo(uow, bulk_id, operation_id=new_id())


async def _bulk(world: World, begin: Callable[[UnitOfWork], Awaitable[Any]]) -> tuple[UUID, dict[str, Any]]:
    """From the press of the button to the last chunk, worked off as the job does."""
    chunks: list[float] = []
    ids: list[UUID] = []

    async def run() -> None:
        async with unit_of_work(world.admin) as uow:
            ids.append((await begin(uow)).id)

        async def step(uow: UnitOfWork) -> bool:
            return await bulk_chunks.step(uow, ids[0])

        while True:
            begun = time.perf_counter()
            if not await retrying(world.admin, step):
                break
            chunks.append(time.perf_counter() - begun)
        async with unit_of_work(world.admin) as uow:
            assert await bulk_chunks.end(uow, ids[0]) is BulkStatus.done
            assert (await bulk_operations.read(uow, ids[0])).changed == EDITED

    figures = await _timed(run)
    return ids[0], {**figures, "chunks": len(chunks), "longest_chunk": max(chunks)}


async def _export(world: World, form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with unit_of_work(world.admin) as uow:
            wanted = Wanted(_COLUMNS, None, "", False, note={})
            rows = await exporting.write(uow, CONTACT, Path(folder) / f"x.{form}", form, wanted, file_id=new_id())
    assert rows == PEOPLE


async def _timed(work: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Clock, processor, growth of memory, and the longest that anything else in the process waited."""
    app, database = time.process_time(), runner._database_cpu()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with _pulse() as stalls:
        begun = time.perf_counter()
        await work()
        took = time.perf_counter() - begun
    return {
        "seconds": took,
        "app_cpu": time.process_time() - app,
        "database_cpu": runner._database_cpu() - database,
        "memory_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024,
        "longest_stall": max(stalls, default=0.0),
    }


@contextlib.asynccontextmanager
async def _pulse() -> AsyncIterator[list[float]]:
    """Seconds by which a beat of 10 ms came late."""
    late: list[float] = []

    async def beat() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.01)
            late.append(time.perf_counter() - begun - 0.01)

    task = asyncio.create_task(beat())
    try:
        yield late
    finally:
        task.cancel()


def lines(found: dict[str, Any]) -> list[str]:
    """One for each figure, for people."""
    names = {
        "edit": f"edit of {EDITED:,}", "undo": f"undo of {EDITED:,}", "csv": f"{PEOPLE:,} to CSV",
        "xlsx": f"{PEOPLE:,} to XLSX",
    }  # fmt: skip
    told = []
    for key, one in found.items():
        raw = f"  raw {one['raw_seconds']:5.2f} s ({one['raw_database_cpu']:.2f})" if "raw_seconds" in one else ""
        chunk = f"  longest of {one['chunks']} chunks {one['longest_chunk']:.2f} s" if "chunks" in one else ""
        told.append(
            f"{names[key]:20} {one['seconds']:6.2f} s  cpu {one['app_cpu']:.2f}+{one['database_cpu']:.2f}"
            f"  memory +{one['memory_mb']:.0f} MB  longest stall {one['longest_stall'] * 1000:.0f} ms{raw}{chunk}"
        )
    return told


def main() -> None:
    with ground.scratch():
        found = asyncio.run(measure())
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
