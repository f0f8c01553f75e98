"""Migrations run by the program itself: one process at a time, after a backup, and never on top of a half-done one."""

import asyncio
import importlib
import pkgutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import crm_app.models
from crm_app.core.clock import utcnow
from crm_app.core.errors import NotReady
from crm_app.settings import ROOT, settings
from crm_app.store import backup, installation, keys
from crm_app.store.databases import DatabaseUrls, database_urls, reach

OLDEST_POSTGRESQL = 14
SCRIPTS = ROOT / "alembic"
_RUN = "migration_run"
_LOCK = 7_270_001  # advisory lock: one process migrates, the others wait for it
_LOCK_SECONDS = 600


@dataclass(frozen=True)
class Run:
    """A migration that began and did not end."""

    since: datetime
    from_revision: str | None
    to_revision: str
    backup: str
    error: str


@dataclass(frozen=True)
class Status:
    """Where the database stands. `pending` are the revisions still to run, oldest first."""

    current: str | None
    head: str | None
    pending: tuple[str, ...]
    half_done: Run | None
    is_newer: bool = False  # the database knows a revision that this program does not

    @property
    def is_ready(self) -> bool:
        return not self.pending and self.half_done is None and not self.is_newer


def import_models() -> None:
    """Every module below crm_app.models, so that the metadata is complete."""
    for module in pkgutil.walk_packages(crm_app.models.__path__, "crm_app.models."):
        importlib.import_module(module.name)


def status(urls: DatabaseUrls | None = None, *, scripts: Path = SCRIPTS) -> Status:
    with reach((urls or database_urls()).owner) as connection:
        return _status(connection, scripts)


def require_ready(urls: DatabaseUrls | None = None, *, scripts: Path = SCRIPTS) -> None:
    """NotReady unless the database is at the newest migration and none is half done."""
    found = status(urls, scripts=scripts)
    _refuse(found)
    if found.pending:
        raise NotReady(
            f"The database lacks {len(found.pending)} migration(s): {', '.join(found.pending)}.",
            remedy="Run `crm migrate`.",
        )


async def upgrade_async(urls: DatabaseUrls | None = None) -> Status:
    """`upgrade` from inside a running event loop."""
    return await asyncio.to_thread(upgrade, urls)


def upgrade(
    urls: DatabaseUrls | None = None,
    *,
    scripts: Path = SCRIPTS,
    with_backup: bool = True,
    again: bool = False,
    told: Callable[[str], None] = lambda _line: None,
) -> Status:
    """Run what is pending, after a backup when the database holds anything already.

    `again` drops the mark of a half-done run: for an operator who looked and decided. `told` hears each step.
    """
    urls = urls or database_urls()
    with reach(urls.owner) as connection, _alone(connection, told):
        _check_server(connection, urls)
        installation.prepare(connection)
        keys.establish(connection)
        if again:
            installation.forget(connection, _RUN)
        before = _status(connection, scripts)
        _refuse(before)
        if before.pending:
            _run(connection, urls, before, scripts=scripts, with_backup=with_backup, told=told)
        return _status(connection, scripts)


def _run(
    connection: psycopg.Connection,
    urls: DatabaseUrls,
    before: Status,
    *,
    scripts: Path,
    with_backup: bool,
    told: Callable[[str], None],
) -> None:
    saved = ""
    if with_backup and before.current is not None:
        told("Backing up before the migration")
        folder = settings().data_dir / "backups"
        saved = str(backup.create(backup.free_name(folder, f"before-{before.pending[-1]}", utcnow()), urls=urls))
    mark = {
        "since": utcnow().isoformat(),
        "from": before.current,
        "to": before.pending[-1],
        "backup": saved,
        "error": "",
    }
    installation.write(connection, _RUN, mark)
    told(f"Migrating: {len(before.pending)} step(s)")
    try:
        command.upgrade(config_of(scripts, urls.owner), "head")
    except Exception as error:
        installation.write(connection, _RUN, {**mark, "error": str(error)[:2000]})
        raise NotReady(
            f"The migration to {mark['to']} stopped: {str(error).strip()[:500]}", remedy=_way_out(_read_run(connection))
        ) from error
    installation.forget(connection, _RUN)


def _refuse(found: Status) -> None:
    if found.half_done is not None:
        run = found.half_done
        raise NotReady(
            f"The migration to {run.to_revision} of {run.since:%Y-%m-%d %H:%M} UTC did not end; "
            f"the database stands at {found.current or 'nothing'}. {run.error}".strip(),
            remedy=_way_out(run),
        )
    if found.is_newer:
        raise NotReady(
            f"The database is at {found.current}, which this version of SalesCompass does not know.",
            remedy="It was migrated by a newer version: start that one, or restore a backup made before.",
        )


def _way_out(run: Run | None) -> str:
    tail = "`crm migrate --again` goes on from where it stands, once you know why it stopped."
    return (
        f"Take the database back with `crm restore {run.backup} --replace`, or: {tail}" if run and run.backup else tail
    )


def _status(connection: psycopg.Connection, folder: Path) -> Status:
    scripts = _load(folder)
    head = scripts.get_current_head()
    has_version = connection.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone()
    row = (
        connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if has_version and has_version[0]
        else None
    )
    current = str(row[0]) if row else None
    half_done = _read_run(connection)
    steps = [str(s.revision) for s in reversed(list(scripts.walk_revisions()))]
    if current is not None and current not in steps:
        return Status(current, head, (), half_done, is_newer=True)
    pending = tuple(steps[steps.index(current) + 1 :] if current else steps)
    return Status(current, head, pending, half_done)


def _read_run(connection: psycopg.Connection) -> Run | None:
    noted: dict[str, Any] | None = installation.read(connection, _RUN)
    if noted is None:
        return None
    since = datetime.fromisoformat(noted["since"]).astimezone(UTC)
    return Run(since, noted["from"], noted["to"], noted["backup"], noted["error"])


def _check_server(connection: psycopg.Connection, urls: DatabaseUrls) -> None:
    major = connection.info.server_version // 10_000
    if major < OLDEST_POSTGRESQL:
        raise NotReady(
            f"The server is PostgreSQL {major}; SalesCompass needs {OLDEST_POSTGRESQL} or newer.",
            remedy="Upgrade the server, or unset DATABASE_URL to use the embedded one.",
        )
    with reach(urls.app) as app:
        if app.info.user == connection.info.user:
            raise NotReady(
                f"DATABASE_URL and DATABASE_OWNER_URL both sign in as {app.info.user}: "
                "the owner of the tables is not held by row-level security.",
                remedy="Make the roles crm_owner and crm_app (docs/running.md) and set both addresses.",
            )


@contextmanager
def _alone(connection: psycopg.Connection, told: Callable[[str], None]) -> Iterator[None]:
    deadline, waits = time.monotonic() + _LOCK_SECONDS, False
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
        if row and row[0]:
            break
        if time.monotonic() > deadline:
            raise NotReady("Another process has been migrating for ten minutes.", remedy="Look at what it waits for.")
        if not waits:
            told("Waiting for another process that is migrating")
            waits = True
        time.sleep(0.2)
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@cache
def _load(scripts: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(config_of(scripts, ""))


def config_of(scripts: Path, url: str) -> Config:
    """What Alembic's commands want, for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["url"] = url
    return config
