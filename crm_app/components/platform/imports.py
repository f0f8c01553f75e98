"""The import wizard: files and columns left, their rows right; the run and its result; past imports."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.platform.import_grid import rows_of_file
from crm_app.components.platform.import_texts import naming, new_field, texts_of_column
from crm_app.components.platform.imports_made import imports_made, lines, take_back
from crm_app.services.platform.imports import guided
from crm_app.state.platform.import_grid import NEW_FIELD, ImportGrid
from crm_app.state.platform.imports import DONE, MATCH, RUN, ImportState
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.store import uploads

Row = rx.Var[dict[str, Any]]
_phase = ImportState.phase
_job = ImportState.job
_status = _job["status"].to(str)
_left_out = ImportState.options["left_out"].to(int)
_of_file = _job["id"].to(str) + ImportState.current  # another file: every choice begins anew


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
            _head(),
            rx.match(
                _phase,
                (MATCH, rx.el.div(_maps(), rows_of_file(), class_name="import found")),
                (RUN, _run()),
                _start(),
            ),
            texts_of_column(),
            naming(),
            new_field(),
        ),
    )


def _head() -> rx.Component:
    steps = rx.match(_phase, (MATCH, _steps(1)), (RUN, _steps(2)), (DONE, _steps(3)), _steps(0))
    act = rx.cond(
        _phase == MATCH,
        rx.cond(
            _job["is_checked"].to(bool) & (_job["writes"].to(int) > 0),
            kit.primary(_job["button"].to(str), on_click=ImportState.run),
            rx.cond(_status == "draft", kit.primary("Check all rows", on_click=ImportState.check)),
        ),
    )
    other = rx.cond(_phase == MATCH, kit.ghost("Cancel", on_click=ImportState.cancel))
    return kit.page_head("Import", other, act, beside=rx.el.div(steps, class_name="hide-s push"))


def _steps(at: int) -> rx.Component:
    return kit.steps(at, "Files", "Match and check", "Import")


# -- No file yet, or the last import is in ---------------------------------------------------------------------------


def _start() -> rx.Component:
    return rx.el.div(
        rx.cond((_phase == DONE) & (ImportsMade.taken_back != ImportState.result["batch_id"].to(str)), _result()),
        rx.el.section(
            rx.el.h2(rx.cond(_phase == DONE, "Import more files", "What do you import?")),
            rx.el.p(
                "Companies, people, deals, activities, products: a file of each, or a spreadsheet with several sheets."
                " Exports of Salesforce, HubSpot and Pipedrive are recognised, and files that refer to each other are"
                " joined.",
                class_name="muted import-intro",
            ),
            _error(),
            rx.cond(
                ImportState.reading != "",
                kit.skeleton_rows("Reading the file", rows=4),
                _drop("Choose files"),
            ),
        ),
        imports_made(),
        class_name="import-start",
        tab_index=0,
        role="region",
        aria_label="Import files",
    )


def _drop(label: str) -> rx.Component:
    return kit.file_drop(
        label,
        url="/api/imports/files",
        endings=guided.ENDINGS,
        largest=uploads.LARGEST,
        hint="CSV or XLSX, or drop them here. Nothing is saved before you have seen what would happen.",
        multiple=True,
        on_done=ImportState.received,
        on_fail=ImportState.fail,
    )


def _error() -> rx.Component:
    line = rx.el.p(kit.icon("error_circle", 16), rx.el.span(ImportState.error), class_name="error", role="alert")
    return rx.cond(ImportState.error != "", line)


def _result() -> rx.Component:
    result = ImportState.result
    batch = result["batch_id"].to(str)
    return rx.el.section(
        rx.el.h2(kit.icon("checkmark_circle"), result["title"].to(str), class_name="line good"),
        lines(result["lines"].to(list[str])),
        rx.el.div(
            kit.link_button(result["open"].to(str), href=result["href"].to(str), variant="primary"),
            rx.cond(result["can_revert"].to(bool), take_back(batch)),
            kit.ghost("Close", on_click=ImportState.close),
            class_name="line wrap",
        ),
        role="status",
    )


# -- Files and columns -----------------------------------------------------------------------------------------------


def _maps() -> rx.Component:
    return rx.el.section(
        _files(),
        rx.el.header(
            rx.el.h2("Columns"),
            rx.foreach(
                ImportState.sources,
                lambda s: rx.cond(
                    s["key"].to(str) == ImportState.current,
                    rx.el.span(s["matched"].to(str), class_name="muted small push"),
                ),
            ),
            class_name="line",
        ),
        rx.el.ul(rx.foreach(ImportState.columns, lambda c: rx.cond(c["is_late"].to(bool), rx.fragment(), _column(c)))),
        rx.cond(
            _left_out > 0,
            rx.el.details(
                rx.el.summary(_left_out.to(str), " columns are left out", class_name="small"),
                rx.el.ul(
                    rx.foreach(ImportState.columns, lambda c: rx.cond(c["is_late"].to(bool), _column(c), rx.fragment()))
                ),
                class_name="import-add",
            ),
        ),
        _options(),
        class_name="maps",
        aria_label="Files and columns",
        tab_index=0,
    )


def _files() -> rx.Component:
    return rx.el.div(
        rx.el.h2("Files"),
        rx.el.ul(rx.foreach(ImportState.sources, _file), class_name="import-files"),
        rx.cond(ImportState.reading != "", rx.el.p("Reading ", ImportState.reading, "…", class_name="small muted")),
        _error(),
        rx.el.details(rx.el.summary("Add files", class_name="small"), _drop("Choose files"), class_name="import-add"),
        class_name="import-batch",
    )


def _file(source: Row) -> rx.Component:
    key, name = source["key"].to(str), source["name"].to(str)
    is_current = key == ImportState.current
    return rx.el.li(
        rx.el.button(
            kit.clipped(name, class_name="strong"),
            rx.el.span(source["label"].to(str), ", ", source["about"].to(str), class_name="small muted"),
            rx.cond(
                source["fix"].to(str) != "",
                rx.el.span(source["fix"].to(str), " to fix", class_name="small over"),
            ),
            type="button",
            aria_pressed=is_current,
            on_click=ImportState.select(key),
        ),
        kit.icon_button("dismiss", rx.Var.create("Leave out ") + name, size=16, on_click=ImportState.drop(key)),
        rx.cond(
            is_current,
            rx.el.div(
                rx.cond(source["note"].to(str) != "", rx.el.p(source["note"].to(str), class_name="small muted")),
                rx.el.label(
                    rx.el.span("Holds", class_name="small"),
                    rx.el.select(
                        rx.foreach(ImportState.entities, lambda e: rx.el.option(e["label"], value=e["value"])),
                        value=source["entity"].to(str),
                        on_change=ImportState.set_entity,
                        class_name="select",
                    ),
                    class_name="line",
                ),
                class_name="import-file-more",
            ),
        ),
        key=key,
    )


def _column(column: Row) -> rx.Component:
    heading, field = column["heading"].to(str), column["field"].to(str)
    note = rx.cond(
        field == "",
        rx.el.p("Left out", class_name="small muted"),
        rx.el.p(column["sure"].to(str), class_name=rx.Var.create("small ") + column["tone"].to(str)),
    )
    count = column["open"].to(int)
    texts = rx.el.button(
        rx.cond(count > 0, count.to(str) + rx.cond(count == 1, " value", " values") + " to match", "Values"),
        type="button",
        class_name=rx.cond(count > 0, "small link risk", "small link"),
        aria_label=rx.Var.create("Match the values of ") + heading,
        on_click=ImportGrid.open_texts(field),
    )
    return rx.el.li(
        rx.el.div(
            kit.clipped(heading, tag=rx.el.p, class_name="strong"),
            kit.clipped(column["sample"].to(str), tag=rx.el.p, class_name="small muted"),
            class_name="grow",
        ),
        kit.icon("arrow_right", 16),
        rx.el.div(
            rx.el.select(
                rx.el.option("Do not import", value=""),
                rx.foreach(ImportState.fields, lambda f: rx.el.option(f["label"], value=f["value"])),
                rx.cond(ImportState.rights["settings_manage"], rx.el.option("Make a field for it…", value=NEW_FIELD)),
                value=field,
                on_change=lambda to: ImportGrid.choose_field(heading, to),
                class_name="select",
                aria_label=rx.Var.create("Where ") + heading + " goes",
            ),
            note,
            rx.cond(column["texts"].to(int) > 0, texts),
            class_name="to",
        ),
        class_name="map",
        key=_of_file + heading,
    )


def _options() -> rx.Component:
    chosen = ImportState.options
    return rx.el.div(
        _all_rows("Pipeline, where the file names none", "pipeline_id", ImportState.pipelines),
        _all_rows("Stage, where the file names none", "stage_id", ImportState.stages, empty="The first one"),
        rx.cond(
            chosen["can_create"].to(bool),
            kit.checkbox(
                "Make accounts that are not here yet",
                default_checked=chosen["create_missing"].to(bool),
                key=_of_file,
                on_change=lambda on: ImportState.set_option("create_missing", rx.cond(on, "true", "false")),
            ),
        ),
        rx.el.div(
            _chosen("Dates", "dates", [("day", "31.12.2026"), ("month", "12/31/2026")]),
            _chosen("Numbers", "decimal", [(",", "1.234,50"), (".", "1,234.50")]),
            class_name="line top",
        ),
        rx.el.div(
            rx.cond(
                ImportGrid.presets.length() > 0,
                kit.select(
                    "use-matching",
                    ImportGrid.presets,
                    empty="Use a kept matching",
                    value="",
                    aria_label="Use a kept matching",
                    on_change=ImportGrid.use_matching,
                ),
            ),
            kit.outline("Keep this matching", size="sm", on_click=ImportGrid.ask_name),
            class_name="line wrap",
        ),
        class_name="map-options",
    )


def _all_rows(label: str, name: str, choices: rx.Var, *, empty: str = "") -> rx.Component:
    box = kit.select(
        name.removesuffix("_id"),
        choices,
        empty=empty,
        default_value=ImportState.options[name].to(str),
        key=_of_file + ImportState.options["pipeline_id"].to(str),
        on_change=lambda value: ImportState.set_option(name, value),
    )
    return rx.cond(choices.length() > 0, kit.field(label, box, control_id=name.removesuffix("_id")))


def _chosen(label: str, name: str, options: list[tuple[str, str]]) -> rx.Component:
    box = kit.select(
        name,
        options,
        empty="As the file tells",
        default_value=ImportState.options[name].to(str),
        key=_of_file,
        on_change=lambda value: ImportState.set_option(name, value),
    )
    return kit.field(label, box, control_id=name, class_name="grow")


# -- The run ---------------------------------------------------------------------------------------------------------


def _run() -> rx.Component:
    percent = _job["percent"].to(int)
    return rx.el.div(
        rx.el.h2(
            rx.match(
                _status,
                ("paused", "Paused"),
                ("failed", "The import has stopped"),
                ("stopping", "Taking back what was written"),
                "Importing",
            )
        ),
        rx.el.p(_job["name"].to(str), class_name="muted"),
        rx.el.progress(
            value=rx.cond(percent < 0, rx.Var("undefined"), percent), max=100, aria_label="How far the import is"
        ),
        rx.el.p(_job["text"].to(str), role="status", class_name="num"),
        _error(),
        rx.el.div(
            rx.match(
                _status,
                ("running", kit.outline("Pause", on_click=ImportState.pause)),
                ("waiting", kit.outline("Pause", on_click=ImportState.pause)),
                ("paused", kit.primary("Go on", on_click=ImportState.resume)),
                ("failed", kit.primary("Try to go on", on_click=ImportState.resume)),
                rx.fragment(),
            ),
            rx.cond(_status != "stopping", kit.ghost("Cancel and take back", on_click=ImportState.cancel)),
            class_name="line",
        ),
        rx.el.p(
            "You may leave this page: the import goes on, also when the server starts anew.", class_name="muted small"
        ),
        class_name="import-wait",
    )
