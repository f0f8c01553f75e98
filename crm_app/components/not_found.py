"""The page for an address that leads nowhere."""

import reflex as rx

from crm_app.components import kit


def not_found() -> rx.Component:
    """Says so, and leads back to the pipeline."""
    return rx.el.main(
        kit.empty_state(
            kit.paper_art(),
            "Nothing here",
            "The address is wrong, or the record was deleted or is not shared with you.",
            kit.link_button("Back to the pipeline", href="/pipeline", variant="primary"),
            whole_page=True,
        ),
        class_name="alone",
    )
