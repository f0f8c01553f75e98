"""Files as people send them -> a table of text: CSV of any usual encoding and separator, XLSX sheets.

CSV goes through Python's own reader, in chunks: it keeps exact row numbers and tells rows with too many cells, which a
column reader refuses or silently cuts. Polars takes over from there; it is imported here and not at start-up, for its
memory.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from crm_app.core.errors import Invalid
from crm_app.services.platform.imports import sheets
from crm_app.services.platform.imports.frames import pl

ROW = "__row"  # 1-based number of the row in the file, its head included: what a spreadsheet shows at the left
_CHUNK = 50_000
_SAMPLE_BYTES = 256 * 1024
_SAMPLE_ROWS = 30
_LONGEST_FIELD = 16 * 1024 * 1024  # of what the reader takes for one cell: a quotation mark that is not closed
LONGEST_CELL = 32_767  # characters, as in a spreadsheet
_LONGEST_HEADING = 200
_MOST_COLUMNS = 500
_MOST_ROWS = 2_000_000
_FULL = 16 * 1024 * 1024  # characters gathered before they become a frame
UNREADABLE = "\ufffd"  # what stands for bytes that are no letter of the encoding
_SEPARATORS = ",;\t|"
_EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


@dataclass(frozen=True)
class Ragged:
    """A row that does not fit under the head."""

    row: int
    message: str
    remedy: str


@dataclass(frozen=True)
class SourceTable:
    """`frame`: the column ROW and text columns under the file's own names; empty cells are null. `notes` say how the
    file was understood."""

    name: str
    frame: pl.DataFrame
    columns: tuple[str, ...]
    ragged: tuple[Ragged, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileHints:
    """What the mapping says about a file; empty where the file is to tell by itself."""

    sheet: str | int = 0
    head_row: int | None = None  # 1-based
    separator: str = ""
    encoding: str = ""


@dataclass
class _Collected:
    """Rows on their way into a frame."""

    head: list[str] = field(default_factory=list)
    head_row: int = 0
    frames: list[pl.DataFrame] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rows: list[Sequence[str | None]] = field(default_factory=list)
    held: int = 0  # characters in `rows`
    ragged: list[Ragged] = field(default_factory=list)


def read_table(path: Path, hints: FileHints | None = None) -> SourceTable:
    """Read the whole file. Invalid says what is wrong with it and what to do."""
    chosen = hints or FileHints()
    if not path.is_file():
        raise Invalid(f"There is no file {path.name} in {path.parent}. Check the name, or give another folder.")
    if path.stat().st_size == 0:
        raise Invalid(f"{path.name} is empty.")
    notes: list[str] = []
    is_sheet = path.suffix.lower() in _EXCEL
    records = _sheet_records(path, chosen, notes) if is_sheet else _text_records(path, chosen, notes)
    collected = _collect(records, chosen)
    if not collected.head:
        raise Invalid(f"{path.name} has no rows.")
    names = _unique_names(collected.head, notes)
    return SourceTable(path.name, _joined(collected, names), tuple(names), tuple(collected.ragged), tuple(notes))


def table_of_rows(name: str, rows: Sequence[dict[str, Any]]) -> SourceTable:
    """Rows that stand in the mapping itself."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    data: dict[str, Any] = {ROW: list(range(1, len(rows) + 1))}
    data |= {c: [_plain(row.get(c)) for row in rows] for c in columns}
    schema = {ROW: pl.Int64} | dict.fromkeys(columns, pl.String)
    return SourceTable(name, pl.DataFrame(data, schema=schema), tuple(columns))


