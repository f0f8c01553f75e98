"""Fields that a workspace adds to its records, by those who may change its settings. What they are is in
services.platform.schema; their values stand in the column `custom` of each record."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz import fuzz

from crm_app.core import registry
from crm_app.core.conditions import formulas
from crm_app.core.errors import Conflict, Invalid, NotFound
from crm_app.core.formula_parts import FormulaError, Type
from crm_app.core.formulas import names_in, renamed
from crm_app.core.registry import CUSTOM, Entity, FieldSpec, Kind
from crm_app.core.text import fold
from crm_app.models.base import table_of
from crm_app.models.platform.fields import CustomField
from crm_app.services.platform import schema
from crm_app.services.platform.field_choices import stored_choices
from crm_app.store.uow import UnitOfWork

MOST = 100  # of one entity
KEPT = timedelta(days=30)
_SWEPT = 10_000  # records at a time
FORMULA = "formula"
# What an admin chooses from, in this order; a formula is of the kind of its result.
KINDS: Mapping[str, str] = {
    Kind.text: "Text",
    Kind.long_text: "Long text",
    Kind.decimal: "Number",
    Kind.number: "Whole number",
    Kind.money: "Money",
    Kind.percent: "Percent",
    Kind.date: "Date",
    Kind.datetime: "Date and time",
    Kind.choice: "Choice",
    Kind.choices: "Several choices",
    Kind.flag: "Yes or no",
    Kind.link: "Link to a record",
    Kind.email: "E-mail",
    Kind.phone: "Phone",
    Kind.url: "Web address",
    FORMULA: "Formula",
}
TARGETS = ("account", "contact", "opportunity", "product", "user")
_FIRST = ("account", "contact", "opportunity", "product", "activity")
_SETUP = frozenset({"activity_type", "pipeline", "stage", "win_loss_reason"})  # short lists, changed on their own pages
_ALIKE = 88  # of 100: labels that close are pointed out
_fields = table_of(CustomField)


class Similar(Conflict):
    """There is a field like it. `labels` are theirs; whoever means it all the same says so."""

    def __init__(self, labels: Sequence[str]) -> None:
        told = " and ".join(labels)
        super().__init__(
            f"There is {told} already. Use that, or add this one all the same.", current={"labels": labels}
        )
        self.labels = list(labels)


def entities() -> list[Entity]:
    """Those that may get fields, the most used first."""
    found = [e for e in registry.all_entities() if not e.is_managed and "custom" in e.table.c and e.name not in _SETUP]
    return sorted(found, key=lambda e: (_FIRST.index(e.name) if e.name in _FIRST else len(_FIRST), e.plural))


def _entity(name: str) -> Entity:
    found = next((e for e in entities() if e.name == name), None)
    if found is None:
        raise NotFound("Such records have no fields of your own.")
    return found


async def listed(uow: UnitOfWork, entity_name: str, *, deleted: bool = False) -> Sequence[sa.RowMapping]:
    """In their order, with `filled`: how many records have a value. Those in the trash are in the order in which they
    came there."""
    uow.require("settings.manage")
    entity = _entity(entity_name)
    gone = _fields.c.deleted_at.is_not(None) if deleted else _fields.c.deleted_at.is_(None)
    order = (_fields.c.deleted_at.desc(),) if deleted else (_fields.c.position, _fields.c.id)
    table = entity.table
    filled = (
        sa.select(sa.func.count())
        .where(table.c.deleted_at.is_(None), table.c.custom.has_key(_fields.c.key))
        .correlate(_fields)
        .scalar_subquery()
    )
    query = (
        sa.select(_fields, filled.label("filled")).where(_fields.c.entity_name == entity.name, gone).order_by(*order)
    )
    return (await uow.execute(query)).mappings().all()


async def create(
    uow: UnitOfWork,
    entity_name: str,
    *,
    label: str,
    kind: str,
    hint: str = "",
    section: str = "",
    required: bool = False,
    choices: Sequence[Mapping[str, str]] = (),
    target: str = "",
    formula: str = "",
    although_similar: bool = False,
) -> CustomField:
    """A field of `kind` (one of KINDS). Similar is raised when a label comes near to another's, unless that is meant;
    Invalid names what does not fit."""
    uow.require("settings.manage")
    entity = await _begin(uow, entity_name)
    wrong: dict[str, str] = {}
    label = _label(wrong, label, entity)
    if kind not in KINDS:
        wrong["kind"] = "choose what it holds"
    own = stored_choices(wrong, choices) if kind in (Kind.choice, Kind.choices) else []
    if kind == Kind.link and target not in TARGETS:
        wrong["target"] = "choose to which records it leads"
    kind, text = _formula(wrong, entity, formula, "") if kind == FORMULA else (kind, "")
    section, hint = _texts(wrong, section, hint)
    if wrong:
        raise Invalid(**wrong)
    found = sum(1 for s in entity.fields.values() if s.custom)
    if found >= MOST:
        raise Conflict(f"{entity.plural} have {MOST} fields of their own already; remove one that nobody uses.")
    if not although_similar and (labels := similar(entity, label)):
        raise Similar(labels)
    field = CustomField(
        entity_name=entity.name, key=await _key(uow, entity, label), label=label, kind=kind, help=hint, section=section,
        required=required and not text, choices=own, target=target if kind == Kind.link else "", formula=text,
        position=await _last(uow, entity) + 1, created_at=uow.now, created_by_id=uow.actor.user_id,
    )  # fmt: skip
    uow.add(field)
    await uow.flush()
    return field


async def change(
    uow: UnitOfWork,
    field_id: UUID,
    *,
    label: str,
    hint: str = "",
    section: str = "",
    required: bool = False,
    choices: Sequence[Mapping[str, str]] = (),
    formula: str = "",
) -> CustomField:
    """All but its kind and where it leads, which values depend on. A choice keeps its value when its label changes; one
    that is left out is no longer offered, and stays where it was chosen."""
    uow.require("settings.manage")
    field = await _found(uow, field_id)
    entity = await _begin(uow, field.entity_name)
    wrong: dict[str, str] = {}
    name = f"{CUSTOM}{field.key}"
    field.label = _label(wrong, label, entity, without=name)
    field.section, field.help = _texts(wrong, section, hint)
    if field.kind in (Kind.choice, Kind.choices):
        field.choices = stored_choices(wrong, choices, before=field.choices)
    if field.formula:
        field.kind, field.formula = _formula(wrong, entity, formula, name)
    field.required = required and not field.formula
    if wrong:
        raise Invalid(**wrong)
    await uow.flush()
    return field


async def reorder(uow: UnitOfWork, entity_name: str, field_ids: Sequence[UUID]) -> None:
    """Into this order; those left out keep theirs behind."""
    uow.require("settings.manage")
    entity = await _begin(uow, entity_name)
    query = sa.select(CustomField).where(_fields.c.entity_name == entity.name, _fields.c.deleted_at.is_(None))
    found = {f.id: f for f in (await uow.session.execute(query.order_by(_fields.c.position, _fields.c.id))).scalars()}
    wanted = [i for i in field_ids if i in found]
    for place, field_id in enumerate([*wanted, *(i for i in found if i not in wanted)], 1):
        found[field_id].position = place
    await uow.flush()


async def delete(uow: UnitOfWork, field_id: UUID) -> CustomField:
    """Into the trash: nobody sees it any more, its values stay for 30 days. Conflict while a formula needs it."""
    uow.require("settings.manage")
    field = await _found(uow, field_id)
    entity = await _begin(uow, field.entity_name)
    name = f"{CUSTOM}{field.key}"
    if needing := [s.label for s in entity.fields.values() if s.formula and name in formulas.inputs(s)]:
        raise Conflict(f"{', '.join(needing)} is worked out from it. Change that formula first.")
    field.deleted_at = uow.now
    await uow.flush()
    return field


async def restore(uow: UnitOfWork, field_id: UUID) -> CustomField:
    """Out of the trash, with the values that it had."""
    uow.require("settings.manage")
    field = await _found(uow, field_id, in_trash=True)
    entity = await _begin(uow, field.entity_name)
    wrong: dict[str, str] = {}
    _label(wrong, field.label, entity)
    if wrong:
        raise Conflict(f"Another field is called {field.label} by now. Rename that one first.")
    field.deleted_at, field.position = None, await _last(uow, entity) + 1
    await uow.flush()
    return field


async def sweep(uow: UnitOfWork) -> int:
    """What has lain in the trash for 30 days goes for good, its values first, some at a time, by the clock. Returns how
    many fields went. The audit log keeps the values that were taken out, record by record."""
    gone = 0
    due = sa.select(_fields).where(_fields.c.deleted_at < uow.now - KEPT).order_by(_fields.c.deleted_at)
    for row in (await uow.execute(due)).mappings():
        entity = registry.find(row["entity_name"])
        if entity is not None and await _emptied(uow, entity, row["key"]) == _SWEPT:
            continue  # the others next time
        await uow.execute(sa.delete(_fields).where(_fields.c.id == row["id"]))
        gone += 1
    return gone


async def _emptied(uow: UnitOfWork, entity: Entity, key: str) -> int:
    table = entity.table
    holds = sa.select(table.c.id).where(table.c.custom.has_key(key)).limit(_SWEPT).with_for_update()
    without = table.c.custom.op("-", return_type=table.c.custom.type)(sa.literal(key, sa.Text()))
    emptied = sa.update(table).where(table.c.id.in_(holds)).values(custom=without).returning(table.c.id)
    return len((await uow.execute(emptied)).all())


def similar(entity: Entity, label: str) -> list[str]:
    """Labels of the entity that are so much like this one that the same may be meant."""
    mine = _plain(label)
    near = [(fuzz.token_sort_ratio(mine, _plain(s.label)), s.label) for s in entity.fields.values()]
    return [found for points, found in sorted(near, reverse=True) if points >= _ALIKE][:3]


def _plain(label: str) -> str:
    """Without marks and the s of many."""
    words = re.sub(r"[^\w]+", " ", fold(label)).split()
    return " ".join(re.sub(r"ies$", "y", w) if w.endswith("ies") else w.removesuffix("s") for w in words)


async def preview(uow: UnitOfWork, entity_name: str, text: str) -> str:
    """What a formula gives: "a number"; FormulaError says what is wrong with it."""
    uow.require("settings.manage")
    entity = await schema.entity_of(uow, _entity(entity_name).name)
    return formulas.check(entity, _named(entity, text)).type.value


def told(entity: Entity, text: str) -> str:
    """A stored formula as people write it: with labels in the braces."""
    return renamed(text, {n: s.label for n, s in entity.fields.items()})


async def _begin(uow: UnitOfWork, entity_name: str) -> Entity:
    """One change after another, in all processes; open screens read anew."""
    entity = await schema.entity_of(uow, _entity(entity_name).name)
    await uow.renew_schema()
    uow.changed_many(entity.name)
    return entity


async def _found(uow: UnitOfWork, field_id: UUID, *, in_trash: bool = False) -> CustomField:
    query = sa.select(CustomField).where(_fields.c.id == field_id).with_for_update()
    field = (await uow.session.execute(query)).scalar_one_or_none()
    if field is None or (field.deleted_at is not None) is not in_trash:
        raise NotFound("This field does not exist any more." if not in_trash else "This field is not in the trash.")
    return field


def _label(wrong: dict[str, str], label: str, entity: Entity, *, without: str = "") -> str:
    label = " ".join(label.split())
    if not label or len(label) > 60:
        wrong["label"] = "give it a name of up to 60 characters"
    elif "{" in label or "}" in label:
        wrong["label"] = "leave out braces, which formulas need"
    elif any(fold(s.label) == fold(label) for n, s in entity.fields.items() if n != without):
        wrong["label"] = f"{entity.plural} have a field of that name already"
    return label


def _texts(wrong: dict[str, str], section: str, hint: str) -> tuple[str, str]:
    section, hint = " ".join(section.split()), " ".join(hint.split())
    if len(section) > 60:
        wrong["section"] = "is too long: at most 60 characters"
    if len(hint) > 200:
        wrong["hint"] = "is too long: at most 200 characters"
    return section, hint


def _formula(wrong: dict[str, str], entity: Entity, text: str, without: str) -> tuple[str, str]:
    """The kind of the result and the formula as it is stored."""
    stored = _named(entity, text)
    try:
        found = formulas.check(entity, stored)
    except FormulaError as error:
        wrong["formula"] = str(error)
        return Kind.text.value, stored
    if without in found.fields:
        wrong["formula"] = "names itself"
    operands = [entity.fields[n] for n in found.fields]
    return _result(found.type, operands).value, stored


def _result(given: Type, operands: Sequence[FieldSpec]) -> Kind:
    """Amounts alone give an amount; anything else that counts is a number."""
    if given is Type.number:
        numbers = [s for s in operands if formulas.TYPES[s.kind] is Type.number]
        is_money = any(s.kind is Kind.money for s in numbers)
        return Kind.money if is_money and all(s.kind in (Kind.money, Kind.percent) for s in numbers) else Kind.decimal
    return {Type.day: Kind.date, Type.truth: Kind.flag}.get(given, Kind.text)


def _named(entity: Entity, text: str) -> str:
    """With the names of fields in the braces, in place of their labels."""
    known = {fold(s.label): n for n, s in entity.fields.items()}
    names = {n: known.get(fold(n), n) for n in names_in(text)}
    return renamed(" ".join(text.split()), names)


async def _key(uow: UnitOfWork, entity: Entity, label: str) -> str:
    """A name that no field of the entity ever had: values in the trash keep theirs."""
    base = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:34] or "field"
    taken = set((await uow.execute(sa.select(_fields.c.key).where(_fields.c.entity_name == entity.name))).scalars())
    return next(k for k in (base, *(f"{base}_{n}" for n in range(2, 10_000))) if k not in taken)


async def _last(uow: UnitOfWork, entity: Entity) -> int:
    return int(
        await uow.scalar(sa.select(sa.func.max(_fields.c.position)).where(_fields.c.entity_name == entity.name)) or 0
    )
