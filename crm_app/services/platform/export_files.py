"""Writers of tables: rows go in by the thousand, a file comes out; none of them holds more than it must.

They run in a thread. Nothing they write runs in a spreadsheet: texts are texts.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from crm_app.core import money
from crm_app.core.as_json import dumps
from crm_app.core.conditions.operators import TEXTS
from crm_app.core.fields import MASKED, show_value
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.sheets import harmless, is_formula
from crm_app.core.text import clip

Row = Mapping[str, Any]
_LONGEST_CELL = 32_000  # of an XLSX file; it has room for 32,767
_EXACT = 15  # digits that a spreadsheet keeps of a number
_FIRST_DAY = date(1900, 3, 1)  # spreadsheets count days before it wrongly, or not at all
_WIDTHS = {
    Kind.number: 12, Kind.decimal: 12, Kind.percent: 9, Kind.money: 16, Kind.flag: 8, Kind.date: 12,
    Kind.datetime: 18, Kind.email: 28, Kind.url: 28, Kind.long_text: 40, Kind.link: 24,
}  # fmt: skip
_USUAL = 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is written: the columns in their order, and what a person needs to read the values. `about` says in a line
    of what it is."""

    title: str
    specs: tuple[FieldSpec, ...]
    time_zone: str = "UTC"
    currency: str = "USD"
    about: str = ""
    for_people: bool = True


class Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None: ...
    def close(self) -> None: ...


def width_of(spec: FieldSpec) -> int:
    """In characters."""
    return _WIDTHS.get(spec.kind, _USUAL)


def text_of(spec: FieldSpec, row: Row, sheet: Sheet, *, plain: bool) -> str:
    """The value as the import reads it (`plain`), or as a person does; links by name."""
    value = row[spec.name]
    if value is None or value == MASKED:
        return value or ""
    title = row.get(f"{spec.name}__title")
    if title is not None:
        return str(title)
    currency = (row.get(spec.currency_field) if spec.currency_field else "") or sheet.currency
    return show_value(spec, value, plain=plain, currency=currency, time_zone=sheet.time_zone)


class CsvWriter:
    """As the import reads it: major units, ISO dates, moments in UTC. For people it begins with the mark that lets a
    spreadsheet see that it is UTF-8."""

    def __init__(self, path: Path, sheet: Sheet) -> None:
        self._sheet = sheet
        self._file = path.open("w", encoding="utf-8-sig" if sheet.for_people else "utf-8", newline="")
        self._out = csv.writer(self._file)
        self._out.writerow([harmless(s.label) for s in sheet.specs])

    def write(self, rows: Sequence[Row]) -> None:
        self._out.writerows([[self._cell(s, r) for s in self._sheet.specs] for r in rows])

    def _cell(self, spec: FieldSpec, row: Row) -> str:
        text = text_of(spec, row, self._sheet, plain=True)
        is_text = spec.kind in TEXTS or spec.kind in (Kind.link, Kind.choice, Kind.choices, Kind.json)
        return harmless(text) if is_text else text

    def close(self) -> None:
        self._file.close()


class JsonWriter:
    """For programs: a list of objects, or with `lines` an object a line."""

    def __init__(self, path: Path, sheet: Sheet, *, lines: bool = False) -> None:
        self._names = [s.name for s in sheet.specs]
        self._file = path.open("wb")
        self._between, self._end, self._lead = (b"\n", b"", b"") if lines else (b",\n", b"]\n", b"[")
        self._is_lines, self._is_first = lines, True

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(
                (self._lead if self._is_first else self._between) + dumps({n: row[n] for n in self._names})
            )
            self._is_first = False

    def close(self) -> None:
        if self._is_lines:
            self._file.write(b"" if self._is_first else b"\n")
        else:
            self._file.write((self._lead if self._is_first else b"") + self._end)
        self._file.close()