def _plain(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


# -- CSV -----------------------------------------------------------------------------------------------------------


def _text_records(path: Path, hints: FileHints, notes: list[str]) -> Iterator[Sequence[str]]:
    encoding = hints.encoding or _encoding_of(path)
    errors = "strict" if hints.encoding else "replace"
    if encoding not in ("utf-8", "utf-8-sig") and not hints.encoding:
        notes.append(f"read as {'Windows-1252' if encoding == 'cp1252' else encoding.upper()}")
    try:
        with path.open(encoding=encoding, errors=errors, newline="") as file:
            sample = file.read(_SAMPLE_BYTES)
    except (LookupError, UnicodeDecodeError) as error:
        raise Invalid(f"{path.name} is not written in {encoding}. Save it as UTF-8, or correct `encoding`.") from error
    if sample.count("\x00") * 100 > len(sample):
        raise Invalid(f"{path.name} is no text table. Save it as CSV or XLSX.")
    separator = hints.separator or _separator_of(sample)
    return _csv_records(path, encoding, errors, separator)


def _csv_records(path: Path, encoding: str, errors: str, separator: str) -> Iterator[Sequence[str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    number = 0
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        start = file.readline()
        if not start.lower().startswith("sep="):  # a hint to spreadsheets, no row of ours
            file.seek(0)
        try:
            for record in csv.reader(file, delimiter=separator):
                number += 1
                yield record
        except (csv.Error, UnicodeDecodeError) as error:
            raise Invalid(
                f"{path.name} cannot be read beyond row {number}: {error}."
                " Look for a quotation mark that is not closed."
            ) from error


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if start.startswith(mark):
                return name
        if len(start) > 3 and start[1::2].count(0) > len(start) // 4:
            return "utf-16-le"
        if len(start) > 3 and start[::2].count(0) > len(start) // 4:
            return "utf-16-be"
        return _utf8_or_not(file, start)


def _utf8_or_not(file: BinaryIO, start: bytes) -> str:
    """UTF-8 as long as most letters beyond ASCII are well formed: a few broken rows do not spoil the others."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    block = start
    while True:
        text = decoder.decode(block, final=not block)
        if not text.isascii():
            wrong = text.count(UNREADABLE)
            bad += wrong
            good += sum(1 for c in text if c > "\x7f") - wrong
        if not block:
            return "utf-8" if good >= bad else "cp1252"
        block = file.read(1 << 20)


def _separator_of(sample: str) -> str:
    """The separator under which the first rows have most columns, and equally many."""
    first, _, rest = sample.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4]
    best, most = ",", (0, 0)
    for separator in _SEPARATORS:
        try:
            rows = [
                r
                for r, _ in zip(csv.reader(io.StringIO(sample), delimiter=separator), range(_SAMPLE_ROWS), strict=False)
                if any(r)
            ]
        except csv.Error:
            continue
        if len(rest) and len(rows) > 1 and len(sample) >= _SAMPLE_BYTES:
            rows = rows[:-1]  # cut off by the end of the sample
        widths = [len(r) for r in rows]
        common = max(set(widths), key=lambda w: (widths.count(w), w), default=0)
        if common > 1 and (score := (widths.count(common), common)) > most:
            best, most = separator, score
    return best


# -- Spreadsheets ----------------------------------------------------------------------------------------------------


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets of a spreadsheet; none of a text file. Invalid when it cannot be opened."""
    return sheets.names(path) if path.suffix.lower() in _EXCEL else []


def _sheet_records(path: Path, hints: FileHints, notes: list[str]) -> Iterator[Sequence[str | None]]:
    names = sheets.names(path)
    if not names:
        raise Invalid(f"{path.name} has no sheet.")
    if isinstance(hints.sheet, str) and hints.sheet not in names:
        raise Invalid(f"{path.name} has no sheet called {hints.sheet}; it has {', '.join(names)}.")
    if isinstance(hints.sheet, int) and hints.sheet >= len(names):
        raise Invalid(f"{path.name} has {len(names)} sheet(s) only.")
    number = hints.sheet if isinstance(hints.sheet, int) else names.index(hints.sheet)
    if len(names) > 1:
        notes.append(f"sheet {names[number]} of {', '.join(names)}")
    yield from sheets.frame(path, number).iter_rows()


# -- Both ----------------------------------------------------------------------------------------------------------


def _collect(records: Iterator[Sequence[str | None]], hints: FileHints) -> _Collected:
    found = _Collected()
    first: list[tuple[int, Sequence[str | None]]] = []
    for number, record in enumerate(records, 1):
        if not any(c and c.strip() for c in record):
            continue
        if number > _MOST_ROWS:
            raise Invalid(f"The file has more than {_MOST_ROWS:,} rows. Split it.")
        if found.head_row:
            _take(found, number, record)
            continue
        first.append((number, record))
        if number == hints.head_row or (hints.head_row is None and len(first) == _SAMPLE_ROWS):
            _find_head(found, first, hints)
    if not found.head_row and first:
        _find_head(found, first, hints)
    _flush(found)
    return found


def _find_head(found: _Collected, first: list[tuple[int, Sequence[str | None]]], hints: FileHints) -> None:
    """The first row more than half as full as most: what stands above it (a title, a date of export) is no table."""
    filled = [sum(1 for c in record if c and c.strip()) for _, record in first]
    if hints.head_row is not None:
        place = next((i for i, (n, _) in enumerate(first) if n == hints.head_row), None)
        if place is None:
            raise Invalid(f"Row {hints.head_row} is empty: it cannot be the row of headings.")
    else:
        usual = sorted(filled)[len(filled) // 2]
        place = next(i for i, n in enumerate(filled) if n * 2 > usual)
    found.head_row, head = first[place][0], list(first[place][1])
    while head and not (head[-1] or "").strip():
        head.pop()
    if len(head) > _MOST_COLUMNS:
        raise Invalid(f"The file has {len(head):,} columns; {_MOST_COLUMNS} are the most. Leave some out.")
    found.head = [_plain_text((c or "")[:_LONGEST_HEADING]).strip() for c in head]
    for number, record in first[place + 1 :]:
        _take(found, number, record)


def _take(found: _Collected, number: int, record: Sequence[str | None]) -> None:
    width = len(found.head)
    if len(record) > width and any(c and c.strip() for c in record[width:]):
        found.ragged.append(
            Ragged(
                number, f"has {len(record)} cells under {width} headings",
                "a separator inside a cell needs quotation marks around the cell",
            )
        )  # fmt: skip
        return
    cells = [(c.strip() or None) if c else None for c in record[:width]]
    found.rows.append(cells + [None] * (width - len(cells)))
    found.numbers.append(number)
    found.held += sum(map(len, filter(None, record)))
    if len(found.rows) >= _CHUNK or found.held > _FULL:
        _flush(found)


def _without_unfit(found: _Collected, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without rows of whose cells no record can come; why, and what to do, goes to `ragged`."""
    texts = pl.all().exclude(ROW)
    for says, message, remedy in (
        (texts.str.len_chars() > LONGEST_CELL, "", "shorten it in the file"),
        (
            texts.str.contains(UNREADABLE, literal=True),
            "has letters that cannot be read", "save the file as UTF-8, and choose it again",
        ),
        (texts.str.contains("\x00", literal=True), "has signs that are no text", "type this row anew in the file"),
    ):  # fmt: skip
        bad = frame.select(pl.any_horizontal(says.fill_null(value=False))).to_series()
        if not bad.any():
            continue
        longest = frame.filter(bad).select(ROW, pl.max_horizontal(texts.str.len_chars()).alias("longest"))
        for row, length in longest.iter_rows():
            told = message or f"has a cell of {length:,} characters; {LONGEST_CELL:,} are the most"
            found.ragged.append(Ragged(row, told, remedy))
        frame = frame.filter(~bad)
    return frame


def _plain_text(text: str) -> str:
    return text.replace("\x00", "").replace(UNREADABLE, "?")


def _flush(found: _Collected) -> None:
    if not found.rows:
        return
    data: dict[str, Any] = {ROW: found.numbers}
    for place, cells in enumerate(zip(*found.rows, strict=True)):
        data[str(place)] = cells
    frame = pl.DataFrame(data, schema={ROW: pl.Int64} | {str(i): pl.String for i in range(len(found.head))})
    found.frames.append(_without_unfit(found, frame))
    found.rows, found.numbers, found.held = [], [], 0


def _joined(found: _Collected, names: list[str]) -> pl.DataFrame:
    if found.frames:
        whole = pl.concat(found.frames)
    else:
        whole = pl.DataFrame(schema={ROW: pl.Int64} | {str(i): pl.String for i in range(len(names))})
    return whole.rename({str(i): n for i, n in enumerate(names)})


def _unique_names(head: list[str], notes: list[str]) -> list[str]:
    """Headings under which each column can be named: a second "Name" is "Name (2)", an empty one "Column 3"."""
    names: list[str] = []
    for place, heading in enumerate(head, 1):
        plain = heading or f"Column {place}"
        name, again = plain, 2
        while name in names or name == ROW:
            name, again = f"{plain} ({again})", again + 1
        if name != heading and heading:
            notes.append(f'there are two columns "{heading}"; the later one is "{name}"')
        names.append(name)
    return names
