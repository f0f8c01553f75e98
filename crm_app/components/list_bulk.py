"""What is done with the records chosen in a list: acts of the selection, their dialogs, progress and result."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.form_fields import form_field
from crm_app.components.frame import may
from crm_app.core.registry import Entity
from crm_app.state.list_bulk import ListBulk
from crm_app.state.list_export import ListExport

Row = rx.Var[dict[str, Any]]
_GROUP = "For the selection"
KEYS = (
    kit.Key("e", "Edit the selected records", press="[data-bulk=edit]", icon="edit", group=_GROUP),
    kit.Key("a", "Give them to somebody else", press="[data-bulk=owner]", icon="person_add", group=_GROUP),
    kit.Key("", "Change their tags", press="[data-bulk=tags]", icon="tag", group=_GROUP),
    kit.Key("", "Export them", press="[data-bulk=export]", icon="arrow_download", group=_GROUP),
    kit.Key("delete", "Delete them", press="[data-bulk=delete]", icon="delete", group=_GROUP),
)
_MODES = (("add", "Add to what is there"), ("remove", "Take away"), ("set", "Replace all"))
_running = ListBulk.running


def can_pick(entity: Entity) -> rx.Var[bool]:
    """Whether there is anything that the person may do with chosen records."""
    export = may(f"{entity.name}.export")
    if entity.is_managed:
        return export
    return export | may(f"{entity.name}.update") | may(f"{entity.name}.delete")


def bulk_acts(entity: Entity) -> list[rx.Component]:
    """The buttons of the bar that appears with a selection."""
    if entity.is_managed:
        return [kit.ghost("Export", icon_name="arrow_download", size="sm", on_click=ListExport.ask(True))]
    change, assign = may(f"{entity.name}.update"), may(f"{entity.name}.update") & may(f"{entity.name}.assign")
    found = [
        rx.cond(change, kit.ghost("Edit", icon_name="edit", size="sm", on_click=ListBulk.ask(""), data_bulk="edit"))
    ]
    if "owner_id" in entity.fields:
        owner = kit.ghost(
            "Owner",
            icon_name="person",
            size="sm",
            on_click=ListBulk.ask("owner_id"),
            class_name="hide-s",
            data_bulk="owner",
        )
        found.append(rx.cond(assign, owner))
    if "tags" in entity.fields:
        tags = kit.ghost(
            "Tags", icon_name="tag", size="sm", on_click=ListBulk.ask("tags"), class_name="hide-s", data_bulk="tags"
        )
        found.append(rx.cond(change, tags))
    export = kit.ghost(
        "Export", icon_name="arrow_download", size="sm", on_click=ListExport.ask(True), data_bulk="export"
    )
    found.append(rx.cond(may(f"{entity.name}.export"), export))
    delete = kit.ghost("Delete", icon_name="delete", size="sm", on_click=ListBulk.ask_delete, data_bulk="delete")
    return [*found, rx.cond(may(f"{entity.name}.delete"), delete)]


def bulk_parts() -> rx.Component:
    """Progress above the table, and the dialogs."""
    return rx.fragment(_progress(), _edit(), _delete(), _result())


def _progress() -> rx.Component:
    bar = rx.el.div(
        rx.el.progress(value=_running["percent"].to(int), max=100, aria_label="Progress"),
        rx.el.p(_running["text"].to(str), class_name="strong num", role="status"),
        kit.ghost("Cancel", size="sm", on_click=ListBulk.cancel, class_name="push"),
        class_name="note bulk-progress",
    )
    return rx.cond(_running["is_running"].to(bool), bar)


def _edit() -> rx.Component:
    title = rx.Var.create("Edit ") + ListBulk.heading
    add = kit.field(
        rx.cond(ListBulk.fields.length() > 0, "Another field", "Field"),
        kit.select(
            "bulk-field", ListBulk.offered, empty="Choose …", value="", on_change=ListBulk.take_field,
            data_autofocus="",
        ),
        control_id="bulk-field",
    )  # fmt: skip
    return kit.dialog(
        "bulk-edit",
        title,
        rx.foreach(ListBulk.fields, _field),
        add,
        _error(),
        open=ListBulk.asking == "edit",
        on_dismiss=ListBulk.leave,
        on_submit=ListBulk.submit,
        memory=ListBulk.memory,
        on_return=ListBulk.recall,
        action=kit.primary(title, type="submit", disabled=ListBulk.fields.length() == 0),
    )


def _field(field: Row, index: rx.Var[int]) -> rx.Component:
    name = field["name"].to(str)
    mode = kit.select(
        rx.Var.create("bulk-mode-") + name, _MODES, name=name + "_mode", default_value=field["mode"].to(str),
        aria_label="What is done with " + field["label"].to(str), class_name="sm",
    )  # fmt: skip
    drop = kit.icon_button(
        "dismiss", "Leave out " + field["label"].to(str), size=16, on_click=ListBulk.drop_field(name)
    )
    return rx.el.div(
        rx.el.div(form_field(field, index, prefix="bulk", on_search=ListBulk.search), class_name="grow"),
        rx.cond(field["is_list"].to(bool), mode),
        drop,
        class_name="bulk-field",
        key=name,
    )


def _delete() -> rx.Component:
    title = rx.Var.create("Delete ") + ListBulk.heading
    return kit.dialog(
        "bulk-delete",
        title,
        rx.el.p(
            "They go to the trash with their history and can be restored for 30 days. What other records need stays:"
            " you will see which and why."
        ),
        _error(),
        open=ListBulk.asking == "delete",
        on_dismiss=ListBulk.leave,
        on_submit=ListBulk.submit,
        memory=ListBulk.memory,
        on_return=ListBulk.recall,
        action=kit.danger(title, type="submit", data_autofocus=""),
    )


def _error() -> rx.Component:
    line = rx.el.p(kit.icon("error_circle", 16), ListBulk.error, class_name="error", role="alert")
    return rx.cond(ListBulk.error != "", line)


def _result() -> rx.Component:
    """How it ended, and why some records stayed as they were."""
    resume = kit.outline("Go on", on_click=ListBulk.resume)
    undo = kit.outline("Undo", on_click=ListBulk.undo(""))
    there = rx.Var.create("/api/bulk/") + _running["id"].to(str) + "/blocked"
    download = kit.download("Download the list", href=there)
    return kit.dialog(
        "bulk-result",
        _running["title"].to(str),
        rx.cond(_running["detail"].to(str) != "", rx.el.p(_running["detail"].to(str))),
        rx.el.ul(rx.foreach(ListBulk.reasons, _reason), class_name="bulk-reasons"),
        rx.el.div(
            rx.cond(_running["can_resume"].to(bool), resume),
            rx.cond(_running["can_undo"].to(bool), undo),
            rx.cond(_running["blocked"].to(int) > 0, download),
            class_name="line",
        ),
        open=ListBulk.is_result_open,
        on_dismiss=ListBulk.close,
        keep="Close",
        action=rx.fragment(),
    )


def _reason(row: Row) -> rx.Component:
    records = row["records"].to(list[dict[str, str]])
    return rx.el.li(
        rx.el.p(
            rx.el.span(row["count"].to(str), class_name="pill num"), row["reason"].to(str), class_name="line strong"
        ),
        rx.el.p(
            rx.foreach(records, lambda r: kit.link(r["title"], href=r["href"])),
            rx.cond(row["more"].to(str) != "", rx.el.span(row["more"].to(str), class_name="muted")),
            class_name="bulk-names small",
        ),
        key=row["reason"].to(str),
    )
