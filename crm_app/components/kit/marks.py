"""Small marks: badge, pill, chip, avatar, stage, key, tooltip text."""

from typing import Any

import reflex as rx

from crm_app.components.kit.icons import icon

Child = rx.Component | rx.Var | str


def badge(
    label: Child, *, tone: str | rx.Var = "", icon_name: str = "", class_name: str = "", **props: Any
) -> rx.Component:
    """A state in one or two words; `tone` is "", "good", "risk", "over" or "info", with "plain" for no ground."""
    classes = rx.Var.create(f"badge {class_name} ") + tone if isinstance(tone, rx.Var) else f"badge {class_name} {tone}"
    return rx.el.span(*([icon(icon_name, 16)] if icon_name else []), label, class_name=classes, **props)


def pill(count: Child, **props: Any) -> rx.Component:
    """A count beside a heading; nothing but counts."""
    return rx.el.span(count, class_name="pill", **props)


def chip(
    name: str | rx.Var,
    value: Child,
    *,
    on_open: Any = None,
    on_remove: Any,
    changed: bool | rx.Var[bool] = False,
    **props: Any,
) -> rx.Component:
    """A filter in force: grey name, dark value, own remove button; blue once it differs from the saved view. `props` go
    to what opens it."""
    return rx.el.span(
        rx.el.button(
            rx.el.span(name, class_name="muted"),
            rx.el.span(value),
            type="button",
            **({"on_click": on_open} if on_open else {}),
            **props,
        ),
        rx.el.button(
            icon("dismiss", 16), type="button", class_name="x", aria_label=f"Remove {name} filter", on_click=on_remove
        ),
        class_name=rx.cond(changed, "chip changed", "chip")
        if isinstance(changed, rx.Var)
        else f"chip{' changed' * changed}",
    )


def avatar(
    initials: Child,
    tint: int | rx.Var[int] = 1,
    *,
    square: bool = False,
    size: str = "",
    live: bool | rx.Var[bool] = False,
    **props: Any,
) -> rx.Component:
    """The mark of a person (round) or a company (square); `tint` 1 to 8 and `initials` come from the server.

    Hidden from screen readers: the name stands beside it in words, or in the label of the group.
    """
    shape = "av" + (" sq" if square else "") + (f" {size}" if size else "")
    live_class = rx.cond(live, " live", "") if isinstance(live, rx.Var) else (" live" if live else "")
    classes = rx.Var.create(f"{shape} t") + rx.Var.create(tint).to(str) + live_class
    return rx.el.span(initials, class_name=classes, aria_hidden="true", **props)


def avatars(*people: rx.Component, label: str | rx.Var, class_name: str = "") -> rx.Component:
    """Avatars side by side, named together by `label`."""
    return rx.el.div(*people, role="img", aria_label=label, class_name=f"avs {class_name}".strip())


def stage_mark(name: Child, step: str | rx.Var, *, class_name: str = "", **props: Any) -> rx.Component:
    """A stage: its dot and its name; `step` is the class "s1" to "s8", "won" or "lost"."""
    return rx.el.span(name, class_name=rx.Var.create(f"stage {class_name} ") + rx.Var.create(step), **props)


def dot(step: str | rx.Var) -> rx.Component:
    """The coloured dot alone; the name must stand beside it."""
    return rx.el.span(class_name=rx.Var.create("dot ") + rx.Var.create(step), aria_hidden="true")


def key(name: str) -> rx.Component:
    """A key of the keyboard."""
    return rx.el.kbd(name)


def sr(*words: Child, **props: Any) -> rx.Component:
    """Words for screen readers alone."""
    return rx.el.span(*words, class_name="sr", **props)


def clipped(text: str | rx.Var, *, tag: Any = rx.el.span, class_name: str = "", **props: Any) -> rx.Component:
    """Text that may be cut, with the whole of it as tooltip when it is. Never for amounts, dates or counts."""
    return tag(text, class_name=f"clip {class_name}".strip(), data_tip=text, data_tip_cut="", **props)
