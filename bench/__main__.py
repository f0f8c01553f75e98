"""`python -m bench`: run, print, write bench-results/."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import browser, contacts, ground, report, runner
from bench.operations import OPERATIONS
from crm_app.core import garbage

RESULTS = Path(__file__).resolve().parents[1] / "bench-results"
SIZES = {"": (10_000,), "deals": (10_000,), "quick": (2_000,), "large": (10_000, 100_000), "contacts": ()}
_WITH_CONTACTS = ("", "large", "contacts")


def main() -> None:
    kind = os.environ.get("BENCH", "")
    if kind not in SIZES:
        sys.exit(f"BENCH is empty, {' or '.join(k for k in SIZES if k)}; not {kind}.")
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "machine": runner.machine(), "sizes": {}}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    for size in SIZES[kind]:
        with ground.scratch():
            results["sizes"][str(size)] = asyncio.run(_measure(size, quick=kind == "quick"))
        results["load_after"] = os.getloadavg()
        path.write_text(json.dumps(results, indent=1))  # what was measured stays, whatever becomes of the next size
    if kind in _WITH_CONTACTS:
        results["contacts"] = {}
        for name, figures in contacts.measure():
            results["contacts"][name] = figures
            results["load_after"] = os.getloadavg()
            path.write_text(json.dumps(results, indent=1))
    report.show(results)
    print(f"\nWritten to {path}")


async def _measure(size: int, *, quick: bool) -> dict[str, Any]:
    seconds = 1.0 if quick else 4.0
    world, imported = await ground.furnish(size)
    garbage.settle()  # as a server does when it has started
    found: dict[str, Any] = {"import": imported, "operations": {}}
    async with ground.connections() as raw:
        for operation in OPERATIONS:
            print(f"{size:,} deals: {operation.name}", flush=True)
            found["operations"][operation.name] = await runner.measure(operation, world, raw, seconds)
    found["jobs_left"] = await ground.leave()
    if "--no-browser" not in sys.argv:
        print(f"{size:,} deals: in Chromium", flush=True)
        found["browser"] = await browser.measure(world, quick=quick)
    return found


if __name__ == "__main__":
    main()
