"""Cells -> typed columns: which text fills which field, and what of it can be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.core.registry import FieldSpec, Kind
from crm_app.core.text import fold
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import SkipRule, StepMapping
from crm_app.services.platform.imports.reading import ROW, SourceTable
from crm_app.services.platform.imports.rows import Rows, converted, dtype_of, looked_up
from crm_app.services.platform.imports.values import Habits, Unreadable, guess_day_first, reader_of

_SLOT = re.compile(r"\{([^{}|]+)(?:\|(\w+))?\}")
_FILTERS: dict[str, Callable[[str], str]] = {
    "slug": lambda t: re.sub(r"[^a-z0-9]+", ".", fold(t)).strip("."),
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
}


def texts_of(step: StepMapping, source: SourceTable, rows: Rows) -> pl.DataFrame:
    """ROW and the text for each field, before it is read; rows to skip are gone, here and in `rows`."""
    _require_columns(step, source)
    frame = fixed(source.frame, step.fixes)
    if step.left_out:
        frame = frame.filter(~frame[ROW].is_in(list(step.left_out)))
    for rule in step.skip:
        frame = frame.filter(~_is_skipped(frame[rule.column], rule))
    rows.frame = frame.select(ROW)
    texts = {ROW: frame[ROW]}
    for column, name in step.columns.items():
        texts[name] = frame[column]
    for name, template in step.templates.items():
        texts[name] = _from_template(frame, template)
    for name, constant in step.constants.items():
        texts[name] = pl.Series(name, [constant or None], dtype=pl.String).new_from_index(0, frame.height)
    for name, table in step.values.items():
        if name in texts:
            texts[name] = _translated(texts[name], table, rows, name)
    return pl.DataFrame([s.alias(n) for n, s in texts.items()])


def fixed(frame: pl.DataFrame, fixes: Mapping[int, Mapping[str, str]]) -> pl.DataFrame:
    """The frame with the texts that a person wrote into cells."""
    for column in {c for texts in fixes.values() for c in texts} & set(frame.columns):
        new = {row: texts[column] for row, texts in fixes.items() if column in texts}
        written = frame[ROW].is_in(list(new))
        values = pl.Series(column, [new.get(r) or None for r in frame[ROW].to_list()], dtype=pl.String)
        frame = frame.with_columns(values.zip_with(written, frame[column]))
    return frame


def _require_columns(step: StepMapping, source: SourceTable) -> None:
    named = [*step.columns, *(r.column for r in step.skip), *([step.id_column] if step.id_column else [])]
    named += [slot for t in step.templates.values() for slot, _ in _SLOT.findall(t)]
    if missing := [c for c in dict.fromkeys(named) if c not in source.columns]:
        raise Invalid(f'{source.name} has no column "{missing[0]}". It has {", ".join(source.columns)}.')
    for template in step.templates.values():
        if wrong := [f for _, f in _SLOT.findall(template) if f and f not in _FILTERS]:
            raise Invalid(f"Mapping: {template} uses {wrong[0]}; there are {', '.join(_FILTERS)}.")


def _is_skipped(column: pl.Series, rule: SkipRule) -> pl.Series:
    table = {t: fold(t) in rule.values for t in column.drop_nulls().unique().to_list()}
    return looked_up(column, table, pl.Boolean).fill_null("" in rule.values)


def _from_template(frame: pl.DataFrame, template: str) -> pl.Series:
    """The template filled per row, without what separates an empty column; empty where all of its columns are."""
    slots = list(dict.fromkeys(slot for slot, _ in _SLOT.findall(template)))
    if not slots:
        return pl.Series([template], dtype=pl.String).new_from_index(0, frame.height)
    chosen = frame.select(slots)
    distinct = chosen.unique()

    def fill(values: dict[str, str | None]) -> str | None:
        if not any(values.values()):
            return None
        return _SLOT.sub(lambda m: _FILTERS.get(m[2] or "", str)(values[m[1]] or ""), template).strip(" ,;:/-") or None

    texts = pl.Series("text", [fill(r) for r in distinct.iter_rows(named=True)], dtype=pl.String)
    return chosen.join(
        distinct.with_columns(texts), on=slots, how="left", nulls_equal=True, maintain_order="left"
    )["text"]  # fmt: skip


def _translated(column: pl.Series, table: Any, rows: Rows, name: str) -> pl.Series:
    """The texts of the file in the words of the mapping's `values`; one mapped to nothing counts as empty."""
    wanted = {fold(k): v for k, v in table.items()}
    change = {t: wanted[fold(t)] or None for t in column.drop_nulls().unique().to_list() if fold(t) in wanted}
    if not change:
        return column
    emptied = [t for t, to in change.items() if to is None]
    for text in emptied:
        count = int((column == text).sum())
        rows.note(f'{rows.headings.get(name, name)} "{text}" counts as empty', count)
    known = column.is_in(list(change))
    return (
        looked_up(column, change, pl.String).zip_with(known, column)
        if not known.all()
        else looked_up(column, change, pl.String)
    )


