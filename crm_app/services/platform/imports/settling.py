"""Rows that were understood -> records to make and to change: required fields, rules, what is unique, what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards_of
from crm_app.core.conditions import stored
from crm_app.core.errors import CrmError, Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform.imports.directory import SEPARATOR, Planned, default_of
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.joining import column_dtype
from crm_app.services.platform.imports.reading import ROW
from crm_app.services.platform.imports.rows import Rows, plain
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible_owners


def _nothing() -> pl.DataFrame:
    """Not the class itself: polars is loaded when it is used, not with this module."""
    return pl.DataFrame()


@dataclass
class Settled:
    """`own`: the workspace's own fields of `creates`, row by row, which hold them in one column."""

    creates: pl.DataFrame
    updates: pl.DataFrame
    unchanged: int = 0
    before: list[dict[str, Any]] = field(default_factory=list)
    children: dict[Any, pl.DataFrame] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    own: pl.DataFrame = field(default_factory=_nothing)

    @property
    def known(self) -> pl.DataFrame:
        """What the new records are found by."""
        return self.creates.hstack(self.own) if self.own.width else self.creates


async def check(uow: UnitOfWork, rows: Rows) -> None:
    """Defaults of the workspace and the actor, required fields, owners, the entity's guards, what must be unique."""
    entity = rows.step.entity
    _fill_owner_and_currency(uow, rows)
    for spec in rows.specs.values():
        if spec.required and spec.name in entity.fields and spec.name not in rows.step.rules.late:
            values = rows.col(spec.name)
            empty = values.is_null() & rows.is_new
            rows.reject(
                empty,
                spec.name,
                "is required",
                "fill it in the file, or say what to take under `if_empty`",
                values=values,
            )
    _check_owners(uow, rows)
    if not rows.step.rules.keeps_guards and guards_of(entity.name):
        await _ask_guards(uow, rows)


def _fill_owner_and_currency(uow: UnitOfWork, rows: Rows) -> None:
    entity = rows.step.entity
    for name, value in (
        ("currency", rows.step.currency or uow.actor.currency),
        ("owner_id", str(uow.actor.user_id) if uow.actor.user_id else None),
    ):
        if name in entity.table.c and value is not None:
            given = rows.col(name)
            rows.put(
                name,
                given.zip_with(
                    given.is_not_null() | ~rows.is_new, pl.Series(name, [value]).new_from_index(0, len(rows))
                ),
            )


def _check_owners(uow: UnitOfWork, rows: Rows) -> None:
    """Nobody imports for people whose records they do not see, nor, without the right to, for anybody else."""
    name = rows.step.entity.name
    if not rows.has("owner_id"):
        return
    owners = visible_owners(uow.actor)
    if owners is not None:
        foreign = ~rows.frame["owner_id"].is_in([str(o) for o in owners])
        rows.reject(
            foreign,
            "owner_id",
            "is somebody whose records you do not see",
            "ask an admin to import these",
            values=pl.Series([""]).new_from_index(0, len(rows)),
        )
    if not uow.actor.can(f"{name}.assign"):
        others = (rows.frame["owner_id"] != str(uow.actor.user_id)) & rows.frame["owner_id"].is_not_null()
        rows.reject(
            others,
            "owner_id",
            "is somebody else, and your role does not let you give records away",
            "ask a manager to import these",
            values=pl.Series([""]).new_from_index(0, len(rows)),
        )


async def _ask_guards(uow: UnitOfWork, rows: Rows) -> None:
    """Row by row: an entity that many rows come of keeps its rules for all at once (ImportRules.keeps_guards)."""
    entity, step = rows.step.entity, rows.step
    names = [c for c in rows.frame.columns if c in entity.table.c and c != "id"]
    bad: list[bool] = []
    for row, place in zip(rows.frame.iter_rows(named=True), range(len(rows)), strict=True):
        values = {n: _python(entity, n, row[n]) for n in names if row[n] is not None}
        before = None if row["is_new"] or rows.current is None else _Old(rows.current.row(place, named=True), entity)
        draft = Draft(entity, values, before)
        try:
            for guard in guards_of(entity.name):
                await guard(uow, draft)
            bad.append(False)
        except Invalid as refusal:
            bad.append(True)
            for name, message in (refusal.fields or {"": str(refusal)}).items():
                rows.log.add([row[ROW]], rows.headings.get(name, name), [row.get(name)], message)
        except CrmError as refusal:
            bad.append(True)
            rows.log.add([row[ROW]], "", None, f"{step.entity.label}: {refusal}")
    if bad:
        rows.keep(~pl.Series(bad, dtype=pl.Boolean))


