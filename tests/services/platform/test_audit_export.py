"""The audit log as a file: what the filter shows, harmless, noted, for those with the right alone."""

import csv
import io
from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Forbidden, Invalid
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.platform import audit_export, export_keeping, exporting, records
from crm_app.services.platform.audit_log import Asked
from crm_app.store.uow import unit_of_work
from tests.work import forget_jobs, work_off

_log = table_of(AuditEntry)


async def export(actor, asked):
    async with unit_of_work(actor) as uow:
        begun = await audit_export.start(uow, asked, operation_id=new_id())
    return await export_keeping.keep_now(actor, begun.id)


async def lines(actor, made):
    whole = b"".join([piece async for piece in await export_keeping.content(actor, made)])
    return list(csv.DictReader(io.StringIO(whole.decode("utf-8-sig"), newline="")))


@pytest.fixture
async def account(admin):
    async with unit_of_work(admin) as uow:
        made = await records.create(uow, ACCOUNT, {"name": "=cmd|' /C calc'!A0", "city": "Bonn"})
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, made.id, {"city": "@SUM(A1)", "annual_revenue_minor": 7_000_00})
    return made


async def test_what_the_filter_shows_value_by_value_and_nothing_runs(admin, account):
    made = await export(admin, Asked(record_id=account.id, action="update"))
    found = await lines(admin, made)
    assert made.rows == 1  # entries
    told = {r["Field"]: (r["Before"], r["After"]) for r in found}
    assert told["City"] == ("Bonn", "'@SUM(A1)") and told["Annual revenue"] == ("", "7000.00")
    assert {(r["Who"], r["Kind"], r["Act"], r["Through"]) for r in found} == {
        (admin.name, "Account", "Changed", "By hand")
    }
    assert {r["Record"] for r in found} == {"'=cmd|' /C calc'!A0"}
    async with unit_of_work(admin) as uow:
        (entry,) = await uow.rows(sa.select(_log).where(_log.c.action == "export"))
    assert (entry.entity, entry.user_id, entry.record_id) == ("audit_log", admin.user_id, made.id)
    assert entry.changes["rows"] == 1 and entry.changes["asked"]["action"] == "update"
    with pytest.raises(Invalid, match="nothing to export"):
        await export(admin, Asked(record_id=new_id()))


async def test_many_entries_are_a_job_that_goes_page_by_page(admin, account, monkeypatch):
    monkeypatch.setattr(exporting, "DIRECT", {"csv": 0})
    monkeypatch.setattr(audit_export, "_PIECE", 1)
    await forget_jobs()
    async with unit_of_work(admin) as uow:
        begun = await audit_export.start(uow, Asked(record_id=account.id), operation_id=new_id())
    await work_off()
    async with unit_of_work(admin) as uow:
        made = await exporting.read(uow, begun.id)
    found = await lines(admin, made)
    assert (made.rows, {r["Act"] for r in found}) == (2, {"Created", "Changed"})


# -- Attacks ---------------------------------------------------------------------------------------------------------


async def test_who_may_read_the_log_may_not_yet_take_it_along(admin, account, alice):
    for missing in ("audit.export", "audit.read"):
        limited = replace(alice, permissions=(alice.permissions | {"audit.read", "audit.export"}) - {missing})
        with pytest.raises(Forbidden, match="audit"):
            await export(limited, Asked())


async def test_a_right_lost_on_the_way_makes_no_file(admin, alice, account):
    both = replace(alice, permissions=alice.permissions | {"audit.read", "audit.export"})
    async with unit_of_work(both) as uow:
        begun = await audit_export.start(uow, Asked(), operation_id=new_id())
    with pytest.raises(Forbidden):
        await export_keeping.keep(alice, begun.id)


async def test_it_holds_what_its_reader_sees_and_no_more(admin, account, carol, mallory):
    both = {"audit.read", "audit.export"}
    limited = replace(admin, hidden_fields=frozenset()).with_field_rights(
        {"account.city": "hidden", "account.annual_revenue_minor": "masked"}
    )
    found = await lines(limited, await export(limited, Asked(record_id=account.id, action="update")))
    assert {r["Field"]: r["After"] for r in found if r["Field"]} == {"Annual revenue": "hidden"}
    for stranger in (mallory, replace(carol, scope="own", permissions=carol.permissions | both)):
        with pytest.raises(Invalid, match="nothing to export"):
            await export(stranger, Asked(record_id=account.id))
