"""Files on their way out, below the data folder: a folder for each, under the person who asked for it.

They lie there until they are swept; behind several servers the data folder is shared or the file is where it was made.
"""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.core.errors import NotFound, Unauthenticated
from crm_app.settings import settings

KEPT = timedelta(days=7)


def place(actor: Actor, file_id: UUID, name: str) -> Path:
    """Where the file goes; what an attempt before has left there is gone."""
    discard(actor, file_id)
    folder = _home(actor) / file_id.hex
    folder.mkdir(mode=0o700, parents=True)
    return folder / name


def find(actor: Actor, file_id: UUID) -> Path:
    """The file that this very person asked for."""
    folder = _home(actor) / file_id.hex
    path = next((p for p in sorted(folder.iterdir()) if p.is_file()), None) if folder.is_dir() else None
    if path is None:
        raise NotFound("This file is not here any more. Export it anew.")
    return path


def discard(actor: Actor, file_id: UUID) -> None:
    """Throw it away; nothing when it is gone."""
    shutil.rmtree(_home(actor) / file_id.hex, ignore_errors=True)


@contextlib.contextmanager
def passing() -> Iterator[Path]:
    """A folder for a file that is sent and gone."""
    _root().mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=_root(), prefix="passing-") as folder:
        yield Path(folder)


def sweep(now: datetime) -> int:
    """Throw away what is too old; how many files that were."""
    oldest, swept = (now - KEPT).timestamp(), 0
    for folder in (*_root().glob("*/*/*"), *_root().glob("passing-*")):
        with contextlib.suppress(FileNotFoundError):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _root() -> Path:
    return settings().data_dir / "exports"


def _home(actor: Actor) -> Path:
    if actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    return _root() / actor.tenant_id.hex / actor.user_id.hex
