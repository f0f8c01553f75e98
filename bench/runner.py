"""Clocks: latencies of one client and of sixteen, the work of the processor, memory of processes."""

import asyncio
import os
import platform
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from psycopg_pool import AsyncConnectionPool

from bench.ground import CLIENTS, World
from bench.operations import Operation
from crm_app.store import databases

_WARM = 20
_TICKS = os.sysconf("SC_CLK_TCK")
Call = Callable[[random.Random], Awaitable[int | None]]


def machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": os.getloadavg()}


async def measure(operation: Operation, world: World, raw: AsyncConnectionPool, seconds: float) -> dict[str, Any]:
    """Service and raw by turns, so that both meet the same machine."""

    async def service(rng: random.Random) -> int | None:
        return await operation.service(world, rng)

    async def plain(rng: random.Random) -> None:
        async with raw.connection() as connection:
            await operation.raw(connection, world, rng)

    found: dict[str, Any] = {}
    for clients in (1, CLIENTS):
        found[f"service_{clients}"] = await _run(service, clients, seconds)
        found[f"raw_{clients}"] = await _run(plain, clients, seconds)
    return found


async def _run(call: Call, clients: int, seconds: float) -> dict[str, Any]:
    rng = random.Random(clients)
    for _ in range(_WARM):
        await call(rng)
    latencies: list[float] = []
    size: int | None = None
    until = time.perf_counter() + seconds
    app_before, database_before, begun = time.process_time(), _database_cpu(), time.perf_counter()

    async def client(seed: int) -> None:
        nonlocal size
        mine = random.Random(seed)
        while time.perf_counter() < until:
            start = time.perf_counter()
            size = await call(mine)
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(client(i) for i in range(clients)))
    took, count = time.perf_counter() - begun, len(latencies)
    ordered = sorted(latencies)
    return {
        "p50_ms": statistics.median(ordered) * 1000,
        "p95_ms": ordered[int(count * 0.95)] * 1000,
        "count": count,
        "per_second": count / took,
        "app_cpu_ms": (time.process_time() - app_before) / count * 1000,
        "database_cpu_ms": (_database_cpu() - database_before) / count * 1000,
        "bytes": size,
    }


def lines(operations: Mapping[str, Any]) -> Iterator[str]:
    """One for each operation, for people."""
    for name, one in operations.items():
        alone, raw, many = one["service_1"], one["raw_1"], one["service_16"]
        yield (
            f"{name:30} p50 {alone['p50_ms']:6.1f}  p95 {alone['p95_ms']:6.1f}  raw {raw['p50_ms']:6.1f}"
            f"  16: p95 {many['p95_ms']:6.0f}  {many['per_second']:6.0f}/s  cpu {alone['app_cpu_ms']:5.1f}"
            f" + {alone['database_cpu_ms']:5.1f} ms"
        )


def _database_cpu() -> float:
    """Seconds of the embedded server's processes that are alive."""
    text = (databases.embedded().cluster / "postmaster.pid").read_text()
    postmaster = int(text.splitlines()[0])
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(rest[1]) == postmaster:
            total += (int(rest[11]) + int(rest[12])) / _TICKS
    return total


def memory_mb(pid: int) -> dict[str, float]:
    """Proportional memory of a process and all below it: the app's, and PostgreSQL's apart."""
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        number, _, name = head.partition(" (")
        names[int(number)] = name
        children.setdefault(int(tail.split()[1]), []).append(int(number))
    found = {"app": 0.0, "postgresql": 0.0}
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        waiting += children.get(current, [])
        part = "postgresql" if names.get(current, "").startswith("postgres") else "app"
        found[part] += _pss(current)
    return found


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
