"""Results as a table for the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from bench import contacts
from bench.operations import OPERATIONS


def show(results: dict[str, Any]) -> None:
    out = Console(width=150, highlight=False)
    for size, found in results["sizes"].items():
        out.print(_table(int(size), found))
        brought = found["import"]
        out.print(
            f"import: {brought['rows']:,} rows, checked in {brought['check_seconds']:.1f} s, written in"
            f" {brought['write_seconds']:.1f} s: {brought['rows_per_second']:,.0f} rows/s in all,"
            f" {brought['written_per_second']:,.0f} written (aim 20,000; best peer 204)"
        )
        for name, value in (found.get("browser") or {}).items():
            out.print(f"{name}: {value}")
    if "contacts" in results:
        out.print("\n".join(contacts.page(results["contacts"])))


_HEADINGS = (
    "p50", "p95", "raw p50", "times", "cpu app+db", "16: p50", "16: p95", "16: /s", "raw /s", "bytes", "aim", "peers",
)  # fmt: skip


def _table(size: int, found: dict[str, Any]) -> Table:
    table = Table(title=f"{size:,} open deals, milliseconds", title_justify="left", box=None)
    table.add_column("operation")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for operation in OPERATIONS:
        measured = found["operations"][operation.name]
        alone, raw, many, raw_many = (measured[n] for n in ("service_1", "raw_1", "service_16", "raw_16"))
        met = "green" if alone["p50_ms"] <= operation.aim_ms else "yellow"
        table.add_row(
            operation.name,
            f"[{met}]{alone['p50_ms']:.2f}[/]",
            f"{alone['p95_ms']:.2f}",
            f"{raw['p50_ms']:.2f}",
            f"{alone['p50_ms'] / raw['p50_ms']:.1f}",
            f"{alone['app_cpu_ms']:.2f}+{alone['database_cpu_ms']:.2f}",
            f"{many['p50_ms']:.1f}",
            f"{many['p95_ms']:.1f}",
            f"{many['per_second']:,.0f}",
            f"{raw_many['per_second']:,.0f}",
            f"{alone['bytes']:,}" if alone["bytes"] else "",
            f"{operation.aim_ms:g}",
            operation.peers,
        )
    return table
