"""The frame around every signed-in page: sidebar, sheet, top bar and drawer, bottom bar on the phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import reflex as rx

from crm_app.components import kit

Text = str | rx.Var


@dataclass(frozen=True)
class Place:
    """An entry of the navigation; `group` is the heading it stands under, `phone` puts it in the bottom bar."""

    label: str
    href: str
    icon: str
    group: str = ""
    phone: bool = False
    key: str = ""


@dataclass(frozen=True)
class Person:
    """Who is signed in, as texts and vars."""

    name: Text
    initials: Text
    tint: int | rx.Var[int]
    workspace: Text


@dataclass(frozen=True)
class Bell:
    """The notification centre: an entry of the sidebar, a button of the top bar, the panel both open."""

    place: rx.Component
    button: rx.Component
    panel: rx.Component


PLACES = [
    Place("Pipeline", "/pipeline", "board", "Sell", phone=True, key="g p"),
    Place("Accounts", "/accounts", "building", "Sell", phone=True, key="g a"),
    Place("Contacts", "/contacts", "people", "Sell", phone=True, key="g c"),
    Place("Products", "/products", "box", "Sell", phone=True, key="g r"),
    Place("Activities", "/activities", "task_list_square_ltr", "Sell", key="g t"),
    Place("Import", "/import", "arrow_upload", "Data", key="g i"),
    Place("Exports", "/exports", "arrow_download", "Data", key="g e"),
    Place("Duplicates", "/duplicates", "people_team", "Data", key="g u"),
    Place("Trash", "/trash", "delete", "Data", key="g x"),
]
SETTINGS = "/settings"
SIGN_OUT = "/auth/sign-out"
EVERYWHERE = (
    kit.Key("mod+k", "Search and commands", press="[data-find]"),
    kit.Key("mod+z", "Undo what was done last", press=".notices [data-undo]", icon="arrow_undo"),
    kit.Key("esc", "Close, or keep as it was"),
    kit.Key("?", "These keys", press=".side [data-keys]"),
)


def shell(
    content: rx.Component,
    *,
    user: Person,
    current: str,
    title: Text,
    places: Sequence[Place] = PLACES,
    panel: rx.Component | None = None,
    create: rx.Component | None = None,
    notices: rx.Component | None = None,
    search: rx.Component | None = None,
    bell: Bell | None = None,
    acts: Sequence[dict[str, str]] = (),
    letters: bool | rx.Var[bool] = True,
) -> rx.Component:
    """A page in its frame.

    `content` fills the sheet and begins with `kit.page_head`, which holds the one h1; `panel` is a second sheet beside
    it. `current` is the href of the place the page belongs to, `title` stands in the top bar of small screens,
    `create` is the plus of the bottom bar (`create_place`), `search` a `kit.palette`, `notices` a `kit.notices`, `bell`
    the notification centre, `acts` what keys do here (`acts_of`), `letters` whether single ones do.
    """
    side = _sidebar(user, places, current, bell)
    return rx.fragment(
        _skip(),
        _topbar(title, side, bell),
        rx.el.div(
            side,
            rx.el.div(
                rx.el.main(content, id="main", class_name="sheet", tab_index=-1),
                panel or rx.fragment(),
                class_name="stage-area",
            ),
            class_name="app",
        ),
        _tabbar(places, current, create),
        kit.hotkeys(acts=acts, letters=letters),
        kit.key_help(acts, letters=letters, settings_href=f"{SETTINGS}/profile"),
        bell.panel if bell else rx.fragment(),
        search or rx.fragment(),
        notices or rx.fragment(),
    )


def also(place: Place) -> None:
    """One more place in the navigation, unless it is there already. Called where its page is declared, when that module
    is imported."""
    if all(known.href != place.href for known in PLACES):
        PLACES.append(place)


def acts_of(keys: Sequence[kit.Key], group: str, places: Sequence[Place] = PLACES) -> list[dict[str, str]]:
    """The keys of a page, those of the navigation and those of every page, as the parts in the browser take them."""
    going = [kit.Key(p.key, p.label, press=f'.side a[href="{p.href}"]') for p in places if p.key]
    groups = ((group, keys), ("Everywhere", EVERYWHERE), ("Go to", going))
    return [key.row(name) for name, members in groups for key in members]


def places_to_find(places: Sequence[Place] = PLACES) -> list[dict[str, Any]]:
    """The places as `kit.palette` lists them."""
    rows = [{"group": "Go to", "label": p.label, "href": p.href, "keys": p.key, "icon": p.icon} for p in places]
    return [*rows, {"group": "Go to", "label": "Settings", "href": SETTINGS, "keys": "", "icon": "settings"}]


def create_place(label: str, href: Text) -> rx.Component:
    """The plus in the middle of the bottom bar."""
    return kit.link(kit.icon("add", 24), kit.sr(label), href=href, class_name="plus")


def logo() -> rx.Component:
    """The compass needle on blue."""
    return rx.el.svg(
        rx.el.rect(width=22, height=22, rx=6, fill="#0078d4"),
        rx.el.path(d="M15.9 5.6 13 12.4 6.1 16.4 9 9.6z", fill="#fff"),
        rx.el.circle(cx=11, cy=11, r="1.35", fill="#0078d4"),
        view_box="0 0 22 22",
        class_name="logo",
        aria_hidden="true",
    )


def _skip() -> rx.Component:
    """Reflex makes every link one of the router's, which would change the address and leave the focus where it is."""
    return rx.el.a(
        "Skip to content", href="#main", class_name="skip", on_click=[rx.prevent_default, rx.set_focus("main")]
    )


