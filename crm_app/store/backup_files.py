"""The uploaded files of a backup: from the data folder, and from a bucket where one is used. They go through in pieces:
none of them has to fit into memory, or onto this machine's disk a second time.

In a backup a file stands under the same name wherever it lay, so that files move from a folder into a bucket, and back.
"""

import contextlib
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from crm_app.settings import settings

FILES = "files"  # folder of uploads below data_dir
_KEY = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")  # in a bucket there is nothing else of ours


class Bucket(Protocol):
    """As far as a backup needs it; see integrations.files."""

    where: str

    def sizes(self) -> Mapping[str, int]:
        """Bytes of everything in it that was attached, by key."""
        ...

    def content(self, key: str) -> tuple[int, IO[bytes]] | None:
        """How many bytes it has, and they themselves; None when it is gone."""
        ...

    def take(self, key: str, content: IO[bytes]) -> None:
        """Keep it, whole or not at all."""
        ...


def sizes_in(bucket: Bucket | None) -> Mapping[str, int]:
    return bucket.sizes() if bucket is not None else {}


def where(bucket: Bucket | None) -> str:
    """In words, for people."""
    return bucket.where if bucket is not None else str(settings().data_dir / FILES)


def found(bucket: Bucket | None) -> Sequence[Path | str]:
    """Files of the data folder, and keys of the bucket."""
    folder = settings().data_dir / FILES
    return [*sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".part"), *sorted(sizes_in(bucket))]


def add(tar: tarfile.TarFile, files: Sequence[Path | str], bucket: Bucket | None) -> None:
    """What was deleted for good since it was found is passed over."""
    for file in files:
        if isinstance(file, Path):
            with contextlib.suppress(FileNotFoundError):
                tar.add(file, str(file.relative_to(settings().data_dir)))
        elif bucket is not None and (given := bucket.content(file)) is not None:
            head = tarfile.TarInfo(f"{FILES}/{file}")
            head.size, content = given
            head.mode = 0o600
            with content:
                tar.addfile(head, content)


def put_back(tar: tarfile.TarFile, bucket: Bucket | None, there: Mapping[str, int]) -> int:
    """Those that are not there whole, to where attached files lie now; how many. What lies under a key never changes:
    with another size it is damaged."""
    data_dir, count = settings().data_dir, 0
    for member in tar:
        name = member.name.removeprefix(f"{FILES}/")
        if not member.isfile() or name == member.name:
            continue
        is_ours, place = _KEY.fullmatch(name) is not None, data_dir / member.name
        if bucket is not None and is_ours:
            if there.get(name) == member.size or (content := tar.extractfile(member)) is None:
                continue
            bucket.take(name, content)
        elif place.exists() and not (is_ours and place.stat().st_size != member.size):
            continue
        else:
            tar.extract(member, data_dir, filter="data")
        count += 1
    return count
