"""Texts of a file and the choices, people and stages they mean: known, likely, or open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz, process

from crm_app.core import registry
from crm_app.core.registry import FieldSpec
from crm_app.core.text import fold
from crm_app.services.platform import schema
from crm_app.services.platform.imports import keeping, outline
from crm_app.services.platform.imports.outline import Source
from crm_app.services.platform.imports.reading import FileHints
from crm_app.store import uploads
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_SMALL = ("user", "stage", "pipeline", "team", "role", "win_loss_reason", "competitor", "product")
_MOST = 500  # choices; of more than these a text is looked up by its name
_SHOWN = 200  # different texts of a column
_ALIKE = 86
_ENDS = {
    "closed won": "won", "closedwon": "won", "won": "won", "closed lost": "lost", "closedlost": "lost", "lost": "lost",
}  # fmt: skip
_KIND_LETTERS = 5


@dataclass(frozen=True, slots=True)
class Option:
    value: str  # what stands in the mapping
    label: str
    kind: str = ""  # of a stage


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the file. `to` is what it means, by choice or by its name; empty while that is open."""

    text: str
    rows: int
    to: str


@dataclass(frozen=True, slots=True)
class Matched:
    field: str
    label: str
    heading: str
    texts: tuple[Text, ...]
    options: tuple[Option, ...]

    @property
    def open(self) -> int:
        return sum(1 for t in self.texts if not t.to)


async def match(uow: UnitOfWork, one: Source) -> Source:
    """The source with its values matched, where it is plain what they mean. What a person chose stays."""
    if "pipeline_id" in await _fields(uow, one):
        one = await _choose_pipeline(uow, one)
    for found in await matched(uow, one):
        chosen = dict(one["values"].get(found.field, {}))
        otherwise = one["constants"].get(found.field, "")  # what a profile takes for words of the person's own
        for text in found.texts:
            if not text.to and (likely := _likely(text.text, found.options) or otherwise):
                chosen[text.text] = likely
        if chosen:
            one = {**one, "values": {**one["values"], found.field: chosen}}
    return one


async def _choose_pipeline(uow: UnitOfWork, one: Source) -> Source:
    names = [o.label for o in await _records(uow, "pipeline", one)]
    if one["options"]["pipeline_id"] not in names and names:
        one = outline.set_option(one, "pipeline_id", names[0])
    return one


async def matched(uow: UnitOfWork, one: Source) -> list[Matched]:
    """The columns whose texts mean choices or records of a short list, with each different text."""
    fields = await _fields(uow, one)
    wanted = {c["field"]: [c["heading"]] for c in one["columns"] if c["field"]} | one["templates"]
    wanted = {n: h for n, h in wanted.items() if n in fields and _has_options(one["entity"], fields[n])}
    if not wanted:
        return []
    counts = await asyncio.to_thread(_counts, str(uploads.home(uow.actor)), one, wanted)
    found = []
    for name, headings in wanted.items():
        chosen_from = await _options(uow, one, fields[name])
        if chosen_from:
            known = {fold(w): o.value for o in chosen_from for w in (o.value, o.label)}
            chosen = {fold(t): to for t, to in one["values"].get(name, {}).items()}
            texts = tuple(
                Text(t, n, known.get(fold(chosen.get(fold(t), t)), "")) for t, n in counts[name][:_SHOWN]
            )  # fmt: skip
            found.append(Matched(name, fields[name].label, " / ".join(headings), texts, tuple(chosen_from)))
    return found


async def options(uow: UnitOfWork, one: Source, field: str) -> list[Option]:
    """What may be chosen for a field of all rows."""
    return await _options(uow, one, (await _fields(uow, one))[field])


async def texts_of(uow: UnitOfWork, one: Source, heading: str) -> list[str]:
    """The different texts of a column, the most frequent first."""
    counts = await asyncio.to_thread(_counts, str(uploads.home(uow.actor)), one, {"": [heading]})
    return [t for t, _ in counts[""]]


