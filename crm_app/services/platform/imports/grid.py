"""The rows of a file as the check saw them, page by page: what is ready, what is to be mended, what is here already."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from crm_app.core.errors import NotFound
from crm_app.services.platform.imports import guided, jobs, keeping, outline
from crm_app.services.platform.imports.cells import fixed
from crm_app.services.platform.imports.doubles import Double
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.outline import Source
from crm_app.services.platform.imports.reading import ROW, FileHints, SourceTable
from crm_app.services.platform.imports.rows import Problem
from crm_app.store import uploads
from crm_app.store.uow import UnitOfWork

ALL, READY, FIX, DOUBLE = TABS = ("all", "ready", "fix", "double")
PAGE = 50
_SHOWN = 200  # letters of a cell
_MEANT = re.compile(r'did you mean "(.+?)"|joins it to "(.+?)"')


@dataclass(frozen=True, slots=True)
class Cell:
    """`wrong` says what is wrong with it; `suggestion` is a text that would do."""

    heading: str
    text: str
    wrong: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """`said` is what is wrong with the row as a whole."""

    row: int
    kind: str
    cells: tuple[Cell, ...]
    said: str = ""
    double: Double | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    headings: tuple[str, ...]
    rows: tuple[GridRow, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


async def read(uow: UnitOfWork, job_id: UUID, key: str, *, tab: str = ALL, page: int = 0) -> Grid:
    """One page of one file. NotFound before the first check."""
    job = await jobs.read(uow, job_id)
    one = outline.find(job.document, key)
    return await asyncio.to_thread(_read, uploads.home(uow.actor), jobs.folder_of(uow.actor, job_id), one, tab, page)


async def rows_to_mend(uow: UnitOfWork, job_id: UUID, key: str) -> tuple[str, str]:
    """The rows that are left out, as (name, CSV) with what is wrong behind each: mend it and import it again."""
    job = await jobs.read(uow, job_id)
    one = outline.find(job.document, key)
    text = await asyncio.to_thread(_mend, uploads.home(uow.actor), jobs.folder_of(uow.actor, job_id), one)
    return f"{outline.name_of(one).rpartition('.')[0] or one['file']}, rows to mend.csv", text


def _load(home: Path, folder: Path, one: Source) -> tuple[SourceTable, list[Problem], list[Double]]:
    number = keeping.step_number(folder, outline.name_of(one))
    path = home / outline.file_of(one)
    if number < 0 or not path.is_file():
        raise NotFound("This file was not checked yet, or is not here any more.")
    table = keeping.table(path, FileHints(sheet=one["sheet"] or 0))
    return table, keeping.problems(folder, number), keeping.doubles(folder, number)


def _read(home: Path, folder: Path, one: Source, tab: str, page: int) -> Grid:
    table, found, twice = _load(home, folder, one)
    wrong: dict[int, list[Problem]] = defaultdict(list)
    for problem in found:
        if not problem.is_duplicate:
            wrong[problem.row].append(problem)
    doubles = {d.row: d for d in twice}
    left_out = set(one["left_out"])
    ragged = [r.row for r in table.ragged]
    numbers = sorted([*table.frame[ROW].to_list(), *ragged]) if ragged else table.frame[ROW].to_list()
    match tab:
        case "fix":
            numbers = [n for n in numbers if n in wrong]
        case "double":
            numbers = [n for n in numbers if n in doubles]
        case "ready":
            skipped = {p.row for p in found}
            numbers = [n for n in numbers if n not in skipped and n not in left_out]
    page = max(0, min(page, (len(numbers) - 1) // PAGE))
    chosen = numbers[page * PAGE : (page + 1) * PAGE]
    headings = [
        c["heading"] for c in one["columns"] if c["field"] or any(c["heading"] in t for t in one["templates"].values())
    ]
    fixes = {int(r): texts for r, texts in one["fixes"].items()}
    frame = fixed(table.frame.filter(table.frame[ROW].is_in(chosen)), fixes)
    texts = {r[0]: r[1:] for r in frame.select(ROW, *headings).iter_rows()}
    rows = tuple(_row(n, headings, texts.get(n), wrong.get(n, []), doubles.get(n), n in left_out) for n in chosen)
    return Grid(tuple(headings), rows, len(numbers), page)


def _row(
    number: int, headings: list[str], texts: tuple[str | None, ...] | None, wrong: list[Problem],
    double: Double | None, left_out: bool,
) -> GridRow:  # fmt: skip
    by_column = {p.column: p for p in wrong}
    cells = []
    for heading, text in zip(headings, texts or [None] * len(headings), strict=True):
        problem = by_column.pop(heading, None)
        said = _said(problem) if problem else ""
        cells.append(Cell(heading, (text or "")[:_SHOWN], said, suggestion(problem) if problem else ""))
    said = "; ".join(f"{p.column}: {_said(p)}" if p.column else _said(p) for p in by_column.values())
    kind = "out" if left_out else "fix" if wrong else "double" if double else "ready"
    return GridRow(number, kind, tuple(cells), said, double)


def _said(problem: Problem) -> str:
    todo = guided.remedy(problem)
    return f"{problem.message}. {todo}" if todo else problem.message


def suggestion(problem: Problem) -> str:
    """A text that would do, where the engine knows one."""
    found = _MEANT.search(problem.remedy)
    return (found[1] or found[2]) if found else ""


def _mend(home: Path, folder: Path, one: Source) -> str:
    table, found, _ = _load(home, folder, one)
    wrong: dict[int, list[str]] = defaultdict(list)
    for problem in found:
        wrong[problem.row].append(f"{problem.column}: {_said(problem)}" if problem.column else _said(problem))
    frame: pl.DataFrame = table.frame.filter(table.frame[ROW].is_in(list(wrong)))
    frame = fixed(frame, {int(r): texts for r, texts in one["fixes"].items()})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(guided.harmless(c) for c in table.columns), "What is wrong"])
    for row in frame.iter_rows(named=True):
        said = guided.harmless("; ".join(wrong.pop(row[ROW])))
        writer.writerow([*(guided.harmless(row[c] or "") for c in table.columns), said])
    for number, reasons in sorted(wrong.items()):  # rows that did not fit under the headings
        writer.writerow([*[""] * len(table.columns), guided.harmless(f"row {number}: {'; '.join(reasons)}")])
    return out.getvalue()
