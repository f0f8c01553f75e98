"""The database holds workspaces apart by itself: without a context nothing is readable, with one only its own."""

import asyncio
import random
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from crm_app.core import registry
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.services.platform import finding, records, spelling
from crm_app.services.platform.imports import batches
from crm_app.store.databases import DatabaseUrls
from crm_app.store.engine import engine
from crm_app.store.uow import unit_of_work

_accounts = table_of(Account)


def tables(database: DatabaseUrls) -> list[str]:
    with psycopg.connect(database.owner) as connection:
        return [r[0] for r in connection.execute("SELECT tablename FROM pg_policies ORDER BY 1")]


async def test_without_saying_who_acts_nothing_is_readable(admin, database):
    """A forgotten context is a loud error, never an empty page."""
    with psycopg.connect(database.app) as connection:
        for table in tables(database):
            for statement in (f"SELECT count(*) FROM {table}", f"SELECT * FROM {table} LIMIT 1"):
                with pytest.raises(psycopg.Error), connection.transaction():
                    rows = connection.execute(statement).fetchall()
                    assert rows == [], table


async def test_a_context_ends_with_its_transaction(admin, database):
    with psycopg.connect(database.app, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(admin.tenant_id)])
            assert connection.execute("SELECT count(*) FROM crm_user").fetchone() != (0,)
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT count(*) FROM crm_user")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("UPDATE crm_user SET name = 'x'")


async def test_every_table_shows_its_own_rows_only(admin, mallory, database):
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Ours"})
    for actor in (admin, mallory):
        async with unit_of_work(actor) as uow:
            for table in tables(database):
                column = "id" if table == "workspace" else "tenant_id"
                found = await uow.rows(sa.text(f"SELECT DISTINCT {column} FROM {table}"))
                assert {r[0] for r in found} <= {actor.tenant_id}, table


async def test_rows_cannot_be_put_into_another_workspace(admin, mallory, database):
    """Not by any statement on any table of a tenant."""
    for table in tables(database):
        column = "id" if table == "workspace" else "tenant_id"
        async with unit_of_work(mallory) as uow:
            right = await uow.scalar(sa.text(f"SELECT has_table_privilege('{table}', 'UPDATE')"))
            there = await uow.scalar(sa.text(f"SELECT count(*) FROM {table}"))
        if right and there:
            with pytest.raises(DBAPIError):
                async with unit_of_work(mallory) as uow:
                    await uow.execute(sa.text(f"UPDATE {table} SET {column} = :t"), {"t": admin.tenant_id})


async def test_the_tenant_cannot_be_switched_by_a_value(admin, mallory):
    """Values are bound, so no text of a person reaches the settings of the transaction."""
    poison = f"x'); SELECT set_config('app.tenant_id', '{admin.tenant_id}', true); --"
    async with unit_of_work(mallory) as uow:
        await records.create(uow, ACCOUNT, {"name": poison, "city": poison[:100]})
        assert await uow.scalar(sa.text("SELECT current_setting('app.tenant_id')")) == str(mallory.tenant_id)
        assert await finding.search(uow, poison) is not None
        await records.find(uow, ACCOUNT, where=_accounts.c.name.contains(poison, autoescape=True))
        assert await uow.scalar(sa.text("SELECT current_setting('app.tenant_id')")) == str(mallory.tenant_id)


async def test_functions_that_look_past_the_policies_keep_to_the_tenant(admin, mallory):
    async with unit_of_work(admin) as uow:
        for name, values in (("account", {"name": "Kessler"}), ("product", {"name": "Kessler 3000"})):
            await records.create(uow, registry.get(name), values)
    search = sa.text("SELECT count(*) FROM crm_search(:kind, CAST('kess:*' AS tsquery), NULL, 50)")
    for actor, hits in ((admin, 1), (mallory, 0)):
        async with unit_of_work(actor) as uow:
            for kind in ("account", "product"):
                assert await uow.scalar(search, {"kind": kind}) == hits
    async with engine().connect() as connection:  # and without a tenant they do not answer
        with pytest.raises(DBAPIError):
            await connection.execute(search, {"kind": "account"})


async def test_search_and_its_guesses_know_ones_own_words(admin, mallory):
    async with unit_of_work(admin) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "Kowalskiwerke"})
    spelling._known.clear()
    for actor, found in ((mallory, False), (admin, True), (mallory, False)):
        async with unit_of_work(actor) as uow:
            exact = await finding.search(uow, "kowalskiw")
            guessed = await finding.search_forgiving(uow, "kowalksiwerke")
            chosen = await finding.choices(uow, ACCOUNT, "kowalski")
            assert bool(exact) is bool(chosen) is found
            assert ("Kowalskiwerke" in repr(guessed)) is found
            assert bool(await spelling.readings(uow, ["kowalksiwerke"])) is found
            assert bool(await finding.named(uow, [("account", account.id)])) is found
    async with unit_of_work(mallory) as uow:
        for entity in registry.all_entities():
            if entity.model.__module__.startswith("crm_app."):
                ids = {h.id for h in await finding.choices(uow, entity, "", limit=500)}
                assert account.id not in ids
        assert await batches.listed(uow) == []


async def test_many_workspaces_on_few_connections_never_mix(workspace, mallory, admin):
    """Hundreds of transactions, a third of them cut off in the middle: every one sees its own workspace."""
    people = [admin, mallory]
    for actor in people:
        async with unit_of_work(actor) as uow:
            for i in range(3):
                await records.create(uow, ACCOUNT, {"name": f"{actor.tenant_id} {i}"})
    dice = random.Random(3)
    wrong: list[Any] = []

    async def visit(actor: Any, *, cut: bool) -> None:
        async with unit_of_work(actor) as uow:
            names = (await uow.execute(sa.select(_accounts.c.name))).scalars().all()
            if {n[:36] for n in names} != {str(actor.tenant_id)}:
                wrong.append((actor.tenant_id, names))
            async with uow.session.begin_nested():
                await uow.execute(sa.text("SELECT pg_sleep(0.002)"))
            tenant = await uow.scalar(sa.text("SELECT current_setting('app.tenant_id')"))
            if tenant != str(actor.tenant_id):
                wrong.append((actor.tenant_id, tenant))

    async def one(i: int) -> None:
        task = asyncio.create_task(visit(people[i % 2], cut=False))
        if i % 3 == 0:
            await asyncio.sleep(dice.random() * 0.02)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    gate = asyncio.Semaphore(24)

    async def gated(i: int) -> None:
        async with gate:
            await one(i)

    await asyncio.gather(*(gated(i) for i in range(400)))
    assert wrong == []
    async with engine().connect() as connection:  # and the pool is whole
        assert await connection.scalar(sa.text("SELECT coalesce(current_setting('app.tenant_id', true), '')")) == ""
    assert new_id()
