"""The bell of the frame, the panel it opens, and the choices on the profile page."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.kit.icon_paths import PATHS
from crm_app.core.notices import notice_kinds
from crm_app.services.platform.notifications import MOST_UNREAD
from crm_app.state.platform.notifications import Bell, DayView, LineView, NoticeChoices

_COUNT = rx.cond(Bell.unread >= MOST_UNREAD, f"{MOST_UNREAD - 1}+", Bell.unread.to(str))
_LABEL = rx.Var.create("Notifications") + rx.cond(Bell.unread > 0, rx.Var.create(", ") + _COUNT + " unread", "")


def bell_place() -> rx.Component:
    """Among the places of the sidebar."""
    return rx.el.button(
        kit.icon("alert", 20),
        rx.el.span("Notifications"),
        rx.cond(Bell.unread > 0, rx.el.span(_COUNT, kit.sr(" unread"), class_name="n told-count")),
        type="button",
        class_name="place",
        on_click=Bell.toggle,
        aria_expanded=Bell.is_open,
        data_closes="",
        data_bell="",
    )


def bell_button() -> rx.Component:
    """In the top bar of small screens."""
    return rx.el.button(
        kit.icon("alert", 24),
        rx.cond(Bell.unread > 0, rx.el.span(class_name="ping", aria_hidden="true")),
        type="button",
        class_name="icon-btn",
        aria_label=_LABEL,
        aria_expanded=Bell.is_open,
        on_click=Bell.toggle,
    )


def bell_panel() -> rx.Component:
    """Over the page, wherever one is."""
    return rx.fragment(
        rx.cond(Bell.is_open, _panel()),
        rx.el.span(rx.cond(Bell.unread > 0, _COUNT + " unread notifications", ""), class_name="sr", role="status"),
    )


def _panel() -> rx.Component:
    head = rx.el.header(
        rx.el.h2("Notifications"),
        rx.el.div(
            rx.cond(Bell.unread > 0, kit.ghost("Mark all read", size="sm", on_click=Bell.mark_all)),
            kit.link(
                kit.icon("settings", 16), href="/settings/profile#notices", class_name="icon-btn",
                aria_label="What you are told of", data_tip="What you are told of", on_click=Bell.close,
            ),
            kit.icon_button("dismiss", "Close", size=16, on_click=Bell.close),
            class_name="push line tight",
        ),
        class_name="head",
    )  # fmt: skip
    nothing = rx.el.p(
        "Nothing yet. When somebody mentions you or gives you a record, it stands here.", class_name="muted none"
    )
    more = rx.el.div(kit.ghost("Load older", size="sm", on_click=Bell.older), class_name="line")
    return kit.side_panel(
        head,
        rx.el.div(
            rx.foreach(Bell.days, _day),
            rx.cond(Bell.days.length() == 0, nothing),
            rx.cond(Bell.has_more, more),
            class_name="scroll",
            tab_index=0,
            role="region",
            aria_label="What you were told",
        ),
        label="Notifications",
        on_dismiss=Bell.close,
        class_name="bell-panel",
    )


def _day(day: rx.Var[DayView]) -> rx.Component:
    return rx.el.section(
        rx.el.h3(day.title, class_name="when"),
        rx.el.ul(rx.foreach(day.lines, _line)),
        key=day.title,
    )


def _line(line: rx.Var[LineView]) -> rx.Component:
    signs = {k.icon for k in notice_kinds()}
    icons = {name: name for name in sorted(signs) if (name, 20, False) in PATHS}
    sign = rx.cond(
        line.mark != "",
        kit.avatar(line.mark, line.tint),
        rx.el.span(kit.icon_for(line.sign, icons, 20, default="alert"), class_name="told-sign"),
    )
    words = rx.fragment(
        rx.el.span(
            line.sentence, " ", rx.cond(line.record != "", rx.el.span(line.record, class_name="strong")),
            class_name="told-words",
        ),
        rx.cond(line.text != "", rx.el.span(line.text, class_name="muted told-text")),
        rx.el.time(line.when, class_name="muted small"),
        rx.cond(line.is_read, rx.fragment(), kit.sr("Unread")),
    )  # fmt: skip
    body = rx.cond(
        line.href != "",
        kit.link(words, href=line.href, on_click=Bell.read(line.id), class_name="told-body"),
        rx.el.div(words, class_name="told-body"),
    )
    turn = rx.cond(
        line.is_read,
        kit.icon_button(
            "circle", "Mark as unread", size=16, on_click=Bell.mark(line.id, False), class_name="told-turn"
        ),
        kit.icon_button(
            "checkmark", "Mark as read", size=16, on_click=Bell.mark(line.id, True), class_name="told-turn"
        ),
    )  # fmt: skip
    return rx.el.li(sign, body, turn, class_name=rx.cond(line.is_read, "told-line", "told-line new"), key=line.id)


def notice_choices() -> rx.Component:
    """What a person is told of, and where: saved with every tick."""
    return rx.el.section(
        rx.el.h2("What you are told of", id="notices"),
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th("When", scope="col"),
                    rx.el.th("Here", scope="col", class_name="tick"),
                    rx.el.th("By mail", scope="col", class_name="tick"),
                )
            ),
            rx.el.tbody(rx.foreach(NoticeChoices.notice_rows, _choice)),
            class_name="notice-choices",
        ),
        rx.cond(
            NoticeChoices.mail_leaves,
            rx.el.p(
                "A letter leaves after two minutes, unless you have read it here before.", class_name="muted small"
            ),
            rx.el.p("This installation sends no mail yet.", class_name="muted small"),
        ),
        class_name="set-form",
    )


def _choice(row: rx.Var[dict[str, Any]]) -> rx.Component:
    label = row["label"].to(str)

    def tick(where: str, words: str) -> rx.Component:
        return rx.el.td(
            rx.el.input(
                type="checkbox",
                class_name="check",
                default_checked=row[where].to(bool),
                on_change=lambda on: NoticeChoices.choose(row["name"].to(str), where, on),
                aria_label=label + f": {words}",
            ),
            class_name="tick",
        )

    return rx.el.tr(rx.el.th(label, scope="row"), tick("app", "here"), tick("mail", "by mail"), key=row["name"].to(str))
