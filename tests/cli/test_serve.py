"""`crm serve` as its operator meets it: refusals in words, and an embedded database that neither leaks nor is lost."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_app.settings import ROOT
from crm_app.store.embedded import EmbeddedPostgres
from tests.cli.runs import crm


@pytest.fixture
def data_dir(run_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="serve-", dir=run_folder))
    folder.chmod(0o711)
    yield folder
    EmbeddedPostgres(folder / "postgres").stop("immediate")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(data_dir: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server with the embedded database, once it answers; and its address."""
    port = free_port()
    environment = {**os.environ, "CRM_DATA_DIR": str(data_dir)}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        environment.pop(name, None)
    log = (data_dir / "serve.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "crm_app.cli", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=log,
    )
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 180
    while True:
        assert process.poll() is None, (data_dir / "serve.log").read_text()
        assert time.monotonic() < deadline, (data_dir / "serve.log").read_text()
        try:
            urllib.request.urlopen(f"{address}/api/health", timeout=2).close()
            return process, address
        except OSError:
            time.sleep(0.2)


@pytest.mark.slow
def test_the_database_stops_with_the_app_and_outlives_its_killing(data_dir: Path):
    postgres = EmbeddedPostgres(data_dir / "postgres")
    process, _ = serve(data_dir)
    assert postgres.is_running()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert postgres.is_running(), "what was acknowledged is in its care"

    process, _ = serve(data_dir)
    process.terminate()
    assert process.wait(30) == 0
    assert not postgres.is_running(), "the new server took it over, so it stops with it"


@pytest.mark.slow
def test_stop_ends_what_a_killed_app_left_behind(data_dir: Path):
    process, _ = serve(data_dir)
    process.send_signal(signal.SIGKILL)
    process.wait()
    answer = crm("stop", DATABASE_URL=None, DATABASE_OWNER_URL=None, CRM_DATA_DIR=data_dir)
    assert answer.code == 0
    assert not EmbeddedPostgres(data_dir / "postgres").is_running()


def test_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = crm("serve", "--port", taken.getsockname()[1])
    assert answer.code == 1
    assert "cannot be used: Address already in use" in answer.lines
    assert "--port" in answer.lines


def test_several_processes_without_redis():
    answer = crm("serve", "--workers", 2, "--port", free_port())
    assert answer.code == 1
    assert "Set REDIS_URL" in answer.lines


def test_help_comes_at_once_and_names_every_command():
    begun = time.monotonic()
    answer = crm("--help")
    assert time.monotonic() - begun < 10
    for command in ("serve", "worker", "migrate", "seed", "import", "backup", "restore", "doctor", "build", "stop"):
        assert f"│ {command} " in answer.text
