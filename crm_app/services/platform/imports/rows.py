"""The rows of one step while they are understood: typed columns, what is wrong with which row, what was decided."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from crm_app.core.registry import FieldSpec, Kind
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.reading import ROW
from crm_app.services.platform.imports.values import Unreadable

if TYPE_CHECKING:
    from crm_app.services.platform.imports.mapping import StepMapping


def moments() -> Any:
    """The type of UTC moments."""
    return pl.Datetime("us", "UTC")


@cache
def _dtypes() -> dict[Kind, Any]:
    return {
        Kind.number: pl.Int64,
        Kind.money: pl.Int64,
        Kind.percent: pl.Int64,
        Kind.flag: pl.Boolean,
        Kind.date: pl.Date,
        Kind.datetime: moments(),
    }


def dtype_of(spec: FieldSpec) -> Any:
    """Everything without a type of its own travels as text: ids, decimals, JSON."""
    return _dtypes().get(spec.kind, pl.String)


def plain(value: Any) -> Any:
    """A Python value as a column holds it."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float | str) or hasattr(value, "year"):
        return getattr(value, "value", value)
    return str(value)


@dataclass(frozen=True)
class Problem:
    """Why a row is left out. `column` is the file's own heading, or the field where no column fills it."""

    row: int
    column: str
    value: str
    message: str
    remedy: str = ""
    is_duplicate: bool = False

    def __str__(self) -> str:
        what = f"{self.column}: " if self.column else ""
        value = f'"{self.value}" ' if self.value else ""
        return f"row {self.row}: {what}{value}{self.message}" + (f" ({self.remedy})" if self.remedy else "")


@dataclass
class ProblemLog:
    """Of all rows. A rejected row may be named several times, once for each of its cells that do not fit."""

    found: list[Problem] = field(default_factory=list)

    def add(
        self, rows: Iterable[int], column: str, values: Iterable[Any] | None, message: str, remedy: str = "", *,
        is_duplicate: bool = False,
    ) -> None:  # fmt: skip
        numbers = list(rows)
        texts = list(values) if values is not None else [""] * len(numbers)
        for row, value in zip(numbers, texts, strict=True):
            shown = "" if value is None else str(value)[:120]
            self.found.append(Problem(row, column, shown, message, remedy, is_duplicate))


@dataclass
class Rows:
    """`frame`: ROW, `id` (of the record a row becomes or changes) and a column per field; rows that were rejected are
    gone from it. `current` has, for rows that change a record, its values now, aligned with `frame`."""

    step: StepMapping
    frame: pl.DataFrame
    specs: Mapping[str, FieldSpec]
    headings: Mapping[str, str]  # field -> column of the file
    log: ProblemLog
    related: Callable[[str, str], Awaitable[pl.Series]]  # (link, field of the linked record) -> its values by row
    notes: dict[str, int] = field(default_factory=dict)
    current: pl.DataFrame | None = None

    @property
    def is_new(self) -> pl.Series:
        return self.frame["is_new"]

    def __len__(self) -> int:
        return self.frame.height

    def has(self, name: str) -> bool:
        return name in self.frame.columns

    def col(self, name: str) -> pl.Series:
        """What the file says; all null when it says nothing."""
        if self.has(name):
            return self.frame[name]
        return pl.Series(name, [None] * len(self), dtype=dtype_of(self.specs[name]))

    def value(self, name: str) -> pl.Series:
        """What the record will have: the file's word, else what it has now."""
        given = self.col(name)
        if self.current is None or name not in self.current.columns:
            return given
        now = self.current[name]
        return given.zip_with(given.is_not_null(), now.cast(given.dtype))

    def put(self, name: str, values: pl.Series | pl.Expr) -> None:
        self.frame = self.frame.with_columns(values.alias(name))

    def fill(self, name: str, values: pl.Series) -> None:
        """Set where the file says nothing."""
        given = self.col(name)
        self.put(name, given.zip_with(given.is_not_null(), values.cast(given.dtype)))

    def note(self, text: str, count: int) -> None:
        if count:
            self.notes[text] = self.notes.get(text, 0) + count

    def reject(
        self, mask: pl.Series, name: str, message: str, remedy: str = "", *, values: pl.Series | None = None,
        is_duplicate: bool = False,
    ) -> None:  # fmt: skip
        """Leave out the rows of the mask, saying why."""
        if not mask.any():
            return
        chosen = mask.fill_null(value=False)
        shown = values if values is not None else (self.frame[name] if self.has(name) else None)
        self.log.add(
            self.frame[ROW].filter(chosen), self.headings.get(name, name),
            None if shown is None else shown.filter(chosen).to_list(), message, remedy, is_duplicate=is_duplicate,
        )  # fmt: skip
        self.keep(~chosen)

    def keep(self, mask: pl.Series) -> None:
        self.frame = self.frame.filter(mask)
        if self.current is not None:
            self.current = self.current.filter(mask)


def converted(texts: pl.Series, read: Callable[[str], Any], dtype: Any) -> tuple[pl.Series, dict[str, Unreadable]]:
    """Typed values, and what is wrong with the distinct texts that could not be read."""
    table: dict[str, Any] = {}
    wrong: dict[str, Unreadable] = {}
    for text in texts.drop_nulls().unique().to_list():
        try:
            table[text] = plain(read(text))
        except Unreadable as error:
            wrong[text] = error
    return looked_up(texts, table, dtype), wrong


def looked_up(texts: pl.Series, table: Mapping[str, Any], dtype: Any) -> pl.Series:
    """The value of each text; null for what is not in the table."""
    if not table:
        return pl.Series(texts.name, [None] * len(texts), dtype=dtype)
    keys, values = pl.Series(list(table), dtype=pl.String), pl.Series(list(table.values()), dtype=dtype)
    return texts.replace_strict(keys, values, default=None, return_dtype=dtype)
