"""The board."""

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.layouts import NEW_DEAL
from crm_app.components.list_views import ViewsOf
from crm_app.components.platform.search import offer
from crm_app.components.sales.board import KEYS, BoardView, board, plus
from crm_app.components.sales.board_filters import FilterView
from crm_app.components.sales.deal_dialog import DealDialogView
from crm_app.state.list_views import ListViews
from crm_app.state.sales.board import BoardState
from crm_app.state.sales.board_address import BoardAddress
from crm_app.state.sales.board_answers import BoardAnswers
from crm_app.state.sales.deal_dialog import DealDialog
from crm_app.state.sales.layouts import DealLayouts

offer("New", "New deal", "/pipeline", icon="add", press=NEW_DEAL, right="opportunity.create")


def add(app: rx.App) -> None:
    app.add_page(page, route="/pipeline", title="Pipeline · SalesCompass", on_load=[BoardState.load, ListViews.load])


def page() -> rx.Component:
    view = BoardView(
        columns=BoardState.columns,
        base=BoardState.base,
        ops=BoardState.ops,
        pipeline_id=BoardState.pipeline_id,
        pipeline_name=BoardState.pipeline_name,
        pipelines=BoardState.pipelines,
        viewers=BoardState.viewers,
        locked=BoardState.locked,
        is_loaded=BoardState.is_loaded,
        shows_ends=BoardState.shows_ends,
        on_move=BoardState.move,
        on_close=BoardAnswers.close,
        on_new_deal=BoardAnswers.new_deal,
        on_load_more=BoardState.load_more,
        on_resync=BoardState.resync,
        on_show_ends=BoardAddress.show_ends,
        on_as_list=DealLayouts.as_list,
        note=BoardAddress.note,
    )
    filters = FilterView(
        chips=BoardState.chips,
        query=BoardState.query,
        owners=BoardState.owners,
        sums=BoardState.sums,
        shows_ends=BoardState.shows_ends,
        on_narrow=BoardAddress.narrow,
        on_widen=BoardAddress.widen,
        on_clear=BoardAddress.clear,
    )
    views = ViewsOf(
        "the board",
        view_id=BoardAddress.view_id,
        may_keep=BoardAddress.may_keep,
        is_changed=BoardAddress.is_changed,
        fixed_query=rx.cond(BoardState.pipelines.length() > 1, "p=" + BoardState.pipeline_id, ""),
    )
    return framed(
        board(view, filters, views, dialog()), current="/pipeline", title="Pipeline", keys=KEYS, create=plus(view)
    )


def dialog() -> DealDialogView:
    """The deal dialog, which the deal's own page opens too."""
    return DealDialogView(
        is_open=DealDialog.is_open,
        kind=DealDialog.kind,
        title=DealDialog.title,
        about=DealDialog.about,
        confirm=DealDialog.confirm,
        error=DealDialog.error,
        fields=DealDialog.fields,
        memory=DealDialog.memory,
        on_submit=BoardAnswers.submit,
        on_cancel=BoardAnswers.cancel,
        on_return=DealDialog.recall,
        on_search=BoardAnswers.search,
    )
