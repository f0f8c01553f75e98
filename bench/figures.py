"""`python -m bench.figures FILE.json ...`: docs/figures.md from runs of the bench, beside the peers."""

import json
import sys
from pathlib import Path
from typing import Any

from bench import contacts
from bench.operations import OPERATIONS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "figures.md"
_HEAD = """# Figures

Written by `python -m bench.figures` from the last runs of `make bench`: {cores} cores, Python {python}, load
{load} at the start and {after} at the end. Every operation runs through the service layer (permission, visibility,
row-level security, audit, history, event) as one person, then as 16 at once; beside it the same question as raw SQL
through psycopg on the same data, by turns in the same run, as the owner of the tables, without row-level security.
Raw writes fire the same triggers. Milliseconds; "times" is our median over the raw one; "cpu" is processor time of
the application and of the database for one operation, which a busy machine changes less than the clock.

Peers: the best of Odoo 19, Frappe CRM 1.34 and Django-CRM, each measured on 2 cores over its own API with the same
data, at 10,000 and 100,000 deals.
"""
_BROWSER = {
    "board_warm_ms": ("board visible, warm cache", 800, "1,400"),
    "board_cold_ms": ("board visible, empty cache", 1200, "1,500"),
    "drop_acknowledged_alone_ms": ("drop acknowledged", 50, "128"),
    "drop_acknowledged_with 25 active_ms": ("drop acknowledged, 25 others active", 80, ""),
    "colleague_sees_alone_ms": ("drop on a colleague's screen", 120, ""),
    "colleague_sees_with 25 active_ms": ("the same, 25 others active", 120, ""),
}


def page(results: dict[str, Any]) -> str:
    machine = results["machine"]
    load, after = (f"{results_load[0]:.1f}" for results_load in (machine["load_before"], results["load_after"]))
    parts = [_HEAD.format(cores=machine["cores"], python=machine["python"], load=load, after=after)]
    for size, found in results["sizes"].items():
        parts += [f"## {int(size):,} open deals\n", *_operations(found), "", *_import(found), *_browser(found), ""]
    if "contacts" in results:
        parts += contacts.page(results["contacts"])
    return "\n".join(parts).rstrip() + "\n"


def _operations(found: dict[str, Any]) -> list[str]:
    lines = [
        "| operation | p50 | p95 | aim | raw | times | cpu app + db | 16: p50 | 16: p95 | 16: /s | bytes | peers |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for operation in OPERATIONS:
        measured = found["operations"][operation.name]
        alone, raw, many = measured["service_1"], measured["raw_1"], measured["service_16"]
        cells = (
            operation.name, f"**{alone['p50_ms']:.1f}**", f"{alone['p95_ms']:.1f}", f"{operation.aim_ms:g}",
            f"{raw['p50_ms']:.2f}", f"{alone['p50_ms'] / raw['p50_ms']:.1f}",
            f"{alone['app_cpu_ms']:.1f} + {alone['database_cpu_ms']:.1f}", f"{many['p50_ms']:.0f}",
            f"{many['p95_ms']:.0f}", f"{many['per_second']:,.0f}", f"{alone['bytes']:,}" if alone["bytes"] else "",
            operation.peers,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _import(found: dict[str, Any]) -> list[str]:
    brought = found["import"]
    written, whole = brought["written_per_second"], brought["rows_per_second"]
    told = f"Import of {brought['rows']:,} rows: {written:,.0f} rows a second written, {whole:,.0f} with the dry run"
    return [f"{told} over all of them (aim 20,000; best peer 204)."]


def _browser(found: dict[str, Any]) -> list[str]:
    seen = found.get("browser") or {}
    if not seen:
        return []
    lines = ["", "| in Chromium | p50 | p95 | aim | best peer |", "|---|--:|--:|--:|--:|"]
    for key, (label, aim, peer) in _BROWSER.items():
        if key in seen:
            lines.append(f"| {label}, ms | **{seen[key]['p50']:.0f}** | {seen[key]['p95']:.0f} | {aim} | {peer} |")
    lines.append(f"| bytes with an empty cache | **{seen['bytes_cold'] / 1e6:.2f} MB** | | 0.7 MB | 4.3 MB |")
    lines.append(f"| memory of the app's processes, just started | **{seen['memory_idle_mb']:.0f} MB** | | 300 MB | |")
    lines.append(f"| the same, after this run | **{seen['memory_after_mb']:.0f} MB** | | 400 MB | |")
    return lines


if __name__ == "__main__":
    runs = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    whole = runs[0] | {"sizes": {k: v for run in runs for k, v in run["sizes"].items()}}
    PAGE.write_text(page(whole | {k: v for run in runs for k, v in run.items() if k == "contacts"}))
