"""The dialog before a record goes into the trash."""

import reflex as rx

from crm_app.components import kit
from crm_app.state.record_delete import FateView, RecordDelete

_ICONS = {"protects": "lock_closed", "along": "delete", "unlinked": "link", "stays": "checkmark_circle"}


def delete_dialog() -> rx.Component:
    """Lists what hangs on the record. While something protects it, there is nothing to press but to keep it."""
    asked = RecordDelete
    title = rx.Var.create("Delete ") + asked.asked_label
    reason = rx.cond(
        (asked.asked_kind == "opportunity") & ~asked.is_held,
        kit.field(
            "Why? (optional)",
            kit.text_input("reason", max_length=200, data_autofocus=""),
            control_id="reason",
        ),
    )
    told = rx.cond(
        asked.is_held,
        rx.el.p("It cannot be deleted yet.", class_name="muted"),
        rx.el.p("It can be restored whole for 30 days, from the trash or at once by Undo.", class_name="muted"),
    )
    return kit.dialog(
        "delete-record",
        title,
        rx.cond(asked.fates.length() > 0, rx.el.ul(rx.foreach(asked.fates, _fate), class_name="fates")),
        reason,
        told,
        sub=asked.asked_name,
        open=asked.is_asked,
        on_dismiss=asked.keep,
        on_submit=asked.throw_away,
        memory=asked.memory_of_asked,
        on_return=asked.recall,
        keep="Keep",
        action=rx.cond(asked.is_held, rx.fragment(), kit.danger(title, type="submit")),
    )


def _fate(fate: rx.Var[FateView]) -> rx.Component:
    return rx.el.li(
        kit.icon_for(fate.fate, _ICONS, default="info"),
        rx.el.span(fate.text, class_name="grow"),
        rx.cond(fate.href != "", kit.link("Show", href=fate.href, class_name="strong")),
        class_name=rx.Var.create("fate ") + fate.fate,
        key=fate.text,
    )
