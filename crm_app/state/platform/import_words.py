"""What the import page says: numbers of a dry run, what is wrong with which row, what was written."""

from collections.abc import Iterable, Mapping
from typing import Any

from crm_app.core import money, registry
from crm_app.core.dates import show_moment
from crm_app.core.errors import CrmError, Invalid
from crm_app.models.platform.imports import ImportStatus
from crm_app.services.platform.imports import grid, guided, outline
from crm_app.services.platform.imports.batches import BatchRow
from crm_app.services.platform.imports.reverting import Reverted
from crm_app.services.platform.imports.rows import Problem

NO_REPORT: dict[str, Any] = {
    "tabs": [], "lines": [], "groups": [], "more": 0, "sure": 0, "check": 0, "sure_act": "skip", "check_act": "create",
    "to_mend": 0, "is_fine": False,
}  # fmt: skip
NO_RESULT: dict[str, Any] = {"title": "", "lines": [], "batch_id": "", "can_revert": False, "href": "/", "open": ""}
_FEW = 20  # steps, of which the count says nothing
_GROUPS = 6  # kinds of problems shown
_LISTED = 200
_NOUNS = {"opportunity": ("deal", "deals")}  # as the board says it
_STATUS = {
    ImportStatus.done: "Imported",
    ImportStatus.running: "Under way",
    ImportStatus.failed: "Failed, nothing was written",
    ImportStatus.reverting: "Being taken back",
    ImportStatus.reverted: "Taken back",
}


def number(count: int) -> str:
    return f"{count:,}".replace(",", money.NNBSP)


def size(length: int) -> str:
    """Bytes as people say them."""
    return f"{length / 1024**2:.1f} MB" if length >= 1024**2 else f"{max(1, round(length / 1024))} KB"


def named(count: int, entity: str) -> str:
    """ "1 account", "1 842 deals"; also of tables without a declaration."""
    known = registry.find(entity)
    usual = (known.label, known.plural) if known else (entity.replace("_", " "),) * 2
    one, many = _NOUNS.get(entity, usual)
    return f"{number(count)} {one.lower() if count == 1 else many.lower()}"


def sentence(refusal: CrmError) -> str:
    if isinstance(refusal, Invalid) and "columns" in refusal.fields:
        return f"The columns {refusal.fields['columns']}."
    return str(refusal)


def label(entity: str) -> str:
    """What the wizard calls the records of an entity."""
    return "Deals" if entity == "opportunity" else registry.get(entity).plural


def percent(told: Mapping[str, Any]) -> int:
    """-1 while nobody knows how long it takes."""
    return int(told["done"]) * 100 // int(told["total"]) if told.get("total") else -1


def progress(told: Mapping[str, Any]) -> str:
    counted = f": {number(told['done'])} of {number(told['total'])}" if told.get("total", 0) > _FEW else ""
    return f"{told.get('text', '')}{counted}"


