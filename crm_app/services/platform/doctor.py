"""What is wrong with this installation, and how to mend it. Reads only: a sick installation is not made worse."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata

import psycopg
import redis
from packaging.markers import Marker
from packaging.version import Version

from crm_app.integrations.files import FilesRefused, attached, key_of
from crm_app.services.platform import frontend
from crm_app.settings import ROOT, settings
from crm_app.store import health
from crm_app.store.databases import database_urls, reach
from crm_app.store.health import Check, Level, guarded

OLDEST_PYTHON = (3, 11)
_MB = 1024 * 1024
_ENOUGH, _LITTLE = 1024 * _MB, 200 * _MB  # free bytes: below the first a warning, below the second a failure


def examine() -> list[Check]:
    """Every check, in the order in which troubles cause each other."""
    alone = [guarded(name, look) for name, look in _ALONE]
    database = health.examine()
    return [*alone, *database, *([guarded("Files", _files)] if len(database) > 1 else [])]


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


def _files() -> Check:
    """Whether files can be kept, and whether those are there that rows tell of."""
    place = attached()
    try:
        place.probe()
        with reach(database_urls().owner) as connection:
            wanted = _attached(connection)
            sizes = place.sizes()  # after the rows: content is there before its row
            lost = [k for k, (_, size) in wanted.items() if sizes.get(k) != size]
            still = _attached(connection) if lost else {}
    except FilesRefused as error:
        remedy = "Look at CRM_S3_BUCKET and its keys, or at the folder; until then nobody reads or attaches a file."
        return Check("Files", Level.fail, str(error), remedy)
    lost = [k for k in lost if k in still]
    if lost:
        found = (
            f"{len(lost):,} of {len(wanted):,} are missing or damaged in {place.where}, such as {wanted[lost[0]][0]}"
        )
        remedy = f"`crm restore BACKUP --files-only` puts back what a backup holds of them. (first: {lost[0]})"
        return Check("Files", Level.fail, found, remedy)
    return Check("Files", Level.ok, f"{len(wanted):,} in {place.where}")


def _attached(connection: psycopg.Connection) -> dict[str, tuple[str, int]]:
    """Name and bytes of every file that a record has, by the key under which it lies."""
    there = connection.execute("SELECT to_regclass('public.attachment') IS NOT NULL").fetchone()
    if not there or not there[0]:
        return {}
    rows = connection.execute("SELECT tenant_id, id, name, size FROM attachment WHERE deleted_at IS NULL")
    return {key_of(tenant_id, file_id): (name, size) for tenant_id, file_id, name, size in rows}


_ALONE: tuple[tuple[str, Callable[[], Check]], ...] = (
    ("Python", _python),
    ("Packages", _packages),
    ("Data folder", _data_folder),
    ("Disk", _disk),
    ("Front end", _front_end),
    ("Mail", _mail),
    ("Redis", _redis),
)
