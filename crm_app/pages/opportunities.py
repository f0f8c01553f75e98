"""The page of a deal."""

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.sales.deal import KEYS, deal
from crm_app.pages.pipeline import dialog
from crm_app.state.platform.commands import offers
from crm_app.state.sales.deal import DealState
from crm_app.state.sales.deal_commands import move_on

offers("opportunity", move_on)


def add(app: rx.App) -> None:
    app.add_page(page, route="/opportunities/[record_id]", title="Deal · SalesCompass", on_load=DealState.load)


def page() -> rx.Component:
    return framed(deal(dialog()), current="/pipeline", title="Deal", keys=KEYS, acts="For this deal")
