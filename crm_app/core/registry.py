"""The entity registry: one declaration per entity, checked at import, frozen.

A declaration never holds behaviour, SQL or strings that name code: it says what is there, services say what happens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.money import MAX_MINOR
from crm_app.core.text import label_of


class Kind(StrEnum):
    text = "text"
    long_text = "long_text"
    number = "number"
    decimal = "decimal"
    money = "money"  # integer minor units; the currency stands in `FieldSpec.currency_field`
    percent = "percent"  # integer 0-100
    flag = "flag"
    date = "date"
    datetime = "datetime"
    choice = "choice"
    choices = "choices"  # list of strings
    link = "link"  # UUID of a record of `FieldSpec.target`
    email = "email"
    phone = "phone"
    url = "url"
    json = "json"


CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    color: str = ""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    name: str
    label: str
    kind: Kind
    required: bool = False  # must be given by a person; a default makes it optional
    nullable: bool = False
    choices: tuple[Choice, ...] = ()
    target: str = ""  # entity name a link points to
    on_delete: str = ""  # of a link whose target is thrown away: "along" follows it, "unlink" empties the link
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    currency_field: str = ""
    custom: bool = False  # lives in the JSONB column `custom` under `key`; its name is "custom.<key>"
    masked: bool = False  # the role may see whether it is filled in, not what with; no sorting, no filter
    formula: str = ""  # worked out from the record's other fields (core.formulas)
    help: str = ""  # a line for the person who fills it in

    @property
    def key(self) -> str:
        """Under which a custom field stands in the column `custom`."""
        return self.name.removeprefix(CUSTOM)

    def choice_label(self, value: str) -> str:
        return next((c.label for c in self.choices if c.value == value), value)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from a record to others: `account` (to one, over a link here), `opportunities` (to many, a link there)."""

    name: str
    entity: str  # the entity at the other end
    many: bool
    link: str  # the link field: on this entity when `many` is False, on the other when True


@dataclass(frozen=True, slots=True)
class Entity:
    name: str  # "opportunity": permission prefix, event prefix, registry key
    model: type[Any]
    label: str
    plural: str
    title: str  # the field that names a record
    columns: tuple[str, ...]
    form: tuple[Section, ...]
    search: tuple[str, ...] = ()
    readonly: frozenset[str] = frozenset()  # set by services only
    at_start: frozenset[str] = frozenset()  # read-only ones that may be given when a record is created
    import_key: str | None = None
    visibility: Literal["owner", "all"] = "owner"  # "owner": rows by own/team/all over owner_id
    is_managed: bool = False  # written by services of its own only; the generic writes refuse
    icon: str = "document"
    order: str = ""  # of its lists unless a view says otherwise, like "-happens_at"; empty is by title
    always: frozenset[str] = frozenset()  # no role is without them; the title is one anyway
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)
    # The other entities as the same actor sees them; empty in a declaration: then the registry's.
    around: Mapping[str, "Entity"] = field(default_factory=dict, compare=False, repr=False)

    @property
    def slug(self) -> str:
        """The address: /accounts, /opportunities."""
        return self.plural.lower().replace(" ", "-")

    @property
    def table(self) -> Any:
        """The SQLAlchemy Core table."""
        return self.model.__table__

    def other(self, name: str) -> "Entity":
        """Another entity, seen by whoever sees this one."""
        return self.around[name] if name in self.around else _entities[name]

    def spec(self, name: str) -> FieldSpec | None:
        return self.fields.get(name)


SYSTEM = frozenset({"tenant_id", "custom", "deleted_at", "deleted_by_id", "sort_key", "search_text"})
STAMPS = frozenset({"id", "created_at", "created_by_id", "updated_at", "updated_by_id", "version"})
_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.flag),
    (Enum, Kind.choice),
    (str, Kind.text),
    (int, Kind.number),
    (Decimal, Kind.decimal),
    (datetime, Kind.datetime),
    (date, Kind.date),
    (UUID, Kind.link),
    (list, Kind.choices),
    (dict, Kind.json),
)
_entities: dict[str, Entity] = {}
_by_model: dict[type[Any], Entity] = {}


