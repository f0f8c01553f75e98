"""Backup and restore: everything comes back, nothing is overwritten unasked, nothing is half restored."""

import base64
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from crm_app.store import backup
from crm_app.store.databases import DatabaseUrls
from tests.cli.runs import crm

Make = Callable[..., DatabaseUrls]


def found_workspace(urls: DatabaseUrls, name: str) -> None:
    """A row in a table under row-level security, with whatever columns it needs."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE keepsake (id int PRIMARY KEY, word text, kept bytea)")
        connection.execute("INSERT INTO keepsake VALUES (1, %s, '\\x00ff')", [name])


def contents(urls: DatabaseUrls) -> dict[str, int]:
    """Rows of every table."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            )
        ]
        counted = {}
        for table in tables:
            row = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            counted[table] = row[0] if row else 0
        return counted


def shape(urls: DatabaseUrls) -> list[tuple[str, ...]]:
    """Policies, triggers, grants: what a dump could lose."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        return sorted(
            connection.execute(
                "SELECT 'policy', c.relname::text, p.polname::text"
                "   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
                " UNION ALL SELECT 'trigger', c.relname::text, t.tgname::text FROM pg_trigger t"
                "   JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
                " UNION ALL SELECT 'grant', table_name, grantee || ' ' || privilege_type"
                "   FROM information_schema.role_table_grants WHERE table_schema = 'public'"
                " UNION ALL SELECT 'rls', relname::text, relrowsecurity::text FROM pg_class"
                "   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            )
        )


@pytest.fixture
def saved(another_database: Make, tmp_path: Path) -> tuple[DatabaseUrls, Path]:
    """A database with something in it, and its backup."""
    urls = another_database()
    found_workspace(urls, "Kraków ☂")
    upload = tmp_path / "there" / "files" / "ab" / "contract.pdf"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"%PDF")
    file = tmp_path / "copy.crm"
    answer = crm("backup", file, urls=urls, CRM_DATA_DIR=tmp_path / "there")
    assert answer.code == 0, answer.text
    return urls, file


def test_round_trip_into_an_empty_database(saved: tuple[DatabaseUrls, Path], another_database: Make, tmp_path: Path):
    source, file = saved
    target = another_database(migrated=False)
    answer = crm("restore", file, urls=target, CRM_DATA_DIR=tmp_path / "here")
    assert answer.code == 0, answer.text
    assert contents(target) == contents(source)
    assert shape(target) == shape(source)
    assert (tmp_path / "here" / "files" / "ab" / "contract.pdf").read_bytes() == b"%PDF"
    with psycopg.connect(target.owner) as connection:
        assert connection.execute("SELECT word, kept FROM keepsake").fetchone() == ("Kraków ☂", b"\x00\xff")


def test_onto_data_only_when_asked_and_then_the_old_is_kept(
    saved: tuple[DatabaseUrls, Path], another_database: Make, tmp_path: Path
):
    source, file = saved
    target = another_database()
    with psycopg.connect(target.owner) as connection:
        connection.execute("CREATE TABLE precious (n int)")
    refused = crm("restore", file, urls=target, CRM_DATA_DIR=tmp_path)
    assert refused.code == 1
    assert "holds data already" in refused.lines
    assert "precious" in contents(target)

    done = crm("restore", file, "--replace", urls=target, CRM_DATA_DIR=tmp_path)
    assert done.code == 0, done.text
    assert contents(target) == contents(source)
    (safety,) = (tmp_path / "backups").glob("before-restore-*.crm")
    assert str(safety) in done.lines
    back = crm("restore", safety, "--replace", urls=target, CRM_DATA_DIR=tmp_path)
    assert back.code == 0, back.text
    assert "precious" in contents(target)


def test_a_damaged_backup_changes_nothing(saved: tuple[DatabaseUrls, Path], tmp_path: Path):
    source, file = saved
    before = contents(source)
    damaged = tmp_path / "damaged.crm"
    with tarfile.open(file) as whole, tarfile.open(damaged, "w") as half:
        half.addfile(whole.getmember("manifest.json"), whole.extractfile("manifest.json"))
        dump = whole.getmember("database.dump")
        dump.size = dump.size // 2
        half.addfile(dump, whole.extractfile("database.dump"))
    answer = crm("restore", damaged, "--replace", urls=source)
    assert answer.code == 1
    assert contents(source) == before
    (tmp_path / "noise.crm").write_bytes(b"not a backup")
    answer = crm("restore", tmp_path / "noise.crm", "--replace", urls=source)
    assert answer.code == 1
    assert "is not a backup of SalesCompass" in answer.lines


def test_not_while_somebody_works(saved: tuple[DatabaseUrls, Path]):
    source, file = saved
    with psycopg.connect(source.app):
        answer = crm("restore", file, "--replace", urls=source)
    assert answer.code == 1
    assert "1 connection(s) to the database are open" in answer.lines


def test_the_key_must_be_that_of_the_backup_or_be_given_up(
    saved: tuple[DatabaseUrls, Path], another_database: Make, tmp_path: Path
):
    _source, file = saved
    target, other = another_database(migrated=False), base64.b64encode(b"z" * 32).decode()
    refused = crm("restore", file, urls=target, CRM_SECRET_KEY=other)
    assert refused.code == 1
    assert "not the one that the backup was made with" in refused.lines
    assert "--new-key" in refused.lines
    done = crm("restore", file, "--new-key", urls=target, CRM_SECRET_KEY=other)
    assert done.code == 0, done.text
    assert "keepsake" in contents(target)


def test_it_holds_no_key_and_others_cannot_read_it(saved: tuple[DatabaseUrls, Path]):
    _source, file = saved
    assert file.stat().st_mode & 0o077 == 0
    with tarfile.open(file) as tar:
        assert sorted(tar.getnames()) == ["database.dump", "files/ab/contract.pdf", "manifest.json"]
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)["files"] == 1


def test_where_it_cannot_be_written_is_said(another_database: Make, tmp_path: Path):
    (tmp_path / "file").touch()
    answer = crm("backup", tmp_path / "file" / "x.crm", urls=another_database())
    assert answer.code == 1
    assert "cannot be written" in answer.lines


def test_an_older_server_is_not_asked_for_settings_it_does_not_know(tmp_path: Path):
    script = tmp_path / "restore.sql"
    data = (
        "SELECT pg_catalog.set_config('search_path', '', false);\nCOPY public.note FROM stdin;\nSET novelty = 1;\n\\.\n"
    )
    script.write_text(f"-- dump\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n{data}")
    backup.for_server(script, {"statement_timeout"})
    assert script.read_text() == f"-- dump\nSET statement_timeout = 0;\n{data}"
