"""Taking an import back: what it made is removed, what it changed is as before; what people worked on since stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from crm_app.core import registry
from crm_app.core.errors import Conflict
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportBatch, ImportedRows, ImportStatus
from crm_app.services.platform.imports import following
from crm_app.services.platform.imports.planning import BULK
from crm_app.services.platform.imports.rules import rules_of
from crm_app.store.uow import UnitOfWork

EDITED, NEEDED, TRASHED = "edited since", "needed by later work", "in the trash"
_LISTED = 1_000
_TEMP = "import_taken_back"
_rows = table_of(ImportedRows)
_mine = sa.table(_TEMP, sa.column("id", sa.Uuid()), sa.column("entity"), sa.column("step"), sa.column("why"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A record of the import that stays as it is."""

    entity: str
    record_id: UUID
    title: str
    why: str


@dataclass
class Reverted:
    """What was taken back. `kept` lists the first thousand, `kept_count` counts all."""

    removed: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    kept_count: int = 0


async def revert(uow: UnitOfWork, batch_id: UUID) -> Reverted:
    """Take the batch back, in one transaction; `uow` runs silently, as writing.importer.

    Kept are records that somebody changed since, and those that kept or later records need. Conflict when it was taken
    back already.
    """
    uow.require("import.revert")
    batch = await uow.get(ImportBatch, batch_id, lock=True)
    if batch.status not in (ImportStatus.done, ImportStatus.running, ImportStatus.failed):
        raise Conflict(f"This import is {batch.status.value} already.")
    await uow.execute(BULK)
    done = Reverted()
    steps = await uow.rows(
        sa.select(_rows.c.step, _rows.c.entity)
        .where(_rows.c.batch_id == batch_id)
        .distinct()
        .order_by(_rows.c.step.desc())
    )
    entities = [registry.get(e) for e in dict.fromkeys(s.entity for s in steps)]
    pointed = [await following.before_reverting(uow, batch, e) for e in entities]
    await _restore_changed(uow, batch, done)
    await _gather(uow, batch, entities)
    await _keep_what_is_needed(uow, batch, entities)
    for step, name in steps:
        await _remove(uow, registry.get(name), step, done)
    await _list_kept(uow, entities, done)
    for entity, records in zip(entities, pointed, strict=True):
        await following.refresh(uow, entity, records)
    batch.status, batch.finished_at = ImportStatus.reverted, uow.now
    batch.report = batch.report | {
        "reverted": {"removed": done.removed, "restored": done.restored, "kept": done.kept_count}
    }
    for entity in entities:
        uow.changed_many(entity.name)
    return done


# -- Records that the import changed -------------------------------------------------------------------------------


async def _restore_changed(uow: UnitOfWork, batch: ImportBatch, done: Reverted) -> None:
    """Old values, for records that are still as the import left them."""
    query = (
        sa.select(_rows).where(_rows.c.batch_id == batch.id, _rows.c.action == "update").order_by(_rows.c.step.desc())
    )
    for chunk in (await uow.execute(query)).mappings().all():
        entity = registry.get(chunk["entity"])
        table = entity.table
        by_columns: dict[tuple[str, ...], list[tuple[UUID, dict[str, Any]]]] = {}
        for record_id, before in zip(chunk["record_ids"], chunk["before"], strict=True):
            by_columns.setdefault(tuple(sorted(before)), []).append((record_id, before))
        for columns, records in by_columns.items():
            restored = await _restore(uow, batch, table, columns, records)
            done.restored[entity.name] = done.restored.get(entity.name, 0) + len(restored)
            missed = [r for r, _ in records if r not in restored]
            await _note_kept(uow, entity, missed, done)


async def _restore(
    uow: UnitOfWork, batch: ImportBatch, table: sa.Table, columns: Sequence[str],
    records: Sequence[tuple[UUID, dict[str, Any]]],
) -> set[UUID]:  # fmt: skip
    """Values travel as text and are typed by the database, as they came."""
    names = [f"c{i}" for i in range(len(columns))]
    old = (
        sa.func.unnest(
            sa.literal([r for r, _ in records], sa.ARRAY(sa.Uuid())),
            *(sa.literal([_as_text(b[c]) for _, b in records], sa.ARRAY(sa.Text())) for c in columns),
        )
        .table_valued(sa.column("id", sa.Uuid()), *(sa.column(n, sa.Text()) for n in names))
        .render_derived(name="old")
    )
    values = {
        c: sa.type_coerce(sa.cast(old.c[n], _database_type(table.c[c])), table.c[c].type)
        for c, n in zip(columns, names, strict=True)
    }
    statement = (
        sa.update(table)
        .values(values | {"version": table.c.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id})
        .where(table.c.id == old.c.id, table.c.updated_at == batch.created_at, table.c.deleted_at.is_(None))
        .returning(table.c.id)
    )
    return {r.id for r in await uow.rows(statement)}


def _database_type(column: "sa.Column[Any]") -> Any:
    return column.type.impl if isinstance(column.type, sa.types.TypeDecorator) else column.type


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


async def _note_kept(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], done: Reverted) -> None:
    if not ids:
        return
    table = entity.table
    query = sa.select(table.c.id, table.c[entity.title], table.c.deleted_at).where(table.c.id.in_(list(ids)))
    for row in await uow.rows(query):
        done.kept_count += 1
        if len(done.kept) < _LISTED:
            done.kept.append(Kept(entity.name, row[0], str(row[1]), TRASHED if row[2] else EDITED))


# -- Records that the import made ----------------------------------------------------------------------------------


