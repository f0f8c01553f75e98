"""Which records a text of the file may mean: those in the database that the actor sees, and those planned before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.conditions import stored
from crm_app.core.registry import STAMPS, Entity, FieldSpec
from crm_app.core.text import fold, name_key
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import Match
from crm_app.services.platform.imports.rows import plain
from crm_app.services.platform.sight import column_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

SEPARATOR = "\x1f"  # between the parts of a key
SEVERAL = "several"  # several records have this key
HIDDEN = "hidden"  # a record has it that the actor may not see


def key_of(text: str, match: Match) -> str:
    return name_key(text) if match is Match.folded else fold(text)


def keys_of(columns: Sequence[pl.Series], match: Match) -> pl.Series:
    """One key text a row, over all its parts; null where a part is empty."""
    parts = []
    for column in columns:
        texts = column.cast(pl.String)
        distinct = texts.drop_nulls().unique()
        keys = pl.Series([key_of(t, match) for t in distinct.to_list()], dtype=pl.String)
        parts.append(texts.replace_strict(distinct, keys, default=None, return_dtype=pl.String))
    if len(parts) == 1:
        return parts[0]
    frame = pl.DataFrame([p.alias(str(i)) for i, p in enumerate(parts)])
    return frame.select(pl.concat_str(pl.all(), separator=SEPARATOR)).to_series()


@dataclass
class Planned:
    """What the steps so far will create, by entity: frames with `id` and fields."""

    frames: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def add(self, entity: str, frame: pl.DataFrame) -> None:
        self.frames.setdefault(entity, []).append(frame)

    def of(self, entity: str, columns: Sequence[str]) -> Iterable[pl.DataFrame]:
        """Frames that have all of these columns."""
        for frame in self.frames.get(entity, []):
            if set(columns) <= set(frame.columns):
                yield frame.select("id", *(c for c in columns if c != "id"))


@dataclass(frozen=True)
class Directory:
    """Key -> id, or SEVERAL, or HIDDEN; and the text that each visible key was made of."""

    ids: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def find(self, keys: pl.Series) -> pl.Series:
        """The id of each key; null where there is none, several, or a hidden one (see `trouble`)."""
        good = {k: self.ids[k] for k in keys.drop_nulls().unique().to_list() if self._is_plain(k)}
        if not good:
            return pl.Series(keys.name, [None] * len(keys), dtype=pl.String)
        return keys.replace_strict(
            pl.Series(list(good), dtype=pl.String), pl.Series(list(good.values()), dtype=pl.String), default=None,
            return_dtype=pl.String,
        )  # fmt: skip

    def trouble(self, key: str) -> str:
        """SEVERAL, HIDDEN, or an empty text."""
        found = self.ids.get(key, "")
        return found if found in (SEVERAL, HIDDEN) else ""

    def _is_plain(self, key: str) -> bool:
        return self.ids.get(key, SEVERAL) not in (SEVERAL, HIDDEN)


async def directory(
    uow: UnitOfWork, entity: Entity, fields: Sequence[str], match: Match, planned: Planned
) -> Directory:
    """All live records of the entity by these fields."""
    table = entity.table
    seen = visible(entity, uow.actor, to_write=True)
    query = sa.select(
        table.c.id, *(_column(uow, entity, f) for f in fields), (sa.true() if seen is None else seen).label("is_seen")
    ).where(table.c.deleted_at.is_(None))
    ids: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in await uow.rows(query):
        texts = [_text(v) for v in row[1:-1]]
        if not all(texts):
            continue
        key = SEPARATOR.join(key_of(t, match) for t in texts)
        _enter(ids, key, str(row[0]) if row[-1] else HIDDEN)
        if row[-1]:
            names[key] = texts[-1]
    for frame in planned.of(entity.name, fields):
        keys = keys_of([frame[f] for f in fields], match).to_list()
        texts = frame[fields[-1]].cast(pl.String).to_list()
        for key, record_id, text in zip(keys, frame["id"].to_list(), texts, strict=True):
            if key is not None:
                _enter(ids, key, record_id)
                names[key] = text
    return Directory(ids, names)


def _column(uow: UnitOfWork, entity: Entity, name: str) -> sa.ColumnElement[Any]:
    spec = _own(entity, name)
    return column_of(uow, entity, spec) if spec else entity.table.c[name]


def _own(entity: Entity, name: str) -> FieldSpec | None:
    """The field, where it is one of the workspace's own."""
    spec = entity.fields.get(name)
    return spec if spec is not None and spec.custom else None


def _enter(ids: dict[str, str], key: str, record_id: str) -> None:
    """A visible record goes before a hidden one of the same key; two visible ones cannot be told apart."""
    old = ids.get(key)
    if old is None or old == HIDDEN:
        ids[key] = record_id
    elif record_id != HIDDEN:
        ids[key] = SEVERAL


def _text(value: Any) -> str:
    return "" if value is None else str(getattr(value, "value", value))


def default_of(entity: Entity, name: str) -> Any:
    """What a column holds when nobody gives it, as a frame holds it; None where the database or nobody decides."""
    info = entity.model.model_fields.get(name)
    if info is None or name in STAMPS or info.is_required():
        return None
    return plain(info.get_default(call_default_factory=True))


async def fields_of(
    uow: UnitOfWork, entity: Entity, ids: Iterable[str], names: Sequence[str], planned: Planned
) -> dict[str, tuple[Any, ...]]:
    """Values of these fields by record id, for records of the database and planned ones."""
    wanted = set(ids)
    found: dict[str, tuple[Any, ...]] = {}
    for frame in planned.frames.get(entity.name, []):
        chosen = frame.filter(frame["id"].is_in(list(wanted))) if len(wanted) < len(frame) else frame
        columns = [chosen[n].to_list() if n in chosen.columns else [default_of(entity, n)] * len(chosen) for n in names]
        found |= dict(zip(chosen["id"].to_list(), zip(*columns, strict=True), strict=True))
    missing = [UUID(i) for i in wanted - set(found)]
    if missing:
        table, own = entity.table, [_own(entity, n) for n in names]
        columns = [table.c.custom[spec.key] if spec else table.c[n] for spec, n in zip(own, names, strict=True)]
        query = sa.select(table.c.id, *columns).where(table.c.id == sa.any_(sa.literal(missing, sa.ARRAY(sa.Uuid()))))
        for row in await uow.rows(query):
            found[str(row[0])] = tuple(
                stored.load(spec.kind, v) if spec else getattr(v, "value", v)
                for spec, v in zip(own, row[1:], strict=True)
            )
    return found
