"""Lists as files: a view with its columns, order and filter, as far as the actor may see it; each is in the audit log.

The rows come out of one cursor and go through a writer a thousand at a time. Few rows are written while one waits, many
by a job; both land in one's own list of downloads (see export_keeping).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.conditions import explain
from crm_app.core.dates import show_moment
from crm_app.core.errors import Conflict, CrmError, Invalid, NotFound, Unauthenticated
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.views import ALL, View, columns_of, dump, load, taken_out
from crm_app.models.base import table_of
from crm_app.models.platform.exports import ExportFile, ExportStatus
from crm_app.services.platform import audit, lists, records
from crm_app.services.platform.export_files import CsvWriter, JsonWriter, Sheet, Writer, XlsxWriter
from crm_app.services.platform.export_pdf import PdfWriter
from crm_app.services.platform.schema import entity_of
from crm_app.store import queue
from crm_app.store.uow import UnitOfWork

WORK = "write_export"
FORGET = "forget_exports"  # the job that deletes files whose rows are gone
KEPT = timedelta(days=7)
FORMS = ("xlsx", "csv", "pdf")
MOST = {"pdf": 5_000, "xlsx": 1_000_000}  # rows
DIRECT = {"csv": 5_000, "xlsx": 3_000, "pdf": 500}  # rows that are written while one waits: less than a second
MOST_IDS = 10_000
MOST_RUNNING = 3  # files of one person at a time
_EVERY = 0.25  # seconds between two looks whether the file is still wanted
Told = Callable[[int], Awaitable[None]]
_WRITERS: dict[str, Callable[[Path, Sheet], Writer]] = {
    "csv": CsvWriter, "xlsx": XlsxWriter, "pdf": PdfWriter, "json": JsonWriter,
    "ndjson": partial(JsonWriter, lines=True),
}  # fmt: skip
_NAMELESS = frozenset({"json", "ndjson"})  # have links as ids alone
_files = table_of(ExportFile)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of an entity is written. `note` is what the audit log keeps of it."""

    columns: tuple[str, ...]
    where: sa.ColumnElement[bool] | None
    sort: str
    descending: bool
    note: dict[str, Any]
    about: str = ""
    for_people: bool = True


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was asked for; `size` in bytes."""

    id: UUID
    entity: str
    form: str
    name: str
    status: ExportStatus
    total: int
    rows: int
    size: int
    error: str
    created_at: datetime


async def _silent(_: int) -> None:
    pass


SILENT: Told = _silent


async def write(
    uow: UnitOfWork, entity: Entity, path: Path, form: str, wanted: Wanted, *, file_id: UUID, told: Told = SILENT
) -> int:
    """Write the file and the entry of the audit log; how many rows it has. `told` hears how many there are so far."""
    uow.require(f"{entity.name}.read")
    uow.require(f"{entity.name}.export")
    entity = await entity_of(uow, entity.name)
    specs = tuple(entity.fields[n] for n in wanted.columns if n in entity.fields)
    actor = uow.actor
    sheet = Sheet(entity.plural, specs, actor.time_zone, actor.currency, wanted.about, wanted.for_people)
    writer = await asyncio.to_thread(_WRITERS[form], path, sheet)
    rows = 0
    try:
        pieces = records.stream(
            uow, entity, columns=wanted.columns, where=wanted.where, sort=wanted.sort, descending=wanted.descending,
            titles=form not in _NAMELESS,
        )  # fmt: skip
        async for piece in pieces:
            await asyncio.to_thread(writer.write, piece)
            rows += len(piece)
            if rows > MOST.get(form, rows):
                raise Invalid(_too_many(rows, form))
            await told(rows)
    finally:
        await asyncio.to_thread(writer.close)
    details = {"form": form, "rows": rows, "columns": [s.name for s in specs], **wanted.note}
    await audit.note(uow, entity.name, file_id, "export", details)
    return rows


def _too_many(rows: int, form: str) -> str:
    what = "A PDF" if form == "pdf" else "An Excel file"
    return f"{what} holds {MOST[form]:,} rows at most, and these are {rows:,}. Filter the list, or choose CSV."


async def start(
    uow: UnitOfWork,
    entity: Entity,
    view: View,
    form: str,
    *,
    operation_id: UUID,
    record_ids: Sequence[UUID] | None = None,
) -> Export:
    """Ask for a file of the view, or of the chosen records in its columns and order; `operation_id` names it. Many rows
    are written by a job; few wait for `make`."""
    uow.require(f"{entity.name}.read")
    uow.require(f"{entity.name}.export")
    entity = await entity_of(uow, entity.name)
    if form not in FORMS:
        raise Invalid(form=f"must be one of {', '.join(FORMS)}")
    if record_ids is not None and len(record_ids) > MOST_IDS:
        raise Invalid(f"{len(record_ids)} records were chosen one by one; choose all that match instead.")
    total = await records.count(uow, entity, where=await _where(uow, entity, view, record_ids))
    if not total:
        raise Invalid(f"There are no {entity.plural.lower()} to export.")
    if total > MOST.get(form, total):
        raise Invalid(_too_many(total, form))
    name = f"{entity.slug}-{uow.today}.{form}"
    return await ask(
        uow, entity.name, form, name=name, view=dump(view), total=total, operation_id=operation_id,
        record_ids=record_ids,
    )  # fmt: skip


async def ask(
    uow: UnitOfWork,
    what: str,
    form: str,
    *,
    name: str,
    view: dict[str, Any],
    total: int,
    operation_id: UUID,
    record_ids: Sequence[UUID] | None = None,
) -> Export:
    """Write down what is wanted, for those who have asked for the right to it; a job, if it is much, writes it."""
    if (known := await _own(uow, operation_id)) is not None:
        return _told(known)
    if await _running(uow) >= MOST_RUNNING:
        raise Conflict("Three files of yours are being written. Wait for one of them, or cancel one under Exports.")
    if uow.actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    row = ExportFile(
        id=operation_id, entity=what, form=form, name=name, view=view,
        record_ids=list(record_ids) if record_ids is not None else None, total=total, user_id=uow.actor.user_id,
        ip=uow.actor.ip[:60], user_agent=uow.actor.user_agent[:300], created_at=uow.now,
    )  # fmt: skip
    uow.add(row)
    await uow.flush()
    if total > DIRECT[form]:
        args: dict[str, Any] = {"tenant_id": str(uow.actor.tenant_id), "export_id": str(row.id)}
        await queue.defer(await uow.driver(), WORK, **args)
    return _told(row)


async def _where(
    uow: UnitOfWork, entity: Entity, view: View, ids: Sequence[UUID] | None
) -> sa.ColumnElement[bool] | None:
    if ids is None:
        return await lists.where(uow, entity, view)
    found: sa.ColumnElement[bool] = entity.table.c.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Uuid())))
    return found


class Cancelled(CrmError):
    """Who asked for the file does not want it any more."""

    status, code = 409, "cancelled"

    def __init__(self) -> None:
        super().__init__("This export was cancelled.")


async def make(uow: UnitOfWork, export_id: UUID, path: Path, *, told: Told = SILENT) -> int:
    """Write a file that was asked for to `path`, with the rights of now; how many rows it has."""
    row = await _wanted(uow, export_id)
    entity = await entity_of(uow, row.entity)
    view = load(row.view)
    columns = _columns(entity, view, row.form)
    wanted = Wanted(
        columns, await _where(uow, entity, view, row.record_ids), view.sort, view.descending,
        note={"view": row.view} | ({} if row.record_ids is None else {"chosen": len(row.record_ids)}),
        about=_about(uow, entity, view, row.record_ids),
    )  # fmt: skip
    return await write(uow, entity, path, row.form, wanted, file_id=export_id, told=told)


async def asked_for(uow: UnitOfWork, export_id: UUID) -> dict[str, Any]:
    """What `ask` was given as view."""
    return (await _wanted(uow, export_id)).view


async def _wanted(uow: UnitOfWork, export_id: UUID) -> ExportFile:
    row = await _own(uow, export_id)
    if row is None:
        raise Cancelled
    return row


def while_wanted(uow: UnitOfWork, export_id: UUID, told: Told) -> Told:
    """`told`, and Cancelled as soon as nobody wants the file any more."""
    looked = [time.monotonic()]

    async def go_on(rows: int) -> None:
        if time.monotonic() - looked[0] >= _EVERY:
            looked[0] = time.monotonic()
            await require_wanted(uow, export_id)
        await told(rows)

    return go_on


async def require_wanted(uow: UnitOfWork, export_id: UUID) -> None:
    """Cancelled when it was cancelled."""
    if not await uow.scalar(sa.select(sa.exists().where(_files.c.id == export_id))):
        raise Cancelled


async def settle(uow: UnitOfWork, export_id: UUID, *, rows: int, size: int) -> Export:
    """The file lies where exports are kept. Cancelled when nobody wants it any more."""
    row = await _own(uow, export_id, lock=True)
    if row is None:
        raise Cancelled
    row.rows, row.size, row.status, row.error, row.finished_at = rows, size, ExportStatus.done, "", uow.now
    await uow.flush()
    return _told(row)


def _columns(entity: Entity, view: View, form: str) -> tuple[str, ...]:
    """Those of the view in their order. A CSV has no other way to say in which currency an amount is."""
    names = [n for n in columns_of(view, entity) if n in entity.fields]
    if form != "csv":
        return tuple(names)
    found: list[str] = []
    for name in names:
        spec: FieldSpec = entity.fields[name]
        found.append(name)
        currency = spec.currency_field
        if spec.kind is Kind.money and currency in entity.fields and currency not in (*found, *names):
            found.append(currency)
    return tuple(found)


def _about(uow: UnitOfWork, entity: Entity, view: View, ids: Sequence[UUID] | None) -> str:
    """Who, when, and which of them."""
    actor = uow.actor
    parts = [f"{actor.name}, {show_moment(uow.now, actor.time_zone)}"]
    if ids is not None:
        return " · ".join([*parts, f"{len(ids)} chosen"])
    view, left_out = taken_out(view)
    if view.query:
        parts.append(f"“{view.query}”")
    if view.filter != ALL:
        parts.append(explain(view.filter, entity, currency=actor.currency, time_zone=actor.time_zone))
    if left_out:
        parts.append(f"without {left_out} of them")
    return " · ".join(parts)


async def fail(uow: UnitOfWork, export_id: UUID, error: str) -> None:
    """It could not be written."""
    mine = sa.and_(_files.c.id == export_id, _files.c.status == ExportStatus.running)
    values = {"status": ExportStatus.failed, "error": error[:500], "finished_at": uow.now}
    await uow.execute(sa.update(_files).where(mine).values(values))


async def listed(uow: UnitOfWork) -> list[Export]:
    """One's own files, the newest first."""
    query = sa.select(ExportFile).where(_files.c.user_id == uow.actor.user_id).order_by(_files.c.created_at.desc())
    return [_told(row) for row in (await uow.execute(query.limit(100))).scalars()]


