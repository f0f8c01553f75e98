"""The pages about oneself."""

from typing import Any
from zoneinfo import available_timezones

import reflex as rx

from crm_app.components import kit
from crm_app.components.people.signed_in import tries_table
from crm_app.components.platform.notifications import notice_choices
from crm_app.components.settings import settings_page
from crm_app.services.people.passwords import SHORTEST
from crm_app.state.people.profile import PlacesState, ProfileState

ZONES = sorted(z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/")))


def profile() -> rx.Component:
    """Name, time zone, password."""
    return settings_page("Profile", rx.cond(ProfileState.is_loaded, _forms(), _waiting()), current="/settings/profile")


def _forms() -> rx.Component:
    return rx.fragment(
        rx.el.form(
            rx.el.h2("About you"),
            _text("name", "Name", ProfileState.name, auto_complete="name", required=True),
            kit.field(
                "E-mail",
                kit.text_input("email", value=ProfileState.email, read_only=True),
                control_id="email",
                hint="You sign in with it; an admin can invite you under another one",
            ),
            _text("title", "Job title", ProfileState.title, auto_complete="organization-title"),
            _text("phone", "Phone", ProfileState.phone, type="tel", auto_complete="tel"),
            kit.field(
                "Time zone",
                kit.select(
                    "time_zone",
                    [(zone, zone.replace("_", " ")) for zone in ZONES],
                    empty="As the workspace",
                    default_value=ProfileState.time_zone,
                    key=ProfileState.time_zone,
                ),
                control_id="time_zone",
                hint=rx.Var.create("The workspace keeps ") + ProfileState.workspace_time_zone,
                error=_error("time_zone"),
            ),
            rx.el.div(kit.primary("Save", type="submit"), class_name="line"),
            on_submit=ProfileState.save,
            class_name="set-form",
            no_validate=True,
        ),
        rx.el.section(
            rx.el.h2("Keyboard"),
            kit.switch(
                "Single letters are shortcuts",
                checked=ProfileState.letters,
                on_change=ProfileState.use_letters(~ProfileState.letters),
                aria_describedby="letters-hint",
            ),
            rx.el.p(
                "C for new, L for log, G then P for the pipeline; ? lists those of a page. They rest while you type."
                " Turn them off if you speak to your computer or letters get pressed by mistake.",
                id="letters-hint",
                class_name="muted small",
            ),
            class_name="set-form",
        ),
        notice_choices(),
        rx.el.form(
            rx.el.h2("Password"),
            _password("current", "Password now"),
            _password("new", "New password", new=True),
            rx.el.div(kit.outline("Change password", type="submit"), class_name="line"),
            key=ProfileState.password_round.to(str),
            on_submit=ProfileState.change_password,
            class_name="set-form",
            no_validate=True,
        ),
    )


def _error(name: str) -> rx.Var[str]:
    return rx.cond(ProfileState.errors.contains(name), ProfileState.errors[name], "")


def _text(name: str, label: str, value: rx.Var[str], **props: Any) -> rx.Component:
    box = kit.text_input(name, default_value=value, key=value, invalid=ProfileState.errors.contains(name), **props)
    return kit.field(label, box, control_id=name, error=_error(name))


def _password(name: str, label: str, *, new: bool = False) -> rx.Component:
    box = kit.password_input(name, new=new, invalid=ProfileState.errors.contains(name))
    hint = f"At least {SHORTEST} characters; you are then signed out everywhere else" if new else None
    return kit.field(label, box, control_id=name, error=_error(name), hint=hint)


def places() -> rx.Component:
    """Where one is signed in."""
    return settings_page(
        "Signed-in places",
        rx.cond(PlacesState.is_loaded, _list(), _waiting()),
        current="/settings/places",
    )


def _list() -> rx.Component:
    return rx.fragment(
        rx.el.p("If a place is not yours, sign out there and change your password.", class_name="muted"),
        rx.el.ul(rx.foreach(PlacesState.places, _place), class_name="set-list plain"),
        rx.cond(
            PlacesState.places.length() > 1,
            rx.el.p(kit.outline("Sign out everywhere else", on_click=PlacesState.end_others), class_name="below"),
        ),
        rx.el.section(
            rx.el.h2("Latest sign-ins"),
            rx.el.p("With your address, from anywhere, those that failed too.", class_name="muted"),
            tries_table(PlacesState.tries, whose=False),
            class_name="sign-ins",
        ),
    )


def _place(place: rx.Var[dict[str, Any]]) -> rx.Component:
    what = place["what"].to(str)
    return rx.el.li(
        rx.el.div(
            rx.el.span(what, class_name="strong"),
            rx.el.span(
                place["ip"].to(str), ", signed in ", place["since"].to(str), ", seen ", place["seen"].to(str),
                class_name="muted",
            ),
            class_name="stack tight",
        ),
        rx.el.span(
            rx.cond(
                place["is_current"].to(bool),
                kit.badge("This one", tone="info"),
                kit.outline(
                    "Sign out",
                    size="sm",
                    on_click=PlacesState.end(place["id"].to(str)),
                    aria_label=rx.Var.create("Sign out: ") + what,
                ),
            ),
            class_name="push",
        ),
    )  # fmt: skip


def _waiting() -> rx.Component:
    return kit.skeleton_rows("Loading", rows=4)
