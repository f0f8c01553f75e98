"""The card of files of a record, and the dialog that shows one."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.record_slots import record_tab
from crm_app.settings import settings
from crm_app.state.platform.attachments import Attachments, FileView

ICONS = {"image": "image", "pdf": "document_pdf", "table": "document_table", "file": "document"}


def attachments() -> rx.Component:
    """On any page whose state opens `Attachments` with its record: as a card among others, or alone in a tab."""
    return rx.fragment(
        kit.attach(
            rx.cond(
                Attachments.files.length() > 0,
                rx.el.ul(rx.foreach(Attachments.files, _file)),
                rx.el.p(
                    rx.cond(
                        Attachments.may_attach,
                        "No files yet. Drop some here, or paste a picture.",
                        "No files yet.",
                    ),
                    class_name="muted none",
                ),
            ),
            title="Files",
            count=Attachments.files.length(),
            url=Attachments.file_url,
            largest=settings().file_most_mb * 1024**2,
            can=Attachments.may_attach,
            known=Attachments.file_ids,
            on_sent=Attachments.sent,
        ),
        _preview(),
    )


def _file(file: rx.Var[FileView]) -> rx.Component:
    name = rx.cond(
        file.preview != "",
        rx.el.button(kit.clipped(file.name), type="button", class_name="file-name", on_click=Attachments.look(file.id)),
        kit.file_link(kit.clipped(file.name), href=file.href, class_name="file-name"),
    )
    return rx.el.li(
        rx.el.span(kit.icon_for(file.icon, ICONS, 20, default="document"), data_tip=file.by, class_name="dot-less"),
        name,
        rx.el.span(file.detail, class_name="muted small num"),
        kit.menu(
            kit.icon_button("more_horizontal", rx.Var.create("More about ") + file.name, size=16),
            rx.cond(
                file.preview != "",
                kit.menu_item("Look at it", icon_name="eye", on_click=Attachments.look(file.id)),
            ),
            kit.menu_download("Download", href=file.href),
            rx.cond(
                file.may_remove,
                kit.menu_item("Delete", icon_name="delete", danger=True, on_click=Attachments.remove(file.id)),
            ),
            label=rx.Var.create("More about ") + file.name,
            end=True,
        ),
        class_name="item",
        key=file.id,
    )


def _preview() -> rx.Component:
    file = Attachments.looked_at
    shown = rx.cond(
        file.preview == "image",
        rx.el.img(src=file.href + "/look", alt=file.name),
        rx.el.iframe(src=file.href + "/look", title=file.name),
    )
    return kit.dialog(
        "file-look",
        file.name,
        rx.el.div(shown, class_name="file-look"),
        sub=file.by,
        open=file.id != "",
        on_dismiss=Attachments.leave,
        keep="Close",
        wide=True,
        action=kit.file_link(kit.icon("arrow_download", 16), "Download", href=file.href, class_name="btn primary"),
    )


record_tab("files", "Files", lambda _: attachments(), count=Attachments.file_ids.length(), place=30)
