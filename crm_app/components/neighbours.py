"""The way to the records before and after one in the list one came from."""

from typing import Any

import reflex as rx

from crm_app.components import kit


def neighbours(what: str, *, place: rx.Var[str], before_href: rx.Var[str], after_href: rx.Var[str]) -> rx.Component:
    """Two arrows around "3 of 20"; `what` is what they lead to, as in "Next deal". Also by K and J."""

    def step(icon: str, label: str, key: str, href: rx.Var[str], **mark: Any) -> rx.Component:
        there = kit.link(
            kit.icon(icon, 16),
            href=href,
            class_name="icon-btn",
            aria_label=label,
            aria_keyshortcuts=key,
            data_tip=f"{label} ({key})",
            **mark,
        )
        end = rx.el.button(
            kit.icon(icon, 16),
            type="button",
            class_name="icon-btn",
            aria_label=label,
            aria_disabled="true",
            data_tip="This is the end of the list",
        )
        return rx.cond(href != "", there, end)

    return rx.el.span(
        step("arrow_up", f"Previous {what}", "K", before_href, data_previous=""),
        rx.el.span(place, class_name="muted small num"),
        step("arrow_down", f"Next {what}", "J", after_href, data_next=""),
        class_name="line tight hide-s",
    )
