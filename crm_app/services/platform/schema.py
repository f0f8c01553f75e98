"""The declaration of an entity as one actor of one workspace sees it.

That is the registry's, with the workspace's own fields, labels, choices and required fields, without what the role may
not see. Whatever takes an `Entity` and answers to a person takes this one: what is not in it does not leave a service.
Kept by workspace and schema version; the version is read with every transaction, so that a change counts in all
processes from the next one on.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import formulas
from crm_app.core.context import Actor
from crm_app.core.registry import CUSTOM, Choice, Entity, FieldSpec, Kind, Section
from crm_app.models.base import table_of
from crm_app.models.platform.fields import CustomField, FieldSetting
from crm_app.store.uow import UnitOfWork

_MOST_KEPT = 1000
_TEXT_LENGTH = {Kind.text: 500, Kind.email: 254, Kind.phone: 40, Kind.url: 500, Kind.long_text: 20_000}
_fields, _settings = table_of(CustomField), table_of(FieldSetting)
_LISTED = {"activity": ("kind", "activity_type")}  # who writes such a list renews the schema

Rights = tuple[frozenset[str], frozenset[str], frozenset[str]]
_worlds: OrderedDict[tuple[UUID, UUID | None], Mapping[str, Entity]] = OrderedDict()
_seen: OrderedDict[tuple[UUID, UUID | None, Rights], Mapping[str, Entity]] = OrderedDict()


async def entity_of(uow: UnitOfWork, name: str) -> Entity:
    """The entity of that name as this actor sees it; KeyError as from registry.get."""
    return (await entities_of(uow))[name]


async def entities_of(uow: UnitOfWork) -> Mapping[str, Entity]:
    """All entities, by name, as this actor sees them."""
    version = await uow.schema_version()
    actor = uow.actor
    key = (actor.tenant_id, version, (actor.hidden_fields, actor.masked_fields, actor.fixed_fields))
    if (known := _seen.get(key)) is not None and _is_whole(known):
        return known
    world = _worlds.get(key[:2])
    if world is None or not _is_whole(world):
        world = await _read_world(uow)
        _keep(_worlds, key[:2], world)
    return _keep(_seen, key, _joined(_for_role(e, actor) for e in world.values()))


def _is_whole(known: Mapping[str, Entity]) -> bool:
    """Whether no entity was declared since, as tests do."""
    return len(known) == sum(1 for _ in registry.all_entities())


def _keep(cache: OrderedDict[Any, Mapping[str, Entity]], key: Any, found: Mapping[str, Entity]) -> Mapping[str, Entity]:
    cache[key] = found
    if len(cache) > _MOST_KEPT:
        cache.popitem(last=False)
    return found


def _joined(entities: Iterable[Entity]) -> Mapping[str, Entity]:
    """Each knows the others as they are seen here."""
    found: dict[str, Entity] = {}
    around = MappingProxyType(found)
    for entity in entities:
        found[entity.name] = replace(entity, around=around)
    return around


async def _read_world(uow: UnitOfWork) -> Mapping[str, Entity]:
    """What the workspace made of every entity, for those who may see all of it."""
    query = sa.select(_fields).where(_fields.c.deleted_at.is_(None)).order_by(_fields.c.position, _fields.c.id)
    added: dict[str, list[sa.RowMapping]] = {}
    for row in (await uow.execute(query)).mappings():
        added.setdefault(row["entity_name"], []).append(row)
    changed: dict[str, dict[str, sa.RowMapping]] = {}
    for row in (await uow.execute(sa.select(_settings))).mappings():
        changed.setdefault(row["entity_name"], {})[row["field"]] = row
    world = {e.name: _with_own(e, added.get(e.name, ()), changed.get(e.name, {})) for e in registry.all_entities()}
    for name, (field, table) in _LISTED.items():
        world[name] = await _listed(uow, world[name], field, registry.get(table).table)
    return world


async def _listed(uow: UnitOfWork, entity: Entity, name: str, table: Any) -> Entity:
    """With the rows of a short list as the choices of a field that holds their keys."""
    query = sa.select(table.c.key, table.c.name).where(table.c.deleted_at.is_(None)).order_by(table.c.position)
    choices = tuple(Choice(r.key, r.name) for r in await uow.rows(query))
    if not choices:
        return entity
    spec = replace(entity.fields[name], kind=Kind.choice, choices=choices)
    return replace(entity, fields=MappingProxyType({**entity.fields, name: spec}))


def _with_own(entity: Entity, added: Iterable[sa.RowMapping], changed: Mapping[str, sa.RowMapping]) -> Entity:
    specs = {n: set_up(s, changed[n]) if n in changed else s for n, s in entity.fields.items()}
    sections = [list(s.fields) for s in entity.form]
    titles = [s.title for s in entity.form]
    for row in added:
        spec = spec_of(row, entity)
        specs[spec.name] = spec
        title = row["section"] or "More"
        if title not in titles:
            titles.append(title)
            sections.append([])
        sections[titles.index(title)].append(spec.name)
    worked_out = frozenset(n for n, s in specs.items() if s.formula)
    return replace(
        entity,
        fields=MappingProxyType(specs),
        form=tuple(Section(t, tuple(f)) for t, f in zip(titles, sections, strict=True)),
        readonly=entity.readonly | worked_out,
    )


def spec_of(row: Mapping[Any, Any], entity: Entity) -> FieldSpec:
    """A custom field as a field like any other."""
    kind = Kind(row["kind"])
    is_money = kind is Kind.money and "currency" in entity.fields
    return FieldSpec(
        name=f"{CUSTOM}{row['key']}",
        label=row["label"],
        kind=kind,
        required=row["required"],
        nullable=not row["required"],
        choices=_choices(row["choices"]),
        target=row["target"],
        max_length=_TEXT_LENGTH.get(kind),
        minimum=0 if kind is Kind.percent else None,
        maximum=100 if kind is Kind.percent else None,
        currency_field="currency" if is_money else "",
        custom=True,
        formula=row["formula"],
        help=row["help"],
    )


def _choices(stored: Iterable[Mapping[str, str]]) -> tuple[Choice, ...]:
    return tuple(Choice(c["value"], c["label"], c.get("color", "")) for c in stored)


def set_up(spec: FieldSpec, setting: Mapping[Any, Any]) -> FieldSpec:
    """A declared field under the workspace's own label, asked for, with its own choices."""
    made = replace(spec, label=setting["label"] or spec.label)
    if setting["required"] and not spec.required:
        made = replace(made, required=True, nullable=False)
    if setting["choices"] is None:
        return made
    own = _choices(setting["choices"])
    if spec.choices:  # the program knows them: none is added, and none is left out
        known = {c.value for c in spec.choices}
        named = tuple(c for c in own if c.value in known)
        return replace(made, choices=named + tuple(c for c in spec.choices if c.value not in {o.value for o in named}))
    return replace(made, choices=own, kind=Kind.choice if spec.kind is Kind.text else spec.kind)


