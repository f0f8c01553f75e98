"""Files on their way in, spooled below the data folder: a folder for each, under the person who sent it.

They are read and thrown away; whatever nobody came back for is swept after a day.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid, NotFound, NotReady, Unauthenticated
from crm_app.models.base import new_id
from crm_app.settings import settings

LARGEST = 256 * 1024 * 1024  # bytes
_BLOCK = 1024 * 1024
_KEPT = timedelta(days=1)
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has arrived whole; `path` lies in a folder of its own. `sha256` (hex) is told by `spool` only."""

    id: UUID
    path: Path
    size: int
    sha256: str = ""


async def spool(
    actor: Actor,
    name: str,
    chunks: AsyncIterator[bytes],
    *,
    endings: frozenset[str] = frozenset(),
    largest: int = 0,
) -> Upload:
    """Keep a file until it is read. Invalid when it has more than `largest` bytes (0: LARGEST) or is of another kind
    than `endings` (".csv") say; without endings any kind is taken."""
    safe = safe_name(name)
    if endings and Path(safe).suffix.lower() not in endings:
        kinds = ", ".join(sorted(e.lstrip(".").upper() for e in endings))
        raise Invalid(file=f"{safe} is none of {kinds}. Save it as one of them")
    upload_id = new_id()
    folder = home(actor) / upload_id.hex
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
        size, digest = await _write(folder / safe, chunks, largest)
    except OSError as error:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise NotReady(
            f"The server cannot store the file: {error.strerror or error}.",
            remedy="Make room on the disk that holds the data folder.",
        ) from error
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    return Upload(upload_id, folder / safe, size, digest)


async def _write(path: Path, chunks: AsyncIterator[bytes], largest: int) -> tuple[int, str]:
    size, held, digest = 0, bytearray(), hashlib.sha256()
    remedy = "" if largest else ". Split it, or ask an admin to use `crm import`"
    largest = largest or LARGEST

    def write(block: bytes) -> None:
        digest.update(block)
        file.write(block)

    def end(block: bytes) -> None:
        write(block)
        file.flush()
        os.fsync(file.fileno())

    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > largest:
                raise Invalid(file=f"is larger than {largest // 1024**2} MB{remedy}")
            held += chunk
            if len(held) >= _BLOCK:
                await asyncio.to_thread(write, bytes(held))
                held.clear()
        await asyncio.to_thread(end, bytes(held))
    return size, digest.hexdigest()


def find(actor: Actor, upload_id: UUID) -> Upload:
    """The file that this very person sent; NotFound when it was thrown away, or is somebody else's."""
    folder = home(actor) / upload_id.hex
    path = next((p for p in sorted(folder.iterdir()) if not p.name.startswith(".")), None) if folder.is_dir() else None
    if path is None:
        raise NotFound("This file is not here any more. Choose it again.")
    return Upload(upload_id, path, path.stat().st_size)


def beside(upload: Upload, name: str) -> Path:
    """Where a file that was made from this one is kept; it goes with it."""
    return upload.path.parent / f".{name}"


def discard(actor: Actor, upload_id: UUID) -> None:
    """Throw it away; nothing when it is gone."""
    shutil.rmtree(home(actor) / upload_id.hex, ignore_errors=True)


def sweep(now: datetime) -> int:
    """Throw away what is older than a day; how many files that were."""
    oldest, swept = (now - _KEPT).timestamp(), 0
    for folder in _root().glob("*/*/*"):
        with contextlib.suppress(FileNotFoundError):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _root() -> Path:
    return settings().data_dir / "uploads"


def home(actor: Actor) -> Path:
    """The folder of everything that this person sent."""
    if actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    return _root() / actor.tenant_id.hex / actor.user_id.hex


def safe_name(name: str) -> str:
    """A file name that leads nowhere: the last part, without what file systems or people stumble over. Signs that turn
    the direction of reading are no printable characters, so that exe.fdp does not read as pdf.exe backwards."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(". ")
    stem, dot, ending = clean.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{ending[:10]}" if stem else clean[:_LONGEST_NAME] or "file"