class _Old:
    """A row read by attribute, as guards read records."""

    def __init__(self, row: dict[str, Any], entity: Entity) -> None:
        self._row, self._entity = row, entity

    def __getattr__(self, name: str) -> Any:
        return _python(self._entity, name, self._row[name])


def _python(entity: Entity, name: str, value: Any) -> Any:
    spec = entity.fields.get(name)
    return UUID(value) if value is not None and spec is not None and spec.kind is Kind.link else value


# -- Records ---------------------------------------------------------------------------------------------------------


async def settle(uow: UnitOfWork, rows: Rows, planned: Planned) -> Settled:
    """Split into new, changed and unchanged, with every column that follows from others."""
    entity = rows.step.entity
    _derive(rows, entity)
    _gather_custom(rows)
    columns = [c for c in rows.frame.columns if c in entity.table.c]
    await _keep_unique(uow, rows, columns, planned)
    children = {m: f for m, f in (await rows.step.rules.children(rows)).items() if f.height}
    creates = rows.frame.filter(rows.is_new).select(columns)
    creates = creates.with_columns(
        pl.col(c).fill_null(pl.lit(default_of(entity, c)).cast(creates.schema[c]))
        for c in columns
        if not entity.table.c[c].nullable and default_of(entity, c) is not None
    )
    own = rows.frame.filter(rows.is_new).select(_own_names(rows))
    settled = Settled(creates, pl.DataFrame(), children=children, own=own)
    amount = rows.step.rules.sum_of
    if amount:
        sums = creates.group_by("currency").agg(pl.col(amount).sum())
        settled.sums = {c: int(s) for c, s in sorted(sums.iter_rows())}
    _compare(rows, columns, settled)
    return settled


def _derive(rows: Rows, entity: Entity) -> None:
    """The columns that the model works out, for new rows and for known ones from what they will be."""
    derived = entity.model.derived
    if not derived:
        return
    view = _View(rows, entity)
    for name, follow in derived.items():
        dtype = column_dtype(entity, entity.table.c[name])
        values = []
        for view.place in range(len(rows)):
            values.append(plain(follow(view)))
        rows.put(name, pl.Series(name, values, dtype=dtype))
        view.columns.pop(name, None)  # what was derived counts for what is derived next


def _gather_custom(rows: Rows) -> None:
    """The workspace's own fields together, as their column holds them; of known records on top of what is there."""
    names = _own_names(rows)
    if not names:
        return
    before = rows.current["custom"].to_list() if rows.current is not None else [None] * len(rows)
    columns = [[_stored(rows.specs[n], v) for v in rows.frame[n].to_list()] for n in names]
    texts = []
    for old, row in zip(before, zip(*columns, strict=True), strict=True):
        whole = json.loads(old) if old else {}
        given = {rows.specs[n].key: v for n, v in zip(names, row, strict=True) if v is not None}
        texts.append(json.dumps({**whole, **given}, ensure_ascii=False))
    rows.put("custom", pl.Series("custom", texts, dtype=pl.String))


def _own_names(rows: Rows) -> list[str]:
    return [n for n in rows.frame.columns if n in rows.specs and rows.specs[n].custom]


def _stored(spec: FieldSpec, value: Any) -> Any:
    if value is None:
        return None
    if spec.kind is Kind.choices:
        return json.loads(value)
    return stored.store(Decimal(value) if spec.kind is Kind.decimal else value)


