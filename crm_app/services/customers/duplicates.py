"""Whether a record is there already: candidates by indexed keys, scored by the declaration of core.matching."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.matching import Band, Like, MatchRules, Trait, likeness, normalised, prepared, rules_for
from crm_app.core.registry import Entity
from crm_app.services.platform import finding
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_BLOCK: sa.ColumnElement[int] = sa.literal_column("100")  # candidates of one key; more of them would be no key
_LAST = "\U0010ffff"
_SHORTEST = 4  # letters by which a misspelt name is looked for


@dataclass(frozen=True, slots=True)
class Match:
    """A record that looks like the one in hand. Without `id` it is one the actor may not see: `reasons` is then all
    that is told of it."""

    id: UUID | None
    title: str
    detail: str
    band: Band
    points: int
    reasons: tuple[str, ...]


async def similar(
    uow: UnitOfWork, entity: Entity, values: Mapping[str, Any], *, record_id: UUID | None = None, limit: int = 5
) -> list[Match]:
    """Records like these values, best first; `record_id` is the record itself, when it exists already.

    Of records that the actor may not see, only those are told that have a value which should be unique, and nothing of
    them but that.
    """
    uow.require(f"{entity.name}.read")
    rules = rules_for(entity.name)
    if rules is None:
        return []
    rules = seen_rules(rules, entity, uow.actor)
    known = {f: values[f] for f in rules.fields if values.get(f) not in (None, "")}
    query = candidates(rules, entity, known, uow.actor)
    if query is None:
        return []
    rows = {r["id"]: r for r in (await uow.execute(query)).mappings()}
    rows.pop(record_id, None)
    told, unseen, typed = [], set(), prepared(rules, known)
    for row in rows.values():
        like = likeness(rules, typed, prepared(rules, dict(row)))
        if not row["seen__"]:
            unseen |= {t.label for t in rules.traits if t.tells and t.label in like.labels}
        elif like.band is not None:
            told.append((like, row["id"]))
    told.sort(key=lambda pair: (-pair[0].points, pair[1]))
    hits = {h.id: h for h in await finding.named(uow, [(entity.name, i) for _, i in told[:limit]])}
    found = [
        Match(i, hits[i].title, _second_line(hits[i]), like.band, like.points, like.labels)
        for like, i in told[:limit]
        if i in hits and like.band is not None
    ]
    return found + [Match(None, "", "", Band.sure, 0, (label,)) for label in sorted(unseen)]


def _second_line(hit: finding.Hit) -> str:
    return " · ".join(t for t in (hit.detail, hit.extra) if t)


def seen_rules(rules: MatchRules, entity: Entity, actor: Actor) -> MatchRules:
    """Without the traits that are made of a field which the actor may not see, or which the tenant does not show."""
    traits = tuple(
        t
        for t in rules.traits
        if all(
            f in entity.fields and f"{entity.name}.{f}" not in actor.hidden_fields | actor.masked_fields
            for f in t.fields
        )
    )
    return MatchRules(rules.entity, traits, rules.near)


def candidates(
    rules: MatchRules, entity: Entity, values: Mapping[str, Any], actor: Actor
) -> sa.CompoundSelect[Any] | sa.Select[Any] | None:
    """One index scan for each key these values have; None when they have none. `seen__` says whether the row is the
    actor's to see."""
    table = entity.table
    seen = visible(entity, actor)
    columns = [table.c.id, *(table.c[f] for f in rules.fields), (sa.true() if seen is None else seen).label("seen__")]
    parts = [
        sa.select(*columns).where(table.c.deleted_at.is_(None), condition).limit(_BLOCK)
        for condition in _conditions(rules, entity, values)
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else sa.union_all(*(p.subquery().select() for p in parts))


def _conditions(rules: MatchRules, entity: Entity, values: Mapping[str, Any]) -> Iterator[sa.ColumnElement[bool]]:
    table = entity.table
    for trait in rules.traits:
        if keys := list(dict.fromkeys(_keys(trait, values))):
            for column in trait.keys:
                yield table.c[column].in_(keys) if len(keys) > 1 else table.c[column] == keys[0]
    for column, letters in rules.near:
        value = _near(entity, column, values)
        if value is None or (letters and len(value) < _SHORTEST):
            continue
        if not letters:
            yield table.c[column] == value
        else:
            yield sa.and_(table.c[column] >= value[:letters], table.c[column] < value[:letters] + _LAST)


def _keys(trait: Trait, values: Mapping[str, Any]) -> Sequence[Any]:
    keys = normalised(trait, values)
    return [k for k in keys if len(k) >= _SHORTEST] if trait.like is Like.name else keys


def _near(entity: Entity, column: str, values: Mapping[str, Any]) -> Any:
    """What the column of a record with these values would hold; None when they do not say."""
    if column in entity.fields:
        return values.get(column)
    if (follow := entity.model.derived.get(column)) is None or not values.get(_made_of(entity)):
        return None
    return follow({**dict.fromkeys(entity.fields, ""), **values})


def _made_of(entity: Entity) -> str:
    """The field without which a record has no name."""
    return next(n for n in (entity.title, "last_name") if n in entity.fields and n not in entity.readonly)
