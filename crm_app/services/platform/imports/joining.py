"""Texts that name records -> the records; rows that name a record of their own entity -> that record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz import fuzz, process

from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform.imports import foreign
from crm_app.services.platform.imports.directory import (
    HIDDEN,
    SEPARATOR,
    SEVERAL,
    Directory,
    Planned,
    directory,
    fields_of,
    key_of,
    keys_of,
)
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.mapping import Fill, FillBy, LinkRule, Match, Mode, StepMapping
from crm_app.services.platform.imports.reading import ROW
from crm_app.services.platform.imports.rows import Rows, dtype_of, looked_up, moments, plain
from crm_app.services.platform.imports.rules import rules_of
from crm_app.services.platform.imports.values import NOON, UTC, Habits, Unreadable, reader_of
from crm_app.store.uow import UnitOfWork

if TYPE_CHECKING:
    from crm_app.services.platform.imports.planning import Planning

_LIKE_ENOUGH = 80
Create = Callable[[StepMapping], "Awaitable[pl.DataFrame]"]  # plans related records; their frame


class Joins:
    """The links of one step."""

    def __init__(self, planning: Planning, rows: Rows, create: Create) -> None:
        self.planning, self.rows, self.create = planning, rows, create
        self.uow: UnitOfWork = planning.uow
        self._directories: dict[tuple[Any, ...], Directory] = {}

    async def join(self, texts: pl.DataFrame) -> None:
        """Every link column of the file; rows that name nobody are rejected."""
        step = self.rows.step
        names = [n for n in texts.columns if n != ROW and self.rows.specs[n].kind is Kind.link]
        leaders = set(step.rules.within.values())
        for name in sorted(names, key=lambda n: n not in leaders):
            left = texts.filter(texts[ROW].is_in(self.rows.frame[ROW].implode()))
            await self._join_column(name, left[name], step.link_rule(name))

    async def _join_column(self, name: str, texts: pl.Series, rule: LinkRule) -> None:
        if self._points_to_own_step(name):
            self.rows.put(f"{name}__text", texts)  # known only once all rows have their ids
            self.rows.put(name, pl.Series(name, [None] * len(texts), dtype=pl.String))
            return
        by_id = self.planning.foreign.find(self._target(name).name, texts)
        if rule.foreign:
            rule = replace(rule, create_missing=False)
        texts = texts.zip_with(by_id.is_null(), pl.Series([None], dtype=pl.String).new_from_index(0, len(texts)))
        found, keys = await self._find(name, texts, rule)
        if rule.create_missing and (missing := self._missing(found, keys)):
            await self._create_missing(name, texts, keys, missing, rule, found)
        self.rows.put(name, by_id.zip_with(by_id.is_not_null(), found.find(keys)))
        await self._reject_unknown(name, texts, keys, rule, found)

    async def _find(self, name: str, texts: pl.Series, rule: LinkRule) -> tuple[Directory, pl.Series]:
        """Where to look, and the key of each row there."""
        target = self._target(name)
        leader = self.rows.step.rules.within.get(name)
        if leader and self.rows.has(leader) and self.rows.frame[leader].is_not_null().all():
            parts = [self.rows.frame[leader], texts]
            return await self._directory(target, (leader, rule.by), rule.match), keys_of(parts, rule.match)
        return await self._directory(target, (rule.by,), rule.match), keys_of([texts], rule.match)

    async def _directory(self, target: Entity, fields: tuple[str, ...], match: Match) -> Directory:
        known = (target.name, fields, match)
        if known not in self._directories:
            self.planning.looked_at.add(target.name)
            self._directories[known] = await directory(self.uow, target, fields, match, self.planning.planned)
        return self._directories[known]

    def _target(self, name: str) -> Entity:
        return self.rows.step.entity.other(self.rows.specs[name].target)

    def _points_to_own_step(self, name: str) -> bool:
        return self.rows.specs[name].target == self.rows.step.entity.name

    @staticmethod
    def _missing(found: Directory, keys: pl.Series) -> list[str]:
        return [k for k in keys.drop_nulls().unique(maintain_order=True).to_list() if k not in found.ids]

    async def _create_missing(
        self, name: str, texts: pl.Series, keys: pl.Series, missing: list[str], rule: LinkRule, found: Directory
    ) -> None:
        """Plan a record for each missing key, under its first spelling."""
        target = self._target(name)
        if any(SEPARATOR in key for key in missing):
            raise Invalid(
                f"Mapping, links.{name}: create_missing is not enough here; add a step for {target.plural.lower()}."
            )
        first = (
            pl.DataFrame([keys.alias("key"), texts.alias("text")])
            .filter(keys.is_in(missing))
            .unique("key", keep="first", maintain_order=True)
        )
        step = StepMapping(
            name=f"{target.plural} named under {self.rows.headings.get(name, name)}", entity=target,
            rules=rules_of(target.name), rows=[{rule.by: t} for t in first["text"]], mode=Mode.create,
            columns={rule.by: rule.by}, constants=rule.set, currency=self.rows.step.currency,
        )  # fmt: skip
        made = await self.create(step)
        for record_id, text in zip(made["id"].to_list(), made[rule.by].to_list(), strict=True):
            key = key_of(text, rule.match)
            found.ids[key], found.names[key] = record_id, text
        self.rows.note(f"{target.plural} that will be created for {self.rows.headings.get(name, name)}", made.height)

    async def _reject_unknown(
        self, name: str, texts: pl.Series, keys: pl.Series, rule: LinkRule, found: Directory
    ) -> None:
        unknown = self.rows.frame[name].is_null() & texts.is_not_null()
        if not unknown.any():
            return
        if rule.lenient or (rule.foreign and self.rows.specs[name].nullable):
            self._leave_empty(name, texts.filter(unknown))
            return
        target, label = self._target(name), self._target(name).label.lower()
        frame = pl.DataFrame([self.rows.frame[ROW], texts.alias("text"), keys.alias("key")]).filter(unknown)
        for (key, text), group in frame.group_by("key", "text", maintain_order=True):
            if found.trouble(str(key)) == SEVERAL:
                message, remedy = (
                    f"is the name of several {target.plural.lower()}",
                    "tell them apart by another field under `by`",
                )
            else:
                message = self._lost(target.name, str(text)) or (
                    f"is no {label} here" if found.trouble(str(key)) != HIDDEN else f"is no {label} that you may use"
                )
                remedy = self._advice(str(text), rule, found)
            self.rows.log.add(group[ROW], self.rows.headings.get(name, name), [text] * group.height, message, remedy)
        self.rows.keep(~unknown)

    def _lost(self, entity: str, text: str) -> str:
        place = self.planning.foreign.lost.get(entity, {}).get(foreign.first(text))
        return f"is row {place[0]} of {place[1]}, which is left out" if place else ""

    def _leave_empty(self, name: str, texts: pl.Series) -> None:
        """Ids of records that are in none of the files, and names that count as nobody."""
        target = self._target(name)
        others = self.planning.foreign.ids.values()  # an id of another kind of record is no mistake
        names = [t for t in texts.to_list() if not any(foreign.first(t) in ids for ids in others)]
        lost = sum(1 for t in names if self._lost(target.name, t))
        column = self.rows.headings.get(name, name)
        self.rows.note(f"{column}: names a row that is left out, so it stays empty", lost)
        instead = "you are the owner" if name == "owner_id" else "it stays empty"
        self.rows.note(f"{column}: {target.label.lower()} not found here, so {instead}", len(names) - lost)

    @staticmethod
    def _advice(text: str, rule: LinkRule, found: Directory) -> str:
        near = process.extractOne(text, found.names, scorer=fuzz.WRatio, score_cutoff=_LIKE_ENOUGH)
        if near is None:
            return "correct the name, or create what is missing with `create_missing: true`"
        name = near[0]
        if rule.match is Match.exact and key_of(text, Match.folded) == key_of(name, Match.folded):
            return f'`match: folded` under links joins it to "{name}"'
        return f'did you mean "{name}"?'

    async def join_own(self) -> None:
        """Links among the rows of the step itself, once each has its id."""
        for name in [c.removesuffix("__text") for c in self.rows.frame.columns if c.endswith("__text")]:
            rows, rule = self.rows, self.rows.step.link_rule(name)
            texts = rows.frame[f"{name}__text"]
            rows.frame = rows.frame.drop(f"{name}__text")
            found = await directory(self.uow, self._target(name), (rule.by,), rule.match, self.planning.planned)
            if rows.has(rule.by):
                for key, record_id in zip(
                    keys_of([rows.frame[rule.by]], rule.match).to_list(), rows.frame["id"].to_list(), strict=True
                ):
                    if key is not None:
                        found.ids.setdefault(key, record_id)
            by_id = self.planning.foreign.find(self._target(name).name, texts)
            keys = keys_of([texts], rule.match)
            rows.put(name, by_id.zip_with(by_id.is_not_null(), found.find(keys)))
            await self._reject_unknown(name, texts, keys, rule, found)

    # -- empty cells -------------------------------------------------------------------------------------------------

    async def fill_empty(self) -> None:
        """New records only: an empty cell leaves a known record's field alone."""
        for name, fills in self.rows.step.if_empty.items():
            for fill in fills:
                empty = self.rows.col(name).is_null() & self.rows.is_new
                if not empty.any():
                    break
                values = await self._filling(name, fill)
                filled = empty & values.is_not_null()
                told = f"{self.rows.headings.get(name, name)} is empty: {_said(fill, self.rows)}"
                self.rows.note(told, int(filled.sum()))
                self.rows.put(name, values.zip_with(filled, self.rows.col(name)))

    async def _filling(self, name: str, fill: Fill) -> pl.Series:
        spec, rows = self.rows.specs[name], self.rows
        if fill.by is FillBy.field:
            return _as(rows.col(fill.value), spec)
        if fill.by is FillBy.related:
            link, _, field_name = fill.value.partition(".")
            return await self._related_amount(spec, link, field_name)
        if fill.by is FillBy.days_from_today:
            day = self.uow.today + timedelta(days=int(fill.value))
            value: Any = day if spec.kind is Kind.date else datetime.combine(day, NOON, UTC)
            return pl.Series(name, [value], dtype=dtype_of(spec)).new_from_index(0, len(rows))
        if spec.kind is Kind.link:
            return await self._named_record(name, fill)
        try:
            habits = Habits(
                rows.step.currency or self.uow.actor.currency,
                self.uow.actor.time_zone,
                rows.step.day_first,
                rows.step.decimal,
            )
            value = plain(reader_of(spec, habits)(fill.value))
        except Unreadable as error:
            raise Invalid(f'Mapping, if_empty.{name}: "{fill.value}" {error}.') from None
        return pl.Series(name, [value], dtype=dtype_of(spec)).new_from_index(0, len(rows))

    async def _named_record(self, name: str, fill: Fill) -> pl.Series:
        """One record of this name for all; with `record` it is created when there is none."""
        rule = self.rows.step.link_rule(name)
        rule = replace(rule, create_missing=fill.by is FillBy.record)
        texts = pl.Series(name, [fill.value], dtype=pl.String).new_from_index(0, len(self.rows))
        by_id = self.planning.foreign.find(self._target(name).name, texts)
        if rule.foreign:
            rule = replace(rule, create_missing=False)
        texts = texts.zip_with(by_id.is_null(), pl.Series([None], dtype=pl.String).new_from_index(0, len(texts)))
        found, keys = await self._find(name, texts, rule)
        if rule.create_missing and (missing := self._missing(found, keys)):
            await self._create_missing(name, texts, keys, missing, rule, found)
        values = found.find(keys)
        if not values.is_not_null().any():
            label = self._target(name).label.lower()
            raise Invalid(
                f'Mapping, if_empty.{name}: there is no {label} "{fill.value}"; write {{record: ...}} to create it.'
            )
        return values

    async def _related_amount(self, spec: FieldSpec, link: str, field_name: str) -> pl.Series:
        """Money only where both are in one currency: nothing is converted."""
        values = await self.related(link, field_name)
        theirs = self._target(link).fields[field_name]
        if spec.kind is Kind.money and theirs.currency_field:
            currency = await self.related(link, theirs.currency_field)
            mine = self.rows.col(spec.currency_field).fill_null(self.rows.step.currency or self.uow.actor.currency)
            values = values.zip_with(
                currency == mine, pl.Series([None], dtype=values.dtype).new_from_index(0, len(values))
            )
        if spec.minimum is not None:
            values = values.zip_with(
                values >= spec.minimum, pl.Series([None], dtype=values.dtype).new_from_index(0, len(values))
            )
        return _as(values, spec)

    async def related(self, link: str, field_name: str) -> pl.Series:
        """A field of the linked record, row by row."""
        target, ids = self._target(link), self.rows.col(link)
        spec = target.fields[field_name]
        found = await fields_of(
            self.uow, target, ids.drop_nulls().unique().to_list(), [field_name], self.planning.planned
        )
        table = {k: plain(v[0]) for k, v in found.items()}
        return looked_up(ids, table, dtype_of(spec))