def source(one: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """A file or sheet in the list of files."""
    step = next((s for s in told.get("steps", ()) if s["name"] == outline.name_of(dict(one))), None)
    matched = sum(1 for c in one["columns"] if c["field"])
    return {
        "key": one["key"], "name": outline.name_of(dict(one)), "entity": one["entity"], "label": label(one["entity"]),
        "about": f"{number(one['rows'])} {'row' if one['rows'] == 1 else 'rows'}",
        "note": ". ".join(n for n in (one["system"][:1].upper() + one["system"][1:], one["note"]) if n),
        "matched": f"{matched} of {len(one['columns'])} matched",
        "fix": number(step["rejected"]) if step and step["rejected"] else "",
    }  # fmt: skip


def report(told: Mapping[str, Any], one: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The check of one file for the page; `told` is of all files, `name` that of the file."""
    main = next((s for s in told.get("steps", ()) if s["name"] == name and not s["is_related"]), None)
    if main is None:
        return NO_REPORT
    fix, bands = main["rejected"], main["bands"]
    return {
        "tabs": [
            {"value": "all", "label": "All", "count": number(main["rows"]), "tone": ""},
            {"value": "ready", "label": "Ready", "count": number(_ready(main)), "tone": ""},
            {"value": "fix", "label": "To fix", "count": number(fix), "tone": "over" if fix else ""},
            {"value": "double", "label": "Already here", "count": number(sum(bands.values())), "tone": ""},
        ],
        "lines": list(_lines(told, main)),
        "groups": [_group(g) for g in main["groups"][:_GROUPS]],
        "more": max(0, len(main["groups"]) - _GROUPS),
        "sure": bands.get("sure", 0),
        "check": bands.get("check", 0),
        "sure_act": one["doubles"]["sure"],
        "check_act": one["doubles"]["check"],
        "to_mend": fix + main["duplicates"],
        "is_fine": not fix,
    }  # fmt: skip


def _ready(step: Mapping[str, Any]) -> int:
    return int(step["new"] + step["updated"] + step["unchanged"])


def writes(told: Mapping[str, Any]) -> int:
    """Records that the run will make or change, without those that others need."""
    return sum(s["new"] + s["updated"] for s in told.get("steps", ()) if not s["is_related"])


def _lines(told: Mapping[str, Any], main: Mapping[str, Any]) -> Iterable[str]:
    for label, count in (
        ("will be updated", main["updated"]), ("are as they are already", main["unchanged"]),
        ("are left out", main["skipped"]),
    ):  # fmt: skip
        if count:
            yield f"{number(count)} {'row' if count == 1 else 'rows'} {label}"
    for step in told["steps"]:
        if step["is_related"] and step["new"]:
            yield f"{named(step['new'], step['entity'])} that the files name will be made"
    if main["sums"]:
        worth = ", ".join(money.show(minor, currency) for currency, minor in sorted(main["sums"].items()))
        yield f"The new ones are worth {worth}"
    for note, count in main["notes"]:
        if "that will be created for" not in note:  # the line above says so
            yield f"{note} ({number(count)} rows)" if count > 1 else note


def _group(group: Mapping[str, Any]) -> dict[str, str]:
    """One kind of problem: the same value wrong in the same way."""
    problem = Problem(0, group["column"], group["value"], group["message"], group["remedy"])
    todo = guided.remedy(problem)
    count = group["count"]
    return {
        "column": group["column"], "text": group["value"], "said": group["message"] + (f". {todo}" if todo else ""),
        "suggestion": grid.suggestion(problem), "count": f"{number(count)} {'row' if count == 1 else 'rows'}",
        "title": group["value"] or "An empty cell",
    }  # fmt: skip


def rows(found: grid.Grid) -> list[dict[str, Any]]:
    """Rows of the grid as the page draws them."""
    return [
        {
            "row": str(r.row), "kind": r.kind, "said": r.said,
            "cells": [
                {"heading": c.heading, "text": c.text, "wrong": c.wrong, "suggestion": c.suggestion} for c in r.cells
            ],
            "title": r.double.title if r.double else "", "band": r.double.band.value if r.double else "",
            "reasons": ", ".join(r.double.reasons) if r.double else "", "act": r.double.act.value if r.double else "",
            "is_here": bool(r.double and r.double.record_id),
        }
        for r in found.rows
    ]  # fmt: skip


def result(told: Mapping[str, Any], batch_id: str, *, can_revert: bool) -> dict[str, Any]:
    """What was written, for the page."""
    steps = told.get("steps", ())
    lines = [f"{named(s['new'], s['entity'])} made from {s['name']}" for s in steps if s["new"] and not s["is_related"]]
    lines += [f"{named(s['new'], s['entity'])} made that the files name" for s in steps if s["new"] and s["is_related"]]
    lines += [f"{named(s['updated'], s['entity'])} updated from {s['name']}" for s in steps if s["updated"]]
    if left := sum(s["rejected"] + s["duplicates"] for s in steps if not s["is_related"]):
        lines.append(f"{number(left)} {'row was' if left == 1 else 'rows were'} left out, as the check said")
    total, counted = sum(s["new"] + s["updated"] for s in steps), int(told.get("counted", 0))
    same = "Counted again in the database afterwards: every one is there"
    lines.append(same if counted >= total else f"Counted again afterwards: {number(total - counted)} are gone already")
    entities = {s["entity"] for s in steps if s["new"] + s["updated"] and not s["is_related"]}
    one = entities.pop() if len(entities) == 1 else ""
    known = registry.get(one or "contact")
    href = "/pipeline" if one == "opportunity" else f"/{known.slug}"
    return {
        "title": f"{named(writes(told), one)} imported" if one else f"{number(writes(told))} records imported",
        "lines": lines, "batch_id": batch_id, "can_revert": can_revert,
        "href": href, "open": f"Open {known.plural.lower()}",
    }  # fmt: skip


def batch(row: BatchRow, time_zone: str, *, may_revert: bool) -> dict[str, Any]:
    """A past import."""
    back = row.report.get("reverted")
    return {
        "id": str(row.id),
        "name": row.name,
        "what": ", ".join(
            part for part in (f"{number(row.created)} new", f"{number(row.updated)} updated") if part[:2] != "0 "
        )
        or "nothing",
        "who": row.user,
        "when": show_moment(row.created_at, time_zone),
        "status": _STATUS[row.status] + (f", {number(back['kept'])} kept" if back and back.get("kept") else ""),
        "is_there": row.status is ImportStatus.done and may_revert,
    }


def reverted(done: Reverted) -> dict[str, Any]:
    """What taking an import back did."""
    lines = [f"{named(n, entity)} removed" for entity, n in done.removed.items() if n and registry.find(entity)]
    lines += [f"{named(n, entity)} as before" for entity, n in done.restored.items() if n]
    return {
        "lines": lines or ["There was nothing left to take back"],
        "kept": [_kept(k.entity, str(k.record_id), k.title, k.why) for k in done.kept[:_LISTED]],
        "kept_count": done.kept_count,
    }


def _kept(entity: str, record_id: str, title: str, why: str) -> Mapping[str, str]:
    known = registry.find(entity)
    href = f"/{known.slug}/{record_id}" if known and entity in ("account", "opportunity", "contact", "product") else ""
    return {"title": title, "why": why, "kind": known.label if known else entity, "href": href}
