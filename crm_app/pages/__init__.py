"""Every page of the app and its address. A page is added here and nowhere else."""

from typing import Any, cast

import reflex as rx

from crm_app.components.not_found import not_found
from crm_app.pages import duplicates, exports, imports, opportunities, pipeline, records, settings, sign_in, trash
from crm_app.state.platform.notifications import Bell


class _WithBell:
    """Adds pages that have the frame, with the notification centre in it."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    def add_page(self, component: Any, *, on_load: Any = (), **more: Any) -> None:
        loads = on_load if isinstance(on_load, list | tuple) else [on_load]
        self._app.add_page(component, on_load=[*loads, Bell.load] if loads else None, **more)


def add_pages(app: rx.App) -> None:
    """Registers the pages; called once, by the front door."""
    sign_in.add(app)
    app = cast("rx.App", _WithBell(app))
    pipeline.add(app)
    opportunities.add(app)
    records.add(app)
    imports.add(app)
    exports.add(app)
    duplicates.add(app)
    settings.add(app)
    trash.add(app)
    app.add_page(not_found, route="404", title="Nothing here · SalesCompass")