def declare(model: type[Any], **spec: Any) -> Entity:
    """Read the fields of an SQLModel table and register its declaration. ValueError names what does not fit."""
    name = spec.pop("name", model.__tablename__)
    labels: dict[str, str] = spec.pop("labels", {})
    hidden = SYSTEM | frozenset(spec.pop("hidden", ()))  # columns that are machinery, not fields
    fields = {n: _field(model, n, f, labels.get(n, "")) for n, f in model.model_fields.items() if n not in hidden}
    entity = Entity(name=name, model=model, fields=MappingProxyType(fields), **spec)
    entity = replace(entity, readonly=entity.readonly | STAMPS)
    named = [entity.title, *entity.columns, *entity.search, *entity.always, *(n for s in entity.form for n in s.fields)]
    if entity.import_key:
        named.append(entity.import_key)
    if unknown := sorted((set(named) | entity.readonly | entity.at_start) - set(fields) - STAMPS):
        raise ValueError(f"{name}: unknown fields {unknown}")
    if name in _entities and _entities[name].model.__module__ != model.__module__:
        raise ValueError(f"{name} is declared twice")
    _entities[name] = _by_model[model] = entity
    return entity


def _field(model: type[Any], name: str, info: Any, label: str) -> FieldSpec:
    column = model.__table__.columns[name]
    more = column.info  # what a helper of models.base left there: kind, target, currency_field
    base, nullable = _base_type(info.annotation)
    kind = Kind(more["kind"]) if "kind" in more else next((k for t, k in _KINDS if issubclass(base, t)), None)
    if kind is None:
        raise ValueError(f"{model.__name__}.{name}: no kind of field fits {base.__name__}; hide it or give it a kind")
    choices = (
        tuple(Choice(c.value, getattr(c, "label", label_of(c.value))) for c in base) if issubclass(base, Enum) else ()
    )
    bounds = {type(m).__name__: m for m in info.metadata}
    low, high = _holds(column.type, kind)
    return FieldSpec(
        name=name,
        label=label or label_of(name),
        kind=kind,
        required=info.is_required(),
        nullable=nullable,
        choices=choices,
        target=more.get("target", ""),
        on_delete=more.get("on_delete", ""),
        max_length=getattr(bounds.get("MaxLen"), "max_length", None) or getattr(column.type, "length", None),
        minimum=getattr(bounds.get("Ge"), "ge", low),
        maximum=getattr(bounds.get("Le"), "le", high),
        currency_field=more.get("currency_field", ""),
    )


def _holds(column_type: Any, kind: Kind) -> tuple[int | None, int | None]:
    """The least and the most that the column below a field can hold; None where the database sets no limit."""
    if kind is Kind.money:
        return -MAX_MINOR, MAX_MINOR
    if kind is not Kind.number:
        return None, None
    bits = 63 if isinstance(column_type, sa.BigInteger) else 31
    return -(2**bits), 2**bits - 1


def _base_type(annotation: Any) -> tuple[type, bool]:
    if get_origin(annotation) in (UnionType, Union):
        kinds = [t for t in get_args(annotation) if t is not type(None)]
        return _base_type(kinds[0])[0], True
    origin = get_origin(annotation)
    return (origin if isinstance(origin, type) else annotation), False


def get(name: str) -> Entity:
    """The entity of that name; KeyError is a bug of the caller: check names from outside with `find`."""
    return _entities[name]


def find(name: str) -> Entity | None:
    return _entities.get(name)


def by_slug(slug: str) -> Entity | None:
    return next((e for e in _entities.values() if e.slug == slug), None)


def all_entities() -> Iterator[Entity]:
    yield from _entities.values()


def relations(entity: Entity) -> dict[str, Relation]:
    """Links of this entity ("account", from account_id) and links of others to it ("opportunities", or
    "opportunities_by_primary_contact" where a second link of the same entity leads here). Without links that are
    masked, and without custom ones: no foreign key holds those."""
    found: dict[str, Relation] = {}
    for spec in entity.fields.values():
        if spec.kind is Kind.link and spec.target in _entities and not (spec.custom or spec.masked):
            name = spec.name.removesuffix("_id")
            found[name] = Relation(name, spec.target, many=False, link=spec.name)
    for other in (entity.around or _entities).values():
        for spec in other.fields.values():
            if spec.kind is not Kind.link or spec.target != entity.name or spec.name in STAMPS:
                continue
            if spec.custom or spec.masked:
                continue
            name = other.plural.lower().replace(" ", "_")
            if name in found:
                name = f"{name}_by_{spec.name.removesuffix('_id')}"
            found[name] = Relation(name, other.name, many=True, link=spec.name)
    return found


def of_model(model: type[Any]) -> Entity | None:
    """The declaration of a table class, or None for machinery without one."""
    return _by_model.get(model)