class _View(Mapping[str, Any]):
    """The row at `place` as a record's values: what derived columns are worked out from."""

    __slots__ = ("columns", "entity", "place", "rows")

    def __init__(self, rows: Rows, entity: Entity) -> None:
        self.rows, self.entity, self.place = rows, entity, 0
        self.columns: dict[str, list[Any]] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.columns:
            self.columns[name] = self._load(name)
        return self.columns[name][self.place]

    def _load(self, name: str) -> list[Any]:
        """The file's word, else what the record has, else the model's default."""
        rows = self.rows
        if name in rows.specs:
            values = rows.value(name).to_list()
        elif rows.has(name):
            values = rows.frame[name].to_list()
        else:
            values = [None] * len(rows)
        default = default_of(self.entity, name)
        return values if default is None else [default if v is None else v for v in values]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entity.model.model_fields)

    def __len__(self) -> int:
        return len(self.entity.model.model_fields)


async def _keep_unique(uow: UnitOfWork, rows: Rows, columns: Sequence[str], planned: Planned) -> None:
    """Rows that would break a unique index of the table, in the file or against the data."""
    entity = rows.step.entity
    for index in entity.table.indexes:
        parts = [c.name for c in index.columns if c.name != "tenant_id"]
        asked = {p.removesuffix("_key") for p in parts} == set(rows.step.key)
        if not index.unique or asked or not set(parts) <= set(columns):
            continue
        keys = rows.frame.select(
            pl.concat_str([pl.col(p).cast(pl.String) for p in parts], separator=SEPARATOR)
        ).to_series()
        keys = keys.zip_with(keys != "", pl.Series([None], dtype=pl.String).new_from_index(0, len(keys)))
        query = sa.select(entity.table.c.id, *(entity.table.c[p] for p in parts)).where(
            entity.table.c.deleted_at.is_(None)
        )
        taken = {SEPARATOR.join(str(plain(v)) for v in r[1:]): str(r[0]) for r in await uow.rows(query)}
        for frame in planned.of(entity.name, parts):
            texts = frame.select(
                pl.concat_str([pl.col(p).cast(pl.String) for p in parts], separator=SEPARATOR)
            ).to_series()
            taken |= dict(zip(texts.to_list(), frame["id"].to_list(), strict=True))
        own = rows.frame["id"].to_list()
        clash = [k is not None and taken.get(k, i) != i for k, i in zip(keys.to_list(), own, strict=True)]
        twice = ~keys.is_first_distinct() & keys.is_not_null()
        name = parts[-1].removesuffix("_key")
        mask = pl.Series(clash, dtype=pl.Boolean) | twice
        rows.reject(mask, name, "is already used by another record", "make it another one, or use it as the key")


def _compare(rows: Rows, columns: Sequence[str], settled: Settled) -> None:
    """Which known records will be another than they are, and how they are now."""
    old = ~rows.is_new
    if rows.current is None or not old.any():
        return
    frame, current = rows.frame.filter(old), rows.current.filter(old)
    named = {*rows.step.columns.values(), *rows.step.constants, *rows.step.templates}
    follows = rows.step.rules.follows
    differs: dict[str, pl.Series] = {}
    values: dict[str, pl.Series] = {}
    for name in sorted((c for c in columns if c != "id"), key=lambda c: c in follows):
        given, now = frame[name], current[name].cast(frame[name].dtype)
        changed = (given.is_not_null() & given.ne_missing(now)).fill_null(value=False)
        if name in follows and name not in named:
            led = [differs[leader] for leader in follows[name] if leader in differs]
            moves = pl.Series([False]).new_from_index(0, frame.height)
            for leader in led:
                moves = moves | leader
            changed = changed & moves
        differs[name] = changed
        values[name] = given.zip_with(changed, now)
    names = [n for n, d in differs.items() if d.any()]
    any_change = pl.Series([False]).new_from_index(0, frame.height)
    for name in names:
        any_change = any_change | differs[name]
    settled.unchanged = frame.height - int(any_change.sum())
    updates = pl.DataFrame(
        [
            frame["id"],
            current["version"],
            current["updated_at"],
            current["updated_by_id"],
            *(values[n].alias(f"new_{n}") for n in names),
        ]
    )
    settled.updates = updates.filter(any_change).rename({f"new_{n}": n for n in names})
    kept = {n: (current[n].filter(any_change).to_list(), differs[n].filter(any_change).to_list()) for n in names}
    settled.before = [
        {n: _json(now[i]) for n, (now, changed) in kept.items() if changed[i]} for i in range(settled.updates.height)
    ]


def _json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
