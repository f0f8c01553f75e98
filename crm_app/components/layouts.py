"""The switch between ways to see the same deals."""

import reflex as rx

from crm_app.components import kit

NEW_DEAL = "[data-new-deal]"  # the button of the board that makes one


def layout_switch(current: str) -> rx.Component:
    """Deals as a board or as a list."""
    places = (("board", "Board", "/pipeline", "board"), ("list", "List", "/opportunities", "text_bullet_list_square"))
    return kit.segmented(
        "Layout",
        *[
            kit.link(
                kit.icon(icon, 16), rx.el.span(word), href=href, **({"aria_current": "page"} if name == current else {})
            )
            for name, word, href, icon in places
        ],
        class_name="layouts",
    )