def _as(values: pl.Series, spec: FieldSpec) -> pl.Series:
    wanted = dtype_of(spec)
    if values.dtype == wanted:
        return values
    if wanted == pl.Date:
        return values.dt.date() if isinstance(values.dtype, pl.Datetime) else values.cast(wanted)
    if isinstance(wanted, pl.Datetime) and values.dtype == pl.Date:
        return (values.cast(pl.Datetime("us")) + timedelta(hours=12)).dt.replace_time_zone("UTC")
    return values.cast(wanted)


def _said(fill: Fill, rows: Rows) -> str:
    if fill.by is FillBy.field:
        return f"{rows.headings.get(fill.value, rows.specs[fill.value].label)} is taken"
    if fill.by is FillBy.related:
        link, _, name = fill.value.partition(".")
        target = rows.step.entity.other(rows.specs[link].target)
        return f"the {target.fields[name].label.lower()} of the {target.label.lower()} is taken"
    if fill.by is FillBy.days_from_today:
        return "today is taken" if int(fill.value) == 0 else f"{fill.value} days from today are taken"
    return f'"{fill.value}" is taken'


# -- Records that the rows mean --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """The key of each row, and the id of the record that has it already."""

    keys: pl.Series
    ids: pl.Series
    found: Directory

    def hidden(self, keys: pl.Series) -> pl.Series:
        bad = [k for k in keys.drop_nulls().unique().to_list() if self.found.trouble(k)]
        return keys.is_in(bad).fill_null(value=False) if bad else pl.Series([False] * len(keys), dtype=pl.Boolean)


