"""Rows that are here already, or twice in the file: found by key and by likeness, settled as a person chose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from crm_app.core.matching import Band, Like, MatchRules, Prepared, likeness, normalised, prepared, rules_for
from crm_app.core.registry import Entity
from crm_app.services.platform.imports import joining
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import Act, Doubles
from crm_app.services.platform.imports.reading import ROW
from crm_app.services.platform.imports.rows import Rows
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

if TYPE_CHECKING:
    from crm_app.services.platform.imports.planning import Planning

_LARGEST = 60  # rows or records that share a key; more of them share nothing that counts
_SHORTEST = 4  # letters of a name that may be a key
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Double:
    """A row that looks like a record (`record_id`), or like an earlier row of the file (`earlier`)."""

    row: int
    band: Band
    record_id: str
    earlier: int
    title: str
    reasons: tuple[str, ...]
    act: Act = Act.skip


@dataclass
class Standing:
    """What rows that are left out as doubles are instead: row -> record, row -> earlier row."""

    records: dict[int, str] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)


async def settle(planning: Planning, rows: Rows, chosen: Doubles) -> tuple[list[Double], Standing]:
    """Put `known` (the record that a row changes) to the rows, and leave out those that are to be skipped."""
    known = await joining.known_records(planning, rows)
    hidden = known.hidden(known.keys)
    kept = ~hidden
    keys, ids = known.keys.filter(kept), known.ids.filter(kept)
    rows.reject(hidden, rows.step.key[0] if rows.step.key else "", "is the key of records that you may not see")
    found = _by_key(rows, keys, ids, known.found.names)
    likes = await _by_likeness(planning.uow, rows)
    for row, like in likes.items():
        found.setdefault(row, like)
    decided = [_decided(d, chosen) for d in found.values()]
    standing = _leave_out(rows, decided)
    _put_known(rows, decided)
    return sorted(decided, key=lambda d: d.row), standing


def _decided(double: Double, chosen: Doubles) -> Double:
    act = chosen.rows.get(double.row) or (chosen.sure if double.band is Band.sure else chosen.check)
    if act is Act.update and not double.record_id:
        act = Act.skip  # the earlier row is no record yet
    return Double(double.row, double.band, double.record_id, double.earlier, double.title, double.reasons, act)


def _by_key(rows: Rows, keys: pl.Series, ids: pl.Series, names: Mapping[str, str]) -> dict[int, Double]:
    if not rows.step.key:
        return {}
    label = rows.specs[rows.step.key[-1]].label
    reason = (f"same {label[:1].lower()}{label[1:]}",)
    found: dict[int, Double] = {}
    first: dict[str, int] = {}
    for row, key, record_id in zip(rows.frame[ROW].to_list(), keys.to_list(), ids.to_list(), strict=True):
        if key is None:
            continue
        if record_id is not None:
            found[row] = Double(row, Band.sure, record_id, first.get(key, 0), names.get(key, ""), reason)
        elif key in first:
            found[row] = Double(row, Band.sure, "", first[key], f"row {first[key]}", reason)
        first.setdefault(key, row)
    return found


def _leave_out(rows: Rows, decided: Sequence[Double]) -> Standing:
    standing, skipped = Standing(), set()
    taken: set[str] = set()
    for double in decided:
        twice = double.act is Act.update and double.record_id in taken
        if double.act is Act.skip or twice:
            skipped.add(double.row)
            why = f"is here already: {double.title}" if double.record_id else f"is in the file already, {double.title}"
            if double.band is Band.check:
                why = f"looks like {double.title}"
            if twice:
                why = "changes a record that an earlier row changes already"
            rows.log.add([double.row], "", None, f"{why} ({', '.join(double.reasons)})", is_duplicate=True)
            if double.record_id:
                standing.records[double.row] = double.record_id
            else:
                standing.rows[double.row] = double.earlier
        elif double.act is Act.update:
            taken.add(double.record_id)
    if skipped:
        rows.keep(~rows.frame[ROW].is_in(list(skipped)))
    return standing


def _put_known(rows: Rows, decided: Sequence[Double]) -> None:
    updated = {d.row: d.record_id for d in decided if d.act is Act.update}
    ids = [updated.get(r) for r in rows.frame[ROW].to_list()] if updated else [None] * len(rows)
    rows.put("known", pl.Series("known", ids, dtype=pl.String))


# -- Likeness --------------------------------------------------------------------------------------------------------


async def _by_likeness(uow: UnitOfWork, rows: Rows) -> dict[int, Double]:
    entity = rows.step.entity
    rules = rules_for(entity.name)
    if rules is None or not len(rows):
        return {}
    hidden, masked = blind_spots(uow.actor, entity.name)  # what one may not see is no way to find out what is there
    rules = MatchRules(rules.entity, tuple(t for t in rules.traits if not {*t.fields} & (hidden | masked)), rules.near)
    values = _values(rows, rules)
    keys = [list(_keys(rules, v)) for v in values]
    here = await _records(uow, entity, rules, {k for each in keys for k in each})
    return _scored(rules, rows.frame[ROW].to_list(), values, keys, here)


def _values(rows: Rows, rules: MatchRules) -> list[dict[str, Any]]:
    """Of each row what decides; links as texts."""
    columns = {n: rows.frame[n].to_list() for n in rules.fields if rows.has(n)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] if columns else []


def _keys(rules: MatchRules, values: Mapping[str, Any]) -> Iterator[Key]:
    for trait in rules.traits:
        if trait.keys:
            for key in normalised(trait, values):
                if trait.like is not Like.name or len(key) >= _SHORTEST:
                    yield trait.label, key


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    title: str
    ready: Prepared


async def _records(
    uow: UnitOfWork, entity: Entity, rules: MatchRules, wanted: set[Key]
) -> dict[Key, list[_Record]]:  # fmt: skip
    """Records that share a key with a row, as far as the actor sees them."""
    table = entity.table
    query = sa.select(table.c.id, table.c[entity.title], *(table.c[n] for n in rules.fields)).where(
        table.c.deleted_at.is_(None)
    )
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    found: dict[Key, list[_Record]] = defaultdict(list)
    if not wanted:
        return found
    for row in await uow.rows(query):
        values = {n: _text(v) for n, v in zip(rules.fields, row[2:], strict=True)}
        shared = [k for k in _keys(rules, values) if k in wanted]
        if shared:
            record = _Record(str(row[0]), str(row[1]), prepared(rules, values))
            for key in shared:
                found[key].append(record)
    return found


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)


def _scored(
    rules: MatchRules, numbers: Sequence[int], values: Sequence[Mapping[str, Any]], keys: Sequence[Sequence[Key]],
    here: Mapping[Key, Sequence[_Record]],
) -> dict[int, Double]:  # fmt: skip
    """The best likeness of each row: with a record before with an earlier row."""
    found: dict[int, Double] = {}
    earlier: dict[Key, list[int]] = defaultdict(list)
    ready: dict[int, Prepared] = {}

    def of(place: int) -> Prepared:
        if place not in ready:
            ready[place] = prepared(rules, values[place])
        return ready[place]

    for place, own in enumerate(keys):
        best: Double | None = None
        points = 0
        records = {r.id: r for k in own if len(here.get(k, ())) <= _LARGEST for r in here.get(k, ())}
        for record in records.values():
            like = likeness(rules, of(place), record.ready)
            if like.band is not None and like.points > points:
                points, best = like.points, Double(numbers[place], like.band, record.id, 0, record.title, like.labels)
        for other in {p for k in own if len(earlier[k]) <= _LARGEST for p in earlier[k]} if best is None else ():
            like = likeness(rules, of(place), of(other))
            if like.band is not None and like.points > points:
                row = numbers[other]
                points, best = like.points, Double(numbers[place], like.band, "", row, f"row {row}", like.labels)
        for key in own:
            earlier[key].append(place)
        if best is not None:
            found[numbers[place]] = best
    return found
