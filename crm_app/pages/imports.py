"""The import page."""

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.platform.imports import imports
from crm_app.state.platform.imports import ImportState
from crm_app.state.platform.imports_made import ImportsMade


def add(app: rx.App) -> None:
    app.add_page(page, route="/import", title="Import · SalesCompass", on_load=[ImportState.load, ImportsMade.load])


def page() -> rx.Component:
    return framed(imports(), current="/import", title="Import")
