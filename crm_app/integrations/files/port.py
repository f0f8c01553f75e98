"""What the rest of the program knows of the place where files lie."""

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from crm_app.core.errors import CrmError
from crm_app.store.uow import is_open

_KEY = re.compile(r"[0-9a-f]{32}/[0-9a-f]{32}")


class FilesRefused(CrmError):
    """The place cannot be reached, is full, or has lost the file. The message says which."""

    status, code = 503, "files_unavailable"


@dataclass(frozen=True, slots=True)
class Kept:
    key: str
    size: int
    changed_at: datetime


class Files(Protocol):
    """Keys are made by `key_of`; nothing else is taken. FilesRefused when it does not work; never inside a unit of
    work, which a slow place would hold open."""

    async def put(self, key: str, path: Path) -> None:
        """Keep a file of this machine under the key: whole, or not at all. `path` may be gone afterwards."""
        ...

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Its bytes, in pieces. What is wrong is told before the first of them."""
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Forget them; no error for what is not there."""
        ...

    def listed(self, tenant_id: UUID) -> AsyncIterator[Kept]:
        """Everything of a workspace that is there."""
        ...


def key_of(tenant_id: UUID, file_id: UUID) -> str:
    """The name under which a file lies; nothing that a person typed is in it."""
    return f"{tenant_id.hex}/{file_id.hex}"


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def check_key(key: str) -> None:
    """ValueError for what `key_of` did not make: no key leads out of the place."""
    if not is_key(key):
        raise ValueError(f"{key!r} is not the key of a file")


def refuse_inside_a_unit_of_work() -> None:
    if is_open():
        raise RuntimeError("files are read and written outside the unit of work")
