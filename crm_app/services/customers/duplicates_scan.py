"""Looking through all records of an entity: pairs that share a key, scored, and written down by the thousand."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import NotFound
from crm_app.core.matching import Like, MatchRules, Prepared, likeness, prepared, rules_for
from crm_app.core.registry import Entity
from crm_app.models.base import new_id_texts, table_of
from crm_app.models.customers.duplicates import DuplicatePair, DuplicateScan, ScanStatus
from crm_app.store.uow import UnitOfWork

_LARGEST = 60  # records that share a key; more of them share nothing that counts
_SHORTEST = 4
_CHUNK = 5_000
_pairs, _scans = table_of(DuplicatePair), table_of(DuplicateScan)
Found = tuple[str, str, str, int, list[str]]  # first, second, band, points, labels
_STORE = sa.text("""
    INSERT INTO duplicate_pair (tenant_id, id, entity, first_id, second_id, band, points, labels, verdict, scan_id)
    SELECT :tenant, CAST(r.id AS uuid), :entity, CAST(r.first AS uuid), CAST(r.second AS uuid), r.band, r.points,
           r.labels, 'open', :scan
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, first text, second text, band text, points int,
                                                      labels jsonb)
    ON CONFLICT (tenant_id, entity, first_id, second_id) DO UPDATE
    SET band = excluded.band, points = excluded.points, labels = excluded.labels, scan_id = excluded.scan_id
""")


async def begin(uow: UnitOfWork, scan_id: UUID) -> tuple[Entity, list[dict[str, Any]]]:
    """All records of the run's entity with what decides; the run is under way from here."""
    scan = await uow.scalar(sa.select(DuplicateScan).where(_scans.c.id == scan_id).with_for_update())
    if scan is None:
        uow.require("account.merge")
        raise NotFound("This run is not known.")
    entity = registry.get(scan.entity)
    uow.require(f"{entity.name}.merge")
    rules = rules_for(entity.name)
    assert rules is not None
    near = [c for c, _ in rules.near if c not in rules.fields]
    columns = [entity.table.c[n] for n in ("id", *rules.fields, *near)]
    rows = (await uow.execute(sa.select(*columns).where(entity.table.c.deleted_at.is_(None)))).mappings()
    found = [dict(r) for r in rows]
    scan.status, scan.total = ScanStatus.running, len(found)
    return entity, found


def pairs_of(entity: Entity, rows: Sequence[Mapping[str, Any]], tell: Callable[[int], None]) -> list[Found]:
    """Every pair above the lowest band; `tell` hears how many records were looked at. Takes seconds."""
    rules = rules_for(entity.name)
    assert rules is not None
    found: list[Found] = []
    seen: set[tuple[int, int]] = set()
    ready = [prepared(rules, row) for row in rows]
    blocks = _blocks(rules, rows, ready)
    sizes = sum(len(b) for b in blocks)
    looked = 0
    for block in blocks:
        for i, j in combinations(block, 2):
            if (i, j) in seen:
                continue
            seen.add((i, j))
            like = likeness(rules, ready[i], ready[j])
            if like.band is not None:
                first, second = sorted((str(rows[i]["id"]), str(rows[j]["id"])))
                found.append((first, second, like.band.value, like.points, list(like.labels)))
        looked += len(block)
        if sizes:
            tell(looked * len(rows) // sizes)
    return found


def _blocks(rules: MatchRules, rows: Sequence[Mapping[str, Any]], ready: Sequence[Prepared]) -> list[list[int]]:
    """Places of records that share a key."""
    by_key: dict[Any, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        for key in set(_keys(rules, row, ready[place])):
            by_key[key].append(place)
    return [b for b in by_key.values() if 1 < len(b) <= _LARGEST]


def _keys(rules: MatchRules, row: Mapping[str, Any], ready: Prepared) -> Iterator[Any]:
    for trait, keys in zip(rules.traits, ready.keys, strict=True):
        if trait.keys:
            for key in keys:
                if trait.like is not Like.name or len(key) >= _SHORTEST:
                    yield trait.keys[0], key
    for column, letters in rules.near:
        value = row[column]
        if value and (not letters or len(value) >= _SHORTEST):
            yield f"near {column}", value[:letters] if letters else value


async def keep(uow: UnitOfWork, scan_id: UUID, entity: Entity, pairs: Sequence[Found]) -> None:
    """Write pairs down; what a person has decided stays decided."""
    uow.require(f"{entity.name}.merge")
    names = ("id", "first", "second", "band", "points", "labels")
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        rows = [dict(zip(names, (i, *p), strict=True)) for i, p in zip(new_id_texts(len(chunk)), chunk, strict=True)]
        await uow.execute(
            _STORE,
            {"tenant": uow.actor.tenant_id, "entity": entity.name, "scan": scan_id, "rows": json.dumps(rows)},
        )


async def progress(uow: UnitOfWork, scan_id: UUID, done: int) -> None:
    uow.require("account.merge")
    await uow.execute(sa.update(_scans).where(_scans.c.id == scan_id).values(done=done))


async def end(uow: UnitOfWork, scan_id: UUID, entity: Entity, *, found: int, failed: bool = False) -> None:
    """Open pairs that this run did not find again are gone."""
    uow.require(f"{entity.name}.merge")
    status = ScanStatus.failed if failed else ScanStatus.done
    values = {"status": status, "finished_at": uow.now, "found": found}
    if not failed:
        values["done"] = _scans.c.total
        gone = sa.and_(_pairs.c.entity == entity.name, _pairs.c.scan_id != scan_id, _pairs.c.verdict == "open")
        await uow.execute(sa.delete(_pairs).where(gone))
    await uow.execute(sa.update(_scans).where(_scans.c.id == scan_id).values(values))
