"""Backup and restore: one file with the database (pg_dump's custom format) and the uploaded files, those of a bucket
included when one is given.

The file is a tar of `manifest.json`, `database.dump` and `files/...`; the secret key is not in it (the manifest carries
a fingerprint of it), so that a stolen backup does not open what is encrypted inside.
"""

import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import IO

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crm_app.core.clock import utcnow
from crm_app.core.errors import CrmError, NotReady
from crm_app.settings import settings
from crm_app.store import backup_files, installation, keys
from crm_app.store.backup_files import Bucket
from crm_app.store.databases import DatabaseUrls, database_urls, reach
from crm_app.store.programs import client_programs, run

FORMAT = 1
_SECONDS = 6 * 3600
_SETTING = re.compile(rb"SET (\w+) = ")
_END_OF_HEAD = b"SELECT pg_catalog.set_config('search_path'"
_EMPTY = """
DO $$
DECLARE command text;
BEGIN
  FOR command IN
    SELECT format('DROP %s IF EXISTS public.%I CASCADE', kind.word, c.relname)
    FROM pg_class c
    JOIN (VALUES (1, 'v', 'VIEW'), (2, 'm', 'MATERIALIZED VIEW'), (3, 'r', 'TABLE'), (3, 'p', 'TABLE'),
      (4, 'S', 'SEQUENCE')) AS kind (turn, relkind, word) ON kind.relkind = c.relkind::text
    WHERE c.relnamespace = 'public'::regnamespace AND c.relowner = current_user::regrole
    ORDER BY kind.turn
  LOOP EXECUTE command; END LOOP;
  FOR command IN
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure) FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
  LOOP EXECUTE command; END LOOP;
  FOR command IN
    SELECT format('DROP TYPE IF EXISTS public.%I CASCADE', t.typname) FROM pg_type t
    WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd', 'c', 'r')
      AND t.typowner = current_user::regrole
  LOOP EXECUTE command; END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. `revision` is the migration it was taken at; `left_out` is where the uploaded files
    are, if not in it."""

    format: int
    made_at: str
    revision: str | None
    postgresql: int
    key_mark: str
    files: int
    left_out: str = ""


def free_name(folder: Path, label: str, now: datetime) -> Path:
    """A file of this folder that is not there yet, named after the label and the second."""
    stem = f"{re.sub(r'[^a-zA-Z0-9_.-]+', '-', label)}-{now:%Y%m%d-%H%M%S}"
    names = (f"{stem}{f'-{n}' if n else ''}.crm" for n in count())
    return next(path for name in names if not (path := folder / name).exists())


def create(
    target: Path, *, urls: DatabaseUrls | None = None, bucket: Bucket | None = None, with_files: bool = True
) -> Path:
    """Write a backup to `target` (into it, when it is a folder) and return the file. It appears whole or not at all,
    and never in the place of another file. What lies in a bucket that is not given is not in it."""
    urls = urls or database_urls()
    path = free_name(target, "salescompass", utcnow()) if target.is_dir() else target
    if path.exists():
        raise NotReady(f"{path} exists already.", remedy="Name another file, or a folder.")
    try:
        settings().data_dir.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.part")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600), "wb") as out:
            _write(out, urls, bucket, with_files=with_files)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    except OSError as error:
        raise NotReady(
            f"The backup cannot be written to {path}: {error.strerror or error}.",
            remedy="Choose another folder, or free space.",
        ) from error
    return path


def read_manifest(path: Path) -> Manifest:
    """NotReady when the file is no backup of ours."""
    try:
        with tarfile.open(path) as tar:
            member = tar.extractfile("manifest.json")
            noted = json.loads(member.read()) if member else {}
        known = {f.name for f in fields(Manifest)}  # a newer version may say more
        return Manifest(**{n: v for n, v in noted.items() if n in known})
    except (OSError, KeyError, TypeError, ValueError, tarfile.TarError) as error:
        raise NotReady(
            f"{path} is not a backup of SalesCompass ({error}).", remedy="Name a file that `crm backup` wrote."
        ) from error


def restore(
    path: Path,
    *,
    replace: bool = False,
    new_key: bool = False,
    urls: DatabaseUrls | None = None,
    bucket: Bucket | None = None,
) -> Path | None:
    """Load a backup, all of it or nothing. Onto a database that holds anything only with `replace`, after a backup of
    what is there, which is returned. Uploads of the backup are added, to the bucket when there is one; files that are
    there already stay.

    `new_key` accepts that what the lost secret key encrypted stays unreadable.
    """
    urls = urls or database_urls()
    manifest = read_manifest(path)
    if manifest.format > FORMAT:
        raise NotReady(
            f"{path} was written by a newer version of SalesCompass.", remedy="Restore it with that version."
        )
    if not new_key:
        _check_key(manifest)
    there = backup_files.sizes_in(bucket)  # says that it cannot be reached before anything is changed
    safety = None
    with reach(urls.owner) as connection:
        _check_unused(connection)
        if not _is_empty(connection):
            if not replace:
                raise NotReady(
                    "The database holds data already.",
                    remedy="`--replace` puts the backup in its place, and saves what is there first.",
                )
            safety = create(
                free_name(settings().data_dir / "backups", "before-restore", utcnow()), urls=urls, bucket=bucket
            )
    _load(path, urls)
    if new_key:
        with reach(urls.owner) as connection:
            installation.forget(connection, keys.CHECK)
            keys.establish(connection)
    try:
        put_back_files(path, bucket=bucket, there=there)
    except (CrmError, OSError) as error:
        raise NotReady(
            f"The database is restored, but not every file: {error}",
            remedy=f"`crm migrate`, then `crm restore {path} --files-only` for the rest.",
        ) from error
    return safety