async def _gather(uow: UnitOfWork, batch: ImportBatch, entities: Sequence[Entity]) -> None:
    """A temporary table of what the batch made, marked with why a record must stay."""
    made = "SELECT unnest(record_ids) AS id, entity, step, ''::text AS why FROM imported_rows"
    await uow.execute(
        sa.text(f"CREATE TEMP TABLE {_TEMP} ON COMMIT DROP AS {made} WHERE batch_id = :batch AND action = 'create'"),
        {"batch": batch.id},
    )
    await uow.execute(sa.text(f"CREATE INDEX ON {_TEMP} (id)"))
    await uow.execute(sa.text(f"ANALYZE {_TEMP}"))
    for entity in entities:
        table = entity.table
        # Not by version: the clock raises it too, when the health of a deal changes by time alone.
        why = sa.case((table.c.deleted_at.is_not(None), TRASHED), else_=EDITED)
        edited = sa.or_(table.c.updated_at != batch.created_at, table.c.deleted_at.is_not(None))
        await uow.execute(
            sa.update(_mine).values(why=why).where(_mine.c.entity == entity.name, _mine.c.id == table.c.id, edited)
        )


async def _keep_what_is_needed(uow: UnitOfWork, batch: ImportBatch, entities: Sequence[Entity]) -> None:
    """Whatever a staying record points to stays as well; repeated until nothing more is found."""
    parts = _parts_of(entities)
    found = True
    while found:
        found = False
        for entity in entities:
            for table, column in pointing_at(entity.table):
                statement = (
                    sa.update(_mine)
                    .values(why=NEEDED)
                    .where(
                        _mine.c.entity == entity.name, _mine.c.why == "",
                        sa.exists().where(table.c[column] == _mine.c.id, _stays(batch, table, parts)),
                    )
                    .execution_options(synchronize_session=False)
                )  # fmt: skip
                found = bool(await uow.write(statement)) or found
            found = await _keep_for_parts(uow, batch, entity, parts) or found


async def _keep_for_parts(uow: UnitOfWork, batch: ImportBatch, entity: Entity, parts: Mapping[str, str]) -> bool:
    """Something that stays may also point to a part of a record: a deal to a stage of a pipeline."""
    found = False
    for model in rules_of(entity.name).parts:
        part = table_of(model)
        for table, column in pointing_at(part):
            if table.name == part.name:
                continue
            needed = sa.exists(
                sa.select(sa.literal(1))
                .select_from(
                    part.join(table, sa.and_(table.c.tenant_id == part.c.tenant_id, table.c[column] == part.c.id))
                )
                .where(part.c[parts[part.name]] == _mine.c.id, _stays(batch, table, parts))
                .correlate(_mine)
            )
            statement = (
                sa.update(_mine).values(why=NEEDED).where(_mine.c.entity == entity.name, _mine.c.why == "", needed)
            )
            found = bool(await uow.write(statement)) or found
    return found


def _stays(batch: ImportBatch, table: sa.Table, parts: Mapping[str, str]) -> sa.ColumnElement[bool]:
    """Whether a pointing row is not on its way out: as a record of the batch, or as an untouched part of one."""
    going = _mine.alias("going")
    leaves: sa.ColumnElement[bool] = sa.exists().where(going.c.id == table.c.id, going.c.why == "")
    if table.name in parts:
        whole = _mine.alias("whole")
        goes_with = sa.exists().where(whole.c.id == table.c[parts[table.name]], whole.c.why == "")
        untouched = table.c.updated_at == batch.created_at if "updated_at" in table.c else sa.true()
        leaves = sa.or_(leaves, sa.and_(goes_with, untouched))
    return sa.not_(leaves)


def _parts_of(entities: Sequence[Entity]) -> dict[str, str]:
    """Tables whose rows go with a record -> their link to it."""
    found = {}
    for entity in entities:
        rules = rules_of(entity.name)
        for model in (*rules.parts, *rules.shadows):
            part = table_of(model)
            found[part.name] = next(c for t, c in pointing_at(entity.table) if t is part)
    return found


def pointing_at(target: sa.Table) -> Iterator[tuple[sa.Table, str]]:
    """Every foreign key of the database that leads to this table: where it starts."""
    for table in SQLModel.metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table is target:
                yield table, next(c.name for c in constraint.columns if c.name != "tenant_id")


async def _remove(uow: UnitOfWork, entity: Entity, step: int, done: Reverted) -> None:
    leaving = sa.select(_mine.c.id).where(_mine.c.entity == entity.name, _mine.c.step == step, _mine.c.why == "")
    for model in rules_of(entity.name).parts:
        part = table_of(model)
        link = next(c for t, c in pointing_at(entity.table) if t is part)
        await uow.execute(sa.delete(part).where(part.c[link].in_(leaving)))
    removed = await uow.write(sa.delete(entity.table).where(entity.table.c.id.in_(leaving)))
    if removed:
        done.removed[entity.name] = done.removed.get(entity.name, 0) + removed


async def _list_kept(uow: UnitOfWork, entities: Sequence[Entity], done: Reverted) -> None:
    for entity in entities:
        table = entity.table
        query = (
            sa.select(table.c.id, table.c[entity.title], _mine.c.why)
            .join(_mine, sa.and_(_mine.c.id == table.c.id, _mine.c.entity == entity.name))
            .where(_mine.c.why != "")
            .order_by(_mine.c.why, table.c.id)
        )
        for row in await uow.rows(query):
            done.kept_count += 1
            if len(done.kept) < _LISTED:
                done.kept.append(Kept(entity.name, row[0], str(row[1]), row[2]))
