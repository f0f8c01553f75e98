"""Seals: whoever changes the past behind the triggers' back is found out."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import Forbidden
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.platform.audit import AuditEntry, AuditSeal
from crm_app.services.platform import audit, records
from crm_app.store.uow import unit_of_work

_log, _seals = table_of(AuditEntry), table_of(AuditSeal)
LATER = timedelta(minutes=3)


async def seal(actor, after: timedelta = LATER) -> int:
    async with unit_of_work(actor, now=utcnow() + after) as uow:
        return await audit.seal(uow)


async def broken(actor) -> list[int]:
    async with unit_of_work(actor) as uow:
        return await audit.broken_seals(uow)


async def chain(admin, rounds: int = 3) -> None:
    """Entries and a seal over each round of them, at real moments."""
    for i in range(rounds):
        async with unit_of_work(admin) as uow:
            for j in range(4):
                await records.create(uow, ACCOUNT, {"name": f"A{i}{j}"})
        now = utcnow() + timedelta(seconds=90, milliseconds=1)
        await asyncio.sleep(0.01)
        async with unit_of_work(admin, now=now) as uow:
            assert await audit.seal(uow) > 0


async def tamper(connect, statement: str, *values) -> None:
    """As the superuser, with the triggers switched off."""
    with connect() as connection:
        connection.execute("SET session_replication_role = replica")
        done = connection.execute(statement, values)
        assert done.rowcount > 0


async def test_an_untouched_past_fits_its_seals(admin):
    await chain(admin)
    assert await broken(admin) == []
    async with unit_of_work(admin) as uow:
        rows = (await uow.execute(sa.select(_seals).order_by(_seals.c.number))).mappings().all()
    assert [r["number"] for r in rows] == [1, 2, 3]
    assert all(a["sealed_to"] == b["sealed_from"] for a, b in pairwise(rows))
    assert len({r["digest"] for r in rows}) == 3


async def test_a_changed_entry_is_found(admin, as_superuser):
    await chain(admin)
    await tamper(
        as_superuser,
        "UPDATE audit_log SET changes = '{}' WHERE tenant_id = %s AND changes->'name'->>1 = 'A12'",
        admin.tenant_id,
    )
    assert await broken(admin) == [2]


async def test_a_removed_entry_is_found(admin, as_superuser):
    await chain(admin)
    gone = "DELETE FROM audit_log WHERE tenant_id = %s AND changes->'name'->>1 = 'A21'"
    await tamper(as_superuser, gone, admin.tenant_id)
    assert await broken(admin) == [3]


async def test_an_entry_slipped_in_is_found(admin, as_superuser):
    await chain(admin)
    await tamper(
        as_superuser,
        "INSERT INTO audit_log (at, tenant_id, source, entity, record_id, action, changes, ip, user_agent, request_id)"
        " SELECT at + interval '1 microsecond', tenant_id, source, entity, record_id, action, changes, '', '', ''"
        " FROM audit_log WHERE tenant_id = %s AND changes->'name'->>1 = 'A00'",
        admin.tenant_id,
    )
    assert await broken(admin) == [1]


async def test_an_entry_dated_otherwise_is_found(admin, as_superuser):
    await chain(admin)
    await tamper(
        as_superuser,
        "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE tenant_id = %s AND changes->'name'->>1 = 'A11'",
        admin.tenant_id,
    )
    assert await broken(admin) == [2]


async def test_a_forged_seal_does_not_fit_the_next_one(admin, as_superuser):
    """Whoever changes an entry and makes a new digest for its seal breaks the chain after it."""
    await chain(admin)
    forged = "UPDATE audit_seal SET digest = repeat('0', 64) WHERE tenant_id = %s AND number = 1"
    await tamper(as_superuser, forged, admin.tenant_id)
    assert await broken(admin) == [1, 2]


async def test_a_seal_that_was_taken_out_is_missed(admin, as_superuser):
    await chain(admin)
    await tamper(as_superuser, "DELETE FROM audit_seal WHERE tenant_id = %s AND number = 2", admin.tenant_id)
    assert await broken(admin) == [3]


async def test_nothing_new_needs_no_seal(admin):
    await chain(admin, 1)
    async with unit_of_work(admin) as uow:
        assert await audit.seal(uow) == 0


async def test_each_workspace_has_a_chain_of_its_own(admin, mallory, as_superuser):
    await chain(admin, 2)
    await chain(mallory, 1)
    await tamper(as_superuser, "UPDATE audit_log SET changes = '{}' WHERE tenant_id = %s", admin.tenant_id)
    assert await broken(admin) == [1, 2]
    assert await broken(mallory) == []


async def test_what_is_still_being_written_is_not_sealed_over(admin):
    """A transaction may take long, as an import does: its entries are dated before a seal that never saw them."""
    async with unit_of_work(admin) as slow:
        await records.create(slow, ACCOUNT, {"name": "Slow"})
        async with unit_of_work(admin) as quick:
            await records.create(quick, ACCOUNT, {"name": "Quick"})
        await seal(admin, timedelta(hours=1))
    assert await broken(admin) == []
    await seal(admin, timedelta(hours=1))
    assert await broken(admin) == []
    async with unit_of_work(admin) as uow:
        sealed = await uow.scalar(sa.select(sa.func.sum(_seals.c.entries)))
        assert sealed == await uow.scalar(sa.select(sa.func.count()).select_from(_log))


async def test_who_checks_needs_the_right(alice):
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(replace(alice, permissions=alice.permissions - {"audit.read"})) as uow:
            await audit.broken_seals(uow)
    assert refusal.value.permission == "audit.read"
