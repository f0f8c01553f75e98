"""List and page of each entity that has no page of its own making."""

from functools import partial

import reflex as rx

from crm_app.components.frame import framed
from crm_app.components.records import KEYS, PAGE_KEYS, record_list, record_page
from crm_app.core.registry import Entity
from crm_app.models.catalog.products import PRODUCT
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.state.record import RecordState
from crm_app.state.records import RecordList

ENTITIES = (ACCOUNT, CONTACT, PRODUCT)


def add(app: rx.App) -> None:
    for entity in ENTITIES:
        app.add_page(
            partial(_list, entity),
            route=f"/{entity.slug}",
            title=f"{entity.plural} · SalesCompass",
            on_load=RecordList.load,
        )
        app.add_page(
            partial(_page, entity),
            route=f"/{entity.slug}/[record_id]",
            title=f"{entity.label} · SalesCompass",
            on_load=RecordState.load,
        )


def _list(entity: Entity) -> rx.Component:
    return framed(record_list(entity), current=f"/{entity.slug}", title=entity.plural, keys=KEYS)


def _page(entity: Entity) -> rx.Component:
    return framed(record_page(entity), current=f"/{entity.slug}", title=entity.label, keys=PAGE_KEYS)
