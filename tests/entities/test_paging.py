"""Lists by keyset: every sortable column, both ways, complete, in order, nothing twice, in few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, Kind
from crm_app.services.platform import records, schema
from crm_app.store import ready
from crm_app.store.engine import engine
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.entities.values import ENTITIES, OPEN, ids, make, value_of

ROWS = 11


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(engine().sync_engine, "before_cursor_execute", note)
    ready.watchers.append(sent.append)
    try:
        yield sent
    finally:
        ready.watchers.remove(sent.append)
        sa.event.remove(engine().sync_engine, "before_cursor_execute", note)


def sortable(entity: Entity) -> list[str]:
    return [n for n, s in entity.fields.items() if s.kind not in (Kind.json, Kind.choices)]


async def muddle(uow: UnitOfWork, entity: Entity, name: str, some: list[UUID]) -> None:
    """Let several rows have the same value, and others none, as far as the column takes it."""
    table = entity.table
    column = table.c["sort_key"] if name == entity.title and "sort_key" in table.c else table.c[name]
    if column.primary_key:
        return
    same = sa.select(column).where(table.c.id == some[0]).scalar_subquery()
    for rows, value in ((some[1:4], same), (some[7:10], sa.null() if column.nullable else same)):
        try:
            async with uow.session.begin_nested():
                await uow.execute(sa.update(table).where(table.c.id.in_(rows)).values({column.name: value}))
        except IntegrityError:  # unique, or bound to another column: as it was
            continue


async def all_pages(uow: UnitOfWork, entity: Entity, ids: list[UUID], **how: Any) -> list[UUID]:
    found, after = [], None
    while True:
        page = await records.find(
            uow, entity, columns=(entity.title,), where=entity.table.c.id.in_(ids), after=after, limit=3, **how
        )
        found += [r["id"] for r in page.rows]
        after = page.after
        if after is None:
            return found


async def keys(uow: UnitOfWork, entity: Entity, name: str, some: list[UUID]) -> list[tuple[UUID, Any]]:
    """What each row is to be sorted by: a link by the title at its other end, a choice by its place."""
    spec, table = entity.fields[name], entity.table
    key = "sort_key" if name == entity.title and "sort_key" in table.c else name
    rows = await uow.rows(sa.select(table.c.id, table.c[key]).where(table.c.id.in_(some)))
    found = [(r[0], r[1].value if isinstance(r[1], Enum) else r[1]) for r in rows]
    if spec.kind is Kind.choice:
        places = [c.value for c in spec.choices]
        return [(i, None if v is None else places.index(v)) for i, v in found]
    if spec.kind is Kind.link and spec.target:
        other = registry.get(spec.target)
        title = other.table.c.sort_key if "sort_key" in other.table.c else sa.func.lower(other.table.c[other.title])
        titles = {r[0]: r[1] for r in await uow.rows(sa.select(other.table.c.id, title))}
        return [(i, titles.get(v)) for i, v in found]
    return found


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_every_sortable_column_pages_completely_and_in_order(cast, entity):
    async with unit_of_work(cast.admin) as uow:
        made = [(await make(uow, entity, whole=i % 2 == 0)).id for i in range(ROWS)]
    for name in sortable(entity):
        async with unit_of_work(cast.admin) as uow:
            await muddle(uow, entity, name, made)
            rows = await keys(uow, entity, name, made)
            for descending in (False, True):
                filled = sorted(((v, i) for i, v in rows if v is not None), reverse=descending)
                empty = sorted((i for i, v in rows if v is None), reverse=descending)
                found = await all_pages(uow, entity, made, sort=name, descending=descending)
                assert found == [i for _, i in filled] + empty, (name, descending)


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_only_fields_are_sorted_by(cast, entity):
    unsortable = [n for n, s in entity.fields.items() if s.kind in (Kind.json, Kind.choices)]
    async with unit_of_work(cast.admin) as uow:
        for name in (*unsortable, "tenant_id", "custom", "deleted_at", "nonsense", "1; DROP TABLE account"):
            with pytest.raises(Invalid) as refusal:
                await records.find(uow, entity, sort=name)
            assert "sort" in refusal.value.fields


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_a_page_takes_as_few_statements_for_many_rows_as_for_few(cast, entity):
    if not entity.is_managed:
        async with unit_of_work(cast.admin) as uow:
            for _ in range(ROWS):
                await make(uow, entity)
            await schema.entities_of(uow)  # what belongs to the schema has renewed it
    counts = []
    for limit in (2, 200):
        with statements() as sent:
            async with unit_of_work(cast.admin) as uow:
                page = await records.find(uow, entity, limit=limit)
                assert page.rows
        counts.append(len(sent))
    assert counts == [2, 2]  # who acts, and the page with the names of its links


@pytest.mark.parametrize("entity", OPEN, ids=ids)
async def test_reading_and_saving_take_few_statements(cast, entity):
    """A ceiling on what a person waits for, the statement that says who acts included."""
    async with unit_of_work(cast.admin) as uow:
        record = await make(uow, entity, whole=True)
        await schema.entities_of(uow)
        field = next(n for n in (entity.title, "last_name") if n in entity.fields and n not in entity.readonly)
        new = value_of(entity, entity.fields[field], day=uow.today)
    with statements() as read:
        async with unit_of_work(cast.admin) as uow:
            await records.read(uow, entity, record.id)
    with statements() as saved:
        async with unit_of_work(cast.admin) as uow:
            await records.update(uow, entity, record.id, {field: new})
    assert len(read) == 2
    assert len(saved) <= 7, saved  # who, the record, a rule's look, the update, the facts, a job


@pytest.mark.parametrize("entity", ENTITIES, ids=ids)
async def test_links_come_with_their_names(cast, entity):
    if not entity.is_managed:
        async with unit_of_work(cast.admin) as uow:
            await make(uow, entity, whole=True)
    links = [n for n, s in entity.fields.items() if s.kind is Kind.link and s.target]
    async with unit_of_work(cast.admin) as uow:
        page = await records.find(uow, entity, columns=list(entity.fields), limit=50)
    for row in page.rows:
        assert {n for n in links if row[n] is not None and not row[f"{n}__title"]} == set()
