"""The dry run: every row of every file understood, joined and checked; nothing written. The run does its plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.errors import Forbidden
from crm_app.core.registry import Entity
from crm_app.models.base import new_id_texts
from crm_app.services.platform.imports import cells, doubles, joining, settling
from crm_app.services.platform.imports.directory import Planned
from crm_app.services.platform.imports.doubles import Standing
from crm_app.services.platform.imports.foreign import Foreign
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import FillBy, ImportMapping, Mode, StepMapping, importable
from crm_app.services.platform.imports.reading import ROW, FileHints, SourceTable, read_table, table_of_rows
from crm_app.services.platform.imports.report import Report, StepReport
from crm_app.services.platform.imports.rows import ProblemLog, Rows
from crm_app.services.platform.imports.rules import ImportRules, rules_of
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork

Told = Callable[[str], None]
# For the transactions of imports. Within one, PostgreSQL does not know yet how many rows it has just written, and takes
# nested loops for joins over them: minutes instead of a second on a young database.
BULK = sa.text(
    "SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('enable_nestloop', 'off', true)"
)


@dataclass
class PlannedStep:
    """Records to make (`creates`: columns of the table, `children`: of the tables that go with it) and to change
    (`updates`: `id`, `version` as it was seen, and new values; `before`: the old ones, in the same order)."""

    entity: Entity
    rules: ImportRules
    report: StepReport
    creates: pl.DataFrame
    updates: pl.DataFrame
    before: list[dict[str, Any]] = field(default_factory=list)
    children: dict[Any, pl.DataFrame] = field(default_factory=dict)


@dataclass
class Plan:
    mapping: ImportMapping
    folder: Path
    report: Report
    steps: list[PlannedStep]
    marks: dict[str, tuple[Any, ...]]  # entity -> how its table looked


@dataclass
class Planning:
    """What the steps of one dry run share."""

    uow: UnitOfWork
    mapping: ImportMapping
    planned: Planned = field(default_factory=Planned)
    steps: list[PlannedStep] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    foreign: Foreign = field(default_factory=Foreign)


async def plan(
    uow: UnitOfWork,
    mapping: ImportMapping,
    folder: Path,
    *,
    told: Told = lambda _line: None,
    read: Callable[[Path, FileHints], SourceTable] = read_table,
) -> Plan:
    """Understand all rows of all steps; `read` opens a file. Invalid when a file or a column is not there, Forbidden
    without permission."""
    await uow.execute(BULK)
    planning = Planning(uow, mapping)
    for step in mapping.steps:
        permit(uow, step)
    for step in mapping.steps:
        told(f"Checking {step.name}")
        source = await asyncio.to_thread(_source, step, folder, read)
        await _plan_step(planning, step, source)
    report = Report(mapping.name, [s.report for s in planning.steps])
    return Plan(mapping, folder, report, planning.steps, await marks(uow, planning.looked_at))


def permit(uow: UnitOfWork, step: StepMapping) -> None:
    uow.require(step.rules.permission or f"{step.entity.name}.import")
    _permit_fields(uow.actor, step)
    for name, rule in step.links.items():
        if rule.create_missing:
            target = step.spec(name).target
            uow.require(rules_of(target).permission or f"{target}.create")


def _permit_fields(actor: Actor, step: StepMapping) -> None:
    """A field that is filled must be the actor's to write; one that rows are compared by must be the actor's to see:
    else a file of guesses would tell what stands there."""
    written = {*step.columns.values(), *step.constants, *step.templates, *step.if_empty}
    compared = {(step.entity.name, n) for n in (*written, *step.key, *step.links)}
    for name, rule in step.links.items():
        compared.add((step.spec(name).target, rule.by))
    for fill in (f for fills in step.if_empty.values() for f in fills if f.by is FillBy.related):
        link, _, theirs = fill.value.partition(".")
        compared.add((step.spec(link).target, theirs))
    for entity_name, name in sorted(compared):
        hidden, masked = blind_spots(actor, entity_name)
        if name in hidden | masked:
            spec = registry.get(entity_name).spec(name)
            label = spec.label if spec else name
            raise Forbidden(f"Your role does not show you {label}: leave it out of the mapping.")
    for name in sorted(written):
        if f"{step.entity.name}.{name}" in actor.fixed_fields:
            raise Forbidden(f"Your role does not let you change {step.spec(name).label}: leave it out of the mapping.")


def _source(step: StepMapping, folder: Path, read: Callable[[Path, FileHints], SourceTable]) -> SourceTable:
    return read(folder / step.file, step.hints) if step.file else table_of_rows(step.name, step.rows)


async def _plan_step(
    planning: Planning, step: StepMapping, source: SourceTable, *, is_related: bool = False
) -> pl.DataFrame:
    """Add the step to the plan, behind those it needs; the records it will make."""
    uow, log = planning.uow, ProblemLog()
    report = StepReport(
        step.name, step.entity.name, source.name, rows=source.frame.height + len(source.ragged), is_related=is_related
    )
    report.notes += [(note, 1) for note in source.notes]
    ragged_rows = [r for r in source.ragged if r.row not in step.left_out]
    for ragged in ragged_rows:
        log.add([ragged.row], "", None, ragged.message, ragged.remedy)
    rows = Rows(
        step, source.frame.select(ROW), importable(step.entity, step.rules),
        {f: c for c, f in step.columns.items() if step.file}, log, _nothing_related,
    )  # fmt: skip
    texts = cells.texts_of(step, source, rows)
    report.skipped = source.frame.height - texts.height + len(source.ragged) - len(ragged_rows)
    await asyncio.to_thread(cells.read_cells, rows, texts, uow.actor)

    async def create_related(related: StepMapping) -> pl.DataFrame:
        return await _plan_step(planning, related, _source(related, Path(), read_table), is_related=True)

    joins = joining.Joins(planning, rows, create_related)
    rows.related = joins.related
    await joins.join(texts)
    standing = await _match(planning, rows, report)
    if step.id_column:
        planning.foreign.add(step.entity.name, source, step.id_column, _records_of(rows, standing))
    await joins.join_own()
    await joins.fill_empty()
    await step.rules.complete(uow, rows)
    await settling.check(uow, rows)
    planned = await settling.settle(uow, rows, planning.planned)
    _count(report, rows, planned, log)
    planning.looked_at.add(step.entity.name)
    planning.planned.add(step.entity.name, planned.known)
    for model, frame in planned.children.items():
        if child := registry.of_model(model):
            planning.planned.add(child.name, frame)
    planning.steps.append(
        PlannedStep(step.entity, step.rules, report, planned.creates, planned.updates, planned.before, planned.children)
    )
    return planned.known


async def _nothing_related(link: str, name: str) -> pl.Series:
    raise RuntimeError(f"{link}.{name} is asked for before the links are joined")


def _records_of(rows: Rows, standing: Standing) -> dict[int, str]:
    """Row -> the record it becomes, changes, or is already."""
    found: dict[int, str] = dict(zip(rows.frame[ROW].to_list(), rows.frame["id"].to_list(), strict=True))
    found |= standing.records
    for row, earlier in standing.rows.items():
        if earlier in found:
            found[row] = found[earlier]
    return found


async def _match(planning: Planning, rows: Rows, report: StepReport) -> Standing:
    """Give each row the id of the record it means, or a new one; leave out duplicates."""
    standing = Standing()
    if rows.step.doubles is not None:
        report.doubles, standing = await doubles.settle(planning, rows, rows.step.doubles)
    else:
        await _match_by_mode(planning, rows, report)
    fresh = pl.Series("id", new_id_texts(len(rows)), dtype=pl.String)
    known = rows.frame["known"]
    rows.frame = rows.frame.drop("known").with_columns(
        known.zip_with(known.is_not_null(), fresh).alias("id"), known.is_null().alias("is_new")
    )
    rows.current = (
        await joining.current_values(planning.uow, rows.step.entity, known) if known.is_not_null().any() else None
    )
    return standing


async def _match_by_mode(planning: Planning, rows: Rows, report: StepReport) -> None:
    """What `mode` and `key` of a mapping file say; the rows get `known`."""
    step = rows.step
    found = await joining.known_records(planning, rows)
    keys, ids = found.keys, found.ids
    if step.key:
        first = keys.is_first_distinct() | keys.is_null()
        if step.once:
            report.repeats = int((~first).sum())
            rows.keep(first)
        else:
            rows.reject(~first, step.key[0], "is in the file twice; the first row counts", "", is_duplicate=True)
        keys, ids = keys.filter(first), ids.filter(first)
        hidden = found.hidden(keys)
        kept = ~hidden
        rows.reject(hidden, step.key[0], "is the key of records that you may not see, or of several")
        keys, ids = keys.filter(kept), ids.filter(kept)
    rows.put("known", ids)
    if step.mode is Mode.create:
        rows.reject(
            rows.frame["known"].is_not_null(), step.key[0] if step.key else "", "exists already", is_duplicate=True
        )
    elif step.mode is Mode.update:
        rows.reject(
            rows.frame["known"].is_null(),
            step.key[0],
            "is not here: there is nothing to update",
            "or use `mode: upsert`",
        )


def _count(report: StepReport, rows: Rows, planned: settling.Settled, log: ProblemLog) -> None:
    report.new, report.updated = planned.creates.height, planned.updates.height
    report.unchanged = planned.unchanged
    duplicates = {p.row for p in log.found if p.is_duplicate}
    rejected = {p.row for p in log.found if not p.is_duplicate}
    report.rejected, report.duplicates = len(rejected), len(duplicates - rejected)
    report.children = {model.__tablename__: frame.height for model, frame in planned.children.items() if frame.height}
    report.sums = planned.sums
    report.notes += list(rows.notes.items())
    report.problems = sorted(log.found, key=lambda p: p.row)
    accounted = (
        report.new
        + report.updated
        + report.unchanged
        + report.duplicates
        + report.rejected
        + report.skipped
        + report.repeats
    )
    if accounted != report.rows:
        raise RuntimeError(f"{report.name}: {accounted} rows accounted for, {report.rows} read")


async def marks(uow: UnitOfWork, entities: set[str]) -> dict[str, tuple[Any, ...]]:
    """How the tables that a plan looked at stand: another mark means that the plan may be out of date."""
    found: dict[str, tuple[Any, ...]] = {}
    for name in sorted(entities):
        table = registry.get(name).table
        query = sa.select(sa.func.count(), sa.func.sum(table.c.version), sa.func.max(table.c.updated_at))
        found[name] = tuple((await uow.rows(query))[0])
    return found
