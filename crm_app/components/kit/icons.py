"""Icons: Fluent System Icons as inline SVG, always hidden from screen readers (the words beside them speak)."""

from collections.abc import Mapping

import reflex as rx

from crm_app.components.kit.icon_paths import PATHS

_CLASS = {16: "i i16", 20: "i", 24: "i i24"}


def icon(name: str, size: int = 20, *, filled: bool = False, class_name: str = "") -> rx.Component:
    """One icon; size is 16 inside buttons, badges and chips, 20 in navigation and rows, 24 for deal actions."""
    return rx.el.svg(
        rx.el.path(d=PATHS.get((name, size, filled), PATHS[name, size, False])),  # few are drawn filled
        view_box=f"0 0 {size} {size}",
        class_name=f"{_CLASS[size]} {class_name}".strip(),
        aria_hidden="true",
    )


def icon_for(key: rx.Var, names: Mapping[str, str], size: int = 16, *, default: str = "info") -> rx.Component:
    """The icon that belongs to a value known only in the browser, such as the kind of an activity."""
    return rx.match(key, *[(value, icon(name, size)) for value, name in names.items()], icon(default, size))
