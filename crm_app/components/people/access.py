"""The dialog of a record that shares it and says who sees it, and why."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.state.people.access import AccessState

Row = rx.Var[dict[str, Any]]


def access_item(kind: str, record_id: rx.Var[str]) -> rx.Component:
    """The entry in the menu of a record."""
    return kit.menu_item("Share and access", icon_name="person_add", on_click=AccessState.ask(kind, record_id))


def access_dialog() -> rx.Component:
    """Once on every page of a record."""
    state = AccessState
    return kit.dialog(
        "access",
        "Share and access",
        kit.hidden("access_of", state.kind + " " + state.about_id),
        rx.cond(state.is_shareable, _shares()),
        _why(),
        open=state.is_open,
        on_dismiss=state.cancel,
        on_submit=state.share,
        keep="Close",
        action=rx.cond(state.can_share, kit.primary("Share", type="submit"), rx.fragment()),
    )


def _shares() -> rx.Component:
    state = AccessState
    wrong = state.errors.contains("user_id")
    choose = rx.el.div(
        kit.field(
            "Share with",
            kit.select("share_with", state.others, empty="Choose a person", invalid=wrong),
            control_id="share_with",
            error=rx.cond(wrong, state.errors["user_id"], ""),
        ),
        kit.field(
            "To",
            kit.select("share_how", [("read", "Read"), ("write", "Read and change")]),
            control_id="share_how",
        ),
        class_name="access-pair",
    )
    return rx.fragment(
        rx.cond(state.can_share, choose, rx.el.p("Its own people share it.", class_name="muted")),
        rx.cond(
            state.shares.length() > 0,
            rx.el.ul(rx.foreach(state.shares, _share), class_name="access-list"),
            rx.el.p("Shared with nobody.", class_name="muted small"),
        ),
    )


def _share(row: Row) -> rx.Component:
    name = row["name"].to(str)
    return rx.el.li(
        rx.el.div(
            rx.el.span(rx.el.strong(name), " ", row["how"].to(str)),
            rx.el.span(row["by"].to(str), class_name="muted small"),
            class_name="stack tight",
        ),
        rx.cond(
            row["may_end"].to(bool),
            kit.icon_button(
                "dismiss", "Share no more with " + name, class_name="push",
                on_click=AccessState.unshare(row["id"].to(str)),
            ),
        ),
        key=row["id"].to(str),
    )  # fmt: skip


def _why() -> rx.Component:
    state = AccessState
    whose = kit.select(
        "why-whose", state.others, empty="You", value=state.whose, on_change=state.look_at, aria_label="Whose access"
    )
    return rx.el.section(
        rx.el.div(rx.el.h3("Why"), rx.el.span(whose, class_name="push"), class_name="line"),
        rx.el.p(state.verdict, role="status", class_name="strong"),
        rx.el.ul(rx.foreach(state.reasons, _reason), class_name="access-list"),
        class_name="access-why",
    )


def _reason(row: Row) -> rx.Component:
    sign = rx.cond(
        row["yes"].to(bool),
        rx.el.span(kit.icon("checkmark", 16), kit.sr("Yes: "), class_name="good"),
        rx.el.span(kit.icon("dismiss", 16), kit.sr("No: "), class_name="muted"),
    )
    words = rx.el.div(
        rx.el.span(row["about"].to(str)), rx.el.span(row["text"].to(str), class_name="muted small"),
        class_name="stack tight",
    )  # fmt: skip
    return rx.el.li(sign, words)
