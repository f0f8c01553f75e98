"""Rules of the house that only the database can show: isolation, rights, keys, triggers."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlmodel import SQLModel

from crm_app import models
from crm_app.core import registry
from crm_app.core.registry import STAMPS, Kind
from crm_app.store.databases import DatabaseUrls
from crm_app.store.embedded import Role
from tests.conftest import TestCluster

# Tables that belong to no tenant, and why.
SHARED = {
    "workspace": "the tenants themselves; each sees its own row",
    "sign_in_attempt": "failed sign-ins: the tenant is not known yet",
    "clock_period": "which period of a job of the clock was begun",
    "alembic_version": "which migrations ran",
    "installation": "notes of the installation about itself",
}
NOT_OURS = r"^(procrastinate_.*|audit_log_(\d{6}|default))$"
KEYS = {
    "audit_log": ["at", "id"],
    "stage_total": ["tenant_id", "stage_id", "owner_id", "currency", "health"],
    "territory_account": ["tenant_id", "territory_id", "account_id"],
}
RIGHTS = {  # every other table of a tenant: all four
    "audit_log": {"SELECT"},
    "audit_seal": {"SELECT", "INSERT"},
    "stage_history": {"SELECT"},
    "stage_total": {"SELECT"},
    "territory_account": {"SELECT"},
    "sign_in": {"SELECT", "INSERT", "DELETE"},
    "workspace": {"SELECT", "INSERT", "UPDATE"},
    "sign_in_attempt": {"SELECT", "INSERT", "DELETE"},
    "clock_period": {"SELECT", "INSERT", "DELETE"},
    "alembic_version": set(),
    "installation": set(),
}
# Unique over all tenants: digests of secrets, by which a visitor is found before the tenant is known.
UNIQUE_FOR_ALL = {
    "uq_user_session_token",
    "uq_one_time_link_token",
    "uq_api_key_token",
    "uq_api_token_token",
    "pk_audit_log",
}
# Columns that name a row without a foreign key, and why that is right.
LOOSE = {
    "created_by_id", "updated_by_id", "deleted_by_id",  # stamps: the system is nobody
    "event.record_id", "event.user_id", "audit_log.record_id", "audit_log.user_id",  # the past outlives its records
    "record_merge.survivor_id", "record_merge.user_id", "record_merge.undone_by_id", "merged_record.record_id",
    "duplicate_pair.first_id", "duplicate_pair.second_id", "duplicate_pair.scan_id", "duplicate_pair.decided_by_id",
    "duplicate_scan.user_id", "merged_record.survivor_id", "merged_link.record_id",
    "territory_account.territory_id", "territory_account.account_id",  # written by triggers
    "record_share.record_id", "merged_link.from_id",  # of whatever entity
    "trashed_along.root_id", "trashed_along.row_id",
    "client_operation.user_id", "import_batch.user_id", "import_job.user_id", "import_preset.user_id",
    "attachment.about_id", "comment.about_id", "notification.about_id", "notification.source_id", "notification.by_id",
    "stage_history.pipeline_id", "stage_history.from_stage_id", "stage_history.owner_id", "stage_history.moved_by_id",
    "stage_total.stage_id", "stage_total.owner_id",  # written by triggers from rows that have the keys
}  # fmt: skip
# Definer functions see every tenant: these few, for one exact key each, or keeping to the tenant by themselves.
DEFINERS = {
    "crm_sign_in_candidates", "crm_sign_in_failed",
    "crm_session_user", "crm_link_user", "crm_team_users", "crm_tenants", "crm_search",
    "crm_audit_partitions", "crm_audit", "crm_audit_workspace", "crm_opportunity_created",
    "crm_opportunity_changed", "crm_opportunity_purged", "crm_territory_changed", "crm_account_added",
    "crm_account_changed", "crm_account_purged",
    "crm_opportunity_purging", "crm_api_key_user", "crm_api_family_user", "crm_api_token_user", "crm_note",
    "crm_schema_version",
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog(database: DatabaseUrls, cluster: TestCluster) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the superuser to this process's migrated database."""
    models.load_all()
    name = psycopg.conninfo.conninfo_to_dict(database.app)["dbname"]
    with psycopg.connect(cluster.postgres.url(Role.superuser, str(name))) as connection:
        yield connection


