"""The import page: file, columns, check, result; the rows to mend; past imports."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.platform.imports_made import imports_made, lines, take_back
from crm_app.services.platform.imports import guided
from crm_app.state.platform.imports import CHECKED, CHECKING, DONE, FILE, IMPORTING, MATCH, READING, ImportState
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.store import uploads

Row = rx.Var[dict[str, Any]]
_phase = ImportState.phase
_report = ImportState.report
_of_file = ImportState.file["id"] + ImportState.entity  # another file: every choice begins anew
# For a server that started anew; also before the check, which may be pressed at once after the tab came back.
_told = ImportState.recall(ImportState.entity, ImportState.file, ImportState.columns, ImportState.options)
_has_file = (_phase != FILE) & (_phase != READING) & (_phase != DONE)


def imports() -> rx.Component:
    """The content of the sheet."""
    return rx.cond(
        ImportState.refused != "",
        rx.fragment(
            kit.page_head("Import"),
            kit.empty_state(
                kit.table_art(),
                "You cannot import",
                ImportState.refused,
                kit.link_button("Back to the pipeline", href="/pipeline"),
            ),
        ),
        rx.fragment(
            kit.on_return(_told),
            _head(),
            rx.cond(
                _has_file,
                rx.el.div(_columns(), _checks(), class_name=rx.cond(_phase == MATCH, "import", "import found")),
                _start(),
            ),
        ),
    )


def _head() -> rx.Component:
    steps = rx.match(
        _phase,
        *[(phase, _steps(at)) for phase, at in ((MATCH, 1), (CHECKING, 1), (CHECKED, 1), (IMPORTING, 2), (DONE, 2))],
        _steps(0),
    )
    act = rx.match(
        _phase,
        (MATCH, kit.primary("Check all rows", on_click=[_told, ImportState.check])),
        (
            CHECKED,
            rx.cond(_report["writes"].to(int) > 0, kit.primary(_report["button"].to(str), on_click=ImportState.run)),
        ),
        rx.fragment(),
    )
    other = rx.cond(
        (_phase == MATCH) | (_phase == CHECKED), kit.ghost("Cancel", on_click=ImportState.cancel, class_name="hide-s")
    )
    return kit.page_head("Import", other, act, beside=rx.el.div(steps, class_name="hide-s push"))


def _steps(at: int) -> rx.Component:
    return kit.steps(at, "File", "Match and check", "Import")


def _start() -> rx.Component:
    """No file yet, or the last one is in."""
    return rx.el.div(
        rx.cond((_phase == DONE) & (ImportsMade.taken_back != ImportState.result["batch_id"].to(str)), _result()),
        rx.el.section(
            rx.el.h2(rx.cond(_phase == DONE, "Import another file", "What do you import?")),
            kit.segmented(
                "What the file holds",
                rx.foreach(
                    ImportState.entities,
                    lambda one: kit.segment(
                        one["label"],
                        pressed=one["value"] == ImportState.entity,
                        on_click=ImportState.choose_entity(one["value"]),
                    ),
                ),
            ),
            _error(),
            rx.cond(
                _phase == READING,
                kit.skeleton_rows("Reading the file", rows=4),
                kit.file_drop(
                    "Choose a file",
                    url="/api/imports/files",
                    endings=guided.ENDINGS,
                    largest=uploads.LARGEST,
                    hint="CSV or XLSX, or drop it here. Nothing is saved before you have seen what would happen.",
                    on_done=ImportState.received,
                    on_fail=ImportState.fail,
                ),
            ),
        ),
        imports_made(),
        class_name="import-start",
        tab_index=0,
        role="region",
        aria_label="Import a file",
    )


def _error() -> rx.Component:
    line = rx.el.p(kit.icon("error_circle", 16), rx.el.span(ImportState.error), class_name="error", role="alert")
    return rx.cond(ImportState.error != "", line)


def _columns() -> rx.Component:
    file = ImportState.file
    return rx.el.section(
        rx.el.header(
            rx.el.h2("Columns"),
            rx.el.span(_matched(), class_name="muted small push"),
            class_name="line",
        ),
        rx.el.p(file["name"], ", ", file["about"], class_name="small muted"),
        rx.cond(file["note"] != "", rx.el.p(file["note"], class_name="small muted")),
        rx.el.ul(rx.foreach(ImportState.columns, _column)),
        _options(),
        class_name="maps",
        aria_label="Columns of the file",
        tab_index=0,
    )


def _matched() -> rx.Var[str]:
    left_out = ImportState.columns.to(list[dict[str, str]])
    return (
        rx.Var(f"{left_out!s}.filter((c) => c.field).length").to(str) + " of " + left_out.length().to(str) + " matched"
    )


def _column(column: rx.Var[dict[str, str]], place: rx.Var[int]) -> rx.Component:
    note = rx.match(
        column["sure"],
        ("exact", rx.el.p("By its name", class_name="small good")),
        ("alike", rx.el.p("Looks like it, please check", class_name="small risk")),
        ("chosen", rx.el.p("Chosen", class_name="small muted")),
        rx.el.p("Left out", class_name="small muted"),
    )
    return rx.el.li(
        rx.el.div(
            kit.clipped(column["heading"], tag=rx.el.p, class_name="strong"),
            kit.clipped(column["sample"], tag=rx.el.p, class_name="small muted"),
            class_name="grow",
        ),
        kit.icon("arrow_right", 16),
        rx.el.div(
            rx.el.select(
                rx.el.option("Do not import", value=""),
                rx.foreach(ImportState.fields, lambda f: rx.el.option(f["label"], value=f["value"])),
                default_value=column["field"],
                on_change=lambda field: ImportState.set_field(place, field),
                disabled=_is_busy(),
                class_name="select",
                aria_label=rx.Var.create("Where ") + column["heading"] + " goes",
            ),
            note,
            class_name="to",
        ),
        class_name="map",
        key=_of_file + column["heading"],
    )


def _is_busy() -> rx.Var[bool]:
    return (_phase == CHECKING) | (_phase == IMPORTING)


def _options() -> rx.Component:
    chosen = ImportState.options
    return rx.el.div(
        rx.cond(
            ImportState.pipelines.length() > 0,
            rx.fragment(
                kit.field(
                    "Pipeline, where the file names none",
                    kit.select(
                        "pipeline",
                        ImportState.pipelines,
                        default_value=chosen["pipeline_id"].to(str),
                        key=_of_file,
                        on_change=lambda name: ImportState.set_option("pipeline_id", name),
                        disabled=_is_busy(),
                    ),
                    control_id="pipeline",
                ),
                kit.field(
                    "Stage, where the file names none",
                    kit.select(
                        "stage",
                        ImportState.stages,
                        empty="The first one",
                        default_value=chosen["stage_id"].to(str),
                        key=_of_file + chosen["pipeline_id"].to(str),
                        on_change=lambda name: ImportState.set_option("stage_id", name),
                        disabled=_is_busy(),
                    ),
                    control_id="stage",
                ),
                _tick("Make accounts that are not here yet", "create_missing"),
            ),
        ),
        _tick("Update records that are already here", "update"),
        rx.el.div(
            _chosen("Dates", "dates", [("day", "31.12.2026"), ("month", "12/31/2026")]),
            _chosen("Numbers", "decimal", [(",", "1.234,50"), (".", "1,234.50")]),
            class_name="line top",
        ),
        class_name="map-options",
    )


def _chosen(label: str, name: str, options: list[tuple[str, str]]) -> rx.Component:
    box = kit.select(
        name,
        options,
        empty="As the file tells",
        default_value=ImportState.options[name].to(str),
        key=_of_file,
        on_change=lambda value: ImportState.set_option(name, value),
        disabled=_is_busy(),
    )
    return kit.field(label, box, control_id=name, class_name="grow")


def _tick(label: str, name: str) -> rx.Component:
    return kit.checkbox(
        label,
        default_checked=ImportState.options[name].to(bool),
        key=_of_file,
        on_change=lambda on: ImportState.set_option(name, rx.cond(on, "true", "false")),
        disabled=_is_busy(),
    )


def _checks() -> rx.Component:
    return rx.el.section(
        rx.match(
            _phase,
            (MATCH, _invitation()),
            (CHECKING, _progress("Nothing is saved: this is a trial run over all rows.")),
            (IMPORTING, _progress("Either all rows are written or none. You may leave the page, it goes on.")),
            (CHECKED, _found()),
            rx.fragment(),
        ),
        class_name="checks",
        aria_label="Check",
    )


def _invitation() -> rx.Component:
    return rx.el.div(
        _error(),
        kit.empty_state(
            kit.table_art(),
            "Check before anything is saved",
            "Every row is read, matched and checked. You see what would be new, what would change and what is wrong.",
            kit.outline("Check all rows", on_click=[_told, ImportState.check]),
        ),
        class_name="import-wait",
    )


def _progress(said: str) -> rx.Component:
    percent = ImportState.progress["percent"].to(int)
    bar = rx.cond(
        percent < 0,
        rx.el.progress(max=100, aria_label="Progress"),
        rx.el.progress(value=percent, max=100, aria_label="Progress"),
    )
    return rx.el.div(
        rx.el.p(ImportState.progress["text"].to(str), class_name="strong num", role="status"),
        bar,
        rx.el.p(said, class_name="muted"),
        class_name="import-wait",
    )


def _found() -> rx.Component:
    return rx.fragment(
        rx.el.dl(rx.foreach(_report["tiles"].to(list[dict[str, str]]), _tile), class_name="tiles"),
        rx.el.div(
            kit.badge("Trial run, nothing is saved", tone="info", icon_name="info"),
            rx.cond(
                _report["mend"].to(str) != "",
                kit.download("Rows to mend", href=_report["mend"].to(str), size="sm", class_name="push"),
            ),
            class_name="bar",
        ),
        rx.el.div(
            _error(),
            lines(_report["lines"].to(list[str]), "muted"),
            rx.cond(
                _report["problems"].to(list[dict[str, str]]).length() > 0,
                _problems(),
                rx.el.p(
                    kit.icon("checkmark_circle", 16), " Every row can be imported.", class_name="good line import-all"
                ),
            ),
            rx.cond(_report["more"].to(str) != "", rx.el.p(_report["more"].to(str), class_name="muted import-lines")),
            class_name="scroll grow",
            tab_index=0,
            role="region",
            aria_label="What the check found",
        ),
        rx.el.footer(
            rx.el.span("If it goes wrong, take the whole import back.", class_name="muted"),
            class_name="bar import-foot",
        ),
    )


def _tile(tile: rx.Var[dict[str, str]]) -> rx.Component:
    return rx.el.div(rx.el.dt(tile["label"]), rx.el.dd(tile["count"], class_name=rx.Var.create("num ") + tile["tone"]))


def _problems() -> rx.Component:
    return kit.table(
        "Rows that would be left out",
        head=rx.el.tr(
            kit.column("Row", number=True),
            kit.column("Result", hide_small=True),
            kit.column("Column"),
            kit.column("Value", hide_small=True),
            kit.column("What is wrong"),
        ),
        body=rx.foreach(_report["problems"].to(list[dict[str, str]]), _problem),
    )


def _problem(problem: rx.Var[dict[str, str]]) -> rx.Component:
    is_double = problem["kind"] == "duplicate"
    return rx.el.tr(
        kit.cell(problem["row"], number=True, class_name="muted"),
        kit.cell(
            rx.cond(
                is_double,
                kit.badge("Already here", tone="plain risk", icon_name="copy"),
                kit.badge("Mend", tone="plain over", icon_name="error_circle"),
            ),
            hide_small=True,
        ),
        kit.cell(problem["column"]),
        kit.cell(kit.clipped(problem["value"], tag=rx.el.span, class_name="cell-value"), hide_small=True),
        kit.cell(
            rx.el.span(problem["said"]),
            rx.cond(problem["remedy"] != "", rx.el.span(". ", problem["remedy"], class_name="muted")),
            class_name="wraps",
        ),
    )


def _result() -> rx.Component:
    result = ImportState.result
    batch = result["batch_id"].to(str)
    return rx.el.section(
        rx.el.h2(kit.icon("checkmark_circle"), result["title"].to(str), class_name="line good"),
        lines(result["lines"].to(list[str])),
        rx.el.div(
            kit.link_button("Open the pipeline", href="/pipeline", variant="primary"),
            rx.cond(result["can_revert"].to(bool), take_back(batch)),
            class_name="line wrap",
        ),
        role="status",
    )