def read_cells(rows: Rows, texts: pl.DataFrame, actor: Actor) -> None:
    """Type every column but the links; rows with a cell that cannot be read are rejected, with each such cell."""
    step = rows.step
    habits = Habits(step.currency or actor.currency, actor.time_zone, step.day_first, step.decimal)
    bad = pl.Series([False] * len(rows), dtype=pl.Boolean)
    names = [n for n in texts.columns if n != ROW and rows.specs[n].kind is not Kind.link]
    names.sort(key=lambda n: rows.specs[n].kind is Kind.money)  # amounts are read in the currency of their row
    for name in names:
        spec, column = rows.specs[name], texts[name]
        if spec.kind is Kind.money and rows.has(spec.currency_field):
            typed, wrong = _by_currency(rows, spec, column, habits)
        else:
            typed, wrong = _read_column(spec, column, habits, step.multiply.get(name, Decimal(1)))
        rows.put(name, typed)
        bad = bad | _log_unreadable(rows, name, column, wrong)
    rows.keep(~bad)


def _read_column(
    spec: FieldSpec, column: pl.Series, habits: Habits, times: Decimal
) -> tuple[pl.Series, dict[str, Unreadable]]:
    if spec.kind is Kind.text and not spec.choices and spec.name != "currency":
        return _read_text(spec, column, habits)
    if spec.kind in (Kind.date, Kind.datetime) and habits.day_first is None:
        guessed = guess_day_first(column.drop_nulls().unique().to_list())
        habits = Habits(habits.currency, habits.time_zone, guessed, habits.decimal)
    return converted(column, reader_of(spec, habits, times=times), dtype_of(spec))


def _read_text(spec: FieldSpec, column: pl.Series, habits: Habits) -> tuple[pl.Series, dict[str, Unreadable]]:
    """The quick way for columns of plain text, where nearly every cell is another and hardly one is wrong."""
    typed = column.str.replace_all(r"\s+", " ")
    limit = spec.max_length or 1 << 30
    doubtful = (typed.str.len_chars() > limit) | typed.str.contains("\x00", literal=True)
    if not doubtful.any():
        return typed, {}
    _, wrong = converted(column.filter(doubtful), reader_of(spec, habits), pl.String)
    return typed, wrong


def _by_currency(
    rows: Rows, spec: FieldSpec, column: pl.Series, habits: Habits
) -> tuple[pl.Series, dict[str, Unreadable]]:
    currencies = rows.frame[spec.currency_field].fill_null(habits.currency)
    typed = pl.Series(spec.name, [None] * len(column), dtype=pl.Int64)
    wrong: dict[str, Unreadable] = {}
    for currency in currencies.unique().to_list():
        mine = currencies == currency
        theirs = Habits(currency, habits.time_zone, habits.day_first, habits.decimal)
        times = rows.step.multiply.get(spec.name, Decimal(1))
        part, bad = converted(column, reader_of(spec, theirs, times=times), pl.Int64)
        typed = part.zip_with(mine, typed)
        wrong |= bad
    return typed, wrong


def _log_unreadable(rows: Rows, name: str, column: pl.Series, wrong: dict[str, Unreadable]) -> pl.Series:
    bad = (
        column.is_in(list(wrong)).fill_null(value=False)
        if wrong
        else pl.Series([False] * len(column), dtype=pl.Boolean)
    )
    for text, error in wrong.items():
        mine = (column == text).fill_null(value=False)
        rows.log.add(
            rows.frame[ROW].filter(mine), rows.headings.get(name, name), [text] * int(mine.sum()), str(error),
            error.remedy,
        )  # fmt: skip
    return bad