class XlsxWriter:
    """Numbers, amounts, days and moments as such, in the time zone of who asked; one row in memory at a time."""

    def __init__(self, path: Path, sheet: Sheet) -> None:
        import xlsxwriter  # heavy

        self._sheet, self._row = sheet, 0
        self._zone = ZoneInfo(sheet.time_zone)
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True, "tmpdir": str(path.parent), "default_date_format": "yyyy-mm-dd",
                "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
            },
        )  # fmt: skip
        self._page = self._book.add_worksheet(_page_name(sheet.title))
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._part = self._book.add_format({"num_format": "0%"})
        self._amounts: dict[str, Any] = {}
        self._put = [self._writer_of(s, k) for k, s in enumerate(sheet.specs)]
        for k, spec in enumerate(sheet.specs):
            self._page.set_column(k, k, max(width_of(spec), min(40, len(spec.label) + 2)))
        self._page.freeze_panes(1, 1)
        head = self._book.add_format({"bold": True, "bottom": 1})
        for k, spec in enumerate(sheet.specs):
            self._page.write_string(0, k, spec.label[:_LONGEST_CELL], head)

    def _writer_of(self, spec: FieldSpec, column: int) -> Callable[[Row], None]:
        by_kind: dict[Kind, Callable[..., bool]] = {
            Kind.number: self._number, Kind.decimal: self._number, Kind.percent: self._percent, Kind.money: self._money,
            Kind.date: self._date, Kind.datetime: self._datetime, Kind.flag: self._flag,
        }  # fmt: skip
        typed = by_kind.get(spec.kind)

        def put(row: Row) -> None:
            value = row[spec.name]
            if value is None or value == "":
                return
            if typed is None or isinstance(value, str) or not typed(column, value, spec, row):
                self._text(column, text_of(spec, row, self._sheet, plain=False))

        return put

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._row += 1
            for put in self._put:
                put(row)

    def _text(self, column: int, text: str) -> None:
        short = text if len(text) <= _LONGEST_CELL else clip(text, _LONGEST_CELL)
        if is_formula(short):  # marked as text for good: it stays one when somebody edits the cell
            self._page.write_string(self._row, column, short, self._quoted)
        else:
            self._page.write_string(self._row, column, short)

    def _number(self, column: int, value: int | Decimal, *_: Any) -> bool:
        if len(Decimal(value).as_tuple().digits) > _EXACT:
            return False
        self._page.write_number(self._row, column, value)
        return True

    def _percent(self, column: int, value: int, *_: Any) -> bool:
        self._page.write_number(self._row, column, value / 100, self._part)
        return True

    def _money(self, column: int, value: int, spec: FieldSpec, row: Row) -> bool:
        currency = (row.get(spec.currency_field) if spec.currency_field else "") or self._sheet.currency
        if len(str(value)) > _EXACT:
            return False
        if currency not in self._amounts:
            places = "." + "0" * money.exponent(currency) if money.exponent(currency) else ""
            self._amounts[currency] = self._book.add_format({"num_format": f'#,##0{places} "{currency}"'})
        self._page.write_number(self._row, column, money.to_major(value, currency), self._amounts[currency])
        return True

    def _date(self, column: int, value: date, *_: Any) -> bool:
        if value < _FIRST_DAY:
            return False
        self._page.write_datetime(self._row, column, value, self._day)
        return True

    def _datetime(self, column: int, value: datetime, *_: Any) -> bool:
        there = value.astimezone(self._zone).replace(tzinfo=None)
        if there.date() < _FIRST_DAY:
            return False
        self._page.write_datetime(self._row, column, there, self._moment)
        return True

    def _flag(self, column: int, value: bool, *_: Any) -> bool:
        self._page.write_boolean(self._row, column, value)
        return True

    def close(self) -> None:
        if self._row:
            self._page.autofilter(0, 0, self._row, len(self._sheet.specs) - 1)
        self._book.close()


def _page_name(title: str) -> str:
    """What a sheet may be called."""
    return "".join(c for c in title if c not in "[]:*?/\\'")[:31] or "Sheet1"
