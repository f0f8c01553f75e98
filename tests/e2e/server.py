"""A server of the journeys: `crm serve` in a process of its own, on a port nobody uses."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from crm_app.settings import ROOT
from crm_app.store.databases import DatabaseUrls

_START_SECONDS = 180.0
_STOP_SECONDS = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`environment` is added to that of the tests; what it prints goes to `log`."""

    def __init__(self, urls: DatabaseUrls, log: Path, *, port: int = 0, **environment: str) -> None:
        self.port = port or free_port()
        self.log = log
        self._environment = {
            **os.environ,
            "DATABASE_URL": urls.app,
            "DATABASE_OWNER_URL": urls.owner,
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Until it answers."""
        process = self._launch()
        until = time.monotonic() + _START_SECONDS
        async with httpx.AsyncClient() as http:
            while not await self._answers(http):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start:\n{self.tail()}")
                await asyncio.sleep(0.1)

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "crm_app.cli", "serve", "--port", str(self.port)]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        return self._process

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/api/health", timeout=5)).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """As a crash would: nothing is closed, nobody is told."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def freeze(self) -> None:
        """As one that hangs: connections stay open, and nothing that is sent is read."""
        os.killpg(self.pid, signal.SIGSTOP)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
