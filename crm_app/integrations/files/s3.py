"""A bucket of an S3-compatible store: Amazon's, MinIO, Ceph, R2 and the like."""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from crm_app.integrations.files.port import (
    FilesRefused,
    Kept,
    check_key,
    is_key,
    key_of,
    refuse_inside_a_unit_of_work,
)
from crm_app.models.base import new_id
from crm_app.settings import Settings

_MISSING = (NotFoundError, FileNotFoundError)  # the client raises now this one, now that one
_WRONG = (BaseError, OSError)
_MOST_AT_ONCE = 1000  # keys that one order to delete may name
_BLOCK = 256 * 1024


class BucketFiles:
    """Large files go in parts; the client itself tries again what failed on the way. Without keys it takes those of
    the machine (environment, instance role). `below` is a folder of the bucket, which is all that this place sees."""

    def __init__(
        self, bucket: str, *, endpoint: str, region: str, access_key: str, secret_key: str, below: str = ""
    ) -> None:
        given: dict[str, Any] = {"region": region}
        if below:
            given["prefix"] = below
        if endpoint:
            given["endpoint"] = endpoint
        if access_key:
            given |= {"access_key_id": access_key, "secret_access_key": secret_key}
        self.where = f"the bucket {bucket}"
        self._store = S3Store(
            bucket,
            client_options={"allow_http": endpoint.startswith("http://"), "connect_timeout": "5s", "timeout": "60s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
            **given,
        )

    @classmethod
    def chosen_by(cls, settings: Settings, *, below: str = "") -> "BucketFiles":
        return cls(
            settings.s3_bucket,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            below=below,
        )

    async def put(self, key: str, path: Path) -> None:
        refuse_inside_a_unit_of_work()
        check_key(key)
        try:
            await obstore.put_async(self._store, key, path)
        except _WRONG as error:
            raise self._refused("keep", error) from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        refuse_inside_a_unit_of_work()
        check_key(key)
        try:
            found = await obstore.get_async(self._store, key)
        except _WRONG as error:
            raise self._refused("read", error) from error
        return self._pieces(found)

    async def _pieces(self, found: Any) -> AsyncIterator[bytes]:
        async for piece in found.stream():
            yield bytes(piece)

    async def delete(self, keys: Iterable[str]) -> None:
        refuse_inside_a_unit_of_work()
        wanted = list(keys)
        for key in wanted:
            check_key(key)
        try:
            for start in range(0, len(wanted), _MOST_AT_ONCE):
                await obstore.delete_async(self._store, wanted[start : start + _MOST_AT_ONCE])
        except _MISSING:
            return
        except _WRONG as error:
            raise self._refused("delete", error) from error

    async def listed(self, tenant_id: UUID) -> AsyncIterator[Kept]:
        refuse_inside_a_unit_of_work()
        try:
            async for some in obstore.list(self._store, tenant_id.hex, chunk_size=_MOST_AT_ONCE):
                for each in some:
                    yield Kept(each["path"], each["size"], each["last_modified"])
        except _WRONG as error:
            raise self._refused("list", error) from error

    def sizes(self) -> dict[str, int]:
        """What there is of all workspaces: bytes by key. This and what follows is for commands: it waits."""
        try:
            pages = obstore.list(self._store, chunk_size=_MOST_AT_ONCE)
            return {each["path"]: each["size"] for some in pages for each in some if is_key(each["path"])}
        except _WRONG as error:
            raise self._refused("list", error) from error

    def content(self, key: str) -> tuple[int, IO[bytes]] | None:
        check_key(key)
        try:
            found = obstore.get(self._store, key)
            return found.meta["size"], BufferedReader(_Arriving(self, found.stream()), _BLOCK)
        except _MISSING:
            return None
        except _WRONG as error:
            raise self._refused("read", error) from error

    def take(self, key: str, content: IO[bytes]) -> None:
        check_key(key)
        try:
            obstore.put(self._store, key, content)
        except _WRONG as error:
            raise self._refused("keep", error) from error

    def probe(self) -> None:
        """FilesRefused when nothing can be kept here and read again."""
        key = key_of(UUID(int=0), new_id())
        self.take(key, BytesIO(b"probe"))
        kept = self.content(key)
        if kept is None or kept[1].read() != b"probe":
            raise FilesRefused(f"What is put into {self.where} does not come back out of it.")
        try:
            obstore.delete(self._store, key)
        except _WRONG as error:
            raise self._refused("delete", error) from error

    def _refused(self, verb: str, error: Exception) -> FilesRefused:
        if isinstance(error, _MISSING):
            if verb == "read":
                return FilesRefused(f"This file is missing in {self.where}. An admin may have another copy of it.")
            return FilesRefused(f"There is nothing like {self.where}. An admin must look at its name.")
        # Listing tells it in words alone.
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or "AccessDenied" in str(error):
            return FilesRefused(f"The server may not {verb} files in {self.where}. An admin must look at its keys.")
        return FilesRefused(f"The server cannot {verb} files in {self.where} just now. Try again in a moment.")


class _Arriving(RawIOBase):
    """Pieces from the line as a file that is read once."""

    def __init__(self, place: BucketFiles, pieces: Iterable[Any]) -> None:
        self._place, self._pieces, self._rest = place, iter(pieces), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        try:
            while not self._rest and (piece := next(self._pieces, None)) is not None:
                self._rest = memoryview(bytes(piece))
        except _WRONG as error:
            raise self._place._refused("read", error) from error
        size = min(len(room), len(self._rest))
        room[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
