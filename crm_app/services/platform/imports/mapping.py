"""The mapping file: which column of which file fills which field, and what happens where a cell is empty.

It is YAML (or JSON, which is YAML too), written and read by managers; every scalar is read as text, so that `no`,
`007` and `2026-03-31` stay what they look like. docs/how-to/import-maven.md walks through one.
"""

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

import yaml

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.money import CURRENCIES
from crm_app.core.registry import CUSTOM, STAMPS, Entity, FieldSpec, Kind
from crm_app.core.text import fold
from crm_app.services.platform.imports.documents import Part, near
from crm_app.services.platform.imports.reading import FileHints
from crm_app.services.platform.imports.rules import ImportRules, rules_of

_LONGEST = 1_000_000  # characters of a mapping file


class Mode(StrEnum):
    """What happens to a row whose key is known here already, and to one whose key is not."""

    create = "create"  # known: a duplicate, left out
    update = "update"  # unknown: rejected
    upsert = "upsert"  # known: updated; unknown: created


class Match(StrEnum):
    """When two texts name the same record."""

    exact = "exact"  # but for case, accents and blanks around
    folded = "folded"  # also "GTXPro" and "GTX Pro", "Acme Corp." and "ACME"


class Act(StrEnum):
    """What happens to a row that looks like a record that is here, or like an earlier row."""

    skip = "skip"
    update = "update"
    create = "create"


@dataclass(frozen=True)
class Doubles:
    """What a person chose for rows that are surely here already, for those to check, and for single rows."""

    sure: Act = Act.skip
    check: Act = Act.create
    rows: Dict[int, Act] = field(default_factory=dict)


class FillBy(StrEnum):
    constant = "constant"
    field = "field"  # another field of the row
    related = "related"  # "product.price_minor": a field of the linked record
    days_from_today = "days_from_today"
    record = "record"  # a link to the record of this name, created if there is none


@dataclass(frozen=True)
class Fill:
    """What an empty cell is filled with."""

    by: FillBy
    value: str


@dataclass(frozen=True)
class LinkRule:
    """How the text of a cell finds the record it means: by the field `by`, among the records of the row's `within`.

    `foreign`: by the id it has in the system the files come from, among the rows of this batch. `lenient`: a text that
    names nobody leaves the link empty.
    """

    by: str
    match: Match = Match.exact
    create_missing: bool = False
    foreign: bool = False
    lenient: bool = False
    set: Dict[str, str] = field(default_factory=dict)  # values of records created for missing ones


@dataclass(frozen=True)
class SkipRule:
    """Rows that are no data: where `column` is one of `values` (an empty text: where it is empty)."""

    column: str
    values: frozenset[str]


@dataclass(frozen=True)
class StepMapping:
    """One file (or a few rows that stand in the mapping) into one entity."""

    name: str
    entity: Entity
    rules: ImportRules
    file: str = ""
    rows: Sequence[dict[str, Any]] = ()
    hints: FileHints = field(default_factory=FileHints)
    mode: Mode = Mode.create
    key: tuple[str, ...] = ()
    match: Match = Match.exact
    once: bool = False  # rows that repeat a key of the file are the same record, no duplicates
    columns: Dict[str, str] = field(default_factory=dict)  # column of the file -> field
    constants: Dict[str, str] = field(default_factory=dict)
    templates: Dict[str, str] = field(default_factory=dict)
    values: Dict[str, Dict[str, str]] = field(default_factory=dict)  # field -> text of the file -> text to read
    multiply: Dict[str, Decimal] = field(default_factory=dict)  # field -> by what its numbers are multiplied
    if_empty: Dict[str, tuple[Fill, ...]] = field(default_factory=dict)
    links: Dict[str, LinkRule] = field(default_factory=dict)
    skip: tuple[SkipRule, ...] = ()
    currency: str = ""
    day_first: bool | None = None
    decimal: str | None = None
    id_column: str = ""  # holds the id that a row has where the file comes from
    fixes: Dict[int, Dict[str, str]] = field(default_factory=dict)  # row -> column of the file -> text instead
    left_out: frozenset[int] = frozenset()  # rows that a person left out
    doubles: Doubles | None = None  # None: what `mode` and `key` say

    def spec(self, name: str) -> FieldSpec:
        return importable(self.entity, self.rules)[name]

    def link_rule(self, name: str) -> LinkRule:
        target = registry.get(self.spec(name).target)
        return self.links.get(name) or LinkRule(by=target.title)


