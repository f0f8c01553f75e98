"""Several records of one person or company become one, field by field, with all that belongs to them; and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import Draft, RecordChanged, guards_of
from crm_app.core.errors import Conflict, Invalid, NotFound
from crm_app.core.events import RecordFact
from crm_app.core.matching import matched_entities
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.platform.merges import MergedRecord, RecordMerge
from crm_app.services.platform import merge_links
from crm_app.services.platform.merge_values import merged_values, pickable, put_back_values
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

REVERSIBLE = timedelta(days=30)
MOST = 10  # records that become one at a time
_LISTED = 50
_merges, _merged = table_of(RecordMerge), table_of(MergedRecord)
_UNLIKE = frozenset({"version", "updated_at", "updated_by_id", "search_text"})  # change by themselves


@dataclass(frozen=True, kw_only=True)
class RecordsMerged(RecordFact):
    """<entity>.merged, told of the survivor."""

    merge_id: UUID
    loser_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Kept:
    """A record that did not go back, because it was moved or deleted since the merge."""

    entity: str
    id: UUID
    title: str


@dataclass
class Parted:
    """`fields` are labels of fields of the survivor that were changed since and stay; `more` counts the rest of what
    stayed: beyond the first, or not this actor's to see."""

    survivor_id: UUID
    restored: list[UUID] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    more: int = 0
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MergeLine:
    id: UUID
    entity: str
    survivor_id: UUID
    title: str
    count: int  # records that went into it
    at: datetime
    who: str


async def merge(
    uow: UnitOfWork,
    entity: Entity,
    survivor_id: UUID,
    other_ids: Sequence[UUID],
    picks: Mapping[str, UUID],
    *,
    versions: Mapping[UUID, int] | None = None,
) -> RecordMerge:
    """Make one record of several. The survivor keeps its values and takes those it lacks; `picks` name, for a field
    (`custom.<key>` too), the record whose value it gets. The others go to the trash and lead to the survivor.

    `versions` are those the person saw: Conflict when a record was changed since.
    """
    _permit(uow, entity)
    losers = list(dict.fromkeys(other_ids))
    if not losers or survivor_id in losers or len(losers) >= MOST:
        raise Invalid(f"Choose two to {MOST} different {entity.plural.lower()} to merge.")
    found = await _locked(uow, entity, [survivor_id, *losers], versions or {})
    survivor, others = found[survivor_id], [found[i] for i in losers]
    _check_picks(entity, picks, found, uow)
    values = merged_values(registry.get(entity.name), survivor, others, picks)
    draft = Draft(entity, {n: v for n, v in values.items() if v != getattr(survivor, n)}, before=survivor)
    if draft.touches("owner_id") and draft.values["owner_id"] != uow.actor.user_id:
        uow.require(f"{entity.name}.assign")
    for guard in guards_of(entity.name):
        await guard(uow, draft)
    before = await _as_json(uow, entity, survivor_id)
    for loser in others:
        for guard in guards_of(entity.name):
            await guard(uow, Draft(entity, {"deleted_at": uow.now}, before=loser))
        loser.deleted_at, loser.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()  # before the survivor takes a value that must be unique
    diff = {n: [getattr(survivor, n), v] for n, v in draft.values.items()}
    for name, value in draft.values.items():
        setattr(survivor, name, value)
    await uow.flush()
    done = await _note(uow, entity, survivor, losers)
    await merge_links.move(uow, entity, done, survivor_id, losers)
    await _open_circles(uow, entity, survivor)
    await _write_down(uow, entity, done, before)
    _tell(uow, entity, survivor, others, diff, done)
    return done


async def _note(uow: UnitOfWork, entity: Entity, survivor: Any, losers: Sequence[UUID]) -> RecordMerge:
    done = RecordMerge(
        kind=entity.name,
        survivor_id=survivor.id,
        title=str(getattr(survivor, entity.title))[:200],
        loser_ids=[str(i) for i in losers],
        user_id=uow.actor.user_id,
        created_at=uow.now,
    )
    uow.add(done)
    await uow.flush()
    for loser_id in losers:
        uow.add(MergedRecord(merge_id=done.id, entity=entity.name, record_id=loser_id, survivor_id=survivor.id))
    await uow.flush()
    return done


def _permit(uow: UnitOfWork, entity: Entity) -> None:
    """To merge is also to change and to delete."""
    for verb in ("merge", "update", "delete"):
        uow.require(f"{entity.name}.{verb}")
    if entity.name not in matched_entities() or entity.is_managed:
        raise Invalid(f"{entity.plural} cannot be merged.")


