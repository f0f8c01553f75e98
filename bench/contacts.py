"""100,000 contacts: lists, finding, imports, changes of many, exports, each as its module measures it."""

import asyncio
from collections.abc import Iterator
from typing import Any

from bench import bulk, finding, ground, imports, lists

AIM_MS = 100.0  # the 95th percentile of a list, a filter, a search
_SECONDS = 2.0


def measure() -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of each part, as soon as it is measured."""
    for name, begin in (
        ("lists", lambda: lists.measure(_SECONDS)),
        ("finding", lambda: finding.measure(_SECONDS)),
        ("imports", lambda: imports.measure(imports.CONTACTS, imports.DEALS)),
        ("bulk", bulk.measure),
    ):
        print(f"100,000 contacts: {name}", flush=True)
        with ground.scratch():
            figures = asyncio.run(begin())
        yield name, figures


def page(found: dict[str, Any]) -> list[str]:
    """The section of docs/figures.md."""
    lines = [
        "## 100,000 contacts", "",
        f"Milliseconds of the server; aim: a 95th percentile under {AIM_MS:g}.", "",
        "| operation | p50 | p95 | raw | cpu app + db | 16: p95 | 16: /s |", "|---|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for part in ("lists", "finding"):
        for name, one in found[part]["operations"].items():
            alone, raw, many = one["service_1"], one["raw_1"], one["service_16"]
            lines.append(
                f"| {name} | **{alone['p50_ms']:.1f}** | {alone['p95_ms']:.1f} | {raw['p50_ms']:.1f} |"
                f" {alone['app_cpu_ms']:.1f} + {alone['database_cpu_ms']:.1f} | {many['p95_ms']:.0f} |"
                f" {many['per_second']:,.0f} |"
            )
    lines += ["", "| import, as the page runs it | rows | rows/s written | aim |", "|---|--:|--:|--:|"]
    for name, one in found["imports"].items():
        aim = "" if name.startswith("raw") else f"{imports.AIM:,}"
        lines.append(f"| {name} | {one['rows']:,} | **{one['written_per_second']:,.0f}** | {aim} |")
    lines += ["", "Many at once (an edit of 10,000 is to take less than 5 s):", ""]
    return [*lines, *(f"    {line}" for line in bulk.lines(found["bulk"]))]
