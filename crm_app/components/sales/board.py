"""The pipeline board as a page: head with the pipelines, filter bar, board, dialog."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.kit.kanban import kanban
from crm_app.components.layouts import NEW_DEAL, layout_switch
from crm_app.components.list_views import ViewsOf, view_dialog, view_tabs
from crm_app.components.sales.board_filters import FilterView, filter_bar
from crm_app.components.sales.deal_card import deal_card
from crm_app.components.sales.deal_dialog import DealDialogView, deal_dialog

KEYS = (
    kit.Key("c", "New deal", press=NEW_DEAL, icon="add"),
    kit.Key("space", "Pick up a deal, drop it"),
    kit.Key("m", "Menu of a deal"),
    kit.Key("x", "Select a deal"),
    kit.Key("shift+x", "Select all from the last selected deal on"),
)


@dataclass(frozen=True)
class BoardView:
    """Vars and handlers of the board; docs/how-to/board-protocol.md says what they hold and get.

    `viewers` are {"i", "t", "n"}; `on_new_deal` gets stage, title, amount and operation, the last three empty from the
    head; `on_show_ends` turns the columns of won and lost deals on and off, `on_as_list` shows the same deals as a
    list; `note` says what of a saved view is not there.
    """

    columns: rx.Var[list[dict[str, Any]]]
    base: rx.Var[int]
    ops: rx.Var[list[dict[str, Any]]]
    pipeline_id: rx.Var[str]
    pipeline_name: rx.Var[str]
    pipelines: rx.Var[list[dict[str, str]]]
    viewers: rx.Var[list[dict[str, Any]]]
    locked: rx.Var[str]
    is_loaded: rx.Var[bool]
    shows_ends: rx.Var[bool]
    on_move: Any
    on_close: Any
    on_new_deal: Any
    on_load_more: Any
    on_resync: Any
    on_show_ends: Any
    on_as_list: Any
    note: rx.Var[str]


def board(view: BoardView, filters: FilterView, views: ViewsOf, dialog: DealDialogView) -> rx.Component:
    """The content of the sheet."""
    nothing_set_up = view.is_loaded & (view.pipeline_id == "")
    shown = rx.fragment(
        view_tabs(views),
        filter_bar(filters, views),
        rx.cond(view.note != "", rx.el.p(kit.icon("info", 16), view.note, class_name="note")),
        _columns(view, filters),
    )
    return rx.fragment(
        _head(view, filters),
        rx.cond(nothing_set_up, _no_pipeline(), shown),
        deal_dialog(dialog),
        view_dialog(),
    )


def _head(view: BoardView, filters: FilterView) -> rx.Component:
    return kit.page_head(
        _pipeline_switch(view),
        rx.cond(view.viewers.length() > 0, _here_now(view.viewers)),
        kit.menu(
            kit.icon_button("more_horizontal", "More", class_name="hide-s"),
            kit.menu_item(
                rx.cond(view.shows_ends, "Hide won and lost deals", "Show won and lost deals"),
                on_click=view.on_show_ends,
            ),
            kit.menu_link("Import deals", href="/import", icon_name="arrow_upload"),
            label="More",
            end=True,
        ),
        rx.cond(view.locked == "", _new_deal(view, class_name="hide-s", key="C", data_new_deal="")),
        beside=layout_switch("board", is_narrowed=filters.chips.length() > 0, carry=view.on_as_list),
    )


def _pipeline_switch(view: BoardView) -> rx.Component:
    name = rx.cond(view.pipeline_name == "", "Pipeline", view.pipeline_name)
    button = rx.el.button(name, kit.icon("chevron_down", 16), type="button", class_name="line tight")
    choices = rx.foreach(
        view.pipelines,
        lambda p: kit.link(
            p["name"],
            href=rx.Var.create("/pipeline?p=") + p["id"],
            role="menuitemradio",
            aria_checked=p["id"] == view.pipeline_id,
            tab_index=-1,
            class_name="menu-item",
        ),
    )
    return rx.cond(view.pipelines.length() > 1, kit.menu(button, choices, label="Pipelines"), name)


def _here_now(viewers: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    names = viewers.map(lambda v: v["n"].to(str)).to(list[str])
    return rx.el.div(
        rx.foreach(viewers, lambda v: kit.avatar(v["i"].to(str), v["t"].to(int), live=True, data_tip=v["n"].to(str))),
        role="img",
        aria_label=rx.Var.create("Here now: ") + names.join(", "),
        class_name="avs hide-s",
    )


def _start_deal(view: BoardView) -> Any:
    first = rx.cond(view.columns.length() > 0, view.columns[0]["id"].to(str), "")
    return view.on_new_deal(first, "", "", "")


def _new_deal(view: BoardView, **props: Any) -> rx.Component:
    return kit.primary("New deal", icon_name="add", on_click=_start_deal(view), **kit.ASKS, **props)


def plus(view: BoardView) -> rx.Component:
    """New deal on the phone, in the middle of the bottom bar."""
    button = rx.el.button(
        kit.icon("add", 24), kit.sr("New deal"), type="button", class_name="plus", on_click=_start_deal(view)
    )
    return rx.cond(view.locked == "", button)


def _columns(view: BoardView, filters: FilterView) -> rx.Component:
    ends = rx.cond(view.pipelines.length() > 1, ["won", "lost", "pipeline"], ["won", "lost"])
    return kanban(
        rx.cond(filters.chips.length() > 0, _nothing_fits(filters), _no_deals(view)),
        columns=view.columns,
        base=view.base,
        ops=view.ops,
        card=deal_card,
        locked=view.locked,
        ends=ends,
        can_add=view.locked == "",
        on_move=view.on_move,
        on_close=view.on_close,
        on_add=view.on_new_deal,
        on_load_more=view.on_load_more,
        on_resync=view.on_resync,
    )


def _nothing_fits(filters: FilterView) -> rx.Component:
    return kit.empty_state(
        kit.board_art(),
        "No deal fits these filters",
        "Take one away, or all of them.",
        kit.outline("Clear all filters", on_click=filters.on_clear),
    )


def _no_deals(view: BoardView) -> rx.Component:
    return kit.empty_state(
        kit.board_art(),
        "No deals in this pipeline yet",
        "A deal is a sale you work on. It moves from stage to stage until it is won or lost.",
        rx.cond(view.locked == "", _new_deal(view)),
        kit.link_button("Import deals", href="/import"),
    )


def _no_pipeline() -> rx.Component:
    return kit.empty_state(
        kit.board_art(),
        "No pipeline is set up",
        "A pipeline holds the stages that your deals go through. An administrator sets it up.",
    )
