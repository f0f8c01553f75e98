"""The record beside a list: the parts of its page in a panel, with the way to the next one."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.record_body import (
    record_fields,
    record_figures,
    record_panel,
    record_panels,
    record_tabs,
    record_title,
)
from crm_app.core.registry import Entity
from crm_app.state.list_panel import ListPanel
from crm_app.state.lists import RecordList
from crm_app.state.record import RecordState


def list_panel(entity: Entity) -> rx.Component:
    """Stands beside the list while a record is open; J and K step through the rows, Esc closes it."""
    there = rx.Var.create(f"/{entity.slug}/") + RecordList.open_id + RecordList.tail
    head = rx.el.header(
        rx.el.p(entity.label, class_name="muted"),
        rx.el.div(
            kit.icon_button("arrow_up", "Previous record", data_list_step="-1", aria_keyshortcuts="K"),
            kit.icon_button("arrow_down", "Next record", data_list_step="1", aria_keyshortcuts="J"),
            kit.link(
                kit.icon("open"),
                href=there,
                class_name="icon-btn",
                aria_label="Open the page",
                data_tip="Open the page",
            ),
            kit.icon_button("dismiss", "Close", on_click=ListPanel.close),
            class_name="push line tight",
        ),
        class_name="head",
    )
    body = rx.fragment(
        rx.cond(
            RecordState.is_loaded,
            rx.el.div(record_title(entity, heading="h2"), record_figures(), class_name="beside-top"),
            kit.skeleton_rows(f"The {entity.label.lower()} is being read", rows=2),
        ),
        record_tabs(entity, area=".beside", inside=True),
        rx.el.div(
            record_panel("details", "Details", record_fields()), *record_panels(entity), class_name="beside scroll"
        ),
    )
    gone = rx.el.p(
        f"This {entity.label.lower()} is not here: it was deleted, or your role may not see it.", class_name="none"
    )
    panel = kit.side_panel(
        head,
        rx.cond(RecordState.is_missing, gone, body),
        label=rx.cond(RecordState.head.name != "", RecordState.head.name, entity.label),
        on_dismiss=ListPanel.close,
        class_name="beside-list",
    )
    return rx.cond(RecordList.open_id != "", panel)
