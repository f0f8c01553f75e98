"""One's own files."""

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.list_exports import exports
from crm_app.state.list_export import Exports


def add(app: rx.App) -> None:
    app.add_page(page, route="/exports", title="Exports · SalesCompass", on_load=Exports.load)


def page() -> rx.Component:
    return framed(exports(), current="/exports", title="Exports")
