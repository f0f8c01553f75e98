"""Every page of the app and its address. A page is added here and nowhere else."""

import reflex as rx

from crm_app.components.not_found import not_found
from crm_app.pages import duplicates, imports, opportunities, pipeline, records, settings, sign_in


def add_pages(app: rx.App) -> None:
    """Registers the pages; called once, by the front door."""
    sign_in.add(app)
    pipeline.add(app)
    opportunities.add(app)
    records.add(app)
    imports.add(app)
    duplicates.add(app)
    settings.add(app)
    app.add_page(not_found, route="404", title="Nothing here · SalesCompass")
