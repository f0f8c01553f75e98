"""The face of a deal on the board. A module of its own: memos of one module share one script file."""

from typing import Any

import reflex as rx

from crm_app.components import kit

# Kind of the next activity -> icon.
_ICONS = {
    "call": "call",
    "email": "mail",
    "meeting": "video",
    "task": "clipboard_task",
    "note": "document",
    "none": "warning",
}


@rx.memo
def deal_card(deal: rx.Var[dict[str, Any]]) -> rx.Component:
    """What lies inside a card; the card itself, its menu and its states belong to the board.

    docs/how-to/board-protocol.md lists the names in `deal`.
    """
    address = rx.Var.create("/opportunities/") + deal["id"].to(str) + "?list=board"
    return rx.fragment(
        # Not in the tab order: the card is, and Enter on it opens the deal.
        rx.el.h3(kit.link(deal["t"].to(str), href=address, draggable=False, tab_index=-1)),
        kit.clipped(deal["a"].to(str), tag=rx.el.p, class_name="acc"),
        _money(deal),
        rx.el.div(_next_activity(deal), _age(deal), _people(deal), class_name="foot"),
    )


def _money(deal: rx.Var[dict[str, Any]]) -> rx.Component:
    late = rx.cond(deal["co"].to(bool), "over", "")
    return rx.el.p(
        rx.el.span(
            rx.el.b(deal["m"].to(str)),
            rx.el.span(deal["p"].to(str), data_tip="Probability", class_name="odds"),
            class_name="line tight",
        ),
        rx.el.span(deal["c"].to(str), class_name=late),
        class_name="money",
    )


def _next_activity(deal: rx.Var[dict[str, Any]]) -> rx.Component:
    sign = rx.cond(
        deal["nt"] == "over", kit.icon("clock", 16), kit.icon_for(deal["nk"].to(str), _ICONS, default="calendar_ltr")
    )
    return kit.badge(rx.fragment(sign, kit.clipped(deal["n"].to(str))), tone=deal["nt"].to(str))


def _age(deal: rx.Var[dict[str, Any]]) -> rx.Component:
    words = rx.fragment(kit.sr("In this stage for "), deal["d"].to(str))
    return rx.cond(
        deal["dr"].to(bool),
        kit.badge(
            words,
            icon_name="hourglass",
            tone="over",
            class_name="plain",
            data_tip="Longer in this stage than it should be",
        ),
        kit.badge(words, class_name="plain", data_tip="Days in this stage"),
    )


def _people(deal: rx.Var[dict[str, Any]]) -> rx.Component:
    return rx.el.span(
        rx.foreach(deal["w"].to(list[dict[str, Any]]), _viewer),
        kit.avatar(deal["o"].to(str), deal["ot"].to(int), data_tip=deal["on"].to(str)),
        kit.sr("Owner ", deal["on"].to(str)),
        class_name="line push tight",
    )


def _viewer(viewer: rx.Var[dict[str, Any]]) -> rx.Component:
    name = viewer["n"].to(str) + " is looking at this deal"
    return rx.fragment(kit.avatar(viewer["i"].to(str), viewer["t"].to(int), live=True, data_tip=name), kit.sr(name))