async def _fields(uow: UnitOfWork, one: Source) -> dict[str, FieldSpec]:
    return outline.fields_of(await schema.entity_of(uow, one["entity"]))


def _has_options(entity: str, spec: FieldSpec) -> bool:
    return bool(spec.choices) or spec.target in _SMALL or (entity, spec.name) == ("activity", "kind")


def _counts(folder: str, one: Source, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, int]]]:
    path = Path(folder) / outline.file_of(one)
    frame = keeping.table(path, FileHints(sheet=one["sheet"] or 0)).frame
    found: dict[str, list[tuple[str, int]]] = {}
    for name, headings in wanted.items():
        counts: dict[str, int] = {}
        for row in frame.select(headings).iter_rows():
            if any(row):
                text = "/".join(t or "" for t in row)
                counts[text] = counts.get(text, 0) + 1
        found[name] = sorted(counts.items(), key=lambda p: (-p[1], p[0]))
    return found


async def _options(uow: UnitOfWork, one: Source, spec: FieldSpec) -> list[Option]:
    if spec.choices:
        return [Option(c.value, c.label) for c in spec.choices]
    if spec.target:
        return await _records(uow, spec.target, one)
    types = registry.get("activity_type").table
    query = sa.select(types.c.key, types.c.name).where(types.c.deleted_at.is_(None)).order_by(types.c.position)
    return [Option(r.key, r.name) for r in await uow.rows(query)]


async def _records(uow: UnitOfWork, target: str, one: Source) -> list[Option]:
    """Records of a short list by name; none where there are too many, or the actor may not see them."""
    entity = registry.get(target)
    if not uow.actor.can(f"{target}.read"):
        return []
    table = entity.table
    kind: Any = table.c.kind if target == "stage" else sa.literal("")
    query = sa.select(table.c[entity.title].label("title"), kind.label("kind")).where(table.c.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    if target == "stage" and (pipeline := one["options"]["pipeline_id"]):
        pipelines = registry.get("pipeline").table
        mine = sa.select(pipelines.c.id).where(pipelines.c.name == pipeline, pipelines.c.deleted_at.is_(None))
        query = query.where(table.c.pipeline_id.in_(mine))
    order = [table.c.position] if "position" in table.c else []
    rows = await uow.rows(query.order_by(*order, table.c[entity.title]).limit(_MOST + 1))
    if len(rows) > _MOST:
        return []
    return [Option(str(r.title), str(r.title), str(getattr(r.kind, "value", r.kind))) for r in rows]


def _likely(text: str, options: Sequence[Option]) -> str:
    """The one option that a text can hardly but mean; empty when that is a guess."""
    said = fold(text)
    head, _, tail = said.partition("/")
    for word in (said, head):
        ends = [o.value for o in options if o.kind and o.kind == _ENDS.get(word)]
        if ends:
            return ends[0]
    if head == "open" and tail:
        said = tail
    by_label = {o.label: fold(o.label) for o in options}
    exact = [label for label, folded in by_label.items() if folded == said]
    near = process.extract(said, by_label, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=2)
    begins = [n for n, folded in by_label.items() if _same_start(said, folded)]
    for found in (exact, [n for _, _, n in near], begins, _initials(said, by_label)):
        if len(found) == 1:
            return next(o.value for o in options if o.label == found[0])
    return ""


def _same_start(one: str, other: str) -> bool:
    """Qualification and Qualify, Proposal/Quote and Proposal."""
    return len(one) >= _KIND_LETTERS and one[:_KIND_LETTERS] == other[:_KIND_LETTERS]


def _initials(said: str, by_label: Mapping[str, str]) -> list[str]:
    """T. Reyes is Tamsin Reyes, when nobody else is."""
    words = said.replace(".", " ").split()
    if len(words) != 2 or len(words[0]) != 1:
        return []
    return [n for n, f in by_label.items() if f.split()[-1:] == words[1:] and f[:1] == words[0]]
