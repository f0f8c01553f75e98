"""Migrations by the program: refused when half done, after a backup, by one process at a time."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from crm_app.core.errors import NotReady
from crm_app.settings import ROOT
from crm_app.store import backup, installation, keys, migrations
from crm_app.store.databases import DatabaseUrls

Make = Callable[..., DatabaseUrls]
Scripts = Callable[..., Path]
_STEP = """
from alembic import op
revision, down_revision, branch_labels, depends_on = {name!r}, {before!r}, None, None
def upgrade():
    {body}
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    """The product's migrations with further ones after them: `scripts(next_1="op.execute(...)")`."""
    numbers = count()

    def make(**steps: str) -> Path:
        folder = tmp_path / f"alembic{next(numbers)}"
        shutil.copytree(migrations.SCRIPTS, folder)
        before = ScriptDirectory(str(migrations.SCRIPTS)).get_current_head()
        for name, body in steps.items():
            (folder / "versions" / f"{name}.py").write_text(_STEP.format(name=name, before=before, body=body))
            before = name
        return folder

    return make


def mark_half_done(urls: DatabaseUrls, *, saved: str = "/backups/before-0002.crm") -> None:
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        note = {"since": "2026-11-20T08:30:00+00:00", "from": "0001", "to": "0002", "backup": saved, "error": ""}
        installation.write(connection, "migration_run", note)


def test_a_new_database_is_migrated_without_a_backup(another_database: Make) -> None:
    urls = another_database(migrated=False)
    done = migrations.upgrade(urls)
    assert done.is_ready
    assert done.current == done.head
    migrations.require_ready(urls)


def test_two_processes_at_once_migrate_once(another_database: Make) -> None:
    urls = another_database(migrated=False)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _n: migrations.upgrade(urls), range(2)))
    assert [r.is_ready for r in results] == [True, True]


def test_a_half_done_migration_is_refused_with_the_way_out(another_database: Make) -> None:
    urls = another_database()
    mark_half_done(urls)
    for act in (migrations.require_ready, migrations.upgrade):
        with pytest.raises(NotReady, match="0002 of 2026-11-20 08:30 UTC did not end") as refusal:
            act(urls)
        assert "crm restore /backups/before-0002.crm --replace" in refusal.value.remedy
        assert "crm migrate --again" in refusal.value.remedy
    assert migrations.upgrade(urls, again=True).is_ready


def test_a_database_of_a_newer_version_is_refused(another_database: Make, scripts: Scripts) -> None:
    urls = another_database()
    migrations.upgrade(urls, scripts=scripts(from_the_future="pass"))
    with pytest.raises(NotReady, match="does not know"):
        migrations.upgrade(urls)


def test_one_role_for_both_is_refused(another_database: Make) -> None:
    urls = another_database(migrated=False)
    with pytest.raises(NotReady, match="row-level security"):
        migrations.upgrade(DatabaseUrls(app=urls.owner, owner=urls.owner, direct=urls.owner))


def test_the_key_of_another_installation_is_refused(another_database: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = another_database()
    monkeypatch.setattr(keys, "secret_key", lambda: b"x" * 32)
    with pytest.raises(NotReady, match="secret key is not the one"):
        migrations.upgrade(urls)


def test_a_failing_migration_leaves_a_mark_a_backup_and_the_old_state(another_database: Make, scripts: Scripts) -> None:
    urls = another_database()
    migrations.upgrade(urls, scripts=scripts(next_1="op.execute('CREATE TABLE one (n int)')"))
    failing = scripts(next_1="pass", next_2="op.execute('CREATE TABLE two (n int)'); op.execute('SELECT 1 / 0')")
    with pytest.raises(NotReady, match="division by zero"):
        migrations.upgrade(urls, scripts=failing)
    found = migrations.status(urls, scripts=failing)
    assert found.current == "next_1"
    assert found.half_done is not None
    assert "division by zero" in found.half_done.error
    assert backup.read_manifest(Path(found.half_done.backup)).revision == "next_1"
    with pytest.raises(NotReady, match="did not end"):
        migrations.upgrade(urls, scripts=failing)
    mended = scripts(next_1="pass", next_2="op.execute('CREATE TABLE two (n int)')")
    assert migrations.upgrade(urls, scripts=mended, again=True).current == "next_2"


@pytest.mark.slow
def test_killed_in_a_migration_it_refuses_to_start(another_database: Make, scripts: Scripts) -> None:
    urls = another_database()
    migrations.upgrade(urls, scripts=scripts(next_1="pass"))
    folder = scripts(next_1="pass", next_2="op.execute('CREATE TABLE two (n int)'); op.execute('SELECT pg_sleep(60)')")
    code = (
        "import sys, pathlib; from crm_app.store.databases import DatabaseUrls; from crm_app.store import migrations;"
        "migrations.upgrade(DatabaseUrls(*sys.argv[2:]), scripts=pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(folder), urls.app, urls.owner, urls.direct]
    process = subprocess.Popen(command, cwd=ROOT)
    until(lambda: migrations.status(urls, scripts=folder).half_done is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with pytest.raises(NotReady, match=r"next_2 .* did not end") as refusal:
        migrations.require_ready(urls, scripts=folder)
    assert "--replace" in refusal.value.remedy


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
