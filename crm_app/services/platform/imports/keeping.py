"""Tables that were read and plans that were made, kept in files beside the upload: for the page, for a run that goes on
after a restart. Blocking functions, for threads."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from crm_app.core import registry
from crm_app.core.matching import Band
from crm_app.services.platform.imports.doubles import Double
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import Act
from crm_app.services.platform.imports.planning import Plan, PlannedStep
from crm_app.services.platform.imports.reading import FileHints, Ragged, SourceTable, read_table
from crm_app.services.platform.imports.report import StepReport
from crm_app.services.platform.imports.rows import Problem
from crm_app.services.platform.imports.rules import rules_of

_NUMBERS = tuple(f.name for f in fields(StepReport) if f.name not in ("problems", "doubles"))


def table(path: Path, hints: FileHints | None = None) -> SourceTable:
    """The table of an upload, read once and kept."""
    chosen = hints or FileHints()
    mark = hashlib.sha256(repr(chosen).encode()).hexdigest()[:12]
    kept, about = path.parent / f".table-{mark}.ipc", path.parent / f".table-{mark}.json"
    if kept.is_file() and about.is_file():
        known = json.loads(about.read_text())
        ragged = tuple(Ragged(*r) for r in known["ragged"])
        return SourceTable(path.name, pl.read_ipc(kept), tuple(known["columns"]), ragged, tuple(known["notes"]))
    found = read_table(path, chosen)
    found.frame.write_ipc(kept)
    ragged_rows = [(r.row, r.message, r.remedy) for r in found.ragged]
    about.write_text(json.dumps({"columns": found.columns, "ragged": ragged_rows, "notes": found.notes}))
    return found


def save(plan: Plan, folder: Path) -> None:
    """In place of the plan before it."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for number, step in enumerate(plan.steps):
        step.creates.write_ipc(fresh / f"{number}-creates.ipc")
        step.updates.write_ipc(fresh / f"{number}-updates.ipc")
        for model, frame in step.children.items():
            frame.write_ipc(fresh / f"{number}-child-{model.__tablename__}.ipc")
        about = {n: getattr(step.report, n) for n in _NUMBERS}
        _write(fresh / f"{number}.json", {"entity": step.entity.name, "before": step.before, "report": about})
        _write(fresh / f"{number}-problems.json", [asdict(p) for p in step.report.problems])
        _write(fresh / f"{number}-doubles.json", [asdict(d) for d in step.report.doubles])
    _write(fresh / "marks.json", {"marks": {n: [str(v) for v in m] for n, m in plan.marks.items()}})
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, default=str, ensure_ascii=False), encoding="utf-8", errors="replace")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def steps(folder: Path) -> list[PlannedStep]:
    """The steps of a kept plan, without their problems. FileNotFoundError when it was swept."""
    marks(folder)
    return [_step(folder, number) for number in _numbers(folder)]


def _numbers(folder: Path) -> Iterator[int]:
    number = 0
    while (folder / f"{number}.json").is_file():
        yield number
        number += 1


def _step(folder: Path, number: int) -> PlannedStep:
    about = _read(folder / f"{number}.json")
    entity = registry.get(about["entity"])
    rules = rules_of(entity.name)
    children = {}
    for path in sorted(folder.glob(f"{number}-child-*.ipc")):
        table_name = path.stem.partition("-child-")[2]
        model = next(m for m in rules.parts if m.__tablename__ == table_name)
        children[model] = pl.read_ipc(path)
    report = StepReport(**{**about["report"], "notes": [tuple(n) for n in about["report"]["notes"]]})
    return PlannedStep(
        entity, rules, report, pl.read_ipc(folder / f"{number}-creates.ipc"),
        pl.read_ipc(folder / f"{number}-updates.ipc"), about["before"], children,
    )  # fmt: skip


def marks(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = _read(folder / "marks.json")["marks"]
    return found


def problems(folder: Path, number: int) -> list[Problem]:
    return [Problem(**p) for p in _read(folder / f"{number}-problems.json")]


def doubles(folder: Path, number: int) -> list[Double]:
    return [
        Double(**{**d, "band": Band(d["band"]), "act": Act(d["act"]), "reasons": tuple(d["reasons"])})
        for d in _read(folder / f"{number}-doubles.json")
    ]


def step_number(folder: Path, name: str) -> int:
    """Which step of the plan the file or sheet of that name is; -1 when none."""
    for number in _numbers(folder):
        report = _read(folder / f"{number}.json")["report"]
        if report["name"] == name and not report["is_related"]:
            return number
    return -1
