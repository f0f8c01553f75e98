"""One transaction, one actor: what the only door to the database does besides opening it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError

from crm_app.core.errors import Conflict, Forbidden, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.services.platform import records
from crm_app.store.engine import engine
from crm_app.store.uow import UnitOfWork, is_open, retrying, unit_of_work

_accounts = table_of(Account)


async def two_accounts(actor: Any) -> tuple[Any, Any]:
    async with unit_of_work(actor) as uow:
        return tuple([(await records.create(uow, ACCOUNT, {"name": n})).id for n in "AB"])  # type: ignore[return-value]


async def test_now_and_today_are_fixed_at_its_start(admin):
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    async with unit_of_work(admin, now=late) as uow:  # the admin lives in Berlin
        assert (uow.now, uow.today.isoformat()) == (late, "2026-06-02")
        account = await records.create(uow, ACCOUNT, {"name": "A"})
    assert account.created_at == late


async def test_it_knows_whether_one_is_open(admin):
    assert not is_open()
    async with unit_of_work(admin):
        assert is_open()
    with pytest.raises(KeyError):
        async with unit_of_work(admin):
            raise KeyError
    assert not is_open()


async def test_a_refusal_says_who_can_help_and_names_the_permission(reader):
    with pytest.raises(Forbidden, match=r"update opportunity records.* An admin can change that") as refusal:
        async with unit_of_work(reader) as uow:
            uow.require("opportunity.update")
    assert refusal.value.permission == "opportunity.update"


async def test_what_is_not_there_is_said_alike(admin, mallory):
    first, _ = await two_accounts(admin)
    told = set()
    async with unit_of_work(mallory) as uow:
        for record_id in (first, new_id()):
            with pytest.raises(NotFound) as refusal:
                await uow.get(Account, record_id)
            told.add(str(refusal.value))
    assert told == {"This account does not exist, or you may not see it."}


async def test_a_savepoint_keeps_who_acts(admin):
    async with unit_of_work(admin) as uow:
        async with uow.session.begin_nested():
            await records.create(uow, ACCOUNT, {"name": "Kept"})
        try:
            async with uow.session.begin_nested():
                await uow.execute(sa.text("SELECT 1 / 0"))
        except DBAPIError:
            pass
        assert await uow.scalar(sa.text("SELECT current_setting('app.tenant_id')")) == str(admin.tenant_id)
    async with unit_of_work(admin) as uow:
        assert (await uow.execute(sa.select(_accounts.c.name))).scalars().all() == ["Kept"]


async def test_reads_commit_so_that_statements_stay_prepared(admin):
    """psycopg forgets all prepared statements on ROLLBACK; planning a board anew costs more than reading it."""
    async with engine().connect() as watch:
        counters = sa.text("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        before = await watch.scalar(counters)
        for _ in range(20):
            async with unit_of_work(admin) as uow:
                await records.find(uow, ACCOUNT)
        await watch.rollback()
        await watch.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        after = await watch.scalar(counters)
    assert after - before < 10


# -- deadlocks


async def locking(actor: Any, ids: list[Any], meet: asyncio.Barrier, tries: list[int]) -> str:
    """Change two accounts in this order, meeting the other in the middle of the first attempt."""

    async def work(uow: UnitOfWork) -> str:
        tries.append(1)
        for place, record_id in enumerate(ids):
            statement = sa.update(_accounts).where(_accounts.c.id == record_id)
            await uow.execute(statement.values(employees=sa.func.coalesce(_accounts.c.employees, 0) + 1))
            if place == 0 and len(tries) == 1:
                await meet.wait()
        return "done"

    return await retrying(actor, work)


async def test_a_broken_deadlock_begins_anew_and_both_get_through(admin):
    first, second = await two_accounts(admin)
    meet = asyncio.Barrier(2)
    tries: tuple[list[int], list[int]] = ([], [])
    done = await asyncio.gather(
        locking(admin, [first, second], meet, tries[0]), locking(admin, [second, first], meet, tries[1])
    )
    assert done == ["done", "done"]
    assert sorted(map(len, tries)) == [1, 2]
    async with unit_of_work(admin) as uow:
        assert (await uow.execute(sa.select(_accounts.c.employees))).scalars().all() == [2, 2]


async def test_it_gives_up_after_some_attempts_and_lets_refusals_through_at_once(admin):
    tries: list[int] = []

    async def deadlocked(_uow: UnitOfWork) -> None:
        tries.append(1)
        raise DBAPIError("UPDATE", {}, DeadlockDetected("again"))

    async def refused(_uow: UnitOfWork) -> None:
        tries.append(1)
        raise Conflict("no")

    with pytest.raises(DBAPIError):
        await retrying(admin, deadlocked, attempts=3)
    assert len(tries) == 3
    with pytest.raises(Conflict):
        await retrying(admin, refused)
    assert len(tries) == 4
