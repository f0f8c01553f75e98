"""Forms that leave the page."""

from typing import Any

import reflex as rx


class NativeForm(rx.Component):
    """A form the browser posts itself: Reflex's own form always stops the posting."""

    tag = "form"
    _is_tag_in_global_scope = True

    action: rx.Var[str]
    method: rx.Var[str]


def native_form(*children: rx.Component, action: str, method: str = "post", **props: Any) -> rx.Component:
    """For sign-in and the like, where a route of the API answers with a cookie and a new page."""
    return NativeForm.create(*children, action=action, method=method, **props)


def hidden(name: str, value: str | rx.Var) -> rx.Component:
    """A value that goes with the form unseen."""
    return rx.el.input(type="hidden", name=name, value=value, read_only=True)
