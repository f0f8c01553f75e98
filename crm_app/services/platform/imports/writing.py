"""The run: what the dry run announced, in one transaction, counted again afterwards.

Rows go by COPY into a temporary table and from there into the real one: under row-level security that is the only way
in bulk, and the policy checks each row. Triggers write audit, stage history and totals as for anybody else.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.errors import Conflict
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.imports import ImportBatch, ImportedRows, ImportStatus
from crm_app.services.platform.imports import following, planning
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.planning import Plan, PlannedStep
from crm_app.services.platform.imports.report import Report
from crm_app.store.uow import UnitOfWork

Progress = Callable[[str, int, int], None]  # step, rows written, rows to write
CHUNK = 5_000
_ID_CHUNK = 5_000
_TEMP = "import_rows"
_LOCK_CLASS = 7_270_002  # advisory lock: one import a workspace at a time
_BY_US = frozenset({"tenant_id", "created_by_id", "updated_at", "updated_by_id", "version"})


@dataclass(frozen=True)
class Outcome:
    batch_id: UUID
    report: Report
    created: int
    updated: int


def importer(actor: Actor) -> Actor:
    """The actor as imports write: the audit log names the batch instead of every first value."""
    return replace(actor, source=Source.import_)


async def run(uow: UnitOfWork, plan: Plan, *, told: Progress = lambda *_: None) -> Outcome:
    """Write the plan. `uow` is silent and runs as `importer`, so that no handler hears of each record.

    Conflict when the data changed since the dry run so that other numbers would come out, or another import is running;
    then nothing is written.
    """
    if uow.actor.source is not Source.import_ or not uow.is_silent:
        raise RuntimeError("an import runs silently and as its importer")
    await uow.execute(planning.BULK)
    await alone(uow)
    plan = await _as_announced(uow, plan)
    batch_id = new_id()
    uow.add(
        ImportBatch(
            id=batch_id, name=plan.mapping.name, status=ImportStatus.done, mapping=plan.mapping.document,
            report=json.loads(json.dumps(plan.report.as_json(), default=str)), user_id=uow.actor.user_id,
            created_at=uow.now, finished_at=uow.now,
        )
    )  # fmt: skip
    await uow.flush()
    for number, step in enumerate(plan.steps):
        await _write_step(uow, batch_id, number, step, told)
    for number, step in enumerate(plan.steps):
        await _count_again(uow, batch_id, number, step)
    reports = [s.report for s in plan.steps]
    return Outcome(batch_id, plan.report, sum(r.new for r in reports), sum(r.updated for r in reports))


async def alone(uow: UnitOfWork) -> None:
    """Conflict while another import writes in this workspace."""
    lock = sa.text("SELECT pg_try_advisory_xact_lock(:kind, hashtext(:tenant))")
    if not await uow.scalar(lock, {"kind": _LOCK_CLASS, "tenant": str(uow.actor.tenant_id)}):
        raise Conflict("Another import is running in this workspace. Start this one when it is done.")


async def _as_announced(uow: UnitOfWork, plan: Plan) -> Plan:
    """The plan, or a new one with the same numbers when somebody worked on the tables in between."""
    if await planning.marks(uow, set(plan.marks)) == plan.marks:
        return plan
    again = await planning.plan(uow, plan.mapping, plan.folder)
    if again.report.counts() != plan.report.counts():
        raise Conflict("The data changed since the dry run: it would lead to other numbers now. Look at a new dry run.")
    return again


async def _write_step(uow: UnitOfWork, batch_id: UUID, number: int, step: PlannedStep, told: Progress) -> None:
    await write_part(uow, batch_id, number, step, told)
    if step.creates.height + step.updates.height:
        uow.changed_many(step.entity.name)
        await following.after_writing(uow, step)


async def write_part(
    uow: UnitOfWork, batch_id: UUID, number: int, step: PlannedStep, told: Progress = lambda *_: None
) -> None:
    """The rows of the step, without what follows for other records."""
    model, name = step.entity.model, step.report.name
    total = step.creates.height + step.updates.height
    if step.creates.height:
        frame = await step.rules.before_write(uow, step.creates)
        # A link among the new records themselves holds only when all of them are there: one statement then.
        size = frame.height if points_to_itself(step, frame) else CHUNK
        await _insert(uow, model, frame, size, lambda done: told(name, done, total))
        await _remember(uow, batch_id, number, step.entity.name, "create", frame["id"].to_list(), None)
        for child, rows in step.children.items():
            await _insert(uow, child, rows, CHUNK, lambda _done: None)
    if step.updates.height:
        await _update(uow, step)
        await _remember(uow, batch_id, number, step.entity.name, "update", step.updates["id"].to_list(), step.before)
        told(name, total, total)


def points_to_itself(step: PlannedStep, frame: pl.DataFrame) -> bool:
    """Whether new records are linked with each other."""
    return any(
        spec.target == step.entity.name and spec.name in frame.columns and frame[spec.name].is_not_null().any()
        for spec in step.entity.fields.values()
    )


async def _insert(uow: UnitOfWork, model: Any, frame: pl.DataFrame, size: int, done: Callable[[int], None]) -> None:
    table = table_of(model)
    columns = [c for c in frame.columns if c in table.c]
    async with _Temporary(uow, table, columns) as source:
        statement = _insert_statement(uow, model, table, source, columns)
        written = 0
        for start in range(0, frame.height, size):
            part = frame.slice(start, size).select(columns)
            await source.fill(part)
            new = await uow.write(statement)
            if new != part.height:
                raise Conflict(f"{part.height} records were to be written to {table.name}, {new} were.")
            written += part.height
            done(written)


def _insert_statement(
    uow: UnitOfWork, model: Any, table: sa.Table, source: _Temporary, columns: Sequence[str]
) -> sa.Executable:
    now, user = sa.literal(uow.now, table.c.updated_at.type), sa.literal(uow.actor.user_id, sa.Uuid())
    values: dict[str, Any] = {
        "tenant_id": sa.literal(uow.actor.tenant_id, sa.Uuid()), "created_by_id": user, "updated_at": now,
        "updated_by_id": user, "version": sa.literal(1), "created_at": now,
    }  # fmt: skip
    values |= {c: source.table.c[c] for c in columns}
    if "created_at" in columns:
        values["created_at"] = sa.func.coalesce(source.table.c.created_at, now)
    for name, default in _defaults(model, table).items():
        values.setdefault(name, sa.literal(default, table.c[name].type))
    chosen = sa.select(*values.values()).select_from(source.table)
    statement = sa.insert(table).from_select(list(values), chosen, include_defaults=False)
    return statement.execution_options(preserve_rowcount=True)


def _defaults(model: Any, table: sa.Table) -> Mapping[str, Any]:
    """What the model fills in Python for columns nobody gives; the database fills the others."""
    found = {}
    for column in table.c:
        info = model.model_fields.get(column.name)
        if info is None or column.name in _BY_US or column.server_default is not None or info.is_required():
            continue
        value = info.get_default(call_default_factory=True)
        if value is not None and column.name not in ("id", "created_at"):
            found[column.name] = value
    return found


async def _update(uow: UnitOfWork, step: PlannedStep) -> None:
    """New values for records that are still as they were seen."""
    table = table_of(step.entity.model)
    columns = [c for c in step.updates.columns if c in table.c and c not in ("updated_at", "updated_by_id")]
    async with _Temporary(uow, table, columns) as source:
        await source.fill(step.updates.select(columns))
        await uow.execute(sa.text(f"ANALYZE {_TEMP}"))
        given = source.table.c
        statement = (
            sa.update(table)
            .values(
                {c: given[c] for c in columns if c not in ("id", "version")}
                | {"version": table.c.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id}
            )
            .where(table.c.id == given.id, table.c.version == given.version)
        )
        changed = await uow.write(statement)
    if changed != step.updates.height:
        missed = f"{step.updates.height - changed} {step.entity.plural.lower()}"
        raise Conflict(f"{missed} were changed by somebody just now. Start the import again.")


async def _remember(
    uow: UnitOfWork, batch_id: UUID, number: int, entity: str, action: str, ids: Sequence[str],
    before: list[dict[str, Any]] | None,
) -> None:  # fmt: skip
    """For taking it back. The ids travel as text, and the database reads them: making 100,000 UUIDs takes a second."""
    table = table_of(ImportedRows)
    for start in range(0, len(ids), _ID_CHUNK):
        part = sa.literal(list(ids[start : start + _ID_CHUNK]), sa.ARRAY(sa.Text()))
        values = {
            "tenant_id": uow.actor.tenant_id, "id": new_id(), "batch_id": batch_id, "step": number, "entity": entity,
            "action": action, "record_ids": sa.cast(part, sa.ARRAY(sa.Uuid())),
            "before": None if before is None else before[start : start + _ID_CHUNK],
        }  # fmt: skip
        await uow.execute(sa.insert(table).values(values))


async def _count_again(uow: UnitOfWork, batch_id: UUID, number: int, step: PlannedStep) -> None:
    """What stands in the table now against what was announced."""
    table, kept = table_of(step.entity.model), table_of(ImportedRows)
    mine = (
        sa.select(sa.func.unnest(kept.c.record_ids).label("id"))
        .where(kept.c.batch_id == batch_id, kept.c.step == number, kept.c.action == "create")
        .subquery()
    )
    joined = table.join(mine, table.c.id == mine.c.id)
    there = await uow.scalar(sa.select(sa.func.count()).select_from(joined).where(table.c.deleted_at.is_(None)))
    if there != step.report.new:
        told = f"{step.report.name}: {step.report.new:,} new records were announced, the table has {there:,}."
        raise Conflict(f"{told} Nothing was written.")
    if step.rules.sum_of and step.report.sums:
        sums = (
            sa.select(table.c.currency, sa.func.sum(table.c[step.rules.sum_of]))
            .select_from(joined)
            .group_by(table.c.currency)
        )
        found = {r[0]: int(r[1]) for r in await uow.rows(sums)}
        if found != step.report.sums:
            raise Conflict(f"{step.report.name}: the sums in the table are others than announced. Nothing was written.")


# -- COPY ------------------------------------------------------------------------------------------------------------


class _Temporary:
    """A temporary table with some columns of a real one, typed alike."""

    def __init__(self, uow: UnitOfWork, like: sa.Table, columns: Sequence[str]) -> None:
        self.uow, self.like, self.columns = uow, like, list(columns)
        self.table = sa.table(_TEMP, *(sa.column(c, like.c[c].type) for c in columns))

    async def __aenter__(self) -> Self:
        names = ", ".join(f'"{c}"' for c in self.columns)
        chosen = f"SELECT {names} FROM {self.like.name} WITH NO DATA"  # noqa: S608  # names of our own columns
        await self.uow.execute(sa.text(f"CREATE TEMP TABLE {_TEMP} ON COMMIT DROP AS {chosen}"))
        return self

    async def __aexit__(self, *failed: object) -> None:
        if failed[0] is None:
            await self.uow.execute(sa.text(f"DROP TABLE {_TEMP}"))

    async def fill(self, frame: pl.DataFrame) -> None:
        """Only these rows are in it afterwards."""
        buffer = io.BytesIO()
        frame.select(self.columns).write_csv(buffer, include_header=False, quote_style="non_numeric", null_value="\\N")
        await self.uow.execute(sa.text(f"TRUNCATE {_TEMP}"))
        connection = await self.uow.driver()
        async with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {_TEMP} FROM STDIN (FORMAT csv, NULL '\\N')") as copy,
        ):
            await copy.write(buffer.getbuffer())
