"""What is wrong with this installation, and how to mend it. Reads only: a sick installation is not made worse."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from importlib import metadata

import psycopg
import redis
from packaging.markers import Marker
from packaging.version import Version

from crm_app.core.errors import NotReady
from crm_app.services.platform import frontend
from crm_app.settings import ROOT, settings
from crm_app.store import keys, migrations
from crm_app.store.databases import DatabaseUrls, database_urls

OLDEST_PYTHON = (3, 11)
_MB = 1024 * 1024
_ENOUGH, _LITTLE = 1024 * _MB, 200 * _MB  # free bytes: below the first a warning, below the second a failure
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


def examine() -> list[Check]:
    """Every check, in the order in which troubles cause each other."""
    checks = [_guarded(name, look) for name, look in _ALONE]
    try:
        urls = database_urls()
        with psycopg.connect(urls.owner, autocommit=True, connect_timeout=10) as connection:
            checks.append(_server(connection))
            for name, look in _IN_DATABASE:
                checks.append(_guarded(name, partial(look, connection, urls)))
    except NotReady as error:
        checks.append(Check("PostgreSQL", Level.fail, str(error), error.remedy))
    except (psycopg.Error, OSError) as error:
        checks.append(
            Check(
                "PostgreSQL",
                Level.fail,
                f"cannot be reached: {str(error).strip()}",
                "Start the server, or mend DATABASE_OWNER_URL; without DATABASE_URL the embedded one is used.",
            )
        )
    return checks


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check that stumbles is a finding too."""
    try:
        return look()
    except NotReady as error:
        return Check(name, Level.fail, str(error), error.remedy)
    except (psycopg.Error, OSError, redis.RedisError) as error:
        return Check(name, Level.fail, str(error).strip())


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= OLDEST_PYTHON
    return Check("Python", Level.ok if good else Level.fail, found, "" if good else "Install Python 3.11 or newer.")


def _packages() -> Check:
    wrong = []
    for name, wanted in _locked().items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found == "missing" or Version(found) != Version(wanted):
            wrong.append(f"{name} {found} instead of {wanted}")
    if not wrong:
        return Check("Packages", Level.ok, "as in requirements.lock")
    shown = ", ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "")
    missing = any("missing" in line for line in wrong)
    return Check(
        "Packages", Level.fail if missing else Level.warn, shown, "`pip install --require-hashes -r requirements.lock`."
    )


def _locked() -> dict[str, str]:
    """Name and version of each line of the lock that holds for this interpreter."""
    wanted = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        pinned, _, marker = line.rstrip("\\ ").partition(";")
        name, equals, version = pinned.strip().partition("==")
        if equals and not line.startswith((" ", "#")) and (not marker.strip() or Marker(marker.strip()).evaluate()):
            wanted[name.partition("[")[0]] = version
    return wanted


def _data_folder() -> Check:
    folder = settings().data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        remedy = f"Give this user the right to write there, free space, or set CRM_DATA_DIR. (now {folder})"
        return Check("Data folder", Level.fail, f"{folder} cannot be written: {error.strerror}", remedy)
    return Check("Data folder", Level.ok, str(folder))


def _disk() -> Check:
    folder = settings().data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    level = Level.ok if free >= _ENOUGH else Level.warn if free >= _LITTLE else Level.fail
    remedy = "" if level is Level.ok else f"Free space below {folder}; PostgreSQL stops when the disk is full."
    return Check("Disk", level, f"{free // _MB:,} MB free", remedy)


def _front_end() -> Check:
    fresh = frontend.is_fresh()
    if fresh:
        return Check("Front end", Level.ok, "built")
    found = "built from older sources" if fresh is False else "not built yet"
    return Check("Front end", Level.warn, found, "`crm serve` builds it at its start.")


def _mail() -> Check:
    if settings().smtp_host:
        sender = settings().smtp_from
        remedy = "" if sender else "Set CRM_SMTP_FROM, the address that mail comes from."
        return Check("Mail", Level.ok if sender else Level.fail, f"through {settings().smtp_host}", remedy)
    remedy = "Set CRM_SMTP_HOST and CRM_SMTP_FROM; until then an admin sees the links that mail would carry."
    return Check("Mail", Level.warn, "no server is set", remedy)


def _redis() -> Check:
    chosen = settings()
    if not chosen.redis_url:
        if chosen.workers > 1:
            return Check(
                "Redis", Level.fail, f"{chosen.workers} workers and no Redis", "Set REDIS_URL, or CRM_WORKERS=1."
            )
        return Check("Redis", Level.ok, "not needed by one process")
    client = redis.Redis.from_url(chosen.redis_url, socket_connect_timeout=5)
    try:
        client.ping()
    except redis.RedisError as error:
        return Check("Redis", Level.fail, f"does not answer: {error}", "Start Redis, or mend REDIS_URL.")
    finally:
        client.close()
    return Check("Redis", Level.ok, "answers")


def _server(connection: psycopg.Connection) -> Check:
    version = connection.info.parameter_status("server_version") or ""
    kind = "embedded" if settings().is_embedded else "own server"
    if connection.info.server_version // 10_000 < migrations.OLDEST_POSTGRESQL:
        oldest = migrations.OLDEST_POSTGRESQL
        return Check("PostgreSQL", Level.fail, f"{version} ({kind})", f"Upgrade it to {oldest} or newer.")
    return Check("PostgreSQL", Level.ok, f"{version} ({kind})")


def _roles(connection: psycopg.Connection, urls: DatabaseUrls) -> Check:
    """The role of the application must be held by row-level security."""
    with psycopg.connect(urls.app, autocommit=True, connect_timeout=10) as app:
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


_ALONE: tuple[tuple[str, Callable[[], Check]], ...] = (
    ("Python", _python),
    ("Packages", _packages),
    ("Data folder", _data_folder),
    ("Disk", _disk),
    ("Front end", _front_end),
    ("Mail", _mail),
    ("Redis", _redis),
)
_IN_DATABASE: tuple[tuple[str, Callable[[psycopg.Connection, DatabaseUrls], Check]], ...] = (
    ("Roles", _roles),
    ("Migrations", _migrations),
    ("Secret key", _key),
    ("Background jobs", _worker),
)