def _for_role(entity: Entity, actor: Actor) -> Entity:
    hidden = _named(entity, actor.hidden_fields)
    masked = _named(entity, actor.masked_fields) - hidden
    fixed = _named(entity, actor.fixed_fields, keep=frozenset())
    fields = dict(entity.fields)
    if not hidden | masked | fixed:
        return entity
    # What is worked out of something unseen would tell it.
    hidden |= {n for n, s in fields.items() if s.formula and formulas.inputs(s) & (hidden | masked)}
    masked -= hidden
    for name in hidden:
        del fields[name]
    for name in masked:
        fields[name] = replace(fields[name], masked=True, required=False)
    for name in fixed & fields.keys():
        fields[name] = replace(fields[name], required=False)
    return replace(
        entity,
        fields=MappingProxyType(fields),
        columns=tuple(n for n in entity.columns if n not in hidden),
        form=tuple(Section(s.title, tuple(n for n in s.fields if n not in hidden)) for s in entity.form),
        search=tuple(n for n in entity.search if n not in hidden | masked),
        readonly=(entity.readonly | masked | fixed) - hidden,
        at_start=entity.at_start - hidden - masked - fixed,
        import_key=None if entity.import_key in hidden | masked else entity.import_key,
    )


def _named(entity: Entity, rights: frozenset[str], *, keep: frozenset[str] | None = None) -> frozenset[str]:
    """The fields of this entity that the rights name, without those that nobody is without."""
    if not rights:
        return frozenset()
    own = frozenset(n for n in entity.fields if f"{entity.name}.{n}" in rights)
    return own - (unhideable(entity) if keep is None else keep)


def blind_spots(actor: Actor, entity_name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names of fields that are hidden from the actor, and of those that are masked; deleted custom ones too."""
    known = registry.find(entity_name)
    if known is None or not (actor.hidden_fields or actor.masked_fields):
        return frozenset(), frozenset()
    kept, prefix = unhideable(known), f"{entity_name}."
    hidden, masked = (
        frozenset(n.removeprefix(prefix) for n in names if n.startswith(prefix)) - kept
        for names in (actor.hidden_fields, actor.masked_fields)
    )
    return hidden, masked - hidden


def blind(actor: Actor) -> frozenset[str]:
    """What does not exist for conditions of this actor, as "entity.field"."""
    names = {e: blind_spots(actor, e) for e in {n.partition(".")[0] for n in actor.hidden_fields | actor.masked_fields}}
    return frozenset(f"{e}.{n}" for e, (hidden, masked) in names.items() for n in hidden | masked)


def unhideable(entity: Entity) -> frozenset[str]:
    """Fields that name a record or hold a page together: every role that may read the record sees them."""
    currencies = {s.currency_field for s in entity.fields.values() if s.currency_field}
    return entity.always | currencies | {entity.title, "id", "version", "created_at", "updated_at"}
