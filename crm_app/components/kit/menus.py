"""Menus and popovers: a button and what opens under it, without asking the server."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec
from reflex_components_core.react_router.dom import ReactRouterLink

from crm_app.components.kit import scripts
from crm_app.components.kit.buttons import NativeLink
from crm_app.components.kit.icons import icon

Text = str | rx.Var
Child = rx.Component | rx.Var | str


class Menu(rx.Component):
    """The React part: first child is the button, the rest is the panel."""

    library = scripts.MENU
    tag = "Menu"
    kind: rx.Var[str]
    end: rx.Var[bool]
    label: rx.Var[str]


class Anchored(rx.Component):
    """The React part; Python opens it."""

    library = scripts.ANCHORED
    tag = "Anchored"
    open: rx.Var[bool]
    anchor: rx.Var[str]
    label: rx.Var[str]
    loose: rx.Var[bool]
    on_dismiss: rx.EventHandler[no_args_event_spec]


def anchored(
    *content: rx.Component,
    label: Text,
    open: rx.Var[bool],
    anchor: Text,
    on_dismiss: Any,
    loose: bool | rx.Var[bool] = True,
    class_name: str = "",
) -> rx.Component:
    """A panel that Python opens beside the element that the selector `anchor` finds; a sheet from below on a phone.

    `on_dismiss` must set `open` to false: it runs on Esc, and on a press outside while `loose`.
    """
    return Anchored.create(
        *content, label=label, open=open, anchor=anchor, on_dismiss=on_dismiss, loose=loose, class_name=class_name
    )


def menu(button: rx.Component, *items: rx.Component, label: Text, end: bool = False, **props: Any) -> rx.Component:
    """A list of commands; arrows walk, Esc closes, focus returns. `end` lines it up with the right edge."""
    return Menu.create(button, rx.fragment(*items), label=label, end=end, **props)


def popover(button: rx.Component, *content: rx.Component, label: Text, end: bool = False, **props: Any) -> rx.Component:
    """Anything else that opens under a button, such as filters; what carries `data_closes=""` closes it."""
    return Menu.create(button, rx.fragment(*content), kind="dialog", label=label, end=end, **props)


def menu_item(
    label: Child, *, icon_name: str = "", key: str = "", danger: bool = False, off: Text | None = None, **props: Any
) -> rx.Component:
    """A command. `off` is the reason why it cannot be used now: it is told, not hidden."""
    if off is not None:
        props = {"aria_disabled": "true", "data_tip": off}
    return rx.el.button(
        *([icon(icon_name, 16)] if icon_name else []),
        label if isinstance(label, rx.Component) else rx.el.span(label),
        *([rx.el.kbd(key, aria_hidden="true")] if key else []),
        type=props.pop("type", "button"),
        role="menuitem",
        tab_index=-1,
        class_name="menu-item danger" if danger else "menu-item",
        **props,
    )


def menu_choice(label: Text, *, chosen: bool | rx.Var, **props: Any) -> rx.Component:
    """One of several, with a tick at the one in force."""
    return rx.el.button(
        rx.el.span(label),
        type="button",
        role="menuitemradio",
        aria_checked=chosen,
        tab_index=-1,
        class_name="menu-item",
        **props,
    )


def menu_link(label: Text, *, href: Text, icon_name: str = "", **props: Any) -> rx.Component:
    """A place to go to."""
    return ReactRouterLink.create(
        *([icon(icon_name, 16)] if icon_name else []),
        rx.el.span(label),
        to=href,
        role="menuitem",
        tab_index=-1,
        class_name="menu-item",
        **props,
    )


def menu_download(label: Text, *, href: Text) -> rx.Component:
    """A file to save."""
    return NativeLink.create(
        icon("arrow_download", 16), rx.el.span(label), href=href, download="", role="menuitem", tab_index=-1,
        class_name="menu-item",
    )  # fmt: skip


def menu_line() -> rx.Component:
    """Parts two groups of commands."""
    return rx.el.hr()


def menu_heading(text: Text) -> rx.Component:
    """Names a group of commands; a picture for the eye, so it is hidden from screen readers."""
    return rx.el.h3(text, aria_hidden="true")
