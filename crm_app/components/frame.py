"""A signed-in page in its frame, wired to the states every page shares."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.platform.notifications import bell_button, bell_panel, bell_place
from crm_app.components.platform.search import search
from crm_app.components.shell import Bell, Person, acts_of, shell
from crm_app.state.base import AppState


def framed(
    content: rx.Component,
    *,
    current: str,
    title: str | rx.Var,
    keys: Sequence[kit.Key] = (),
    acts: str = "On this page",
    **more: Any,
) -> rx.Component:
    """The shell around `content`; see `shell` for `current`, `title` and what else it takes. `keys` are what the page
    can do, offered in the palette under the heading `acts`."""
    rows = acts_of(keys, acts)
    page = shell(
        content,
        user=Person(AppState.user_name, AppState.user_initials, AppState.user_tint, AppState.workspace),
        current=current,
        title=title,
        notices=rx.fragment(
            kit.one_session(AppState.session, line=AppState.line),
            kit.notices(AppState.notices, on_action=AppState.act),
        ),
        search=search(rows),
        bell=Bell(bell_place(), bell_button(), bell_panel()),
        acts=rows,
        letters=AppState.letters,
        **more,
    )
    return rx.fragment(page, rx.cond(AppState.looks_as != "", _looking()))


def _looking() -> rx.Component:
    """Over the page, so that nobody takes what another one sees for their own."""
    return rx.el.aside(
        kit.icon("eye", 20),
        rx.el.p(
            "You see what ", rx.el.strong(AppState.looks_as), " sees, and change nothing. Ends at ",
            AppState.looks_until, ".",
        ),
        kit.outline("End", size="sm", on_click=AppState.look_as_oneself),
        class_name="looking",
        aria_label="Looking as another person",
    )  # fmt: skip


def may(permission: str) -> rx.Var[bool]:
    """Whether to show what needs this permission; the services ask for it again."""
    return AppState.rights[permission.replace(".", "_")] == True  # noqa: E712 - a Var
