"""What a list shows, as a value: columns, order, filter, search, density. An address and a saved view hold the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from crm_app.core import conditions
from crm_app.core.conditions import AllOf, Clause, Condition, Related, edit
from crm_app.core.conditions.tree import MAX_LIST, children
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind

DENSITIES = ("comfortable", "compact")
MOST_COLUMNS = 30
_NO_ORDER = frozenset({Kind.json, Kind.choices})
ALL = AllOf()
_NOTHING = "-"  # in addresses: routers leave out what is empty


@dataclass(frozen=True, slots=True)
class View:
    """`columns` empty are those of the declaration; `sort` empty is by title."""

    columns: tuple[str, ...] = ()
    sort: str = ""
    descending: bool = False
    filter: Condition = ALL
    query: str = ""
    density: str = DENSITIES[0]


def dump(view: View) -> dict[str, Any]:
    """The JSON form; what is as usual is left out."""
    found = {
        "columns": list(view.columns),
        "sort": ("-" if view.descending else "") + view.sort if view.sort else "",
        "filter": conditions.dump(view.filter) if view.filter != ALL else None,
        "query": view.query,
        "density": view.density if view.density != DENSITIES[0] else "",
    }
    return {k: v for k, v in found.items() if v}


def load(data: Mapping[str, Any]) -> View:
    """Read the JSON form. Invalid when it is none; whether its fields exist, `fit` says."""
    columns, sort, query = data.get("columns", ()), data.get("sort", ""), data.get("query", "")
    if not isinstance(columns, list | tuple) or not all(isinstance(c, str) for c in columns):
        raise Invalid("The columns of a view are a list of names.")
    if not isinstance(sort, str) or not isinstance(query, str):
        raise Invalid("The sort and the search of a view are texts.")
    filtered = data.get("filter")
    density = data.get("density", DENSITIES[0])
    return View(
        columns=tuple(dict.fromkeys(columns))[:MOST_COLUMNS],
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        filter=conditions.parse(filtered) if filtered else ALL,
        query=query.strip()[:100],
        density=density if density in DENSITIES else DENSITIES[0],
    )


def from_address(asked: Mapping[str, str], base: View) -> View:
    """`base` with what the address says differently. What cannot be read is left out: an old link opens the list."""
    view = base
    given = {k: "" if v == _NOTHING else v for k, v in asked.items()}
    if "cols" in given:
        view = replace(view, columns=tuple(c for c in given["cols"].split(",") if c)[:MOST_COLUMNS])
    if "sort" in given:
        view = replace(view, sort=given["sort"].removeprefix("-"), descending=given["sort"].startswith("-"))
    if "q" in given:
        view = replace(view, query=given["q"].strip()[:100])
    if given.get("density") in DENSITIES:
        view = replace(view, density=given["density"])
    if "filter" in given:
        try:
            found = conditions.parse(json.loads(given["filter"])) if given["filter"] else ALL
        except (Invalid, ValueError):
            return view
        view = replace(view, filter=found)
    return view


def to_address(view: View, base: View) -> dict[str, str]:
    """Only what differs from `base`, in a stable order."""
    found: dict[str, str] = {}
    if view.query != base.query:
        found["q"] = view.query
    if view.filter != base.filter:
        shown = conditions.dump(view.filter) if view.filter != ALL else None
        found["filter"] = json.dumps(shown, separators=(",", ":"), ensure_ascii=False) if shown else ""
    if (view.sort, view.descending) != (base.sort, base.descending):
        found["sort"] = ("-" if view.descending else "") + view.sort
    if view.columns != base.columns:
        found["cols"] = ",".join(view.columns)
    if view.density != base.density:
        found["density"] = view.density
    return {k: v or _NOTHING for k, v in found.items()}


def without(view: View, record_ids: Sequence[UUID]) -> View:
    """All that match but these. Invalid when they are too many to be named."""
    if not record_ids:
        return view
    if len(record_ids) > MAX_LIST:
        raise Invalid(f"{len(record_ids):,} are taken out one by one, {MAX_LIST:,} can be: filter the list instead.")
    parts = view.filter.items if isinstance(view.filter, AllOf) else (view.filter,)
    return replace(view, filter=AllOf((*parts, Clause("id", "not_in", tuple(str(i) for i in record_ids)))))


def taken_out(view: View) -> tuple[View, int]:
    """The view as it was before `without`, and how many were taken out of it."""
    parts = view.filter.items if isinstance(view.filter, AllOf) else ()
    last = parts[-1] if parts else None
    if not isinstance(last, Clause) or (last.field, last.op) != ("id", "not_in"):
        return view, 0
    return replace(view, filter=AllOf(parts[:-1])), len(last.value)


def columns_of(view: View, entity: Entity) -> tuple[str, ...]:
    """What is shown, the title always among it and first."""
    names = view.columns or entity.columns
    return (entity.title, *(n for n in names if n != entity.title))


def fit(view: View, entity: Entity, *, hidden: frozenset[str] = frozenset()) -> tuple[View, list[str]]:
    """The view without what is not there (any more) or not for this role, and the names of what was left out."""
    gone: list[str] = []

    def known(name: str) -> bool:
        return name in entity.fields and f"{entity.name}.{name}" not in hidden

    columns = tuple(c for c in view.columns if known(c))
    gone += [c for c in view.columns if not known(c)]
    sort, descending = view.sort, view.descending
    if sort and (not known(sort) or not _has_order(entity.fields[sort])):
        gone.append(sort)
        sort, descending = "", False
    if sort == entity.title and not descending:  # as it is anyway
        sort = ""
    kept = view.filter
    while (bad := _first_bad(kept, kept, (), entity, hidden)) is not None:
        path, name = bad
        gone.append(name)
        kept = edit.remove(kept, path)
    fitted = replace(view, columns=columns, sort=sort, descending=descending, filter=kept)
    return fitted, list(dict.fromkeys(gone))


def _has_order(spec: FieldSpec) -> bool:
    return spec.kind not in _NO_ORDER and not spec.masked


def _first_bad(
    root: Condition, node: Condition, path: edit.Path, entity: Entity, hidden: frozenset[str],
) -> tuple[edit.Path, str] | None:  # fmt: skip
    """Where the first part stands that cannot run, and the field or relation it names."""
    if isinstance(node, Clause | Related):
        try:
            conditions.check(node, entity, hidden=hidden)
        except Invalid:
            return path, node.field if isinstance(node, Clause) else node.relation
        return None
    if not children(node) and path:
        return path, "an empty group"
    for step, child in enumerate(children(node)):
        if (bad := _first_bad(root, child, (*path, step), entity, hidden)) is not None:
            return bad
    return None
