"""Settings, Tags: the table, and the dialog that gives one another name."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.settings import settings_page
from crm_app.state.platform.tags import TagsState


def tags() -> rx.Component:
    """The tags of all kinds of records."""
    return settings_page(
        "Tags",
        rx.cond(
            TagsState.is_loaded,
            rx.cond(TagsState.found.length() > 0, rx.fragment(_about(), _table()), _nothing()),
            kit.skeleton_rows("Loading tags", rows=4),
        ),
        _dialog(),
        current="/settings/tags",
    )


def _about() -> rx.Component:
    return rx.el.p(
        "Tags come from the records that have them. Give one another name, everywhere at once; with the name of another"
        " the two become one.",
        class_name="muted",
    )


def _nothing() -> rx.Component:
    return kit.empty_state(
        kit.paper_art(), "No tags yet", "Whatever people write into the field Tags of a record is listed here."
    )


def _table() -> rx.Component:
    return kit.table(
        "Tags of this workspace",
        head=rx.el.tr(kit.column("Tag"), kit.column("Records", number=True), kit.column(kit.sr("Change"))),
        body=rx.foreach(TagsState.found, _row),
    )


def _row(tag: rx.Var[dict[str, str]]) -> rx.Component:
    rename = kit.outline(
        "Rename", size="sm", aria_label=rx.Var.create("Rename ") + tag["label"], on_click=TagsState.open(tag["value"])
    )
    return rx.el.tr(
        kit.cell(rx.el.span(kit.clipped(tag["label"]), class_name="badge"), class_name="name"),
        kit.cell(tag["hint"], number=True),
        kit.cell(rename),
        key=tag["value"],
    )


def _dialog() -> rx.Component:
    wrong = TagsState.errors.contains("tag")
    box = kit.text_input("tag", invalid=wrong, key=TagsState.chosen, default_value=TagsState.given, data_autofocus="")
    joins = rx.el.p(kit.icon("info", 16), TagsState.joins, class_name="note", role="status")
    return kit.dialog(
        "rename-tag",
        rx.Var.create("Rename “") + TagsState.chosen + "”",
        kit.field("New name", box, control_id="tag", error=rx.cond(wrong, TagsState.errors["tag"], "")),
        rx.cond(TagsState.joins != "", joins),
        open=TagsState.is_open,
        on_dismiss=TagsState.cancel,
        on_submit=TagsState.save,
        action=kit.primary(rx.cond(TagsState.joins != "", "Join the two", "Rename"), type="submit"),
    )