def _sidebar(user: Person, places: Sequence[Place], current: str, bell: Bell | None) -> rx.Component:
    groups = [
        rx.el.div(
            rx.el.h2(group) if group else rx.fragment(),
            *[_place(place, current) for place in members],
            class_name="nav",
        )
        for group, members in groupby(places, key=lambda place: place.group)
    ]
    return rx.el.nav(
        rx.el.div(logo(), kit.clipped(user.workspace), class_name="org"),
        rx.el.button(
            kit.icon("search", 16),
            rx.el.span("Search", class_name="grow"),
            rx.el.kbd("Ctrl K", aria_hidden="true"),
            type="button",
            class_name="find",
            aria_keyshortcuts="Control+K",
            data_find="",
            data_closes="",
        ),
        rx.el.div(bell.place, class_name="nav") if bell else rx.fragment(),
        *groups,
        rx.el.div(_me(user), _settings(current), _help(), class_name="side-foot"),
        class_name="side",
        aria_label="Main",
    )


def _here(place_href: str, current: str) -> dict[str, str]:
    return {"aria_current": "page"} if place_href == current else {}


def _place(place: Place, current: str) -> rx.Component:
    here = place.href == current
    return kit.link(
        kit.icon(place.icon, filled=here), rx.el.span(place.label), href=place.href, **_here(place.href, current)
    )


def _me(user: Person) -> rx.Component:
    button = rx.el.button(
        kit.avatar(user.initials, user.tint),
        kit.sr("Account of "),
        kit.clipped(user.name),
        type="button",
        class_name="me",
    )
    return kit.menu(
        button,
        kit.menu_link("Profile", href=f"{SETTINGS}/profile", icon_name="person"),
        _color_mode(),
        kit.menu_line(),
        kit.native_form(
            kit.menu_item("Sign out", icon_name="door_arrow_right", type="submit"),
            action=SIGN_OUT,
        ),
        label="Your menu",
        class_name="grow",
    )


def _color_mode() -> rx.Component:
    words = rx.cond(rx.color_mode == "dark", "Light mode", "Dark mode")
    sign = rx.cond(rx.color_mode == "dark", kit.icon("weather_sunny", 16), kit.icon("weather_moon", 16))
    return kit.menu_item(rx.fragment(sign, words), on_click=rx.toggle_color_mode)


def _settings(current: str) -> rx.Component:
    here = current.startswith(SETTINGS)
    return kit.link(
        kit.icon("settings", filled=here),
        href=SETTINGS,
        class_name="icon-btn",
        aria_label="Settings",
        data_tip="Settings",
        **({"aria_current": "page"} if here else {}),
    )


def _help() -> rx.Component:
    return kit.icon_button(
        "question_circle",
        "Keys of this page",
        data_keys="",
        data_closes="",
        aria_keyshortcuts="?",
        aria_haspopup="dialog",
    )


def _topbar(title: Text, side: rx.Component, bell: Bell | None) -> rx.Component:
    search = rx.el.button(
        kit.icon("search", 24), type="button", class_name="icon-btn", aria_label="Search", data_find=""
    )
    return rx.el.header(
        kit.drawer(side, label="menu"),
        rx.el.span(title, class_name="strong grow clip"),
        bell.button if bell else rx.fragment(),
        search,
        class_name="topbar",
    )


def _tabbar(places: Sequence[Place], current: str, create: rx.Component | None) -> rx.Component:
    tabs = [
        kit.link(
            kit.icon(place.icon, 24, filled=place.href == current),
            rx.el.span(place.label),
            href=place.href,
            **_here(place.href, current),
        )
        for place in places
        if place.phone
    ]
    middle = [create] if create is not None else []
    return rx.el.nav(*tabs[:2], *middle, *tabs[2:4], class_name="tabbar", aria_label="Places")
