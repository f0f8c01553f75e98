"""The embedded PostgreSQL: started once however many ask, back after a kill, nothing acknowledged is lost."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from crm_app.core.errors import NotReady
from crm_app.settings import ROOT
from crm_app.store.embedded import FOR_TESTS, EmbeddedPostgres, Role


@pytest.fixture
def home(run_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir=run_folder))
    folder.chmod(0o711)
    yield folder
    EmbeddedPostgres(folder).stop("immediate")


def start(home: Path) -> EmbeddedPostgres:
    postgres = EmbeddedPostgres(home, options=FOR_TESTS)
    postgres.start()
    return postgres


def postmaster(postgres: EmbeddedPostgres) -> int:
    return int((postgres.cluster / "postmaster.pid").read_text().splitlines()[0])


def test_data_is_there_after_a_restart_and_only_the_starter_stops_it(home: Path) -> None:
    first = start(home)
    with psycopg.connect(first.url(Role.owner)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    guest = EmbeddedPostgres(home)
    assert guest.start() is False
    guest.release()
    assert first.is_running()
    first.release()
    assert not first.is_running()
    assert start(home).has_database("crm")
    with psycopg.connect(EmbeddedPostgres(home).url(Role.owner)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_the_app_role_is_held_back(home: Path) -> None:
    postgres = start(home)
    with psycopg.connect(postgres.url(Role.app), autocommit=True) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET ROLE crm_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (n int)")


def test_nobody_else_on_the_machine_gets_in(home: Path) -> None:
    postgres = start(home)
    assert (home / "roles.json").stat().st_mode & 0o077 == 0
    assert postgres.sockets.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host={postgres.sockets} dbname=crm user=crm_app password=guess")


_WRITER = """
import sys, psycopg
connection = psycopg.connect(sys.argv[1], autocommit=True)
n = 0
while True:
    n += 1
    connection.execute("INSERT INTO kept VALUES (%s)", [n])
    print(n, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["postmaster", "everything"])
def test_killed_under_writes_it_comes_back_with_every_acknowledged_row(home: Path, victim: str) -> None:
    postgres = EmbeddedPostgres(home)  # with fsync, as people run it
    postgres.start()
    with psycopg.connect(postgres.url(Role.owner)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, postgres.url(Role.owner)], stdout=subprocess.PIPE, text=True
    )
    said = iter(writer.stdout or ())
    acknowledged = [int(next(said)) for _ in range(200)]
    pid = postmaster(postgres)
    children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for target in [pid, *(children if victim == "everything" else [])]:
        os.kill(target, signal.SIGKILL)
    acknowledged += [int(line) for line in said]
    writer.wait(20)
    again = EmbeddedPostgres(home)
    assert again.start() is True
    with psycopg.connect(again.url(Role.owner)) as connection:
        kept = {n for (n,) in connection.execute("SELECT n FROM kept")}
    assert kept.issuperset(acknowledged)


@pytest.mark.slow
def test_of_several_processes_that_start_at_once_exactly_one_is_the_owner(home: Path) -> None:
    code = (
        "import sys, pathlib; from crm_app.store.embedded import EmbeddedPostgres, FOR_TESTS;"
        "print(EmbeddedPostgres(pathlib.Path(sys.argv[1]), options=FOR_TESTS).start())"
    )

    def one() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(home)], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(one) for _ in range(4)]]
    assert sorted(answers) == ["False", "False", "False", "True"]


def test_a_stale_lock_file_of_a_stranger_does_not_keep_it_down(home: Path) -> None:
    postgres = start(home)
    postgres.stop("fast")
    (postgres.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.cluster}\n")
    assert start(home).is_running()


def test_missing_files_are_said_and_never_replaced_by_an_empty_database(home: Path) -> None:
    postgres = start(home)
    postgres.stop("fast")
    postgres.cluster.rename(home / "elsewhere")
    with pytest.raises(NotReady, match="are gone"):
        start(home)
    (home / "elsewhere").rename(postgres.cluster)
    start(home)


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    postgres = start(home / ("x" * 90))
    try:
        assert postgres.is_running()
        assert str(home) not in str(postgres.sockets)
    finally:
        postgres.stop("immediate")
        postgres.sockets.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_below_a_closed_folder_the_cluster_goes_where_the_account_can_enter(home: Path) -> None:
    home.chmod(0o700)
    postgres = start(home / "inside")
    try:
        assert postgres.is_running()
        assert not postgres.cluster.is_relative_to(home)
        assert EmbeddedPostgres(home / "inside").cluster == postgres.cluster
    finally:
        postgres.stop("immediate")
        shutil.rmtree(postgres.cluster.parent)
