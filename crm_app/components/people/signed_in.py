"""Settings, Sessions: the live ones, and who came in or tried."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.settings import settings_page
from crm_app.state.people.signed_in import SignedInState

Row = rx.Var[dict[str, Any]]


def signed_in() -> rx.Component:
    """Who is signed in where."""
    refused = kit.empty_state(kit.paper_art(), "Sessions are not for your role", SignedInState.refused)
    return settings_page(
        "Sessions",
        rx.cond(
            SignedInState.is_loaded,
            rx.cond(SignedInState.refused != "", refused, rx.fragment(_live(), _tries())),
            kit.skeleton_rows("Loading sessions", rows=8),
        ),
        current="/settings/sessions",
    )


def _live() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Signed in now"),
        kit.table(
            "Who is signed in now",
            head=rx.el.tr(
                kit.column("Who"),
                kit.column("Where"),
                kit.column("Since", hide_small=True),
                kit.column("Seen", hide_small=True),
                kit.column(kit.sr("Sign out")),
            ),
            body=rx.foreach(SignedInState.live, _place),
        ),
    )


def _place(place: Row) -> rx.Component:
    name, user_id = place["name"].to(str), place["user_id"].to(str)
    who = rx.el.span(
        kit.avatar(place["initials"].to(str), place["tint"].to(int)),
        rx.el.button(
            kit.clipped(name), type="button", class_name="name-btn", on_click=SignedInState.look_at(user_id, name)
        ),
        class_name="line",
    )
    where = rx.el.div(
        rx.el.span(place["what"].to(str)), rx.el.span(place["ip"].to(str), class_name="muted small"),
        class_name="stack tight",
    )  # fmt: skip
    act = rx.cond(
        place["is_current"].to(bool),
        kit.badge("This one", tone="info"),
        kit.outline(
            "Sign out",
            size="sm",
            on_click=SignedInState.end(place["id"].to(str)),
            aria_label="Sign out: " + name + ", " + place["what"].to(str),
        ),
    )
    return rx.el.tr(
        kit.cell(who, class_name="name"),
        kit.cell(where),
        kit.cell(place["since"].to(str), hide_small=True, class_name="muted"),
        kit.cell(place["seen"].to(str), hide_small=True, class_name="muted"),
        kit.cell(act),
        key=place["id"].to(str),
    )


def _tries() -> rx.Component:
    state = SignedInState
    narrowed = rx.cond(
        state.whose != "",
        rx.fragment(
            kit.chip("Person", state.whose_name, on_remove=state.look_at("", "")),
            kit.outline("Sign out everywhere", size="sm", on_click=state.end_all(state.whose)),
        ),
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Sign-ins"),
            narrowed,
            rx.el.span(
                kit.segmented(
                    "Show",
                    kit.segment("All", pressed=~state.failed_only, on_click=state.only_failed(False)),
                    kit.segment("Failed", pressed=state.failed_only, on_click=state.only_failed(True)),
                ),
                class_name="push",
            ),
            class_name="line wrap",
        ),
        rx.cond(
            state.tries.length() > 0,
            tries_table(state.tries, whose=True),
            rx.el.p("None yet. Sign-ins are kept for a year.", class_name="muted"),
        ),
        rx.el.div(
            rx.cond(state.has_older, kit.outline("Older", size="sm", on_click=state.older)),
            kit.ghost("Newest", size="sm", on_click=state.newest),
            class_name="line log-pages",
        ),
    )


def tries_table(rows: rx.Var[list[dict[str, Any]]], *, whose: bool) -> rx.Component:
    """Sign-ins and tries as `state.people.signed_in.try_line` tells them; `whose` names the person."""

    def line(row: Row) -> rx.Component:
        how = rx.el.span(
            kit.badge(row["words"].to(str), tone=row["tone"].to(str)),
            rx.el.span(row["way"].to(str), class_name="muted small"),
            class_name="line",
        )
        where = rx.el.div(
            rx.el.span(row["what"].to(str)), rx.el.span(row["ip"].to(str), class_name="muted small"),
            class_name="stack tight",
        )  # fmt: skip
        cells = [kit.cell(rx.el.time(row["when"].to(str)), class_name="muted")]
        cells += [kit.cell(row["name"].to(str), class_name="strong")] if whose else []
        return rx.el.tr(*cells, kit.cell(how), kit.cell(where, hide_small=True), key=row["id"].to(str))

    names = [kit.column("Who")] if whose else []
    return kit.table(
        "Sign-ins, latest first",
        head=rx.el.tr(kit.column("When"), *names, kit.column("What happened"), kit.column("Where", hide_small=True)),
        body=rx.foreach(rows, line),
    )
