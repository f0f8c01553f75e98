"""Dialogs. The title is the act; the left button keeps things as they are, the right one does it."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.buttons import outline
from crm_app.components.kit.forms import hidden

Text = str | rx.Var
# On a button that asks the server for a dialog or a panel: what is typed until it comes is kept for it (ahead.js).
ASKS = {"data_asks": "", "aria_haspopup": "dialog"}


class Dialog(rx.Component):
    """The React part, a native modal dialog: focus stays inside and returns to the opener."""

    library = scripts.DIALOG
    tag = "Dialog"
    open: rx.Var[bool]
    firm: rx.Var[bool]
    memory: rx.Var[str]
    on_return: rx.EventHandler[passthrough_event_spec(str, dict)]
    on_dismiss: rx.EventHandler[no_args_event_spec]


class Drawer(rx.Component):
    """A menu button and the drawer it opens; whether it is open only the browser knows."""

    library = scripts.DIALOG
    tag = "Drawer"
    label: rx.Var[str]


def dialog(
    id: str,
    title: Text,
    *body: rx.Component,
    open: rx.Var[bool],
    on_dismiss: Any,
    action: rx.Component,
    sub: Text | rx.Component | None = None,
    keep: Text = "Cancel",
    on_submit: Any = None,
    wide: bool = False,
    firm: bool = False,
    memory: rx.Var[str] | None = None,
    on_return: Any = None,
) -> rx.Component:
    """A modal dialog; on the phone it comes from below.

    `action` is the right button and repeats the title; with `on_submit(form data)` it must have `type="submit"`.
    `on_dismiss` must set `open` to false: it runs on Esc, on a click outside and on the left button. `firm` leaves
    only the buttons. `memory` is what the server must know to take the answer: the form has it as `memory`, and after a
    lost connection `on_return(memory, form data)` gives it back, should the server have started anew. Mark the first
    box to be filled with `data_autofocus=""`; a box with `aria_invalid` wins it.
    """
    inner = [
        hidden("memory", memory) if memory is not None else rx.fragment(),
        rx.el.div(*body, class_name="body"),
        rx.el.div(outline(keep, on_click=on_dismiss), action, class_name="foot"),
    ]
    return Dialog.create(
        rx.el.h2(title, id=f"{id}-title"),
        rx.el.p(sub, class_name="sub") if sub is not None else rx.fragment(),
        rx.el.form(*inner, on_submit=on_submit, no_validate=True) if on_submit else rx.fragment(*inner),
        id=id,
        open=open,
        firm=firm,
        on_dismiss=on_dismiss,
        **({} if memory is None else {"memory": memory, "on_return": on_return}),
        class_name="dialog wide" if wide else "dialog",
    )


def drawer(*content: rx.Component, label: str) -> rx.Component:
    """The menu button of the top bar with the drawer it opens."""
    return Drawer.create(*content, label=label)
