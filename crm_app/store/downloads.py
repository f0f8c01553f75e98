"""Files on their way out, below the data folder, while they are written: kept or sent, then gone.

Where exports are kept is asked of integrations.files: another process, or machine, hands them out as well.
"""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from crm_app.settings import settings

FOLDER = "exports"
_LONGEST = timedelta(days=1)  # nothing is written for so long: its process died


@contextlib.contextmanager
def passing() -> Iterator[Path]:
    """A folder for a file that is sent and gone."""
    _root().mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=_root(), prefix="passing-") as folder:
        yield Path(folder)


def sweep(now: datetime) -> int:
    """Throw away what a process that died has left; how many folders that were."""
    oldest, swept = (now - _LONGEST).timestamp(), 0
    for folder in _root().glob("passing-*"):
        with contextlib.suppress(FileNotFoundError):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _root() -> Path:
    return settings().data_dir / FOLDER
