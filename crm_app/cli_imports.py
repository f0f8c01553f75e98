"""`crm import`: look at what a mapping would do, do it, list what was done, take it back."""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.markup import escape
from rich.table import Table

from crm_app.console import Steps, database, out, steps
from crm_app.core.context import Actor
from crm_app.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_app.core.registry import Entity
    from crm_app.services.platform.imports.planning import Plan
    from crm_app.services.platform.imports.report import Report, StepReport
    from crm_app.services.platform.imports.reverting import Reverted
    from crm_app.services.platform.imports.writing import Outcome

T = TypeVar("T")
_SHOWN = 20


def import_files(
    mapping: Annotated[
        Path | None, typer.Argument(help="The mapping file (YAML or JSON); see docs/how-to/import-maven.md.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the files are; by default beside the mapping.", file_okay=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: say what would happen to every row.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="E-mail address of who imports; by default the admin.")] = "",
    workspace: Annotated[str, typer.Option(help="Name of the workspace, where one address has several.")] = "",
    problems: Annotated[
        Path | None, typer.Option(help="Write every row that is left out, and why, to this CSV file.", dir_okay=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before writing.")] = False,
    revert: Annotated[str, typer.Option(help="Take back the import with this id.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show the imports that were made.")] = False,
) -> None:
    """Bring in CSV and XLSX files as a mapping says: a dry run over all rows first, then all of it or nothing."""
    from crm_app import parts
    from crm_app.store import migrations

    if sum((mapping is not None, bool(revert), listed)) != 1:
        raise Invalid("Give a mapping file, or --revert with the id of an import, or --list.")
    with database():
        migrations.require_ready()
        parts.load("models", "services", "handlers")
        actor = _run(lambda: _actor(as_user, workspace))
        if listed:
            _show_batches(actor)
        elif revert:
            _take_back(actor, revert, yes=yes)
        elif mapping is not None:
            _bring_in(actor, mapping, folder or mapping.parent, dry_run=dry_run, problems=problems, yes=yes)


async def _actor(email: str, workspace: str) -> Actor:
    from crm_app.services.people import actors
    from crm_app.services.platform.imports.writing import importer

    return importer(await actors.by_email(email, workspace=workspace))


def _bring_in(
    actor: Actor, path: Path, folder: Path, *, dry_run: bool, problems: Path | None, yes: bool
) -> None:  # fmt: skip
    from crm_app.services.platform.imports.mapping import load_mapping

    mapping = load_mapping(path, entities=_run(lambda: _entities(actor)))
    with steps() as told:
        plan = _run(lambda: _plan(actor, mapping, folder.resolve(), told))
    _show_report(plan.report)
    if problems is not None:
        _write_problems(plan.report, problems)
    if dry_run or not plan.report.writes:
        out.print("Nothing was written." if dry_run else "There is nothing to write.")
        return
    left_out = f", {plan.report.rejected:,} rows are left out" if plan.report.rejected else ""
    if not yes and not typer.confirm(f"Write {plan.report.writes:,} records{left_out}?"):
        out.print("Nothing was written.")
        return
    begun = time.monotonic()
    with steps() as told:
        outcome = _run(lambda: _write(actor, plan, told))
    took = time.monotonic() - begun
    done = outcome.created + outcome.updated
    out.print(
        f"[green]✓[/] {outcome.created:,} created, {outcome.updated:,} changed in {took:.1f} s"
        f" ({done / max(took, 0.001):,.0f} a second); the tables were counted again."
    )
    out.print(f"Take it back with: crm import --revert {outcome.batch_id}", soft_wrap=True)


async def _entities(actor: Actor) -> "Mapping[str, Entity]":
    """With the workspace's own fields."""
    from crm_app.services.platform import schema
    from crm_app.store.uow import unit_of_work

    async with unit_of_work(actor, silent=True) as uow:
        return await schema.entities_of(uow)


async def _plan(actor: Actor, mapping: Any, folder: Path, told: Steps) -> "Plan":
    from crm_app.services.platform.imports import planning
    from crm_app.store.uow import unit_of_work

    async with unit_of_work(actor, silent=True) as uow:
        return await planning.plan(uow, mapping, folder, told=told)


async def _write(actor: Actor, plan: "Plan", told: Steps) -> "Outcome":
    from crm_app.services.platform.imports import writing
    from crm_app.store.uow import unit_of_work

    def progress(step: str, done: int, total: int) -> None:
        told(f"{step.replace(':', '')}: {100 * done // max(total, 1)} %")

    async with unit_of_work(actor, silent=True) as uow:
        return await writing.run(uow, plan, told=progress)


# -- What is shown -------------------------------------------------------------------------------------------------


def _show_report(report: "Report") -> None:
    table = Table(title=escape(report.name), title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("rows", "new", "changed", "unchanged", "duplicates", "left out", "skipped"):
        table.add_column(heading, justify="right")
    for step in report.steps:
        name = f"[dim]+[/] {escape(step.name)}" if step.is_related else escape(step.name)
        numbers = (
            step.rows, step.new, step.updated, step.unchanged, step.duplicates + step.repeats, step.rejected,
            step.skipped,
        )  # fmt: skip
        table.add_row(name, *(f"{n:,}" if n else "[dim]·[/]" for n in numbers))
    out.print(table)
    for step in report.steps:
        _show_notes(step)
    for step in report.steps:
        if step.problems:
            out.print(f"\n[bold]{escape(step.name)}[/], left out:")
            for problem in step.problems[:_SHOWN]:
                out.print(f"  {escape(str(problem))}", soft_wrap=True)
            if len(step.problems) > _SHOWN:
                more = len(step.problems) - _SHOWN
                out.print(f"  and {more:,} more; --problems FILE.csv writes all of them")


def _show_notes(step: "StepReport") -> None:
    from crm_app.core import money

    lines = [f"{count:>9,}  {escape(text)}" for text, count in step.notes]
    lines += [
        f"{count:>9,}  {escape(table.replace('_', ' '))} records go with them" for table, count in step.children.items()
    ]
    lines += [f"           {money.show(total, currency)} in all" for currency, total in step.sums.items()]
    if lines:
        out.print(f"\n[bold]{escape(step.name)}[/]")
        for line in lines:
            out.print(line, soft_wrap=True)


def _write_problems(report: "Report", path: Path) -> None:
    """A cell that a spreadsheet would take for a formula gets an apostrophe."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        sheet = csv.writer(file)
        sheet.writerow(["File", "Row", "Column", "Value", "What is wrong", "What helps"])
        for step in report.steps:
            for p in step.problems:
                value = f"'{p.value}" if p.value[:1] in "=+-@\t" and p.value else p.value
                sheet.writerow([step.source, p.row, p.column, value, p.message, p.remedy])
    out.print(f"{report.problems:,} problems are in {path}.", soft_wrap=True)


def _show_batches(actor: Actor) -> None:
    from crm_app.services.platform.imports import batches
    from crm_app.store.uow import unit_of_work

    async def read() -> Any:
        async with unit_of_work(actor) as uow:
            return await batches.listed(uow)

    found = _run(read)
    if not found:
        out.print("No import was made here yet.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "when (UTC)", "what", "by", "state"):
        table.add_column(heading, no_wrap=heading != "what")
    for heading in ("new", "changed"):
        table.add_column(heading, justify="right")
    for b in found:
        table.add_row(
            str(b.id), f"{b.created_at:%Y-%m-%d %H:%M}", escape(b.name), escape(b.user), b.status.value,
            f"{b.created:,}", f"{b.updated:,}",
        )  # fmt: skip
    out.print(table)


def _take_back(actor: Actor, wanted: str, *, yes: bool) -> None:
    from crm_app.services.platform.imports import batches, reverting
    from crm_app.store.uow import unit_of_work

    async def find() -> Any:
        async with unit_of_work(actor) as uow:
            return [b for b in await batches.listed(uow, limit=500) if str(b.id).startswith(wanted.lower())]

    found = _run(find)
    if len(found) != 1:
        raise NotFound(f"No import has the id {wanted}." if not found else f"Several imports begin with {wanted}.")
    batch = found[0]
    what = f"{batch.name} of {batch.created_at:%Y-%m-%d %H:%M} UTC"
    if not yes and not typer.confirm(f"Take back {what}: {batch.created:,} new, {batch.updated:,} changed?"):
        out.print("Nothing was changed.")
        return

    async def undo() -> "Reverted":
        async with unit_of_work(actor, silent=True) as uow:
            return await reverting.revert(uow, batch.id)

    with steps() as progress:
        progress("Taking back")
        done = _run(undo)
    _show_reverted(done)


def _show_reverted(done: "Reverted") -> None:
    for what, counts in (("removed", done.removed), ("as before", done.restored)):
        if counts:
            out.print(f"[green]✓[/] {what}: " + ", ".join(f"{n:,} {entity}" for entity, n in counts.items()))
    if done.kept_count:
        out.print(f"{done.kept_count:,} records stay:")
        for kept in done.kept[:_SHOWN]:
            out.print(f"  {kept.entity} {escape(kept.title)}: {kept.why}", soft_wrap=True)
        if done.kept_count > _SHOWN:
            out.print(f"  and {done.kept_count - _SHOWN:,} more")


def _run(make: Callable[[], Awaitable[T]]) -> T:
    """Each part in an event loop of its own; the pool's connections belong to it."""
    from crm_app.store.engine import close_engine

    async def whole() -> T:
        try:
            return await make()
        finally:
            await close_engine()

    return asyncio.run(whole())