async def read(uow: UnitOfWork, export_id: UUID) -> Export:
    """One's own file. NotFound when it is gone, or somebody else's."""
    found = await find(uow, export_id)
    if found is None:
        raise NotFound("This file is not here any more. Export it anew.")
    return found


async def find(uow: UnitOfWork, export_id: UUID) -> Export | None:
    """As `read`; None when it is gone."""
    row = await _own(uow, export_id)
    return _told(row) if row else None


async def discard(uow: UnitOfWork, export_id: UUID) -> None:
    """Throw one's own file away."""
    await read(uow, export_id)
    await uow.execute(sa.delete(_files).where(_files.c.id == export_id))
    await _forget(uow, [export_id])


async def cancel(uow: UnitOfWork, export_id: UUID) -> None:
    """Stop what is being written of one's own: nothing of it stays. Conflict when it is there already."""
    row = await _own(uow, export_id, lock=True)
    if row is None:
        raise NotFound("This export is not known any more.")
    if row.status is not ExportStatus.running:
        raise Conflict("This file is written already. Delete it if nobody needs it.")
    await uow.execute(sa.delete(_files).where(_files.c.id == export_id))


async def sweep(uow: UnitOfWork) -> None:
    """Forget files of more than a week ago; that they were made stands in the audit log."""
    old = sa.delete(_files).where(_files.c.created_at < uow.now - KEPT).returning(_files.c.id)
    await _forget(uow, [r.id for r in await uow.rows(old)])


async def _forget(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Their content goes after this transaction."""
    args: dict[str, Any] = {"tenant_id": str(uow.actor.tenant_id), "ids": [str(i) for i in ids]}
    await queue.defer(await uow.driver(), FORGET, **args)


async def unknown(uow: UnitOfWork, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the ids that no row names."""
    known = {r.id for r in await uow.rows(sa.select(_files.c.id).where(_files.c.id.in_(ids)))}
    return [i for i in ids if i not in known]


async def _own(uow: UnitOfWork, export_id: UUID, *, lock: bool = False) -> ExportFile | None:
    query = sa.select(ExportFile).where(_files.c.id == export_id, _files.c.user_id == uow.actor.user_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: ExportFile | None = await uow.scalar(query)
    return found


async def _running(uow: UnitOfWork) -> int:
    mine = sa.and_(_files.c.user_id == uow.actor.user_id, _files.c.status == ExportStatus.running)
    recent = _files.c.created_at > uow.now - KEPT / 7
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(_files).where(mine, recent)))


def _told(row: ExportFile) -> Export:
    return Export(
        row.id, row.entity, row.form, row.name, row.status, row.total, row.rows, row.size, row.error, row.created_at
    )
