"""How the app as a whole is set up for the browser: style sheets, head, frame around every page."""

from typing import Any

import reflex as rx
from reflex_components_core.base.error_boundary import ErrorBoundary

from crm_app.components import kit

STYLESHEETS = [
    f"/css/{name}.css"
    for name in (
        "tokens",
        "base",
        "shell",
        "parts",
        "fields",
        "table",
        "overlays",
        "board",
        "kanban",
        "opportunity",
        "record",
        "import",
        "conditions",
        "duplicates",
        "notes",
        "sign",
        "settings",
        "rights",
    )
]

HEAD = [
    rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
    rx.el.link(rel="manifest", href="/manifest.webmanifest"),
    rx.el.link(
        rel="preload",
        href="/fonts/inter-latin-wght-normal.woff2",
        type="font/woff2",
        cross_origin="anonymous",
        custom_attrs={"as": "font"},
    ),
    rx.el.meta(name="theme-color", content="#f3f5f7", media="(prefers-color-scheme: light)"),
    rx.el.meta(name="theme-color", content="#0b0e11", media="(prefers-color-scheme: dark)"),
]


@rx.memo
def page_extras() -> rx.Component:
    """The connection banner and the tooltip; a memo, as they read what Reflex provides only below the root."""
    return rx.fragment(kit.connection_banner(), kit.tooltips())


def _broken_page() -> rx.Component:
    return rx.el.main(
        kit.empty_state(
            kit.paper_art(),
            "This page stopped working",
            "Nothing that was saved is lost. Load it again; if it happens once more, tell your administrator.",
            rx.el.a("Load again", href="", class_name="btn primary"),
            whole_page=True,
        ),
        class_name="alone",
    )


def _error_boundary(stateful: bool) -> rx.Component:
    silent = {} if stateful else {"on_error": rx.noop()}
    return ErrorBoundary.create(fallback_render=rx.Var.create(_broken_page()), **silent)


APP_KWARGS: dict[str, Any] = {
    "html_lang": "en",
    "reset_style": False,
    "stylesheets": STYLESHEETS,
    "head_components": HEAD,
    # No toaster: notices are our own, and Reflex's toasts from the server need eval, which our CSP forbids.
    "toaster": None,
    "app_wraps": {
        (55, "ErrorBoundary"): _error_boundary,
        (5, "Overlay"): lambda stateful: rx.fragment(page_extras()) if stateful else None,
    },
}
