"""Pairs that a run found: listed for who may see both records, and told apart for good."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Conflict, NotFound
from crm_app.core.matching import Band, rules_for
from crm_app.core.registry import Entity
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.duplicates import DuplicatePair, DuplicateScan, ScanStatus, Verdict
from crm_app.services.customers.duplicates import seen_rules
from crm_app.store import queue
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

SCAN = "scan_duplicates"
_pairs, _scans = table_of(DuplicatePair), table_of(DuplicateScan)
_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Pair:
    """`reasons` leave out fields that the actor may not see."""

    id: UUID
    first_id: UUID
    second_id: UUID
    first: str
    second: str
    band: Band
    reasons: tuple[str, ...]


async def listed(
    uow: UnitOfWork, entity: Entity, band: Band, *, pair_ids: Sequence[UUID] = (), limit: int = 50
) -> list[Pair]:
    """Open pairs of a band, the likeliest first, without `pair_ids`, which the person put off.
    Both records must be there and the actor's to see."""
    uow.require(f"{entity.name}.read")
    one, two = entity.table.alias("one"), entity.table.alias("two")
    title = entity.title
    query = (
        sa.select(_pairs, one.c[title].label("first"), two.c[title].label("second"))
        .select_from(_joined(one, two))
        .where(_open(entity, uow, one, two), _pairs.c.band == band.value)
        .order_by(_pairs.c.points.desc(), _pairs.c.id)
        .limit(sa.literal_column(str(int(limit))))
    )
    if pair_ids:
        query = query.where(_pairs.c.id.not_in(list(pair_ids)))
    labels = _labels(uow, entity)
    return [
        Pair(r.id, r.first_id, r.second_id, str(r.first), str(r.second), Band(r.band), _seen(r.labels, labels))
        for r in await uow.rows(query)
    ]


async def counts(uow: UnitOfWork, entity: Entity) -> dict[Band, int]:
    """How many open pairs there are in each band, a thousand at most."""
    uow.require(f"{entity.name}.read")
    one, two = entity.table.alias("one"), entity.table.alias("two")
    found = sa.select(_pairs.c.band).select_from(_joined(one, two)).where(_open(entity, uow, one, two))
    bands = Counter(r.band for r in await uow.rows(found.limit(_COUNTED)))
    return {b: bands[b.value] for b in Band}


def _joined(one: sa.Alias, two: sa.Alias) -> sa.Join:
    mine = _pairs.join(one, sa.and_(one.c.tenant_id == _pairs.c.tenant_id, one.c.id == _pairs.c.first_id))
    return mine.join(two, sa.and_(two.c.tenant_id == _pairs.c.tenant_id, two.c.id == _pairs.c.second_id))


def _open(entity: Entity, uow: UnitOfWork, one: sa.Alias, two: sa.Alias) -> sa.ColumnElement[bool]:
    parts = [_pairs.c.entity == entity.name, _pairs.c.verdict == Verdict.open]
    for table in (one, two):
        parts.append(table.c.deleted_at.is_(None))
        if (seen := visible(entity, uow.actor, table)) is not None:
            parts.append(seen)
    return sa.and_(*parts)


def _labels(uow: UnitOfWork, entity: Entity) -> set[str]:
    rules = rules_for(entity.name)
    return {t.label for t in seen_rules(rules, entity, uow.actor).traits} if rules else set()


def _seen(labels: Sequence[str], known: set[str]) -> tuple[str, ...]:
    return tuple(label for label in labels if label in known or f"same {label.removeprefix('similar ')}" in known)


async def tell_apart(uow: UnitOfWork, pair_id: UUID) -> DuplicatePair:
    """They are two: no run asks again."""
    pair = await _decided(uow, pair_id)
    pair.verdict, pair.decided_by_id, pair.decided_at = Verdict.different, uow.actor.user_id, uow.now
    await uow.flush()
    return pair


async def reopen(uow: UnitOfWork, pair_id: UUID) -> DuplicatePair:
    """Undo of `tell_apart`."""
    pair = await _decided(uow, pair_id)
    pair.verdict, pair.decided_by_id, pair.decided_at = Verdict.open, None, None
    await uow.flush()
    return pair


async def _decided(uow: UnitOfWork, pair_id: UUID) -> DuplicatePair:
    """The pair, held; whoever may merge its records may say that they are two."""
    pair = await uow.scalar(sa.select(DuplicatePair).where(_pairs.c.id == pair_id).with_for_update())
    entity = registry.find(pair.entity) if pair is not None else None
    if pair is None or entity is None:
        uow.require("account.merge")
        raise NotFound("This pair is not known any more. Look again.")
    uow.require(f"{entity.name}.merge")
    for record_id in (pair.first_id, pair.second_id):
        await uow.get(entity.model, record_id)
    found: DuplicatePair = pair
    return found


async def start(uow: UnitOfWork, entity: Entity) -> DuplicateScan:
    """Look through all records in the background. Conflict while a run is under way."""
    uow.require(f"{entity.name}.merge")
    await uow.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{uow.actor.tenant_id}{entity.name}"))))
    last = await latest(uow, entity)
    if last is not None and last.status in (ScanStatus.waiting, ScanStatus.running):
        raise Conflict(f"{entity.plural} are being looked through already.")
    scan = DuplicateScan(id=new_id(), entity=entity.name, user_id=uow.actor.user_id, created_at=uow.now)
    uow.add(scan)
    await uow.flush()
    args: dict[str, Any] = {"tenant_id": str(uow.actor.tenant_id), "scan_id": str(scan.id)}
    await queue.defer(await uow.driver(), SCAN, **args)
    return scan


async def latest(uow: UnitOfWork, entity: Entity) -> DuplicateScan | None:
    """The last run, to show how far it is. One that has not moved for an hour is taken for dead."""
    uow.require(f"{entity.name}.read")
    query = sa.select(DuplicateScan).where(_scans.c.entity == entity.name).order_by(_scans.c.created_at.desc()).limit(1)
    found: DuplicateScan | None = await uow.scalar(query)
    is_open = found is not None and found.status in (ScanStatus.waiting, ScanStatus.running)
    if found is not None and is_open and (uow.now - found.created_at).total_seconds() > 3600:
        found.status = ScanStatus.failed
    return found
