"""Values for records of any declared entity, from its declaration alone; what rules add to it stands in SPECIAL."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from crm_app import parts
from crm_app.core import registry
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform import records
from crm_app.services.sales import pipelines
from crm_app.store.uow import UnitOfWork

parts.load()
ENTITIES = [e for e in registry.all_entities() if e.model.__module__.startswith("crm_app.")]
OPEN = [e for e in ENTITIES if not e.is_managed]  # written by the generic service
MANAGED = [e for e in ENTITIES if e.is_managed]
OWNED = [e for e in OPEN if e.visibility == "owner"]
_numbers = count(1)
# What a rule of the entity asks of a field beyond its declaration.
SPECIAL: dict[tuple[str, str], Callable[[int], Any]] = {
    ("activity", "kind"): lambda n: ("call", "meeting", "email")[n % 3],
    ("opportunity", "number"): lambda n: f"T-{n:06d}",
    ("opportunity", "probability"): lambda n: 50 + n % 40,
    ("stage", "kind"): lambda n: "open",
    ("stage", "required_fields"): lambda n: [("next_step", "campaign", "description")[n % 3]],
    ("pipeline", "is_active"): lambda n: True,
}
# Fields that cannot become just anything once the record is there.
FIXED = {("stage", "kind"), ("stage", "pipeline_id"), ("stage", "is_active"), ("pipeline", "is_active")}


def ids(entity: Entity) -> str:
    """The name of a parametrised test."""
    return entity.name


def writable(entity: Entity) -> Iterator[FieldSpec]:
    """What a person fills in."""
    return (s for s in entity.fields.values() if s.name not in entity.readonly)


_TEXTS: dict[Kind, Callable[[int], str]] = {
    Kind.email: lambda n: f"person{n}@example.com",
    Kind.phone: lambda n: f"+49 30 {n:07d}",
    Kind.url: lambda n: f"https://example.com/{n}",
}


def value_of(entity: Entity, spec: FieldSpec, *, day: date) -> Any:
    """Another value each time; links excepted."""
    n = next(_numbers)
    if (special := SPECIAL.get((entity.name, spec.name))) is not None:
        return special(n)
    if spec.choices:
        return spec.choices[n % len(spec.choices)].value
    if spec.name == "currency":
        return ("EUR", "USD", "GBP")[n % 3]
    match spec.kind:
        case Kind.number | Kind.money | Kind.percent | Kind.decimal:
            low = spec.minimum or 0
            high = spec.maximum if spec.maximum is not None else low + 1_000_000
            return low + n % (high - low + 1)
        case Kind.flag:
            return n % 2 == 0
        case Kind.date:
            return day + timedelta(days=1 + n % 300)
        case Kind.datetime:
            return datetime.combine(day, time(9, n % 60), UTC) - timedelta(days=n % 300)
        case Kind.choices | Kind.json:
            return [f"tag {n}", "große Liste"]
    text = _TEXTS.get(spec.kind, lambda n: f"{spec.label} {n} äöü 東京")
    return text(n)[: spec.max_length]


async def values_for(uow: UnitOfWork, entity: Entity, *, whole: bool = False) -> dict[str, Any]:
    """Values for a new record: the required ones, or with `whole` every field a person may fill in, links included."""
    values: dict[str, Any] = {}
    for spec in writable(entity):
        if spec.name == "owner_id" or not (spec.required or whole):
            continue
        is_link = spec.kind is Kind.link
        values[spec.name] = await link_for(uow, spec) if is_link else value_of(entity, spec, day=uow.today)
    return values


async def link_for(uow: UnitOfWork, spec: FieldSpec) -> UUID | None:
    """The id of a new record of the link's target; of oneself where people are linked."""
    target = registry.get(spec.target)
    if target.name == "user":
        return uow.actor.user_id
    if target.is_managed:
        return None
    if target.name == "pipeline":  # one with stages, as every pipeline of people has
        return (await pipelines.create(uow, name=f"Pipeline {next(_numbers)}")).id
    record_id: UUID = (await make(uow, target)).id
    return record_id


async def make(uow: UnitOfWork, entity: Entity, *, whole: bool = False, **given: Any) -> Any:
    """A new record, as a person would make it."""
    return await records.create(uow, entity, {**await values_for(uow, entity, whole=whole), **given})


def shown(record: Any, entity: Entity) -> dict[str, Any]:
    """Every field of the declaration as the record holds it."""
    return {n: getattr(record, n) for n in entity.fields}
