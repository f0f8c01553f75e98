"""The switch between ways to see the same deals."""

from typing import Any

import reflex as rx

from crm_app.components import kit

NEW_DEAL = "[data-new-deal]"  # the button of the board that makes one


def layout_switch(current: str, *, is_narrowed: rx.Var[bool], carry: Any) -> rx.Component:
    """Deals as a board or as a list; `carry` goes to the other one with the filters of this, where it is narrowed."""
    places = (("board", "Board", "/pipeline", "board"), ("list", "List", "/opportunities", "text_bullet_list_square"))
    return kit.segmented(
        "Layout",
        *[
            _place(word, href, icon, aria_current="page")
            if name == current
            else rx.cond(
                is_narrowed, _place(word, href, icon, on_click=carry.prevent_default), _place(word, href, icon)
            )
            for name, word, href, icon in places
        ],
        class_name="layouts",
    )


def _place(word: str, href: str, icon: str, **props: Any) -> rx.Component:
    return kit.link(kit.icon(icon, 16), rx.el.span(word), href=href, **props)
