"""Spreadsheets, opened in a process of their own (sheet_reader): what they contain cannot harm this one. Blocking."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from crm_app.core.errors import Invalid
from crm_app.services.platform.imports.frames import pl

_PATIENCE = 150  # seconds
_UNPACKED = 2 * 1024**3  # bytes that a spreadsheet may say it unpacks to
_RATIO, _LARGE = 150, 100 * 1024**2  # more than any real spreadsheet of that size is packed
_KEPT = ".sheets"
_SURROUNDINGS = {"POLARS_MAX_THREADS": "1"}


def names(path: Path) -> list[str]:
    """The sheets of a spreadsheet. Invalid when it cannot be opened."""
    found: list[str] = json.loads((_opened(path) / "names.json").read_text())
    return found


def frame(path: Path, number: int) -> pl.DataFrame:
    """All cells of a sheet as text, the first row included."""
    return pl.read_ipc(_opened(path) / f"{number}.ipc")


def _opened(path: Path) -> Path:
    """The folder with what was read, beside the file; it goes with it."""
    folder = path.parent / f"{_KEPT}-{path.name}"
    if not (folder / "names.json").is_file():
        _refuse_bombs(path)
        _open(path, folder)
    return folder


def _open(path: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, str(Path(__file__).with_name("sheet_reader.py")), str(path.resolve()), place]
        try:
            subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise Invalid(f"{path.name} takes too long to open. Save the sheet as CSV.") from error
        if (Path(place) / "refused.json").is_file():
            raise Invalid(f"{path.name} cannot be read as a spreadsheet. Save it anew as XLSX or CSV.")
        if not (Path(place) / "names.json").is_file():
            raise Invalid(f"{path.name} needs more memory than a spreadsheet may. Save the sheet as CSV.")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(place, folder)


def _refuse_bombs(path: Path) -> None:
    """By what the archive says of itself; one that lies dies in its own process."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(i.file_size for i in archive.infolist())
            packed = sum(i.compress_size for i in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Invalid(f"{path.name} cannot be read as a spreadsheet. Save it anew as XLSX or CSV.") from error
    if unpacked > _UNPACKED or (unpacked > _LARGE and unpacked > packed * _RATIO):
        raise Invalid(
            f"{path.name} unpacks to {unpacked // 1024**2:,} MB: that is no table of ours. Save the sheet as CSV."
        )
