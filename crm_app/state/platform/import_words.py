"""What the import page says: numbers of a dry run, what is wrong with which row, what was written."""

from collections.abc import Iterable, Mapping
from typing import Any

from crm_app.core import money, registry
from crm_app.core.dates import show_moment
from crm_app.core.errors import CrmError, Invalid
from crm_app.models.platform.imports import ImportStatus
from crm_app.services.platform.imports import guided
from crm_app.services.platform.imports.batches import BatchRow
from crm_app.services.platform.imports.report import Report, StepReport
from crm_app.services.platform.imports.reverting import Reverted
from crm_app.services.platform.imports.rows import Problem
from crm_app.services.platform.imports.writing import Outcome

NO_REPORT: dict[str, Any] = {
    "tiles": [], "lines": [], "problems": [], "errors": 0, "duplicates": 0, "more": "", "mend": "", "button": "",
    "writes": 0,
}  # fmt: skip
NO_RESULT: dict[str, Any] = {"title": "", "lines": [], "batch_id": "", "can_revert": False}
_LISTED = 200  # problems shown; the file of rows to mend has all
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


def report(found: Report, file_id: str) -> dict[str, Any]:
    """A dry run for the page."""
    main = next(s for s in found.steps if not s.is_related)
    writes = main.new + main.updated
    errors = [p for p in main.problems if not p.is_duplicate]
    duplicates = [p for p in main.problems if p.is_duplicate]
    shown = sorted([*errors[:_LISTED], *duplicates[:_LISTED]], key=lambda p: p.row)
    hidden = len(errors) + len(duplicates) - len(shown)
    return {
        "tiles": list(_tiles(main)),
        "lines": list(_lines(found, main)),
        "problems": [_problem(p) for p in shown],
        "errors": len(errors),
        "duplicates": len(duplicates),
        "more": f"{number(hidden)} more are in the file of rows to mend." if hidden else "",
        "mend": f"/api/imports/files/{file_id}/rows-to-mend" if main.problems else "",
        "button": f"Import {number(writes)} {'row' if writes == 1 else 'rows'}",
        "writes": writes,
    }


def _tiles(main: StepReport) -> Iterable[dict[str, str]]:
    """The rows of the file by what happens to them; they add up."""
    for label, count, tone in (
        ("New", main.new, "good"),
        ("Updated", main.updated, "info"),
        ("As they are already", main.unchanged, ""),
        ("Already here", main.duplicates, "risk"),
        ("To mend", main.rejected, "over"),
        ("Skipped", main.skipped + main.repeats, ""),
    ):
        if count or label in ("New", "To mend"):
            yield {"label": label, "count": number(count), "tone": tone if count else ""}


def _lines(found: Report, main: StepReport) -> Iterable[str]:
    for step in found.steps:
        if step.is_related and step.new:
            yield f"{named(step.new, step.entity)} that the file names will be made"
    if main.sums:
        worth = ", ".join(money.show(minor, currency) for currency, minor in sorted(main.sums.items()))
        yield f"The new ones are worth {worth}"
    for note, count in main.notes:
        if "that will be created for" in note:
            continue  # the line above says so
        yield f"{note} ({number(count)} rows)" if count > 1 else note


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "row": number(problem.row),
        "column": problem.column,
        "value": problem.value,
        "said": problem.message,
        "remedy": guided.remedy(problem),
        "kind": "duplicate" if problem.is_duplicate else "error",
    }


def result(outcome: Outcome, entity: str, *, can_revert: bool) -> dict[str, Any]:
    """What was written, for the page."""
    main = next(s for s in outcome.report.steps if not s.is_related)
    lines = [f"{named(s.new, s.entity)} made" for s in outcome.report.steps if s.new]
    lines += [f"{named(s.updated, s.entity)} updated" for s in outcome.report.steps if s.updated]
    if left := main.rejected + main.duplicates:
        lines.append(f"{number(left)} {'row was' if left == 1 else 'rows were'} left out, as the check said")
    lines.append("Counted again in the database afterwards: every one is there")
    return {
        "title": f"{named(main.new + main.updated, entity)} imported",
        "lines": lines,
        "batch_id": str(outcome.batch_id),
        "can_revert": can_revert,
    }


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
