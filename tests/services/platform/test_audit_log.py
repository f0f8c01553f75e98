"""The audit log as a page: narrowed, turned page by page, a value put back; nothing of others, nothing secret."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.people.users import User
from crm_app.services.platform import audit_log, records
from crm_app.services.platform.audit_log import Asked
from crm_app.store.uow import unit_of_work

_accounts, _users = table_of(Account), table_of(User)


@pytest.fixture
async def account(admin):
    async with unit_of_work(admin) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler", "city": "Bonn"})


async def change(actor, record_id, **values):
    async with unit_of_work(actor) as uow:
        await records.update(uow, ACCOUNT, record_id, values)


async def log(actor, asked=None, **more):
    async with unit_of_work(actor) as uow:
        return await audit_log.listed(uow, asked, **more)


async def test_who_what_when_and_both_values(admin, alice, account):
    await change(admin, account.id, city="Berlin", owner_id=alice.user_id)
    (entry, *_) = (await log(admin, Asked(record_id=account.id, action="update"))).entries
    assert (entry.user_name, entry.title, entry.source, entry.ip) == (admin.name, "Kessler", "ui", "203.0.113.7")
    told = {c.spec.name: (c.old, c.new) for c in entry.changes}
    assert told["city"] == ("Bonn", "Berlin") and told["owner_id"] == (admin.user_id, alice.user_id)


async def test_each_question_narrows(admin, alice, account):
    await change(alice, account.id, city="Berlin")
    for asked in (
        Asked(user_id=alice.user_id), Asked(action="update", entity="account"),
        Asked(record_id=account.id, action="update", source="ui"),
    ):  # fmt: skip
        entries = (await log(admin, asked)).entries
        assert [c.new for e in entries for c in e.changes if c.spec.name == "city"] == ["Berlin"], asked
    async with unit_of_work(admin) as uow:
        later = uow.now + timedelta(hours=1)
    assert (await log(admin, Asked(since=later))).entries == []
    assert (await log(admin, Asked(source="api"))).entries == []
    assert len((await log(admin, Asked(until=later, record_id=account.id))).entries) == 2


async def test_pages_meet_without_gap_or_double(admin, account):
    for n in range(7):
        await change(admin, account.id, city=f"City {n}")
    asked, found, before = Asked(record_id=account.id), [], None
    while True:
        page = await log(admin, asked, before=before, limit=3)
        found += [e.id for e in page.entries]
        if (before := page.after) is None:
            break
    assert len(found) == len(set(found)) == 8


async def test_it_is_a_right_of_its_own(alice, mallory, account, admin):
    for ask in (log(alice), log(replace(admin, permissions=frozenset({"account.read", "account.update"})))):
        with pytest.raises(Forbidden):
            await ask
    assert all(e.record_id != account.id for e in (await log(mallory)).entries)
    assert (await log(mallory, Asked(record_id=account.id))).entries == []


async def test_no_secret_is_in_it(admin):
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.update(_users).where(_users.c.id == admin.user_id).values(password_hash="argon"))
    entries = (await log(admin, Asked(entity="user", action="update"))).entries
    assert "argon" not in repr(entries)
    assert audit_log.MASKED in repr(entries)


async def test_who_sees_fewer_records_reads_of_those_alone(admin, carol, account):
    """carol sells in another team; the log opens no record to her."""
    watcher = replace(carol, permissions=carol.permissions | {"audit.read"})
    async with unit_of_work(watcher) as uow:
        own = await records.create(uow, ACCOUNT, {"name": "Hers"})
    told = {e.record_id for e in (await log(watcher)).entries}
    assert own.id in told and account.id not in told
    assert "Kessler" not in repr(await log(watcher))
    entry = (await log(admin, Asked(record_id=account.id))).entries[0]
    with pytest.raises(NotFound):
        async with unit_of_work(watcher) as uow:
            await audit_log.restorable(uow, entry.mark, "city")


async def test_hidden_fields_stay_hidden(admin, account):
    await change(admin, account.id, city="Berlin")
    seen = replace(admin, hidden_fields=frozenset({"account.city"}))
    told = await log(seen, Asked(record_id=account.id))
    assert "Berlin" not in repr(told) and "Bonn" not in repr(told)


async def entry_of(admin, account):
    await change(admin, account.id, city="Berlin", name="Kessler AG")
    return (await log(admin, Asked(record_id=account.id, action="update"))).entries[0]


async def test_a_value_is_put_back_and_the_log_has_it(admin, account):
    entry = await entry_of(admin, account)
    async with unit_of_work(admin) as uow:
        found = await audit_log.restorable(uow, entry.mark, "city")
        assert (found.old, found.now, found.title) == ("Bonn", "Berlin", "Kessler AG")
        await audit_log.restore(uow, entry.mark, "city", seen=audit_log.stands(found.now))
    last = (await log(admin, Asked(record_id=account.id))).entries[0]
    assert [(c.spec.name, c.old, c.new) for c in last.changes] == [("city", "Berlin", "Bonn")]


async def test_what_changed_since_is_a_conflict(admin, account):
    entry = await entry_of(admin, account)
    seen = audit_log.stands("Berlin")
    await change(admin, account.id, city="Ulm")
    with pytest.raises(Conflict):
        async with unit_of_work(admin) as uow:
            await audit_log.restore(uow, entry.mark, "city", seen=seen)


async def test_nobody_puts_back_what_they_may_not_change(admin, reader, mallory, account):
    entry = await entry_of(admin, account)
    watcher = replace(reader, permissions=reader.permissions | {"audit.read"})
    for actor, refusal in ((watcher, Forbidden), (mallory, NotFound), (reader, Forbidden)):
        with pytest.raises(refusal):
            async with unit_of_work(actor) as uow:
                await audit_log.restore(uow, entry.mark, "city", seen=audit_log.stands("Berlin"))
    for field in ("version", "nonsense", "industry"):
        with pytest.raises(Invalid):
            async with unit_of_work(admin) as uow:
                await audit_log.restore(uow, entry.mark, field, seen="")
    async with unit_of_work(admin) as uow:
        assert await uow.scalar(sa.select(_accounts.c.city).where(_accounts.c.id == account.id)) == "Berlin"
