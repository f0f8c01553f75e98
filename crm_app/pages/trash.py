"""The trash."""

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.platform.trash import trash_page
from crm_app.state.platform.trash import TrashState


def add(app: rx.App) -> None:
    app.add_page(_trash, route="/trash", title="Trash · SalesCompass", on_load=TrashState.load)


def _trash() -> rx.Component:
    return framed(trash_page(), current="/trash", title="Trash")
