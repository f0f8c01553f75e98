"""Mallory, who may do everything in a workspace of her own, cannot tell that a record of another one exists."""

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from crm_app.core import registry
from crm_app.core.errors import Invalid, NotFound
from crm_app.core.registry import Kind
from crm_app.models.base import new_id
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.entities.values import ENTITIES, FIXED, OPEN, ids, make, shown, values_for, writable


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_she_cannot_reach_it(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        before = shown(record, entity)
    told = []
    async with unit_of_work(cast.mallory) as uow:
        values = await values_for(uow, entity)
        for record_id in (record.id, new_id()):
            for act in (
                records.read(uow, entity, record_id),
                records.update(uow, entity, record_id, values),
                records.delete(uow, entity, record_id),
                records.restore(uow, entity, record_id),
            ):
                with pytest.raises(NotFound) as refusal:
                    await act
                told.append(str(refusal.value))
        assert (await records.find(uow, entity, where=entity.table.c.id == record.id)).rows == []
        hers = {r["id"] for r in (await records.find(uow, entity, limit=500)).rows}
    assert len(set(told)) == 1  # a foreign id and one that never was read alike
    async with unit_of_work(cast.admin) as uow:
        mine = {r["id"] for r in (await records.find(uow, entity, limit=500)).rows}
        assert mine & hers == set()
        assert shown(await records.read(uow, entity, record.id), entity) == before


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_she_cannot_link_to_it(cast, entity):
    """Neither through the service nor, past it, through the foreign key."""
    for spec in writable(entity):
        if spec.kind is not Kind.link:
            continue
        target = registry.get(spec.target)
        async with unit_of_work(cast.admin) as uow:
            foreign = cast.admin.user_id if target.is_managed else (await make(uow, target)).id
        async with unit_of_work(cast.mallory) as uow:
            hers = await make(uow, entity)
        with pytest.raises((Invalid, NotFound)) as refusal:
            async with unit_of_work(cast.mallory) as uow:
                await records.create(uow, entity, {**await values_for(uow, entity), spec.name: foreign})
        assert not isinstance(refusal.value, Invalid) or spec.name in refusal.value.fields
        if (entity.name, spec.name) in FIXED:
            continue
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(cast.mallory) as uow:
                await records.update(uow, entity, hers.id, {spec.name: foreign})
        assert spec.name in refusal.value.fields
        with pytest.raises(DBAPIError) as broken:
            async with unit_of_work(cast.mallory) as uow:
                await uow.execute(
                    sa.update(entity.table).where(entity.table.c.id == hers.id).values({spec.name: foreign})
                )
        assert isinstance(broken.value.orig, psycopg.errors.ForeignKeyViolation)


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_statements_without_any_condition_keep_to_her_workspace(cast, entity):
    table = entity.table
    async with unit_of_work(cast.admin) as uow:
        if not entity.is_managed:
            await make(uow, entity)
        rows = (await uow.execute(sa.select(table).order_by(table.c.id))).mappings().all()
        assert rows
    try:
        async with unit_of_work(cast.mallory) as uow:
            await uow.execute(sa.update(table).values(updated_at=uow.now, deleted_at=uow.now))
            foreign = await uow.scalar(
                sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id != cast.mallory.tenant_id)
            )
            assert foreign == 0
            raise KeyError  # her own rows shall live on
    except KeyError:
        pass
    async with unit_of_work(cast.admin) as uow:
        assert (await uow.execute(sa.select(table).order_by(table.c.id))).mappings().all() == rows


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_she_cannot_write_into_another_workspace(cast, entity):
    table = entity.table
    async with unit_of_work(cast.admin) as uow:
        row = dict((await uow.execute(sa.select(table).limit(1))).mappings().one())
    row.pop("search_text", None)
    with pytest.raises(DBAPIError) as refusal:
        async with unit_of_work(cast.mallory) as uow:
            await uow.execute(sa.insert(table).values(**row | {"id": new_id()}))
    assert isinstance(refusal.value.orig, psycopg.errors.InsufficientPrivilege)
    with pytest.raises(DBAPIError):  # nor give one of hers away
        async with unit_of_work(cast.mallory) as uow:
            if not entity.is_managed:
                await make(uow, entity)
            await uow.execute(sa.update(table).values(tenant_id=cast.admin.tenant_id))


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_what_is_unique_is_so_in_each_workspace(cast, entity):
    """The same values in both, and neither hears of the other's."""
    unique = {c.name for i in entity.table.indexes if i.unique for c in i.columns} - {"tenant_id"}
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity)
        same = {n: getattr(record, n) for n in unique if entity.fields[n].kind is not Kind.link}
    async with unit_of_work(cast.mallory) as uow:
        twin = await make(uow, entity, **same)
        assert {n: getattr(twin, n) for n in same} == same
