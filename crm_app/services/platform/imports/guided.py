"""An import of one file as the page guides it: look at the file, match columns, check, run.

What was chosen becomes the same mapping that a mapping file holds; the engine knows no other way in.
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Forbidden, Invalid
from crm_app.core.registry import FieldSpec, Kind
from crm_app.services.platform.imports import planning, writing
from crm_app.services.platform.imports.mapping import ImportMapping, importable, parse_mapping
from crm_app.services.platform.imports.planning import Told
from crm_app.services.platform.imports.reading import ROW, read_table
from crm_app.services.platform.imports.report import Report
from crm_app.services.platform.imports.rows import Problem
from crm_app.services.platform.imports.rules import rules_of
from crm_app.services.platform.imports.writing import Outcome, Progress
from crm_app.store.uow import UnitOfWork

ENDINGS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"})
ENTITIES = ("account", "opportunity")  # those the page offers; `crm import` takes all
# Links that a person may fill for all rows at once, by name; links whose records may be made where they are missing.
FOR_ALL: dict[str, tuple[str, ...]] = {"opportunity": ("pipeline_id", "stage_id")}
CREATABLE: dict[str, tuple[str, ...]] = {"opportunity": ("account_id",)}
# Remedies of the engine speak of mapping files; what the page offers instead.
_REMEDIES = {
    "`create_missing": "Correct the name, or add the record first",
    "`if_empty`": "Fill it in the file",
    "`constants`": "Match a column to the stage, or choose one at the left",
    "`values`": "Write one of these in the file",
    "`day_first": "Choose at the left how dates are written",
    "`by`": "Make the names differ first",
    "`mode": "",
}
MENDED = "rows-to-mend.csv"  # beside the upload, after a check that left rows out
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Column:
    """`samples` are the first different values; `filled` counts the rows that have one."""

    heading: str
    samples: tuple[str, ...]
    filled: int


@dataclass(frozen=True, slots=True)
class Look:
    rows: int
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Choices:
    """What a person decided. `columns`: heading -> field, without those left out; `constants`: field -> text for every
    row; `create_missing`: links whose records are made where they are not there; `by_email`: links that a column names
    by an e-mail address."""

    entity: str
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    create_missing: frozenset[str] = frozenset()
    by_email: frozenset[str] = frozenset()
    update: bool = False
    day_first: bool | None = None  # how dates like 03/04/2026 are meant; None: as the file tells
    decimal: str = ""  # "," or "."; empty: as the file tells


def allowed(actor: Actor) -> list[str]:
    """The entities this actor may import; Forbidden when there is none."""
    found = [name for name in ENTITIES if actor.can(f"{name}.import")]
    if not found:
        raise Forbidden(
            "Your role does not let you import records. An admin can change that under Settings, Roles.",
            permission=f"{ENTITIES[0]}.import",
        )
    return found


def look(path: Path) -> Look:
    """What the file holds. Blocking; Invalid when it is no table."""
    table = read_table(path)
    columns = []
    for heading in table.columns:
        values = table.frame[heading].drop_nulls()
        samples = values.head(200).unique(maintain_order=True).head(_SAMPLES).to_list()
        columns.append(Column(heading, tuple(str(s)[:80] for s in samples), len(values)))
    return Look(table.frame.height + len(table.ragged), tuple(columns), table.notes)


async def for_all(uow: UnitOfWork, entity_name: str, chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """The names to choose from for each field of FOR_ALL, within what is `chosen` (field -> name) so far."""
    rules = rules_of(entity_name)
    found: dict[str, list[str]] = {}
    ids: dict[str, Any] = {}
    for name in FOR_ALL.get(entity_name, ()):
        target = registry.get(fields_of(entity_name)[name].target)
        table, within = target.table, rules.within.get(name, "")
        if within and within not in ids:
            found[name] = []
            continue
        query = sa.select(table.c.id, table.c[target.title]).where(table.c.deleted_at.is_(None), table.c.is_active)
        if within:
            query = query.where(table.c[within] == ids[within])
        uow.require(f"{target.name}.read")
        rows = await uow.rows(query.order_by(table.c.position, table.c.id))
        found[name] = [title for _, title in rows]
        if chosen.get(name) in found[name]:
            ids[name] = next(i for i, title in rows if title == chosen[name])
    return found


def mapping_of(file: str, choices: Choices) -> ImportMapping:
    """Invalid says which choice does not fit."""
    entity, fields = registry.get(choices.entity), fields_of(choices.entity)
    columns = {heading: name for heading, name in choices.columns.items() if name}
    filled = [*columns.values()]
    if twice := next((n for n in filled if filled.count(n) > 1), ""):
        label = fields[twice].label if twice in fields else twice
        raise Invalid(columns=f"two columns go to {label}; leave one of them out")
    if not columns:
        raise Invalid(columns="are not matched yet; choose a field for at least one")
    key = entity.import_key if entity.import_key in filled else ""
    if choices.update and not key:
        raise Invalid(
            columns=f"need one that goes to {fields[entity.import_key or entity.title].label}, to tell which"
            f" {entity.plural.lower()} are already here"
        )
    links = {n: _link(choices, n) for n in filled if n in fields and fields[n].kind is Kind.link}
    step: dict[str, Any] = {
        "entity": choices.entity,
        "file": file,
        "columns": columns,
        "constants": {n: v for n, v in choices.constants.items() if v and n not in filled},
        "links": {name: rule for name, rule in links.items() if rule},
        **({"key": key} if key else {}),
        **({"mode": "upsert"} if choices.update else {"mode": "create"}),
    }
    if choices.day_first is not None:
        step["day_first"] = "true" if choices.day_first else "false"
    if choices.decimal:
        step["decimal"] = choices.decimal
    return parse_mapping({"name": file, "steps": [step]}, name=file)


def _link(choices: Choices, name: str) -> dict[str, str]:
    rule: dict[str, str] = {}
    if name in choices.create_missing:
        rule["create_missing"] = "true"
    if name in choices.by_email:
        rule["by"] = "email"
    if name == "product_id":
        rule["match"] = "folded"  # "GTXPro" is "GTX Pro"
    return rule


async def check(uow: UnitOfWork, mapping: ImportMapping, folder: Path, *, told: Told = lambda _line: None) -> Report:
    """The dry run over all rows; nothing is written."""
    return (await planning.plan(uow, mapping, folder, told=told)).report


async def run(
    uow: UnitOfWork,
    mapping: ImportMapping,
    folder: Path,
    announced: str,
    *,
    told: Told = lambda _line: None,
    progress: Progress = lambda *_: None,
) -> Outcome:
    """Do what the dry run with this `fingerprint` announced; `uow` as writing.run wants it.

    Conflict when other numbers would come out now.
    """
    plan = await planning.plan(uow, mapping, folder, told=told)
    if fingerprint(plan.report) != announced:
        raise Conflict("The data changed since the check: it would lead to other numbers now. Check all rows again.")
    return await writing.run(uow, plan, told=progress)


def fingerprint(report: Report) -> str:
    """Two reports with the same numbers have the same one."""
    return hashlib.sha256(repr(report.counts()).encode()).hexdigest()


def rows_to_mend(path: Path, problems: Sequence[Problem]) -> str:
    """The rows that are left out, as CSV with what is wrong behind each: mend it and import it again. Blocking."""
    table = read_table(path)
    wrong: dict[int, list[str]] = {}
    for problem in problems:
        said = f"{problem.column}: {problem.message}" if problem.column else problem.message
        wrong.setdefault(problem.row, []).append(said + (f" ({todo})" if (todo := remedy(problem)) else ""))
    frame = table.frame.filter(table.frame[ROW].is_in(list(wrong)))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*table.columns, "What is wrong"])
    for row in frame.iter_rows(named=True):
        writer.writerow([*(harmless(row[c] or "") for c in table.columns), "; ".join(wrong[row[ROW]])])
    return out.getvalue()


def remedy(problem: Problem) -> str:
    """What to do about it, on the page; empty when the message says it all."""
    text = problem.remedy
    if "`match: folded`" in text:
        return f"Did you mean {text.partition(' to ')[2]}?"
    said = next((said for mark, said in _REMEDIES.items() if mark in text), text)
    return said[:1].upper() + said[1:]


def harmless(text: str) -> str:
    """Spreadsheets run what begins like a formula; numbers may begin with a sign."""
    is_number = text[1:].replace(".", "").replace(",", "").replace(" ", "").isdigit()
    return f"'{text}" if text[:1] in ("=", "@", "+", "-", "\t") and not is_number else text


def fields_of(entity_name: str) -> dict[str, FieldSpec]:
    return importable(registry.get(entity_name), rules_of(entity_name))
