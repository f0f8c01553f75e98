"""What a person chose in the import wizard: a document of plain values, and the functions that change it.

`sources` are the files and sheets of one batch. It becomes the same mapping that a mapping file holds; the engine knows
no other way in. Nothing here reads files or asks the database.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.services.platform.imports import profiles
from crm_app.services.platform.imports.mapping import Act, ImportMapping, importable, parse_mapping
from crm_app.services.platform.imports.profiles import Profile
from crm_app.services.platform.imports.rules import rules_of
from crm_app.services.platform.imports.suggesting import Suggestion, plain

Document = dict[str, Any]
Source = dict[str, Any]
Entities = Mapping[str, Entity]
MOST_SOURCES = 20
MOST_FIXES = 5_000
EMPTY: Document = {"sources": []}
# Links whose records may be made where they are missing.
CREATABLE: Mapping[str, tuple[str, ...]] = {"opportunity": ("account_id",), "contact": ("account_id",)}
OPTIONS: Mapping[str, Any] = {"create_missing": True, "dates": "", "decimal": "", "pipeline_id": "", "stage_id": ""}
_LATE = ("user", "team", "product", "account", "contact", "opportunity", "activity")


def source(
    key: str, upload: str, file: str, sheet: str, rows: int, note: str, columns: Sequence[Mapping[str, Any]]
) -> Source:
    """A file or sheet as it was read; `columns`: heading, samples, filled."""
    return {
        "key": key, "upload": upload, "file": file, "sheet": sheet, "rows": rows, "note": note, "system": "",
        "entity": "", "columns": [{**c, "field": "", "sure": ""} for c in columns], "id_column": "", "foreign": [],
        "values": {}, "constants": {}, "templates": {}, "options": dict(OPTIONS),
        "doubles": {"sure": Act.skip.value, "check": Act.create.value, "rows": {}}, "fixes": {}, "left_out": [],
    }  # fmt: skip


def name_of(one: Source) -> str:
    return f"{one['file']} · {one['sheet']}" if one["sheet"] else str(one["file"])


def find(document: Document, key: str) -> Source:
    found = next((s for s in document["sources"] if s["key"] == key), None)
    if found is None:
        raise Invalid(file="is not part of this import any more. Choose it again")
    return dict(found)


def put(document: Document, changed: Source) -> Document:
    """The document with this source, in its place or behind the others."""
    others = document["sources"]
    if any(s["key"] == changed["key"] for s in others):
        return {**document, "sources": [changed if s["key"] == changed["key"] else s for s in others]}
    if len(others) >= MOST_SOURCES:
        raise Invalid(file=f"is one too many: an import takes {MOST_SOURCES} files and sheets at most")
    return {**document, "sources": [*others, changed]}


def drop(document: Document, key: str) -> Document:
    return {**document, "sources": [s for s in document["sources"] if s["key"] != key]}


def headings(one: Source) -> list[str]:
    return [c["heading"] for c in one["columns"]]


def filled(one: Source) -> dict[str, str]:
    """Field -> heading, of the columns that go somewhere."""
    return {c["field"]: c["heading"] for c in one["columns"] if c["field"]}


def as_profile(one: Source, profile: Profile, allowed: Mapping[str, FieldSpec]) -> Source:
    """Matched as the profile of another system says, as far as the fields are `allowed`."""
    matched = profiles.fields_of(profile, headings(one))
    columns = [
        {**c, "field": f, "sure": "profile"} if (f := matched.get(c["heading"], "")) in allowed and f else c
        for c in one["columns"]
    ]
    templates = {}
    for name, parts in profile.templates.items():
        by_plain = {plain(h): h for h in reversed(headings(one))}
        if all(p in by_plain for p in parts):
            templates[name] = [by_plain[p] for p in parts]
    return {
        **one, "entity": profile.entity, "system": profile.said, "columns": columns,
        "id_column": profiles.id_heading(profile, headings(one)), "foreign": sorted(profile.foreign),
        "values": {n: dict(v) for n, v in profile.values.items()}, "constants": dict(profile.constants),
        "templates": templates,
    }  # fmt: skip


def as_suggested(one: Source, entity: str, likely: Mapping[str, Suggestion]) -> Source:
    """Matched by its headings alone."""
    columns = [
        {**c, "field": likely[c["heading"]].field, "sure": likely[c["heading"]].sureness.value} for c in one["columns"]
    ]
    id_column = next((h for h in headings(one) if plain(h) in ("id", "recordid", f"{entity}id")), "")
    taken = {c["heading"] for c in columns if c["field"]}
    return {
        **one, "entity": entity, "system": "", "columns": columns, "foreign": [], "values": {}, "constants": {},
        "id_column": "" if id_column in taken else id_column, "templates": {}, "fixes": {}, "left_out": [],
    }  # fmt: skip


def set_field(one: Source, heading: str, field: str) -> Source:
    """Where a column goes; a field that another column fills is taken from that one."""
    columns = []
    for column in one["columns"]:
        if column["heading"] == heading:
            columns.append({**column, "field": field, "sure": "chosen" if field else ""})
        elif field and column["field"] == field:
            columns.append({**column, "field": "", "sure": ""})
        else:
            columns.append(column)
    templates = {n: t for n, t in one["templates"].items() if n != field and heading not in t}
    values = {n: v for n, v in one["values"].items() if n != field}
    return {**one, "columns": columns, "templates": templates, "values": values}


def set_value(one: Source, field: str, text: str, to: str) -> Source:
    """A text of the file means another one, wherever it stands in the column; empty: it counts as an empty cell."""
    known = {k: v for k, v in one["values"].get(field, {}).items() if k != text}
    return {**one, "values": {**one["values"], field: {**known, text: to}}}


def set_option(one: Source, name: str, value: Any) -> Source:
    if name not in OPTIONS:
        raise Invalid(option="is not known here")
    options = {**one["options"], name: bool(value) if isinstance(OPTIONS[name], bool) else str(value)[:200]}
    return {**one, "options": {**options, "stage_id": ""} if name == "pipeline_id" else options}


def fix(one: Source, row: int, heading: str, text: str) -> Source:
    """Another text in one cell."""
    if heading not in headings(one):
        raise Invalid(column="is not in the file")
    if len(one["fixes"]) >= MOST_FIXES:
        raise Invalid(row="is one too many to mend here: mend the rest in the file, and choose it again")
    fixes = {**one["fixes"], str(row): {**one["fixes"].get(str(row), {}), heading: text[:32_000]}}
    return {**one, "fixes": fixes}


def leave_out(one: Source, rows: Sequence[int]) -> Source:
    return {**one, "left_out": sorted({*one["left_out"], *rows})}


def decide(one: Source, band: str, act: str) -> Source:
    """What happens to all doubles of a band."""
    if band not in ("sure", "check"):
        raise Invalid(band="is sure or check")
    return {**one, "doubles": {**one["doubles"], band: Act(act).value}}


def decide_row(one: Source, row: int, act: str) -> Source:
    rows = {**one["doubles"]["rows"], str(row): Act(act).value}
    return {**one, "doubles": {**one["doubles"], "rows": rows}}


# -- The mapping -----------------------------------------------------------------------------------------------------


def mapping_of(document: Document, name: str, entities: Entities) -> ImportMapping:
    """`entities` as the actor sees them. Invalid says what is still to be chosen, and of which file."""
    sources = _in_order(document["sources"])
    if not sources:
        raise Invalid(file="is missing: choose one first")
    return parse_mapping(
        {"name": name, "steps": [_step(s, sources, entities) for s in sources]}, name=name, entities=entities
    )


def file_of(one: Source) -> str:
    """Where the file lies below the folder of its sender."""
    return f"{one['upload']}/{one['file']}"


def _in_order(sources: Sequence[Source]) -> list[Source]:
    """Those that others point to first."""
    present = {s["entity"] for s in sources}
    done: list[str] = []

    def visit(entity: str, above: tuple[str, ...]) -> None:
        if entity in done or entity in above:
            return
        for spec in fields_of(registry.get(entity)).values():
            if spec.target in present and spec.target != entity:
                visit(spec.target, (*above, entity))
        done.append(entity)

    for entity in sorted(present, key=lambda e: (_LATE.index(e) if e in _LATE else -1, e)):
        if entity:
            visit(entity, ())
    return sorted((s for s in sources if s["entity"]), key=lambda s: done.index(s["entity"]))


def _step(one: Source, sources: Sequence[Source], entities: Entities) -> dict[str, Any]:
    entity = entities[one["entity"]]
    fields = fields_of(entity)
    columns = {c["heading"]: c["field"] for c in one["columns"] if c["field"] and c["field"] not in one["templates"]}
    by_field = {f: h for h, f in columns.items()}
    if unknown := next((f for f in by_field if f not in fields), ""):
        raise Invalid(columns=f"of {name_of(one)} fill {unknown}, which is no field of {entity.plural.lower()}")
    if not columns:
        raise Invalid(columns=f"of {name_of(one)} are not matched yet; choose a field for at least one")
    named = {*by_field, *one["templates"]}
    constants = {n: v for n, v in one["constants"].items() if v and n not in named}
    chosen = {n: one["options"].get(n, "") for n in ("pipeline_id", "stage_id")}
    constants |= {n: v for n, v in chosen.items() if v and n in fields and n not in named}
    step: dict[str, Any] = {
        "name": name_of(one), "entity": entity.name, "file": file_of(one), "columns": columns, "constants": constants,
        "templates": {n: "/".join(f"{{{h}}}" for h in t) for n, t in one["templates"].items()},
        "values": {n: v for n, v in one["values"].items() if v and (n in named or n in constants)},
        "links": {n: rule for n in named if (rule := _link(one, n, fields[n], by_field.get(n, ""), sources))},
        "doubles": one["doubles"], "fixes": one["fixes"], "left_out": [str(n) for n in one["left_out"]],
    }  # fmt: skip
    if one["sheet"]:
        step["sheet"] = one["sheet"]
    if one["id_column"]:
        step["id_column"] = one["id_column"]
    if entity.import_key in named:
        step["key"] = entity.import_key
    if one["options"]["dates"]:
        step["day_first"] = "true" if one["options"]["dates"] == "day" else "false"
    if one["options"]["decimal"] in (",", "."):
        step["decimal"] = one["options"]["decimal"]
    return step


def _link(one: Source, name: str, spec: FieldSpec, heading: str, sources: Sequence[Source]) -> dict[str, str]:
    if spec.kind is not Kind.link:
        return {}
    rule: dict[str, str] = {}
    samples: list[str] = next((c["samples"] for c in one["columns"] if c["heading"] == heading), [])
    is_foreign = name in one["foreign"] or (
        plain(heading).endswith(("id", "ids", "idsprimary"))
        and any(s["entity"] == spec.target and s["id_column"] for s in sources)
    )
    if is_foreign:
        rule["foreign"] = "true"
    elif name in CREATABLE.get(one["entity"], ()) and one["options"]["create_missing"]:
        rule["create_missing"] = "true"
    if (one["system"] and spec.nullable) or (is_foreign and name == "owner_id"):
        rule["lenient"] = "true"
    if spec.target == "user" and any("@" in s for s in samples):
        rule["by"] = "email"
    if name == "product_id":
        rule["match"] = "folded"  # "GTXPro" is "GTX Pro"
    asked: dict[str, str] = one.get("links", {}).get(name, {})  # by a program
    return rule | asked


def fields_of(entity: Entity) -> dict[str, FieldSpec]:
    return importable(entity, rules_of(entity.name))
