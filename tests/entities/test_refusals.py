"""What does not fit is refused with the field named, whatever the entity; nothing of it reaches the database."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from crm_app.core import registry
from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.models.base import new_id
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import FIXED, MANAGED, OPEN, ids, make, shown, values_for, writable

# Required fields that the service fills in when they are left out.
FILLED = {"opportunity": {"number", "stage_id", "pipeline_id"}}  # by the entity's rules, when nobody gives them
TEXTS = (Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url, Kind.choice)
NAIVE = datetime.fromisoformat("2026-01-01T00:00:00")
OF_ANOTHER_TYPE: dict[Kind, tuple[Any, ...]] = {
    **dict.fromkeys(TEXTS, (5, ["x"], True)),
    **dict.fromkeys((Kind.number, Kind.money, Kind.percent), ("5", 1.5, True, Decimal("1.5"))),
    Kind.decimal: ("5", 1.5, True, Decimal("NaN"), Decimal("Infinity")),
    Kind.flag: (1, "yes"),
    Kind.date: ("2026-01-01", NAIVE, 20260101),
    Kind.datetime: ("2026-01-01T00:00:00Z", NAIVE, 0),
    Kind.link: ("0190d5c2-7a3e-7c1b-9f00-000000000001", 7, "x"),
    Kind.choices: ("x", [1], [None], [["x"]], {"x": 1}),
    Kind.json: ("x", 5),
}
UNSTORABLE = ("a\x00b", "a\ud800b")


@pytest.mark.parametrize("entity", OPEN, ids=ids)
@pytest.mark.parametrize("verb", ["create", "update", "delete", "restore"])
async def test_without_permission_it_is_refused_by_name(cast, entity, verb):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
        values = await values_for(uow, entity)
    right = f"{entity.name}.{'delete' if verb == 'restore' else verb}"
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(cast.reader) as uow:
            assert await records.read(uow, entity, record.id)  # a reader reads
            if verb == "create":
                await records.create(uow, entity, values)
            elif verb == "update":
                await records.update(uow, entity, record.id, values)
            else:
                await getattr(records, verb)(uow, entity, record.id)
    assert refusal.value.permission == right


@pytest.mark.parametrize("entity", [*OPEN, *MANAGED], ids=ids)
async def test_who_may_not_read_reads_nothing(cast, entity):
    blind = replace(cast.alice, permissions=frozenset())
    async with unit_of_work(blind) as uow:
        with pytest.raises(Forbidden) as refusal:
            await records.find(uow, entity)
        assert refusal.value.permission == f"{entity.name}.read"
        with pytest.raises(Forbidden):
            await records.read(uow, entity, new_id())


@pytest.mark.parametrize("entity", MANAGED, ids=ids)
async def test_what_has_services_of_its_own_is_not_written_generically(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        page = await records.find(uow, entity, limit=1)
        record_id = page.rows[0]["id"]
        for act in (
            records.create(uow, entity, {entity.title: "x"}),
            records.update(uow, entity, record_id, {entity.title: "x"}),
            records.delete(uow, entity, record_id),
            records.restore(uow, entity, record_id),
        ):
            with pytest.raises(Forbidden, match="Settings"):
                await act


async def refused(cast: Any, entity: Entity, record: Any, **values: Any) -> set[str]:
    """The fields that are named when these values are written to the record."""
    with pytest.raises(Invalid) as refusal:
        async with unit_of_work(cast.admin) as uow:
            await records.update(uow, entity, record.id, values)
    assert all(refusal.value.fields.values())
    return set(refusal.value.fields)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_fields_of_the_system_are_refused(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
        values = await values_for(uow, entity)
    for name in sorted(entity.readonly):
        assert name in await refused(cast, entity, record, **{name: getattr(record, name)}), name
    for name in sorted(entity.readonly - entity.at_start):
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(cast.admin) as uow:
                await records.create(uow, entity, {**values, name: getattr(record, name)})
        assert name in refusal.value.fields


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_columns_that_are_no_fields_are_refused(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
        values = await values_for(uow, entity)
    machinery = {c.name for c in entity.table.c} - set(entity.fields)
    assert {"tenant_id", "deleted_at", "custom"} <= machinery
    for name in sorted({*machinery, "nonsense", "__class__", "id; DROP TABLE account"}):
        assert await refused(cast, entity, record, **{name: "x"}) == {name}
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(cast.admin) as uow:
                await records.create(uow, entity, {**values, name: "x"})
        assert name in refusal.value.fields


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_required_fields_are_required(cast, entity):
    required = {s.name for s in writable(entity) if s.required}
    expected = required - FILLED.get(entity.name, set()) - {"owner_id"}  # whoever creates it owns it
    async with unit_of_work(cast.admin) as uow:
        values = await values_for(uow, entity)
        record = await records.create(uow, entity, values)
        with pytest.raises(Invalid) as refusal:
            await records.create(uow, entity, {})
        assert refusal.value.fields
    for name in sorted(expected):
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(cast.admin) as uow:
                await records.create(uow, entity, {n: v for n, v in values.items() if n != name})
        assert name in refusal.value.fields, name
    for name in sorted(required):
        empty = [None, "", "  "] if entity.fields[name].kind in TEXTS else [None]
        for nothing in empty:
            assert name in await refused(cast, entity, record, **{name: nothing}), (name, nothing)


def beyond(spec: FieldSpec, column: Any) -> list[Any]:
    """Values just outside the bounds of the field, and of the column below it."""
    found: list[Any] = []
    if spec.kind in TEXTS and spec.max_length and not spec.choices:
        found.append("x" * (spec.max_length + 1))
    if spec.kind in (Kind.number, Kind.money, Kind.percent, Kind.decimal):
        found += [spec.minimum - 1] if spec.minimum is not None else []
        found += [spec.maximum + 1] if spec.maximum is not None else []
        found += [2**31, -(2**31) - 1] if type(column.type).__name__ == "Integer" else []
        found += [2**63, -(2**63) - 1, 10**30]
    if spec.choices:
        found += ["nonsense", "", spec.choices[0].value.upper() + "!"]
    if spec.name == "currency":
        found += ["XXX", "eur", "€", "EURO"]
    return found


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_values_out_of_bounds_are_refused_at_their_field(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        before = shown(record, entity)
    for spec in writable(entity):
        for value in beyond(spec, entity.table.c[spec.name]):
            assert await refused(cast, entity, record, **{spec.name: value}) == {spec.name}, (spec.name, value)
    async with unit_of_work(cast.admin) as uow:
        assert shown(await records.read(uow, entity, record.id), entity) == before


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_values_of_another_type_are_refused_at_their_field(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    for spec in writable(entity):
        for value in OF_ANOTHER_TYPE[spec.kind]:
            assert await refused(cast, entity, record, **{spec.name: value}) == {spec.name}, (spec.name, value)


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_text_that_cannot_be_stored_is_refused_at_its_field(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    for spec in writable(entity):
        for text in UNSTORABLE:
            if spec.kind in TEXTS:
                value: Any = text
            elif spec.kind is Kind.choices:
                value = [text]
            elif spec.kind is Kind.json:
                value = [{"step": text}]
            else:
                continue
            assert await refused(cast, entity, record, **{spec.name: value}) == {spec.name}, spec.name


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_links_lead_to_a_record_that_is_there(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    for spec in writable(entity):
        if spec.kind is not Kind.link or (entity.name, spec.name) in FIXED:
            continue
        assert await refused(cast, entity, record, **{spec.name: new_id()}) == {spec.name}
        target = registry.get(spec.target)
        if target.is_managed or target.name == "pipeline":
            continue
        async with unit_of_work(cast.admin) as uow:
            thrown = await make(uow, target)
            await records.delete(uow, target, thrown.id)
        assert await refused(cast, entity, record, **{spec.name: thrown.id}) == {spec.name}


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_every_wrong_field_is_named_at_once(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    names = [s.name for s in writable(entity) if s.kind in (Kind.text, Kind.long_text)]
    assert await refused(cast, entity, record, **dict.fromkeys(names, 5)) == set(names)