async def _locked(
    uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], versions: Mapping[UUID, int]
) -> dict[UUID, Any]:
    """The records, held in one order: of two merges at once the second one finds what the first has done."""
    found = {}
    for record_id in sorted(ids):
        record = await uow.get(entity.model, record_id, lock=True, in_trash=True)
        if record.deleted_at is not None:
            raise Conflict(
                f"{getattr(record, entity.title)} was merged or deleted in the meantime. Look again.",
                current={"id": str(record_id)},
            )
        if versions.get(record_id, record.version) != record.version:
            raise Conflict(
                f"{getattr(record, entity.title)} was changed in the meantime. Look at the values again.",
                current={"id": str(record_id), "version": record.version},
            )
        found[record_id] = record
    return found


def _check_picks(entity: Entity, picks: Mapping[str, UUID], found: Mapping[UUID, Any], uow: UnitOfWork) -> None:
    hidden, masked = blind_spots(uow.actor, entity.name)
    allowed = set(pickable(entity)) - hidden - masked
    custom = {f"custom.{k}" for r in found.values() for k in r.custom} - hidden - masked
    wrong = {n: "cannot be chosen" for n in picks if n not in allowed | custom}
    wrong |= {n: "must come from one of the merged records" for n, i in picks.items() if i not in found}
    if wrong:
        raise Invalid(**wrong)


async def _as_json(uow: UnitOfWork, entity: Entity, record_id: UUID) -> dict[str, Any]:
    row: dict[str, Any] = await uow.scalar(
        sa.select(sa.func.to_jsonb(sa.literal_column(entity.table.name))).select_from(entity.table).where(
            entity.table.c.id == record_id
        )
    )  # fmt: skip
    return row


async def _open_circles(uow: UnitOfWork, entity: Entity, survivor: Any) -> None:
    """What hung below a loser hangs below the survivor now: the survivor cannot hang below that."""
    for spec in entity.fields.values():
        if spec.target != entity.name or spec.name in registry.STAMPS:
            continue
        above, seen = getattr(survivor, spec.name), set()
        while above is not None and above not in seen and above != survivor.id:
            seen.add(above)
            above = await uow.scalar(sa.select(entity.table.c[spec.name]).where(entity.table.c.id == above))
        if above is not None and above == survivor.id:
            setattr(survivor, spec.name, None)
    await uow.flush()


async def _write_down(uow: UnitOfWork, entity: Entity, done: RecordMerge, before: dict[str, Any]) -> None:
    """What the merge changed in the survivor, for the way back."""
    after = await _as_json(uow, entity, done.survivor_id)
    plain = _UNLIKE | set(entity.model.derived)
    changed = [n for n, v in after.items() if n not in plain and before.get(n) != v]
    done.before, done.after = {n: before.get(n) for n in changed}, {n: after[n] for n in changed}
    await uow.flush()


def _tell(
    uow: UnitOfWork, entity: Entity, survivor: Any, others: Sequence[Any], diff: dict[str, Any], done: RecordMerge
) -> None:
    name = entity.name
    told = {n: d for n, d in diff.items() if n in entity.fields}
    if told:
        uow.emit(RecordChanged(record_id=survivor.id, name=f"{name}.updated", entity=name, diff=told))
    uow.changed(name, survivor.id, survivor.version)
    for other in others:
        uow.emit(RecordChanged(record_id=other.id, name=f"{name}.deleted", entity=name))
        uow.changed(name, other.id, other.version, "deleted")
    uow.emit(
        RecordsMerged(
            name=f"{name}.merged",
            entity=name,
            record_id=survivor.id,
            merge_id=done.id,
            loser_ids=tuple(o.id for o in others),
        )
    )


