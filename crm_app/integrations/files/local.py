"""A folder of this machine: `files` below the data folder, which a backup takes along."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from crm_app.integrations.files.port import FilesRefused, Kept, check_key, refuse_inside_a_unit_of_work
from crm_app.settings import settings
from crm_app.store.backup_files import FILES

_BLOCK = 256 * 1024


class FolderFiles:
    """`root` is where; usually below the data folder."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or settings().data_dir / FILES

    async def put(self, key: str, path: Path) -> None:
        refuse_inside_a_unit_of_work()
        try:
            await asyncio.to_thread(self._put, self._place(key), path)
        except OSError as error:
            raise FilesRefused(
                f"The server cannot keep the file: {error.strerror or error}. An admin must make room on its disk."
            ) from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        refuse_inside_a_unit_of_work()
        try:
            file = await asyncio.to_thread(self._place(key).open, "rb")
        except FileNotFoundError as error:
            raise FilesRefused(
                "This file is missing on the server. An admin may have a backup that holds it."
            ) from error
        except OSError as error:
            raise FilesRefused(f"The server cannot read the file: {error.strerror or error}.") from error
        return _pieces(file)

    async def delete(self, keys: Iterable[str]) -> None:
        refuse_inside_a_unit_of_work()
        await asyncio.to_thread(_unlink, [self._place(key) for key in keys])

    async def listed(self, tenant_id: UUID) -> AsyncIterator[Kept]:
        refuse_inside_a_unit_of_work()
        folder = self.root / tenant_id.hex
        for place in await asyncio.to_thread(
            lambda: [p for p in sorted(folder.glob("*")) if not p.suffix and p.is_file()]
        ):
            try:
                seen = place.stat()
            except FileNotFoundError:
                continue
            yield Kept(f"{place.parent.name}/{place.name}", seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))

    def sizes(self) -> dict[str, int]:
        """What there is of all workspaces: bytes by key."""
        found = {}
        for place in self.root.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                if not place.suffix and place.is_file():
                    found[f"{place.parent.name}/{place.name}"] = place.stat().st_size
        return found

    def probe(self) -> None:
        """FilesRefused when nothing can be kept here."""
        try:
            if self.root.exists():
                with tempfile.TemporaryFile(dir=self.root) as file:
                    file.write(b"probe")
        except OSError as error:
            raise FilesRefused(f"{self.root} cannot be written: {error.strerror or error}.") from error

    @property
    def where(self) -> str:
        return str(self.root)

    def _place(self, key: str) -> Path:
        check_key(key)
        return self.root / key

    def _put(self, place: Path, path: Path) -> None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = place.with_suffix(".part")
        try:
            path.replace(half)
        except OSError:  # on another disk
            shutil.copyfile(path, half)
        half.chmod(0o600)
        os.utime(half)
        half.replace(place)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _BLOCK):
            yield piece


def _unlink(places: Iterable[Path]) -> None:
    for place in places:
        place.unlink(missing_ok=True)
