"""The dialog that makes a file of a list, and the page of one's own files."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.core.registry import Entity
from crm_app.state.list_export import Exports, ListExport

Row = rx.Var[dict[str, Any]]
_FORMS = (("xlsx", "Excel (XLSX)"), ("csv", "CSV, for programs"), ("pdf", "PDF, to print"))


def export_button(entity: Entity) -> rx.Component:
    """Of the whole list, as it is filtered."""
    button = kit.ghost("Export", icon_name="arrow_download", on_click=ListExport.ask(False), class_name="hide-s")
    return rx.cond(may(f"{entity.name}.export"), button)


def export_dialog() -> rx.Component:
    title = rx.Var.create("Export ") + ListExport.heading
    line = rx.el.p(kit.icon("error_circle", 16), ListExport.error, class_name="error", role="alert")
    return kit.dialog(
        "export",
        title,
        kit.choice_cards("Kind of file", "form", _FORMS, value=ListExport.form, on_change=ListExport.choose),
        rx.el.p(ListExport.about, class_name="muted"),
        rx.cond(ListExport.error != "", line),
        open=ListExport.is_open,
        on_dismiss=ListExport.leave,
        action=kit.primary(title, on_click=ListExport.submit, data_autofocus=""),
    )


def exports() -> rx.Component:
    """The content of the sheet."""
    some = rx.el.div(rx.el.ul(rx.foreach(Exports.files, _file), class_name="files"), class_name="body")
    shown = rx.cond(Exports.files.length() > 0, some, _nothing())
    about = rx.el.p("Files that you made of lists. Each stays for a week and is only yours.", class_name="muted push")
    return rx.fragment(
        kit.page_head("Exports", about),
        rx.cond(Exports.is_listed, shown, kit.skeleton_rows("Exports are being read", rows=4)),
    )


def _file(row: Row) -> rx.Component:
    name, error = row["name"].to(str), row["error"].to(str)
    export_id, href = row["id"].to(str), row["href"].to(str)
    busy = rx.fragment(
        rx.el.progress(value=row["percent"].to(int), max=100, aria_label=name + " is being written"),
        kit.ghost("Cancel", size="sm", aria_label="Cancel " + name, on_click=Exports.cancel(export_id)),
    )
    over = rx.fragment(
        rx.cond(href != "", kit.download("Download", href=href, size="sm")),
        kit.icon_button("delete", "Delete " + name, size=16, on_click=Exports.discard(export_id)),
    )
    words = rx.el.div(
        rx.el.p(name, class_name="strong clip"),
        rx.el.p(row["about"].to(str), " · ", row["since"].to(str), class_name="muted small"),
        rx.cond(error != "", rx.el.p(kit.icon("error_circle", 16), error, class_name="error")),
        class_name="grow",
    )
    return rx.el.li(
        kit.badge(row["kind"].to(str)),
        words,
        rx.cond(row["is_running"].to(bool), busy, over),
        class_name="line item",
        key=row["id"].to(str),
    )


def _nothing() -> rx.Component:
    return kit.empty_state(
        kit.table_art(),
        "No exports yet",
        "Open a list, filter it, choose its columns, then press Export: Excel, CSV or PDF.",
    )
