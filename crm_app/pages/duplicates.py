"""The page of duplicates."""

import reflex as rx

from crm_app.components.customers.duplicates import KEYS, duplicates
from crm_app.components.frame import framed
from crm_app.state.customers.duplicates import DuplicatesState


def add(app: rx.App) -> None:
    app.add_page(page, route="/duplicates", title="Duplicates · SalesCompass", on_load=DuplicatesState.load)


def page() -> rx.Component:
    return framed(duplicates(), current="/duplicates", title="Duplicates", keys=KEYS)