@pytest.fixture(scope="module")
def tenant_tables(catalog: psycopg.Connection[Any]) -> set[str]:
    found = _column(
        catalog, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    return {t for t in found if t not in SHARED and not re.match(NOT_OURS, t)}


def _column(catalog: psycopg.Connection[Any], query: str, *values: Any) -> list[Any]:
    return [row[0] for row in catalog.execute(query, values or None)]


def test_every_table_is_of_a_tenant_or_on_the_short_list(catalog, tenant_tables):
    scoped = set(
        _column(
            catalog,
            "SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
            " WHERE c.relkind IN ('r', 'p') AND a.atttypid = 'uuid'::regtype AND a.attnotnull",
        )
    )
    assert tenant_tables - scoped == set()
    assert scoped & set(SHARED) == set()


def test_every_tenant_table_is_held_by_one_inline_policy(catalog, tenant_tables):
    """A second policy would widen the first; a function in it would hide the value from the planner."""
    own = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"
    found: dict[str, list[tuple[Any, ...]]] = {t: [] for t in tenant_tables}
    for table, *policy in catalog.execute(
        "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies"
    ):
        found.setdefault(table, []).append(tuple(policy))
    workspace = found.pop("workspace")
    assert {t: p for t, p in found.items() if p != [("tenant", "PERMISSIVE", "{public}", "ALL", own, own)]} == {}
    assert [p[4:] for p in workspace] == [(own.replace("tenant_id =", "id =", 1),) * 2]
    held = set(_column(catalog, "SELECT relname FROM pg_class WHERE relrowsecurity"))
    assert {*tenant_tables, "workspace"} - held == set()


def test_keys_begin_with_the_tenant(catalog, tenant_tables):
    rows = catalog.execute(
        "SELECT c.conrelid::regclass::text, array_agg(a.attname::text ORDER BY k.n) FROM pg_constraint c"
        " CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k(num, n)"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num WHERE c.contype = 'p' GROUP BY 1"
    )
    keys = dict(rows.fetchall())
    assert {t: keys[t] for t in tenant_tables if keys[t] != KEYS.get(t, ["tenant_id", "id"])} == {}


def test_unique_is_unique_in_a_tenant(catalog, tenant_tables):
    rows = catalog.execute(
        "SELECT t.relname, i.relname, pg_get_indexdef(x.indexrelid, 1, true) FROM pg_index x"
        " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indisunique"
    )
    wide = {index for table, index, first in rows if table in tenant_tables and first != "tenant_id"}
    assert wide - UNIQUE_FOR_ALL == set()


def test_foreign_keys_carry_the_tenant(catalog, tenant_tables):
    """Checks of foreign keys pass row-level security by: only the tenant in the key keeps a link at home."""
    rows = catalog.execute(
        "SELECT conname, conrelid::regclass::text, confrelid::regclass::text,"
        " (SELECT array_agg(a.attname || '>' || b.attname) FROM unnest(conkey, confkey) k(x, y)"
        "  JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = x"
        "  JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = y) FROM pg_constraint WHERE contype = 'f'"
    ).fetchall()
    between = [r for r in rows if r[1] in tenant_tables]
    assert len(between) > 30
    assert [r[0] for r in between if "tenant_id>tenant_id" not in r[3] or r[2] not in tenant_tables] == []


def test_every_column_that_names_a_row_has_its_foreign_key(catalog, tenant_tables):
    rows = catalog.execute(
        "SELECT c.relname, a.attname, EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid = c.oid"
        "  AND a.attnum = ANY (f.conkey)) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind IN ('r', 'p') AND a.atttypid = 'uuid'::regtype AND a.attname ~ '_id$'"
        " AND a.attname <> 'tenant_id'"
    )
    loose = {f"{t}.{c}" for t, c, has in rows if t in tenant_tables and not has and c not in LOOSE}
    assert loose - LOOSE == set()


def test_every_declared_link_is_a_foreign_key_to_its_target(catalog):
    keys = {
        (table, column): target
        for table, column, target in catalog.execute(
            "SELECT f.conrelid::regclass::text, a.attname, f.confrelid::regclass::text FROM pg_constraint f"
            " JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey) AND a.attname <> 'tenant_id'"
            " WHERE f.contype = 'f'"
        )
    }
    wrong = {
        f"{e.name}.{spec.name}"
        for e in registry.all_entities()
        for spec in e.fields.values()
        if spec.kind is Kind.link and spec.name not in STAMPS
        if keys.get((e.table.name, spec.name)) != registry.get(spec.target).table.name
    }
    assert wrong == set()


def test_the_application_is_nobody_special(catalog):
    row = catalog.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
        " WHERE rolname = 'crm_app'"
    ).fetchone()
    assert row == (False,) * 5
    assert _column(catalog, "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'crm_app'::regrole") == []
    assert _column(catalog, "SELECT relname FROM pg_class WHERE relowner = 'crm_app'::regrole") == []
    assert _column(catalog, "SELECT has_schema_privilege('crm_app', 'public', 'CREATE')") == [False]