async def known_records(planning: Planning, rows: Rows) -> Known:
    step = rows.step
    if not step.key:
        nothing = pl.Series([None] * len(rows), dtype=pl.String)
        return Known(nothing, nothing, Directory({}))
    found = await directory(planning.uow, step.entity, step.key, step.match, Planned())
    keys = keys_of([rows.col(k) for k in step.key], step.match)
    return Known(keys, found.find(keys), found)


async def current_values(uow: UnitOfWork, entity: Entity, known: pl.Series) -> pl.DataFrame:
    """What the known records hold now, row by row; nulls beside new ones."""
    columns = [c for c in entity.table.c if c.name != "search_text"]
    ids = [UUID(i) for i in known.drop_nulls().to_list()]
    query = sa.select(*columns).where(entity.table.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Uuid()))))
    found = (await uow.execute(query)).all()
    data = {c.name: [plain(r[i]) for r in found] for i, c in enumerate(columns)}
    schema = {c.name: column_dtype(entity, c) for c in columns}
    frame = pl.DataFrame(data, schema=schema).with_columns(pl.col("id").alias("known"))
    return pl.DataFrame({"known": known}).join(frame, on="known", how="left", maintain_order="left").drop("known")


def column_dtype(entity: Entity, column: sa.Column[Any]) -> Any:
    """As `rows.dtype_of`, for columns without a declared field too."""
    spec = entity.fields.get(column.name)
    if spec is not None and spec.kind is not Kind.number:
        return dtype_of(spec)
    for kind, dtype in (
        (sa.DateTime, moments()), (sa.Boolean, pl.Boolean), (sa.Integer, pl.Int64), (sa.Float, pl.Float64),
    ):  # fmt: skip
        if isinstance(column.type, kind):
            return dtype
    return pl.String