async def unmerge(uow: UnitOfWork, merge_id: UUID) -> Parted:
    """Part what was merged within 30 days: values and links that were not changed since go back, the rest is listed."""
    done = await uow.scalar(sa.select(RecordMerge).where(_merges.c.id == merge_id).with_for_update())
    entity = registry.find(done.kind) if done is not None else None
    if done is None or entity is None:
        uow.require("account.merge")
        raise NotFound("This merge is not known.")
    _permit(uow, entity)
    survivor = await _survivor(uow, entity, done)
    if done.undone_at is not None:
        raise Conflict("This merge was taken back already.")
    if uow.now - done.created_at > REVERSIBLE:
        raise Conflict(f"A merge can be taken back for {REVERSIBLE.days} days; this one is older.")
    parted = Parted(survivor.id)
    parted.fields = await put_back_values(uow, entity, survivor, done)
    await uow.flush()
    query = sa.select(_merged.c.record_id).where(_merged.c.merge_id == done.id).order_by(_merged.c.record_id)
    for (record_id,) in await uow.rows(query):
        loser = await uow.get(entity.model, record_id, lock=True, in_trash=True)
        if loser.deleted_at == done.created_at:
            loser.deleted_at = loser.deleted_by_id = None
            parted.restored.append(record_id)
            await uow.flush()
            uow.emit(RecordChanged(record_id=record_id, name=f"{entity.name}.restored", entity=entity.name))
            uow.changed(entity.name, record_id, loser.version, "created")
    for table, ids in (await merge_links.move_back(uow, entity, done)).items():
        await _list_kept(uow, table, ids, parted)
    done.undone_at, done.undone_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    uow.changed(entity.name, survivor.id, survivor.version)
    return parted


async def _survivor(uow: UnitOfWork, entity: Entity, done: RecordMerge) -> Any:
    survivor = await uow.get(entity.model, done.survivor_id, lock=True, in_trash=True)
    if survivor.deleted_at is None:
        return survivor
    if (further := await survivor_of(uow, entity, done.survivor_id)) is not None:
        title = await uow.scalar(sa.select(entity.table.c[entity.title]).where(entity.table.c.id == further))
        raise Conflict(f"{done.title} itself was merged into {title} since. Take that back first.")
    raise Conflict(f"{done.title} is in the trash. Take it out first.")


async def _list_kept(uow: UnitOfWork, table: str, ids: Sequence[UUID], parted: Parted) -> None:
    entity = next((e for e in registry.all_entities() if e.table.name == table), None)
    if entity is None or not uow.actor.can(f"{entity.name}.read"):
        parted.more += len(ids)
        return
    query = sa.select(entity.table.c.id, entity.table.c[entity.title]).where(
        entity.table.c.id.in_(ids), entity.table.c.deleted_at.is_(None)
    )
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    rows = await uow.rows(query.order_by(entity.table.c.id).limit(_LISTED))
    parted.kept += [Kept(entity.name, r[0], str(r[1])) for r in rows]
    parted.more += len(ids) - len(rows)


async def survivor_of(uow: UnitOfWork, entity: Entity, record_id: UUID) -> UUID | None:
    """Where a merged record leads, over several merges; None when it was not merged or that is not for this actor."""
    uow.require(f"{entity.name}.read")
    seen, here = {record_id}, record_id
    while True:
        query = (
            sa.select(_merged.c.survivor_id)
            .join(_merges, sa.and_(_merges.c.tenant_id == _merged.c.tenant_id, _merges.c.id == _merged.c.merge_id))
            .join(entity.table, entity.table.c.id == _merged.c.record_id)
            .where(
                _merged.c.record_id == here, _merged.c.entity == entity.name, _merges.c.undone_at.is_(None),
                entity.table.c.deleted_at.is_not(None),
            )
            .order_by(_merges.c.created_at.desc())
            .limit(1)
        )  # fmt: skip
        there = await uow.scalar(query)
        if there is None or there in seen:
            break
        seen.add(there)
        here = there
    if here == record_id:
        return None
    try:
        await uow.get(entity.model, here)
    except NotFound:
        return None
    return here


async def lately(uow: UnitOfWork, entity: Entity, *, record_id: UUID | None = None, limit: int = 20) -> list[MergeLine]:
    """Merges that can still be taken back, latest first; of one survivor with `record_id`."""
    uow.require(f"{entity.name}.merge")
    users = table_of(User).alias("who")
    query = (
        sa.select(_merges, users.c.name.label("who"), entity.table.c[entity.title].label("now_called"))
        .join(entity.table, entity.table.c.id == _merges.c.survivor_id)
        .outerjoin(users, users.c.id == _merges.c.user_id)
        .where(
            _merges.c.kind == entity.name, _merges.c.undone_at.is_(None), entity.table.c.deleted_at.is_(None),
            _merges.c.created_at > uow.now - REVERSIBLE,
        )
        .order_by(_merges.c.created_at.desc())
        .limit(limit)
    )  # fmt: skip
    if record_id is not None:
        query = query.where(_merges.c.survivor_id == record_id)
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    return [
        MergeLine(r.id, r.kind, r.survivor_id, str(r.now_called), len(r.loser_ids), r.created_at, r.who or "")
        for r in await uow.rows(query)
    ]
