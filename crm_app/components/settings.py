"""The frame of every settings page: the menu at the left, the page beside it, a panel where one is open."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import framed, may
from crm_app.components.platform.search import offer

HOME = "/settings"


@dataclass(frozen=True)
class Entry:
    """A settings page in the menu; `right` is the permission without which it is not shown."""

    label: str
    href: str
    about: str
    right: str = ""


# Heading -> pages. A new settings page is added here.
MENU: dict[str, tuple[Entry, ...]] = {
    "You": (
        Entry("Profile", f"{HOME}/profile", "Name, time zone, password"),
        Entry("Signed-in places", f"{HOME}/places", "Where you are signed in, and signing out there"),
    ),
    "Sales": (
        Entry("Pipelines", f"{HOME}/pipelines", "Stages, their chances and limits, what a deal needs", "pipeline.read"),
        Entry("Fields", f"{HOME}/fields", "What records hold: your own fields, names, choices", "settings.manage"),
        Entry("Tags", f"{HOME}/tags", "One name for what has two, everywhere at once", "settings.manage"),
    ),
    "Workspace": (
        Entry("General", f"{HOME}/workspace", "Name and time zone", "settings.manage"),
        Entry("People", f"{HOME}/people", "Who is here, invitations, help with passwords", "user.read"),
        Entry("Roles", f"{HOME}/roles", "Who may do what", "role.read"),
        Entry("Teams", f"{HOME}/teams", "Who sells together, and who leads", "team.read"),
        Entry(
            "Territories",
            f"{HOME}/territories",
            "Accounts by country, and who sees them",
            "territory.read",
        ),
        Entry("Sessions", f"{HOME}/sessions", "Who is signed in where, and who tried", "user.manage"),
        Entry("API keys", f"{HOME}/api-keys", "What programs sign in with", "api_key.create"),
        Entry("Audit log", f"{HOME}/audit", "Who changed what, and when", "audit.read"),
        Entry("Failed jobs", f"{HOME}/jobs", "Background work that needs a decision", "settings.manage"),
    ),
}


for _entries in MENU.values():
    for _entry in _entries:
        offer("Settings", _entry.label, _entry.href, icon="settings", right=_entry.right)


def settings_page(
    title: str | rx.Var,
    *content: rx.Component,
    current: str,
    actions: tuple[rx.Component, ...] = (),
    panel: rx.Component | None = None,
) -> rx.Component:
    """A page below /settings. `content` stands beside the menu; `actions` in the head."""
    sheet = rx.fragment(
        kit.page_head(title, *actions, crumbs=kit.crumbs(("Settings", HOME))),
        rx.el.div(
            _menu(current),
            rx.el.div(*content, class_name="set-body", tab_index=0, role="region", aria_label=title),
            class_name="set",
        ),
    )
    return framed(sheet, current=current, title=title, panel=panel)


def overview() -> rx.Component:
    """All settings, with what each is for."""
    groups = [
        rx.el.section(
            rx.el.h2(heading),
            rx.el.ul(*[_allowed(entry, rx.el.li(_tile(entry))) for entry in entries], class_name="set-list"),
        )
        for heading, entries in MENU.items()
    ]
    body = rx.el.div(*groups, class_name="set-body")
    return framed(rx.fragment(kit.page_head("Settings"), body), current=HOME, title="Settings")


def _tile(entry: Entry) -> rx.Component:
    return kit.link(
        rx.el.span(entry.label, class_name="strong"), rx.el.span(entry.about, class_name="muted"), href=entry.href
    )


def _menu(current: str) -> rx.Component:
    links: list[rx.Component] = []
    for heading, entries in MENU.items():
        links.append(rx.el.h2(heading))
        for entry in entries:
            here: dict[str, Any] = {"aria_current": "page"} if entry.href == current else {}
            links.append(_allowed(entry, kit.link(entry.label, href=entry.href, **here)))
    return rx.el.nav(*links, class_name="nav set-nav", aria_label="Settings")


def _allowed(entry: Entry, shown: rx.Component) -> rx.Component:
    return rx.cond(may(entry.right), shown) if entry.right else shown
