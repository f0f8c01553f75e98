"""The rows of a file: in tabs, with what is wrong in place, and doubles with what happens to them."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.platform.imports_made import lines
from crm_app.state.platform.import_grid import ImportGrid
from crm_app.state.platform.imports import ImportState

Row = rx.Var[dict[str, Any]]
_report = ImportState.report
_status = ImportState.job["status"].to(str)
_ACTS = [("skip", "Leave out"), ("update", "Update the one here"), ("create", "Import as new")]


def rows_of_file() -> rx.Component:
    """The right side of the wizard."""
    return rx.el.section(
        _tabs(),
        kit.bar(
            rx.cond(
                _status == "checking",
                kit.badge(ImportState.job["text"].to(str), tone="info", icon_name="info"),
                kit.badge("Trial run, nothing is saved", tone="info", icon_name="info"),
            ),
            right=rx.cond(_report["to_mend"].to(int) > 0, _mend()),
        ),
        rx.el.div(
            _notes(),
            rx.cond(
                _report["tabs"].to(list[dict[str, str]]).length() > 0,
                rx.fragment(_groups(), _doubles(), _grid(), _pages()),
                _not_yet(),
            ),
            class_name="scroll grow",
            tab_index=0,
            role="region",
            aria_label="What the check found",
        ),
        rx.el.footer(
            rx.el.span("If it goes wrong, take the whole import back.", class_name="muted"),
            class_name="bar import-foot",
        ),
        class_name="checks",
        aria_label="Rows",
    )


def _tabs() -> rx.Component:
    return rx.el.div(
        rx.foreach(
            _report["tabs"].to(list[dict[str, str]]),
            lambda t: rx.el.button(
                t["label"],
                rx.el.span(t["count"], class_name=rx.Var.create("n ") + t["tone"]),
                type="button",
                aria_pressed=t["value"] == ImportGrid.seen_tab,
                on_click=ImportGrid.show_tab(t["value"]),
            ),
        ),
        class_name="tabs",
        role="group",
        aria_label="Which rows",
    )


def _mend() -> rx.Component:
    job, key = ImportState.job["id"].to(str), ImportState.current
    href = "/api/imports/jobs/" + job + "/rows-to-mend?file=" + key
    return kit.download("Rows to fix", href=href, size="sm", class_name="push")


def _notes() -> rx.Component:
    return rx.cond(_report["lines"].to(list[str]).length() > 0, lines(_report["lines"].to(list[str])))


def _not_yet() -> rx.Component:
    return rx.cond(
        _status == "checking",
        kit.skeleton_rows("Checking all rows", rows=8),
        kit.empty_state(
            kit.table_art(),
            "Check before anything is saved",
            "Every row is read, matched and checked. You see what would be new, what would change and what is wrong.",
            kit.outline("Check all rows", on_click=ImportState.check),
        ),
    )


# -- The same thing wrong in many rows -------------------------------------------------------------------------------


def _groups() -> rx.Component:
    groups = _report["groups"].to(list[dict[str, str]])
    return rx.cond(
        (groups.length() > 0) & ((ImportGrid.seen_tab == "fix") | (ImportGrid.seen_tab == "all")),
        rx.el.ul(rx.foreach(groups, _group), class_name="import-groups", aria_label="What is wrong"),
    )


def _group(group: rx.Var[dict[str, str]]) -> rx.Component:
    column, text, better = group["column"], group["text"], group["suggestion"]
    return rx.el.li(
        rx.el.p(
            rx.el.b(group["title"]),
            rx.cond(column != "", rx.el.span(" in ", column)),
            rx.el.span(" ", group["said"], class_name="muted"),
        ),
        rx.el.span(group["count"], class_name="small muted"),
        rx.cond(
            (better != "") & (text != ""),
            kit.primary(
                rx.Var.create("Use ") + better, size="sm", on_click=ImportGrid.replace_all(column, text, better)
            ),
        ),
        rx.cond(
            text != "",
            kit.mend(
                rx.Var.create("Instead of ") + text,
                better,
                action="Replace in all",
                on_save=lambda new: ImportGrid.replace_all(column, text, new),
            ),
        ),
        key=column + text + group["said"],
    )


# -- Doubles ---------------------------------------------------------------------------------------------------------


def _doubles() -> rx.Component:
    return rx.cond(
        ((_report["sure"].to(int) > 0) | (_report["check"].to(int) > 0)) & (ImportGrid.seen_tab != "fix"),
        rx.el.div(
            _band("sure", "surely here already", _report["sure"].to(int), _report["sure_act"].to(str)),
            _band("check", "look like one that is here", _report["check"].to(int), _report["check_act"].to(str)),
            class_name="import-doubles",
        ),
    )


def _band(name: str, words: str, count: rx.Var[int], act: rx.Var[str]) -> rx.Component:
    return rx.cond(
        count > 0,
        rx.el.label(
            rx.el.span(rx.el.b(count.to(str), class_name="num"), f" {words}"),
            rx.el.select(
                *[rx.el.option(label, value=value) for value, label in _ACTS],
                value=act,
                on_change=lambda to: ImportGrid.decide(name, to),
                class_name="select sm",
            ),
            class_name="line",
        ),
    )


# -- Rows ------------------------------------------------------------------------------------------------------------


def _grid() -> rx.Component:
    return rx.cond(
        ImportGrid.rows.length() > 0,
        rx.el.div(
            rx.el.table(
                rx.el.caption("Rows of the file", class_name="sr"),
                rx.el.thead(
                    rx.el.tr(
                        kit.column("Row", number=True),
                        kit.column("Result"),
                        rx.foreach(ImportGrid.headings, lambda h: rx.el.th(h, scope="col")),
                    )
                ),
                rx.el.tbody(rx.foreach(ImportGrid.rows, _row)),
                class_name="table grid",
            ),
            class_name="import-rows",
        ),
        rx.el.p("No rows here.", class_name="muted import-lines"),
    )


def _row(row: Row) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row["row"].to(str), class_name="r muted"),
        rx.el.td(_verdict(row)),
        rx.foreach(row["cells"].to(list[dict[str, str]]), lambda cell: _cell(row["row"].to(str), cell)),
        key=row["row"].to(str),
    )


def _verdict(row: Row) -> rx.Component:
    number = row["row"].to(str)
    skip = kit.icon_button(
        "dismiss", rx.Var.create("Leave out row ") + number, size=16, on_click=ImportGrid.leave_out_row(number)
    )
    return rx.match(
        row["kind"].to(str),
        (
            "fix",
            rx.el.div(
                kit.badge("Fix", tone="plain over", icon_name="error_circle"),
                skip,
                rx.cond(row["said"].to(str) != "", rx.el.p(row["said"].to(str), class_name="small over wraps")),
                class_name="line",
            ),
        ),
        (
            "double",
            rx.el.div(
                kit.badge(rx.cond(row["band"].to(str) == "sure", "Here", "Check"), tone="plain risk", icon_name="copy"),
                rx.el.span(row["title"].to(str), ", ", row["reasons"].to(str), class_name="small muted wraps"),
                rx.el.select(
                    *[rx.el.option(label, value=value) for value, label in _ACTS],
                    value=row["act"].to(str),
                    on_change=lambda act: ImportGrid.decide_row(number, act),
                    class_name="select sm",
                    aria_label=rx.Var.create("What happens to row ") + number,
                ),
                class_name="line wrap",
            ),
        ),
        ("out", kit.badge("Left out", tone="plain")),
        kit.badge("Ready", tone="plain good", icon_name="checkmark_circle"),
    )


def _cell(row: rx.Var[str], cell: rx.Var[dict[str, str]]) -> rx.Component:
    heading = cell["heading"]
    box = rx.el.div(
        kit.mend(
            rx.Var.create("Row ") + row + ", " + heading,
            cell["text"],
            wrong=True,
            on_save=lambda text: ImportGrid.fix(row, heading, text),
        ),
        rx.el.p(cell["wrong"], class_name="small wraps"),
    )
    return rx.el.td(
        rx.cond(cell["wrong"] != "", box, kit.clipped(cell["text"], class_name="cell-value")),
        class_name=rx.cond(cell["wrong"] != "", "bad", ""),
        key=heading + cell["text"] + cell["wrong"],
    )


def _pages() -> rx.Component:
    place = ImportGrid.place
    page, pages = place["page"].to(int), place["pages"].to(int)
    return rx.cond(
        pages > 1,
        rx.el.nav(
            kit.outline("Back", size="sm", disabled=page == 0, on_click=ImportGrid.turn(-1)),
            rx.el.span(
                "Page ", (page + 1).to(str), " of ", pages.to(str), ", ", place["total"].to(str), " rows",
                class_name="muted small num",
            ),
            kit.outline("On", size="sm", disabled=page + 1 >= pages, on_click=ImportGrid.turn(1)),
            class_name="line import-pages",
            aria_label="Pages",
        ),
    )  # fmt: skip
