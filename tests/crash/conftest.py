"""A cluster of its own with everything that keeps data safe switched on, for as long as it takes to break it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from crm_app.core.context import Actor, Source
from crm_app.services.people import actors
from crm_app.settings import ROOT
from crm_app.store import migrations
from crm_app.store.databases import DatabaseUrls
from crm_app.store.embedded import EmbeddedPostgres, Role
from crm_app.store.engine import close_engine
from tests.conftest import forget_settings
from tests.people import found

PATIENCE = 60.0  # seconds; the machine may be busy


@dataclass
class Installation:
    """A cluster, a workspace in it, and who works there."""

    postgres: EmbeddedPostgres
    actor: Actor
    _started: list["Writer"] = field(default_factory=list)

    @property
    def postmaster(self) -> int:
        return int((self.postgres.cluster / "postmaster.pid").read_text().splitlines()[0])

    def writer(self, tasks: int = 4) -> "Writer":
        command = [
            sys.executable,
            "-m",
            "tests.crash.writer",
            str(self.actor.tenant_id),
            str(self.actor.user_id),
            str(tasks),
        ]
        made = Writer(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        self._started.append(made)
        return made

    def restart(self) -> bool:
        """What the next start of the application does; True when it started the server."""
        return EmbeddedPostgres(self.postgres.home).start()


class Writer:
    """A process of tests/crash/writer.py, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.said.append(line.strip())

    @property
    def done(self) -> set[str]:
        """Words of the writes that were acknowledged."""
        return {line.split()[1] for line in list(self.said) if line.startswith("done ")}

    def until(self, writes: int) -> None:
        wait_for(lambda: len(self.done) >= writes or self.process.poll() is not None)
        assert self.process.poll() is None, self.said[-5:]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(10)


def wait_for(true: Any, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def apart(run_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated cluster that the settings point to meanwhile."""
    home = Path(tempfile.mkdtemp(prefix="crash-", dir=run_folder))
    home.chmod(0o711)
    postgres = EmbeddedPostgres(home)
    postgres.start()
    urls = DatabaseUrls(app=postgres.url(Role.app), owner=postgres.url(Role.owner), direct=postgres.url(Role.app))
    migrations.upgrade(urls)
    names = ("DATABASE_URL", "DATABASE_OWNER_URL")
    before = {n: os.environ.get(n) for n in names}
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = urls.app, urls.owner
    forget_settings()
    yield postgres
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    forget_settings()
    EmbeddedPostgres(home).stop("immediate")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def installation(apart: EmbeddedPostgres) -> AsyncIterator[Installation]:
    await close_engine()  # that of the tests before
    founded = await found()
    actor = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    made = Installation(apart, actor)
    yield made
    for writer in made._started:
        if writer.process.poll() is None:
            writer.kill()
    await close_engine()
