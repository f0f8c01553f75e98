"""Every declared entity lives: it is made, read, changed, thrown away and taken back, whole each time."""

import pytest

from crm_app.core import registry
from crm_app.core.errors import Conflict, NotFound
from crm_app.core.registry import Kind
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import FIXED, OPEN, ids, link_for, make, shown, value_of, values_for, writable

pytestmark = pytest.mark.parametrize("entity", OPEN, ids=ids)


async def test_made_of_what_is_required(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        values = await values_for(uow, entity)
        record = await records.create(uow, entity, values)
    async with unit_of_work(cast.admin) as uow:
        again = await records.read(uow, entity, record.id)
        assert {n: getattr(again, n) for n in values} == values
        assert again.version == 1
        assert (again.created_by_id, again.updated_by_id) == (cast.admin.user_id,) * 2
        assert again.created_at == again.updated_at
        if "owner_id" in entity.fields:
            assert again.owner_id == cast.admin.user_id


async def test_made_of_everything_it_comes_back_whole(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        values = await values_for(uow, entity, whole=True)
        record = await records.create(uow, entity, values)
    async with unit_of_work(cast.admin) as uow:
        again = await records.read(uow, entity, record.id)
        assert {n: getattr(again, n) for n in values} == values
        told, kept = shown(record, entity), shown(again, entity)  # what the caller got is what the database has
        assert told == kept
        assert {n: type(v) for n, v in told.items()} == {n: type(v) for n, v in kept.items()}


async def test_each_field_can_be_changed_alone(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
    for spec in writable(entity):
        if (entity.name, spec.name) in FIXED:
            continue
        async with unit_of_work(cast.admin) as uow:
            before = shown(await records.read(uow, entity, record.id), entity)
            value = await link_for(uow, spec) if spec.kind is Kind.link else value_of(entity, spec, day=uow.today)
            if spec.kind is Kind.flag:
                value = not before[spec.name]
            if spec.name == "owner_id":
                value = cast.alice.user_id
            await records.update(uow, entity, record.id, {spec.name: value})
        async with unit_of_work(cast.admin) as uow:
            after = shown(await records.read(uow, entity, record.id), entity)
        assert after[spec.name] == value
        if value != before[spec.name]:
            assert after["version"] == before["version"] + 1, spec.name


async def test_a_change_to_the_same_value_is_none(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
        same = {s.name: getattr(record, s.name) for s in writable(entity)}
        again = await records.update(uow, entity, record.id, same)
        assert again.version == 1


async def test_a_field_that_may_be_empty_can_be_emptied(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        empty = {s.name: None for s in writable(entity) if s.nullable}
        await records.update(uow, entity, record.id, empty)
    async with unit_of_work(cast.admin) as uow:
        again = await records.read(uow, entity, record.id)
        assert {n: getattr(again, n) for n in empty} == empty


async def test_thrown_away_it_is_gone_and_taken_back_it_is_whole(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        before = shown(record, entity)
    async with unit_of_work(cast.admin) as uow:
        await records.delete(uow, entity, record.id)
    async with unit_of_work(cast.admin) as uow:
        with pytest.raises(NotFound):
            await records.read(uow, entity, record.id)
        with pytest.raises(NotFound):
            await records.update(uow, entity, record.id, {})
        with pytest.raises(NotFound):
            await records.delete(uow, entity, record.id)
        page = await records.find(uow, entity, where=entity.table.c.id == record.id)
        assert page.rows == []
    async with unit_of_work(cast.admin) as uow:
        await records.restore(uow, entity, record.id)
    async with unit_of_work(cast.admin) as uow:
        after = shown(await records.read(uow, entity, record.id), entity)
        changed = {n for n in after if after[n] != before[n]}
        assert changed <= {"version", "updated_at", "updated_by_id"}


async def test_what_is_not_in_the_trash_cannot_be_taken_out_of_it(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
    with pytest.raises((Conflict, NotFound)):
        async with unit_of_work(cast.admin) as uow:
            await records.restore(uow, entity, record.id)


async def test_what_belongs_to_it_survives_its_time_in_the_trash(cast, entity):
    """Links of others to it are as before once it is back: nothing was lost on the way."""
    for relation in registry.relations(entity).values():
        other = registry.get(relation.entity)
        if not relation.many or other.is_managed or relation.link in other.readonly:
            continue
        if other.fields[relation.link].required:
            continue
        async with unit_of_work(cast.admin) as uow:
            record = await make(uow, entity)
            follower = await make(uow, other, **{relation.link: record.id})
        async with unit_of_work(cast.admin) as uow:
            await records.delete(uow, entity, record.id)
        async with unit_of_work(cast.admin) as uow:
            await records.restore(uow, entity, record.id)
        async with unit_of_work(cast.admin) as uow:
            again = await records.read(uow, other, follower.id)
            assert getattr(again, relation.link) == record.id, relation.name


async def test_it_stays_while_others_need_it(cast, entity):
    """A record that others cannot be without is protected, and the refusal says by what."""
    for relation in registry.relations(entity).values():
        other = registry.get(relation.entity)
        if not relation.many or other.is_managed or not other.fields[relation.link].required:
            continue
        if (entity.name, other.name) == ("pipeline", "stage"):
            continue  # a pipeline has stages from the start: see services/sales/test_pipelines.py
        async with unit_of_work(cast.admin) as uow:
            first = await make(uow, other)
        record_id = getattr(first, relation.link)
        with pytest.raises(Conflict, match=r"\d"):
            async with unit_of_work(cast.admin) as uow:
                await records.delete(uow, entity, record_id)