def test_the_application_has_the_rights_it_needs_and_no_more(catalog, tenant_tables):
    found: dict[str, set[str]] = {}
    kinds = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    tables = _column(
        catalog, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    for table in tables:
        for kind in kinds:
            if _column(catalog, "SELECT has_table_privilege('crm_app', %s::regclass, %s)", table, kind)[0]:
                found.setdefault(table, set()).add(kind)
    four = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    partitions = {t for t in tables if t.startswith("audit_log_")}
    assert len(partitions) >= 5
    assert {t: found[t] for t in partitions if t in found} == {}  # past the policy of the whole there is no way in
    wrong = {
        t: found.get(t, set()) for t in tables if t not in partitions and found.get(t, set()) != RIGHTS.get(t, four)
    }
    assert wrong == {}


def test_columns_are_not_granted_one_by_one(catalog):
    """A right on a column would not show in the test above."""
    granted = "SELECT attrelid::regclass::text FROM pg_attribute WHERE attacl IS NOT NULL"
    assert [t for t in _column(catalog, granted) if not t.startswith(("pg_", "information_schema"))] == []


def test_definer_functions_are_few_and_fix_their_path(catalog):
    rows = catalog.execute(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert {name for name, _ in rows} == DEFINERS
    assert {name for name, config in rows if "search_path=public, pg_temp" not in (config or [])} == set()


def test_no_view_looks_past_the_policies(catalog):
    """A plain view runs with its owner's rights; a materialised one is never filtered."""
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm' OR relkind = 'v'"
        " AND NOT coalesce(reloptions::text[] @> '{security_invoker=true}', false))"
    )
    assert _column(catalog, query) == []


def test_every_declared_entity_is_audited_under_its_name(catalog):
    rows = catalog.execute(
        "SELECT tgrelid::regclass::text, tgname, tgenabled, encode(tgargs, 'escape') FROM pg_trigger"
        " WHERE tgfoid = 'crm_audit'::regproc"
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for table, name, enabled, args in rows:
        entity = args.split("\\000")[0] or table
        if enabled in ("O", "A"):
            found.setdefault(entity, set()).add((table, name))
    triggers = ("audit_insert", "audit_update", "audit_delete")
    missing = {
        e.name
        for e in registry.all_entities()
        if e.model.__module__.startswith("crm_app.") and found.get(e.name) != {(e.table.name, t) for t in triggers}
    }
    assert missing == set()
    assert {"opportunity_line", "opportunity_stakeholder"} <= set(found)


def test_secrets_never_reach_the_audit_log(catalog):
    rows = catalog.execute(
        "SELECT c.relname, a.attname, encode(t.tgargs, 'escape') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname ~ '(password|secret|token|hash|digest)'"
        " WHERE t.tgfoid = 'crm_audit'::regproc"
    ).fetchall()
    assert rows
    told = [(t, c) for t, c, args in rows if not {f"*{c}", f"-{c}"} & set(args.split("\\000"))]
    assert told == []


def test_the_log_is_append_only_in_every_partition(catalog):
    rows = catalog.execute(
        "SELECT tgrelid::regclass::text, array_agg(DISTINCT tgname::text) FROM pg_trigger"
        " WHERE tgfoid = 'crm_append_only'::regproc AND tgenabled = 'O' GROUP BY 1"
    )
    guarded = {table: set(names) for table, names in rows}
    partitions = _column(
        catalog, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_log'::regclass"
    )
    assert {"append_only", "no_truncate"} <= guarded["audit_log"] & guarded["audit_seal"]
    assert [p for p in partitions if not {"append_only", "no_truncate"} <= guarded.get(p, set())] == []


def test_money_is_counted_and_time_has_its_zone(catalog, tenant_tables):
    rows = catalog.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    ours = [r for r in rows if r[0] in tenant_tables or r[0] in SHARED]
    assert [r for r in ours if r[1].endswith("_minor") and r[2] != "bigint"] == []
    assert [r for r in ours if r[2] == "timestamp without time zone"] == []
    assert [r for r in ours if r[1].endswith("_at") and r[2] != "timestamp with time zone"] == []


def test_the_models_are_the_tables(catalog, tenant_tables):
    declared = {t.name for t in SQLModel.metadata.tables.values() if not t.name.startswith("cond_")}
    assert {*tenant_tables, "workspace", "sign_in_attempt", "clock_period"} == declared
