"""The audit log: nothing goes round it, nobody rewrites it, nobody reads another's."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from crm_app.core.context import Source
from crm_app.core.errors import Forbidden
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import User
from crm_app.models.platform.audit import AuditEntry, AuditSeal
from crm_app.services.people import profile, workspaces
from crm_app.services.platform import audit, records
from crm_app.store.uow import unit_of_work
from tests.people import PASSWORD

_log, _accounts, _users = table_of(AuditEntry), table_of(Account), table_of(User)


async def entries(actor, entity: str = "", record_id: UUID | None = None) -> list[sa.RowMapping]:
    query = sa.select(_log).order_by(_log.c.at)
    if entity:
        query = query.where(_log.c.entity == entity)
    if record_id:
        query = query.where(_log.c.record_id == record_id)
    async with unit_of_work(actor) as uow:
        return list((await uow.execute(query)).mappings())


@pytest.fixture
async def account(admin):
    async with unit_of_work(admin) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


# -- nothing goes round it


async def test_many_rows_by_one_statement_are_an_entry_each(admin):
    async with unit_of_work(admin) as uow:
        made = [(await records.create(uow, ACCOUNT, {"name": f"A{i}"})).id for i in range(50)]
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.update(_accounts).where(_accounts.c.id.in_(made[:40])).values(city="Bremen"))
    told = [e for e in await entries(admin, "account") if e["action"] == "update"]
    assert {e["record_id"] for e in told} == set(made[:40])
    assert all(e["changes"] == {"city": ["", "Bremen"]} for e in told)
    assert all(e["user_id"] == admin.user_id for e in told)


async def test_raw_statements_are_in_it_with_who_sent_them(admin, account):
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.text("UPDATE account SET name = 'Raw', employees = 7 WHERE id = :id"), {"id": account.id})
        await uow.execute(sa.text("UPDATE account SET employees = 7"))  # changes nothing
    last = (await entries(admin, "account", account.id))[-1]
    assert (last["changes"], last["source"]) == ({"name": ["Kessler", "Raw"], "employees": [None, 7]}, "ui")
    assert len(await entries(admin, "account", account.id)) == 2


async def test_a_row_that_is_gone_for_good_leaves_its_values(admin, account):
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.delete(_accounts).where(_accounts.c.id == account.id))
    last = (await entries(admin, "account", account.id))[-1]
    assert last["action"] == "purge"
    assert last["changes"]["name"] == ["Kessler", None]


async def test_the_workspace_itself_is_in_it_with_all_seven(admin, alice, mallory):
    phone = replace(admin, ip="203.0.113.9", user_agent="Firefox")
    async with unit_of_work(phone) as uow:
        await workspaces.change(uow, name="Northwind Trading", time_zone="Europe/Vienna")
        before = uow.now
    async with unit_of_work(phone) as uow:  # by whatever statement
        await uow.execute(sa.text("UPDATE workspace SET currency = 'CHF', number_prefix = 'NW'"))
        await uow.execute(sa.text("UPDATE workspace SET currency = 'CHF'"))
    async with unit_of_work(admin) as uow:
        raw, said = await workspaces.history(uow)
    assert set(raw["changes"]) == {"currency", "number_prefix"} and raw["changes"]["currency"][1] == "CHF"
    assert said["changes"]["name"][1] == "Northwind Trading" and said["changes"]["time_zone"][1] == "Europe/Vienna"
    assert said["user_name"] == admin.name and abs(said["at"] - before) < timedelta(seconds=30)
    kept = await entries(admin, "workspace", admin.tenant_id)
    assert [(e["action"], e["user_id"]) for e in kept][-2:] == [("update", admin.user_id)] * 2
    assert {(e["ip"], e["user_agent"], e["source"]) for e in kept[-2:]} == {("203.0.113.9", "Firefox", "ui")}
    assert kept[0]["action"] == "create"
    assert [e for e in await entries(mallory, "workspace") if e["tenant_id"] != mallory.tenant_id] == []
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await workspaces.history(uow)


async def test_the_owner_of_the_tables_is_in_it_as_nobody(admin, account, as_owner):
    with as_owner() as connection:
        connection.execute("UPDATE account SET city = 'Ulm' WHERE id = %s", [account.id])
    last = (await entries(admin, "account", account.id))[-1]
    assert (last["changes"], last["user_id"], last["source"]) == ({"city": ["", "Ulm"]}, None, "sql")


async def test_copied_rows_are_in_it(admin):
    """As an import writes: a temporary table, then all at once; values of an import are not repeated in the log."""
    importer = replace(admin, source=Source.import_)
    record_id = new_id()
    async with unit_of_work(importer) as uow:
        await uow.execute(
            sa.insert(_accounts).from_select(
                ["tenant_id", "id", "name", "owner_id", "created_at", "updated_at", "version", *_EMPTY],
                sa.select(
                    sa.literal(admin.tenant_id), sa.literal(record_id), sa.literal("Copied"), sa.literal(admin.user_id),
                    sa.func.now(), sa.func.now(), sa.literal(1), *(sa.literal(v) for v in _EMPTY.values()),
                ),
            )
        )  # fmt: skip
    (told,) = await entries(admin, "account", record_id)
    assert (told["action"], told["source"], told["changes"]) == ("create", "import", {})


_EMPTY = dict.fromkeys(
    "industry website phone email street postal_code city region country description name_key sort_key".split(), ""
) | {"currency": "EUR"}


async def test_a_change_taken_back_is_not_in_it(admin, account):
    with pytest.raises(KeyError):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, account.id, {"city": "Ulm"})
            raise KeyError
    assert len(await entries(admin, "account", account.id)) == 1


async def test_through_which_door_and_with_which_request(admin, account):
    visitor = replace(admin, source=Source.api, ip="2001:db8::7", user_agent="curl/8 " + "x" * 900, request_id="req-42")
    async with unit_of_work(visitor) as uow:
        await records.update(uow, ACCOUNT, account.id, {"city": "Ulm"})
    last = (await entries(admin, "account", account.id))[-1]
    assert (last["source"], last["ip"], last["request_id"]) == ("api", "2001:db8::7", "req-42")
    assert last["user_agent"].startswith("curl/8")
    assert len(last["user_agent"]) <= 300


async def test_the_moment_is_the_databases_own(admin, account):
    """Somebody who tells of another time does not date the log."""
    async with unit_of_work(admin, now=account.created_at - timedelta(days=900)) as uow:
        await records.update(uow, ACCOUNT, account.id, {"city": "Ulm"})
    first, last = await entries(admin, "account", account.id)
    assert last["at"] >= first["at"]


# -- secrets


async def test_a_password_is_never_in_it(admin, alice):
    await profile.change_password(alice, current=PASSWORD, new="another sentence of tests")
    told = await entries(admin, "user", alice.user_id)
    async with unit_of_work(admin) as uow:
        secret = await uow.scalar(sa.select(_users.c.password_hash).where(_users.c.id == alice.user_id))
    assert secret
    assert any(e["changes"].get("password_hash") == ["***", "***"] for e in told)
    whole = json.dumps([e["changes"] for e in told])
    assert secret not in whole
    assert "argon2" not in whole
    async with unit_of_work(admin) as uow:  # nor when it goes with the row
        role_id = (await uow.get(User, alice.user_id)).role_id
        made = User(name="Brief", email="brief@example.com", role_id=role_id, password_hash="argon2-x")
        uow.add(made)
        await uow.flush()
        await uow.execute(sa.delete(_users).where(_users.c.id == made.id))
    assert "argon2" not in json.dumps([e["changes"] for e in await entries(admin, "user", made.id)])


# -- nobody rewrites it


@pytest.mark.parametrize("table", ["audit_log", "audit_seal"])
@pytest.mark.parametrize("role", ["app", "owner"])
async def test_it_is_append_only_even_for_the_owner(admin, account, as_owner, table, role):
    async with unit_of_work(admin, now=account.created_at + timedelta(days=1)) as uow:
        await audit.seal(uow)
    statements = [f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}"]
    for statement in statements:
        if role == "owner":
            with pytest.raises(psycopg.errors.InsufficientPrivilege), as_owner() as connection:
                connection.execute(statement)
        else:
            with pytest.raises(DBAPIError) as refusal:
                async with unit_of_work(admin) as uow:
                    await uow.execute(sa.text(statement))
            assert isinstance(refusal.value.orig, psycopg.errors.InsufficientPrivilege)
    assert len(await entries(admin, "account", account.id)) == 1


async def test_its_partitions_are_no_back_door(admin, account, as_owner):
    with as_owner() as connection:
        partitions = [
            r[0]
            for r in connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass"
            )
        ]
    assert len(partitions) >= 5
    for partition in partitions:
        for statement in (f"UPDATE {partition} SET id = id", f"DELETE FROM {partition}", f"TRUNCATE {partition}"):
            with as_owner() as connection:
                rows = connection.execute(f"SELECT count(*) FROM {partition}").fetchone()
            if not statement.startswith("TRUNCATE") and rows == (0,):
                continue  # triggers of rows have nothing to refuse
            with pytest.raises(psycopg.errors.InsufficientPrivilege), as_owner() as connection:
                connection.execute(statement)
        for statement in (f"SELECT * FROM {partition}", f"INSERT INTO {partition} DEFAULT VALUES"):
            with pytest.raises(DBAPIError) as refusal:
                async with unit_of_work(admin) as uow:
                    await uow.execute(sa.text(statement))
            assert isinstance(refusal.value.orig, psycopg.errors.InsufficientPrivilege)


async def test_nobody_makes_entries_up(admin):
    with pytest.raises(DBAPIError) as refusal:
        async with unit_of_work(admin) as uow:
            await uow.execute(
                sa.insert(_log).values(
                    tenant_id=admin.tenant_id,
                    source="ui",
                    entity="account",
                    record_id=new_id(),
                    action="create",
                    changes={},
                )
            )
    assert isinstance(refusal.value.orig, psycopg.errors.InsufficientPrivilege)


async def test_months_are_made_ahead_and_again_without_harm(admin, as_owner):
    with as_owner() as connection:
        connection.execute("SELECT crm_audit_partitions(6)")
        months = [
            r[0]
            for r in connection.execute(
                "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i), 'YYYYMM')"
                " FROM generate_series(0, 6) i"
            )
        ]
        there = {
            r[0]
            for r in connection.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass"
            )
        }
        assert {f"audit_log_{m}" for m in months} <= there
        assert connection.execute("SELECT crm_audit_partitions(6)").fetchone() == (0,)
        for month in months:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"TRUNCATE audit_log_{month}")
        connection.rollback()


# -- nobody reads another's


async def test_entries_of_another_tenant_are_not_there(admin, mallory, account):
    assert {e["tenant_id"] for e in await entries(mallory)} == {mallory.tenant_id}
    assert await entries(mallory, "account", account.id) == []
    async with unit_of_work(mallory) as uow:
        assert await audit.history(uow, "account", account.id) == []
        assert await uow.scalar(sa.select(sa.func.count()).select_from(table_of(AuditSeal))) == 0


async def test_history_asks_for_the_right_to_read_the_record(admin, alice, account):
    blind = replace(alice, permissions=alice.permissions - {"account.read"})
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(blind) as uow:
            await audit.history(uow, "account", account.id)
    assert refusal.value.permission == "account.read"


async def test_history_leaves_out_what_the_role_may_not_see(admin, account):
    async with unit_of_work(admin) as uow:
        await records.update(uow, ACCOUNT, account.id, {"city": "Ulm", "employees": 9})
    half_blind = replace(admin, hidden_fields=frozenset({"account.employees"}))
    async with unit_of_work(half_blind) as uow:
        told = await audit.history(uow, "account", account.id)
    assert told[0]["changes"] == {"city": ["", "Ulm"]}
    async with unit_of_work(half_blind) as uow:
        assert await audit.history(uow, "account", account.id, field="employees") == []


async def test_history_pages_without_losing_an_entry(admin, account):
    for i in range(12):
        async with unit_of_work(admin) as uow:
            await records.update(uow, ACCOUNT, account.id, {"employees": i})
    found, before = [], None
    while True:
        async with unit_of_work(admin) as uow:
            page = await audit.history(uow, "account", account.id, before=before, limit=5)
        if not page:
            break
        found += [e["id"] for e in page]
        before = (page[-1]["at"], page[-1]["id"])
    assert found == [e["id"] for e in reversed(await entries(admin, "account", account.id))]
    assert CONTACT.name == "contact"
