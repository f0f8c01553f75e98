"""Forms that leave the page, and what is heard of a form while somebody types."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class NativeForm(rx.Component):
    """A form the browser posts itself: Reflex's own form always stops the posting."""

    tag = "form"
    _is_tag_in_global_scope = True

    action: rx.Var[str]
    method: rx.Var[str]


class FormWatch(rx.Component):
    """The React part; it listens to the form it stands in."""

    library = scripts.FORM_WATCH
    tag = "FormWatch"
    names: rx.Var[list[str]]
    on_typed: rx.EventHandler[passthrough_event_spec(dict)]


def form_watch(names: rx.Var[list[str]], *, on_typed: Any) -> rx.Component:
    """Tells `on_typed(values by name)` what these boxes of the form around it hold, a moment after somebody stopped
    typing. The boxes stay the browser's own."""
    return FormWatch.create(names=names, on_typed=on_typed)


def native_form(*children: rx.Component, action: str, method: str = "post", **props: Any) -> rx.Component:
    """For sign-in and the like, where a route of the API answers with a cookie and a new page."""
    return NativeForm.create(*children, action=action, method=method, **props)


def hidden(name: str, value: str | rx.Var) -> rx.Component:
    """A value that goes with the form unseen."""
    return rx.el.input(type="hidden", name=name, value=value, read_only=True)