def put_back_files(path: Path, *, bucket: Bucket | None = None, there: Mapping[str, int] | None = None) -> int:
    """Put the uploaded files of a backup where they are missing or damaged, and nothing else; how many those were."""
    read_manifest(path)
    known = backup_files.sizes_in(bucket) if there is None else there
    with tarfile.open(path) as tar:
        return backup_files.put_back(tar, bucket, known)


def _load(path: Path, urls: DatabaseUrls) -> None:
    """Emptying and loading are one transaction: when it fails, the database is as it was."""
    data_dir = settings().data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=data_dir) as folder, tarfile.open(path) as tar:
        tar.extract("database.dump", folder, filter="data")
        dump, script, emptying = Path(folder, "database.dump"), Path(folder, "restore.sql"), Path(folder, "empty.sql")
        emptying.write_text(_EMPTY)
        _run("pg_restore", urls.owner, "--no-owner", "-f", str(script), str(dump), connects=False)
        with reach(urls.owner) as connection:
            known = {str(name) for (name,) in connection.execute("SELECT name FROM pg_settings")}
        for_server(script, known)
        _run("psql", urls.owner, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", str(emptying), "-f", str(script))


def for_server(script: Path, known: Collection[str]) -> None:
    """Leave out the settings at the head of a restore script that the server does not know: programs of PostgreSQL 17
    set `transaction_timeout`, at which an older server stops."""
    fitting = script.with_suffix(".fitting")
    with script.open("rb") as whole, fitting.open("wb") as out:
        for line in whole:
            setting = _SETTING.match(line)
            if setting is None or setting[1].decode() in known:
                out.write(line)
            if line.startswith(_END_OF_HEAD):
                break
        shutil.copyfileobj(whole, out)
    fitting.replace(script)


def _write(out: IO[bytes], urls: DatabaseUrls, bucket: Bucket | None, *, with_files: bool) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="backup-", dir=settings().data_dir) as folder,
        tarfile.open(fileobj=out, mode="w") as tar,
    ):
        dump = Path(folder, "database.dump")
        _run("pg_dump", urls.owner, "-Fc", "--no-owner", "-f", str(dump))
        # After the dump: a file is there before the row that tells of it, so every row of the dump finds its own.
        files = backup_files.found(bucket) if with_files else []
        left_out = "" if with_files else backup_files.where(bucket)
        _add_manifest(tar, urls, len(files), left_out)
        tar.add(dump, "database.dump")
        backup_files.add(tar, files, bucket)


def _add_manifest(tar: tarfile.TarFile, urls: DatabaseUrls, files: int, left_out: str) -> None:
    with reach(urls.owner) as connection:
        manifest = Manifest(
            format=FORMAT,
            made_at=utcnow().isoformat(),
            revision=_revision(connection),
            postgresql=connection.info.server_version // 10_000,
            key_mark=_key_mark(),
            files=files,
            left_out=left_out,
        )
    text = json.dumps(asdict(manifest), indent=2).encode()
    head = tarfile.TarInfo("manifest.json")
    head.size, head.mode = len(text), 0o600
    tar.addfile(head, io.BytesIO(text))


def _run(program: str, url: str, *arguments: str, connects: bool = True) -> None:
    """The password goes through the environment, where other users do not see it."""
    where = conninfo_to_dict(url)
    password = str(where.pop("password", ""))
    with reach(url) as connection:
        programs = client_programs(settings().pg_bin, connection.info.server_version // 10_000)
    target = ["-d", make_conninfo("", **where)] if connects else []
    run([programs[program], *target, *arguments], None, timeout=_SECONDS, extra_environment={"PGPASSWORD": password})


def _key_mark() -> str:
    """Tells whether two keys are the same without telling the key."""
    return keys.derived_key("backup mark").hex()[:16]


def _check_key(manifest: Manifest) -> None:
    if keys.is_present() and _key_mark() != manifest.key_mark:
        raise NotReady(
            "The secret key here is not the one that the backup was made with.",
            remedy=f"Put that key into CRM_SECRET_KEY or {keys.key_file()}. If it is lost: `--new-key` restores "
            "all but what it encrypted (passwords of mailboxes and the like).",
        )
    if not keys.is_present():
        raise NotReady(
            "The secret key that the backup was made with is missing here.",
            remedy=f"Put it into CRM_SECRET_KEY or {keys.key_file()}. If it is lost: `--new-key`.",
        )


def _check_unused(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
    ).fetchone()
    if row and row[0]:
        raise NotReady(
            f"{row[0]} connection(s) to the database are open.",
            remedy="Stop `crm serve`, `crm worker` and whatever else uses it, then try again.",
        )


def _is_empty(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND relname <> 'installation'"
    ).fetchone()
    return not (row and row[0])


def _revision(connection: psycopg.Connection) -> str | None:
    exists = connection.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if exists and exists[0] else None
    return str(row[0]) if row else None
