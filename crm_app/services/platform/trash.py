"""The trash: who threw away what and when, and its end after 30 days or when somebody with the right says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm_app.core import registry
from crm_app.core.changes import RecordChanged
from crm_app.core.errors import Conflict, Invalid
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.platform.merges import MergedRecord, RecordMerge
from crm_app.models.platform.trash import Along, TrashedAlong
from crm_app.services.platform import records
from crm_app.services.platform.merge_links import pointers
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

KEPT = timedelta(days=30)
_PAGE, _SWEPT = 50, 200
_KEPT_BY_TRIGGERS = frozenset({"stage_history", "stage_total"})  # they go with their deal by themselves
_along, _merged, _merges, _users = table_of(TrashedAlong), table_of(MergedRecord), table_of(RecordMerge), table_of(User)
Mark = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Thrown:
    """A record in the trash; `goes_at` is when it goes for good, `along` how many records went with it."""

    entity: str
    id: UUID
    title: str
    deleted_at: datetime
    by_id: UUID | None
    by_name: str
    goes_at: datetime
    along: int


def entities_for(uow: UnitOfWork) -> list[Entity]:
    """Whose trash the actor looks into: of what they may delete."""
    return [
        e
        for e in registry.all_entities()
        if not e.is_managed and uow.actor.can(f"{e.name}.delete") and uow.actor.can(f"{e.name}.read")
    ]


async def listed(
    uow: UnitOfWork,
    *,
    entity_name: str = "",
    by_id: UUID | None = None,
    since: datetime | None = None,
    before: Mark | None = None,
    limit: int = _PAGE,
) -> list[Thrown]:
    """What lies in the trash of records that the actor may see and delete, the latest first; `before` is (deleted_at,
    id) of the row under which to go on. What went along with another record is not listed by itself, nor is what was
    merged."""
    kinds = [e for e in entities_for(uow) if entity_name in ("", e.name)]
    if entity_name and not kinds:
        uow.require(f"{entity_name}.delete")
        raise Invalid(entity="there is no such kind of record")
    if not kinds:
        return []
    found = [_of_kind(uow, e, by_id, since, before, limit) for e in kinds]
    rows = sa.union_all(*found).subquery("thrown")
    went = sa.select(sa.func.count()).where(_along.c.root_id == rows.c.id, _along.c.action == Along.trashed)
    query = (
        sa.select(rows, _users.c.name.label("by_name"), went.scalar_subquery().label("along"))
        .outerjoin(_users, _users.c.id == rows.c.by_id)
        .order_by(rows.c.deleted_at.desc(), rows.c.id.desc())
        .limit(limit)
    )
    return [
        Thrown(r.entity, r.id, r.title, r.deleted_at, r.by_id, r.by_name or "", r.deleted_at + KEPT, r.along)
        for r in await uow.rows(query)
    ]


def _of_kind(
    uow: UnitOfWork, entity: Entity, by_id: UUID | None, since: datetime | None, before: Mark | None, limit: int
) -> Any:
    t = entity.table
    query = sa.select(
        sa.literal(entity.name).label("entity"), t.c.id, sa.cast(t.c[entity.title], sa.Text).label("title"),
        t.c.deleted_at, t.c.deleted_by_id.label("by_id"),
    ).where(t.c.deleted_at.is_not(None), ~_followed(t), ~_is_merged(entity))  # fmt: skip
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    if by_id is not None:
        query = query.where(t.c.deleted_by_id == by_id)
    if since is not None:
        query = query.where(t.c.deleted_at >= since)
    if before is not None:
        query = query.where(sa.tuple_(t.c.deleted_at, t.c.id) < sa.tuple_(*map(sa.literal, before)))
    return query.order_by(t.c.deleted_at.desc(), t.c.id.desc()).limit(limit).subquery().select()


def _followed(table: Any) -> Any:
    return sa.exists().where(_along.c.row_id == table.c.id, _along.c.action == Along.trashed)


def _is_merged(entity: Entity) -> Any:
    """Its way back is to part the merge."""
    return sa.exists().where(
        _merged.c.record_id == entity.table.c.id, _merged.c.entity == entity.name,
        _merges.c.tenant_id == _merged.c.tenant_id, _merges.c.id == _merged.c.merge_id, _merges.c.undone_at.is_(None),
    )  # fmt: skip


async def who(uow: UnitOfWork) -> list[tuple[UUID, str]]:
    """People who have something in the trash that the actor looks into, by name."""
    kinds = entities_for(uow)
    if not kinds:
        return []
    ids = sa.union(*(sa.select(e.table.c.deleted_by_id).where(e.table.c.deleted_at.is_not(None)) for e in kinds))
    query = sa.select(_users.c.id, _users.c.name).where(_users.c.id.in_(ids)).order_by(_users.c.name)
    return [(r.id, r.name) for r in await uow.rows(query)]


async def purge(uow: UnitOfWork, entity: Entity, record_id: UUID) -> str:
    """For good, with what went along; returns what it was called. Conflict when it is not in the trash."""
    uow.require("trash.purge")
    records.permit(uow, entity, "delete")
    record = await uow.get(entity.model, record_id, lock=True, in_trash=True)
    if record.deleted_at is None:
        raise Conflict(f"This {entity.label.lower()} is not in the trash. Throw it away first.")
    title = str(getattr(record, entity.title))
    await _purge(uow, entity, [record_id])
    return title


async def sweep(uow: UnitOfWork) -> int:
    """What has lain in the trash for 30 days goes for good, some at a time, by the clock. Returns how many went."""
    gone = 0
    for entity in [e for e in registry.all_entities() if not e.is_managed]:
        t = entity.table
        due = sa.and_(t.c.deleted_at < uow.now - KEPT, ~_followed(t), ~_is_merged(entity))
        query = sa.select(t.c.id).where(due).order_by(t.c.deleted_at).limit(_SWEPT).with_for_update(skip_locked=True)
        for (record_id,) in await uow.rows(query):
            try:
                async with uow.part():
                    await _purge(uow, entity, [record_id])
            except (Conflict, IntegrityError):
                continue  # something alive still needs it, or something in the trash that goes first: another day
            gone += 1
    return gone


async def _purge(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID]) -> None:
    """Rows of the trash, with all that is theirs alone; links of others to them are emptied."""
    a = _along
    here = sa.and_(a.c.root_entity == entity.name, a.c.root_id.in_(ids))
    followed = sa.select(a.c.entity, a.c.row_id).where(here, a.c.action == Along.trashed)
    along: dict[str, list[UUID]] = {}
    for name, row_id in await uow.rows(followed):
        along.setdefault(name, []).append(row_id)
    await uow.execute(sa.delete(a).where(here))
    for name, rows in along.items():
        if (other := registry.find(name)) is not None:
            await _purge(uow, other, rows)
    for pointer in pointers(registry.get(entity.name)):
        if pointer.table.name not in _KEPT_BY_TRIGGERS:
            await _let_go(uow, entity, pointer.table, pointer.link, pointer.entity, ids)
    t = entity.table
    went = await uow.rows(sa.delete(t).where(t.c.id.in_(ids), t.c.deleted_at.is_not(None)).returning(t.c.id))
    for (record_id,) in went:
        uow.emit(RecordChanged(record_id=record_id, name=f"{entity.name}.purged", entity=entity.name))
        uow.changed(entity.name, record_id, 0, "deleted")


async def _let_go(uow: UnitOfWork, entity: Entity, table: sa.Table, link: str, kind: str, ids: Sequence[UUID]) -> None:
    """Empty a link to what goes for good, or delete what is nothing without it."""
    mine = table.c[link].in_(ids)
    if kind:  # what hangs on any record: gone with it, but for files, whose content goes first (services.attachments)
        if table.name != "attachment":
            column = table.c["entity" if "entity" in table.c else "about"]
            await uow.execute(sa.delete(table).where(mine, column == kind))
        return
    other = next((e for e in registry.all_entities() if e.table is table), None)
    if table.c[link].nullable:
        await uow.execute(sa.update(table).where(mine).values({link: None}))
    elif other is None:
        await uow.execute(sa.delete(table).where(mine))
    else:
        rows = await uow.rows(sa.select(table.c.id, table.c.deleted_at).where(mine))
        if alive := sum(1 for r in rows if r.deleted_at is None):
            what = other.label.lower() if alive == 1 else other.plural.lower()
            raise Conflict(f"{alive} {what} still belong to this {entity.label.lower()}.")
        if rows:
            await _purge(uow, other, [r.id for r in rows])