@dataclass(frozen=True)
class ImportMapping:
    name: str
    steps: tuple[StepMapping, ...]
    document: dict[str, Any]  # as it was written, for the record


def importable(entity: Entity, rules: ImportRules) -> dict[str, FieldSpec]:
    """Fields that a file may fill: those people may write, those its rules open, those its rules add."""
    own = {
        n: s
        for n, s in entity.fields.items()
        if n in rules.writable or (n not in entity.readonly and n not in STAMPS and s.kind is not Kind.json)
    }
    return own | {s.name: s for s in rules.extra}


def load_mapping(path: Path, *, entities: Dict[str, Entity] | None = None) -> ImportMapping:
    """Read a mapping file; Invalid names the place that does not fit. `entities` as `parse_mapping` has it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Invalid(f"There is no file {path}.") from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise Invalid(f"{path} is no mapping file: it must be YAML or JSON, in UTF-8.") from None
    return read_mapping(text, name=path.stem, entities=entities)


def read_mapping(text: str, *, name: str = "Import", entities: Dict[str, Entity] | None = None) -> ImportMapping:
    if len(text) > _LONGEST:
        raise Invalid("The mapping is longer than a million characters; put rows into files of their own.")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
            raise Invalid("The mapping uses an alias (*name); write the value out instead.")
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Invalid(f"The mapping is no YAML: {where}{getattr(error, 'problem', '') or 'unreadable'}.") from None
    return parse_mapping(document, name=name, entities=entities)


def parse_mapping(document: Any, *, name: str = "Import", entities: Dict[str, Entity] | None = None) -> ImportMapping:
    """The mapping of a document that was read elsewhere, as the import page does; `entities` as the actor sees them
    (services.platform.schema), the workspace's own fields among theirs; without, the registry's."""
    whole = Part("", document)
    whole.knows("name", "currency", "day_first", "decimal", "steps")
    defaults = {n: document[n] for n in ("currency", "day_first", "decimal") if n in document}
    items = whole.value("steps", list, [])
    if not items:
        whole.wrong("steps", "is needed: a list with at least one file")
    steps = tuple(_step(Part(f"steps[{i}].", item), defaults, entities) for i, item in enumerate(items, 1))
    return ImportMapping(whole.value("name", str, name)[:200], steps, document)


def _step(part: Part, defaults: dict[str, Any], entities: Dict[str, Entity] | None) -> StepMapping:
    part.knows(
        "name", "file", "rows", "sheet", "head_row", "separator", "encoding", "entity", "mode", "key", "match", "once",
        "columns", "constants", "templates", "values", "multiply", "if_empty", "links", "skip", "currency",
        "day_first", "decimal", "id_column", "fixes", "left_out", "doubles",
    )  # fmt: skip
    wanted = part.value("entity", str, "")
    entity = registry.find(wanted) if entities is None else entities.get(wanted)
    if entity is None:
        known = ", ".join(sorted(e.name for e in registry.all_entities()))
        part.wrong("entity", f"must be one of {known}")
    rules = rules_of(entity.name)
    fields = _Names(part, entity, rules)
    key = part.value("key", str | list, "")
    keys = tuple(fields.find("key", k) for k in ([key] if isinstance(key, str) else key) if k)
    file, rows = part.value("file", str, ""), part.value("rows", list, [])
    if bool(file) == bool(rows):
        part.wrong("file", "is needed, or `rows`, and not both")
    if file and (PurePath(file).is_absolute() or ".." in PurePath(file).parts):
        part.wrong("file", "is the name of a file in the folder of the import, without a path that leads out of it")
    mode = part.choice("mode", Mode, Mode.upsert if keys else Mode.create)
    if not keys and mode is not Mode.create and "doubles" not in part.data:
        part.wrong("key", f"is needed for the mode {mode}: the field that tells which record a row is")
    step = StepMapping(
        name=part.value("name", str, "") or entity.plural,
        entity=entity, rules=rules, file=file,
        rows=[Part(f"{part.path}rows[{i}].", r).mapping() for i, r in enumerate(rows, 1)],
        hints=FileHints(
            sheet=part.value("sheet", str, "") or 0, head_row=part.number("head_row"),
            separator=part.value("separator", str, "").replace("tab", "\t"), encoding=part.value("encoding", str, ""),
        ),
        mode=mode, key=keys, match=part.choice("match", Match, Match.exact), once=part.flag("once", {}) or False,
        columns={c: fields.find("columns", f) for c, f in part.texts("columns").items()},
        constants={fields.find("constants", f): v for f, v in part.texts("constants").items()},
        templates={fields.find("templates", f): v for f, v in part.texts("templates").items()},
        values={fields.find("values", f): part.texts("values", f) for f in part.inner("values")},
        multiply={fields.find("multiply", f): _factor(part, fields, f, v) for f, v in part.texts("multiply").items()},
        if_empty={fields.find("if_empty", f): _fills(part, fields, f, v) for f, v in part.inner("if_empty").items()},
        links={fields.find("links", f): _link(part, fields, f) for f in part.inner("links")},
        skip=tuple(_skip(Part(f"{part.path}skip[{i}].", s)) for i, s in enumerate(part.value("skip", list, []), 1)),
        currency=part.value("currency", str, defaults.get("currency", "")).upper(),
        day_first=part.flag("day_first", defaults), decimal=part.value("decimal", str, defaults.get("decimal")),
        id_column=part.value("id_column", str, ""), fixes=_fixes(part), left_out=_numbers(part, "left_out"),
        doubles=_doubles(part),
    )  # fmt: skip
    return _checked(part, step)


def _checked(part: Part, step: StepMapping) -> StepMapping:
    if rows := step.rows:  # a column of rows that stand here is named like its field
        fields = _Names(part, step.entity, step.rules)
        own = {c: fields.find("rows", c) for row in rows for c in row if c not in step.columns}
        step = replace(step, columns={**own, **step.columns})
    filled = [*step.columns.values(), *step.constants, *step.templates]
    if twice := sorted({f for f in filled if filled.count(f) > 1}):
        part.wrong("columns", f"{twice[0]} is filled twice; choose one column, constant or template for it")
    if not filled:
        part.wrong("columns", "is needed: which column fills which field")
    if missing := [k for k in step.key if k not in filled]:
        part.wrong("key", f"{missing[0]} is filled by no column")
    if step.currency and step.currency not in CURRENCIES:
        part.wrong("currency", "must be an ISO 4217 code like EUR or USD")
    if step.decimal not in (None, ",", "."):
        part.wrong("decimal", 'is "," or "."')
    if len(step.hints.separator) > 1:
        part.wrong("separator", "is one character, or tab")
    return step


def _fills(part: Part, fields: "_Names", name: str, value: Any) -> tuple[Fill, ...]:
    place = f"if_empty.{name}"
    found = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            found.append(Fill(FillBy.constant, item))
            continue
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in set(FillBy):
            part.wrong(place, f"is a constant, or one of {', '.join(f'{{{b}: ...}}' for b in FillBy)}")
        by, given = FillBy(next(iter(item))), str(next(iter(item.values())))
        if by is FillBy.field:
            given = fields.find(place, given)
        if by is FillBy.related:
            given = _related(part, fields, place, given)
        if by is FillBy.days_from_today and not given.lstrip("-").isdigit():
            part.wrong(place, "days_from_today is a whole number, like 90")
        if by is FillBy.record and fields.spec(fields.find(place, name)).kind is not Kind.link:
            part.wrong(place, f"{name} does not point to a record")
        found.append(Fill(by, given))
    return tuple(found)


def _factor(part: Part, fields: "_Names", name: str, given: str) -> Decimal:
    if fields.spec(fields.find("multiply", name)).kind not in (Kind.money, Kind.number, Kind.decimal):
        part.wrong(f"multiply.{name}", "is no number")
    try:
        factor = Decimal(given.replace("_", "").replace(" ", ""))
    except InvalidOperation:
        part.wrong(f"multiply.{name}", "is a number, like 1000")
    if not factor.is_finite() or factor <= 0:
        part.wrong(f"multiply.{name}", "is a number, like 1000")
    return factor


def _related(part: Part, fields: "_Names", place: str, given: str) -> str:
    head, _, tail = given.partition(".")
    spec = fields.spec(fields.find(place, head))
    if spec.kind is not Kind.link or not tail:
        part.wrong(place, "related is written like product.price_minor: a link, a dot, a field of the linked record")
    target = fields.entity.other(spec.target)
    if tail not in target.fields:
        part.wrong(place, f"{target.label} has no field {tail}{near(tail, target.fields)}")
    return f"{spec.name}.{tail}"


def _link(part: Part, fields: "_Names", name: str) -> LinkRule:
    inner = Part(f"{part.path}links.{name}.", part.inner("links")[name])
    inner.knows("by", "match", "create_missing", "set", "foreign", "lenient")
    spec = fields.spec(fields.find("links", name))
    if spec.kind is not Kind.link:
        part.wrong(f"links.{name}", "does not point to a record")
    target = fields.entity.other(spec.target)
    names = _Names(inner, target, rules_of(target.name))
    by = inner.value("by", str, "")
    return LinkRule(
        by=names.any("by", by) if by else target.title,
        match=inner.choice("match", Match, Match.exact),
        create_missing=inner.flag("create_missing", {}) or False,
        foreign=inner.flag("foreign", {}) or False,
        lenient=inner.flag("lenient", {}) or False,
        set={names.find("set", f): v for f, v in inner.texts("set").items()},
    )


def _skip(part: Part) -> SkipRule:
    part.knows("column", "is")
    given = part.value("is", str | list, "")
    values = frozenset(fold(v) for v in ([given] if isinstance(given, str) else given))
    return SkipRule(part.value("column", str, ""), values)


def _numbers(part: Part, name: str) -> frozenset[int]:
    given = part.value(name, list, [])
    if not all(str(n).isdigit() for n in given):
        part.wrong(name, "is a list of row numbers")
    return frozenset(int(n) for n in given)


def _fixes(part: Part) -> dict[int, dict[str, str]]:
    if not all(n.isdigit() for n in part.inner("fixes")):
        part.wrong("fixes", "holds row numbers, with a text for each column")
    return {int(n): part.texts("fixes", n) for n in part.inner("fixes")}


def _doubles(part: Part) -> Doubles | None:
    if "doubles" not in part.data:
        return None
    inner = Part(f"{part.path}doubles.", part.inner("doubles"))
    inner.knows("sure", "check", "rows")
    rows = Part(f"{part.path}doubles.rows.", inner.inner("rows"))
    if not all(n.isdigit() for n in rows.data):
        inner.wrong("rows", "holds row numbers, with skip, update or create for each")
    return Doubles(
        inner.choice("sure", Act, Act.skip), inner.choice("check", Act, Act.create),
        {int(n): rows.choice(n, Act, Act.skip) for n in rows.data},
    )  # fmt: skip


class _Names:
    """Finds a field by its name, its name without _id, _minor, _on, _at or "custom.", or its label."""

    def __init__(self, part: Part, entity: Entity, rules: ImportRules) -> None:
        self.part, self.entity = part, entity
        self.fields = importable(entity, rules)

    def find(self, place: str, given: str) -> str:
        name = str(given).strip()
        found = self._found(name)
        if found is None and name in self.entity.fields:
            self.part.wrong(place, f"{name} of {self.entity.plural.lower()} is set by the system")
        if found is None:
            self.part.wrong(place, f"{self.entity.label} has no field {name}{near(name, self.fields)}")
        return found

    def _found(self, name: str) -> str | None:
        for suffix in ("", "_id", "_minor", "_on", "_at"):
            if name + suffix in self.fields:
                return name + suffix
        if CUSTOM + name in self.fields:
            return CUSTOM + name
        for spec in self.fields.values():
            if fold(spec.label) == fold(name):
                return spec.name
        return None

    def any(self, place: str, given: str) -> str:
        """Also a field that cannot be written: a record may be found by it."""
        return given if given in self.entity.fields else self.find(place, given)

    def spec(self, name: str) -> FieldSpec:
        return self.fields[name]
