"""How the database is: server, roles, migrations, secret key, background jobs. Reads only."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import psycopg

from crm_app.core.errors import NotReady
from crm_app.settings import settings
from crm_app.store import keys, migrations
from crm_app.store.databases import DatabaseUrls, database_urls, reach

_QUIET_SECONDS = 60  # a worker says every 10 s that it lives


class Level(StrEnum):
    ok = "ok"
    warn = "warn"
    fail = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `found` is what there is, `remedy` what to do when that is not good."""

    name: str
    level: Level
    found: str
    remedy: str = ""


def guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check that stumbles is a finding too."""
    try:
        return look()
    except NotReady as error:
        return Check(name, Level.fail, str(error), error.remedy)
    except (psycopg.Error, OSError) as error:
        return Check(name, Level.fail, str(error).strip())


def examine(urls: DatabaseUrls | None = None) -> list[Check]:
    """Every check of the database; the first one alone when it cannot be reached."""
    try:
        urls = urls or database_urls()
        with reach(urls.owner) as connection:
            looks = [guarded(name, partial(look, connection, urls)) for name, look in _CHECKS]
            return [_server(connection), *looks]
    except NotReady as error:
        return [Check("PostgreSQL", Level.fail, str(error), error.remedy)]


def _server(connection: psycopg.Connection) -> Check:
    version = connection.info.parameter_status("server_version") or ""
    kind = "embedded" if settings().is_embedded else "own server"
    if connection.info.server_version // 10_000 < migrations.OLDEST_POSTGRESQL:
        oldest = migrations.OLDEST_POSTGRESQL
        return Check("PostgreSQL", Level.fail, f"{version} ({kind})", f"Upgrade it to {oldest} or newer.")
    return Check("PostgreSQL", Level.ok, f"{version} ({kind})")


def _roles(connection: psycopg.Connection, urls: DatabaseUrls) -> Check:
    """The role of the application must be held by row-level security."""
    with reach(urls.app) as app:
        row = app.execute(
            "SELECT r.rolname, r.rolsuper, r.rolbypassrls, pg_has_role(r.oid, %s, 'MEMBER'),"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p'))"
            " FROM pg_roles r WHERE r.rolname = current_user",
            [connection.info.user],
        ).fetchone()
    if row is None:
        return Check("Roles", Level.fail, "the role of the application is not in pg_roles")
    name, is_super, bypasses, is_owner, owned = row
    faults = [
        word
        for word, holds in (
            ("is a superuser", is_super),
            ("bypasses row-level security", bypasses),
            (f"may act as {connection.info.user}", is_owner),
            (f"owns {owned} table(s)", owned),
        )
        if holds
    ]
    if faults:
        return Check(
            "Roles",
            Level.fail,
            f"{name} {' and '.join(faults)}: workspaces are not kept apart",
            "Give DATABASE_URL a plain role and DATABASE_OWNER_URL the owner (docs/running.md has the SQL).",
        )
    return Check("Roles", Level.ok, f"{name} is held by row-level security")


def _migrations(_connection: psycopg.Connection, urls: DatabaseUrls) -> Check:
    found = migrations.status(urls)
    if found.half_done or found.is_newer:
        migrations.require_ready(urls)  # says what and how to mend it
    if found.pending:
        return Check("Migrations", Level.warn, f"{len(found.pending)} to run", "`crm migrate`, or simply `crm serve`.")
    return Check("Migrations", Level.ok, f"at {found.current}, the newest")


def _key(connection: psycopg.Connection, _urls: DatabaseUrls) -> Check:
    if not keys.is_present() and not keys.is_sealed(connection):
        return Check("Secret key", Level.ok, "made at the first start")
    keys.secret_key()  # says what is wrong with it
    if keys.fits(connection) is False:
        return Check(
            "Secret key",
            Level.fail,
            "it is not the one this database was written with",
            f"Put back the right one, in CRM_SECRET_KEY or {keys.key_file()}.",
        )
    return Check("Secret key", Level.ok, "opens what it sealed" if keys.is_sealed(connection) else "well-formed")


def _worker(connection: psycopg.Connection, _urls: DatabaseUrls) -> Check:
    exists = connection.execute("SELECT to_regclass('public.procrastinate_workers') IS NOT NULL").fetchone()
    if not exists or not exists[0]:
        return Check("Background jobs", Level.ok, "nothing yet")
    row = connection.execute(
        "SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)),"
        " (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
        "   AND coalesce(scheduled_at, now()) < now() - interval '5 minutes'),"
        " (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed')",
        [_QUIET_SECONDS],
    ).fetchone()
    alive, late, failed = row or (0, 0, 0)
    found = f"{alive} worker(s) alive, {late} job(s) late, {failed} failed"
    if not alive:
        return Check("Background jobs", Level.warn, found, "`crm serve` runs them, or `crm worker` in its own process.")
    return Check("Background jobs", Level.warn if failed or late else Level.ok, found)


_CHECKS: tuple[tuple[str, Callable[[psycopg.Connection, DatabaseUrls], Check]], ...] = (
    ("Roles", _roles),
    ("Migrations", _migrations),
    ("Secret key", _key),
    ("Background jobs", _worker),
)
