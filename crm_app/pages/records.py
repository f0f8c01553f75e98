"""Lists of all entities that people look through, and pages of those that have none of their own making."""

from functools import partial

import reflex as rx

from crm_app import parts
from crm_app.components.frame import framed
from crm_app.components.list_panel import list_panel
from crm_app.components.lists import KEYS, list_plus, makes, record_list
from crm_app.components.platform.search import offer
from crm_app.components.records import PAGE_KEYS, record_page
from crm_app.components.shell import Place, also
from crm_app.core import registry
from crm_app.core.registry import Entity
from crm_app.state.list_bulk import ListBulk
from crm_app.state.list_panel import ListPanel
from crm_app.state.list_views import ListViews
from crm_app.state.lists import RecordList
from crm_app.state.platform.fields import has_page
from crm_app.state.record import RecordState

parts.load("models")
LISTED = tuple(e for e in registry.all_entities() if has_page(e.name))
ENTITIES = tuple(e for e in LISTED if e.name != "opportunity")  # deals have a page of their own making
_PLACES = {"opportunity": "/pipeline", "user": "/settings", "team": "/settings"}  # where the navigation shows one to be

for _entity in LISTED:
    if _entity.name not in _PLACES:
        also(Place(_entity.plural, f"/{_entity.slug}", _entity.icon, "More"))
    if makes(_entity):
        _label, _right = f"New {_entity.label.lower()}", f"{_entity.name}.create"
        offer("New", _label, f"/{_entity.slug}", icon="add", press="[data-create]", right=_right)


def add(app: rx.App) -> None:
    parts.load("components")  # tabs that other systems put on these pages
    for entity in LISTED:
        app.add_page(
            partial(_list, entity),
            route=f"/{entity.slug}",
            title=f"{entity.plural} · SalesCompass",
            on_load=[RecordList.load, ListViews.load, ListBulk.load, ListPanel.load],
        )
    for entity in ENTITIES:
        app.add_page(
            partial(_page, entity),
            route=f"/{entity.slug}/[record_id]",
            title=f"{entity.label} · SalesCompass",
            on_load=RecordState.load,
        )


def _list(entity: Entity) -> rx.Component:
    return framed(
        record_list(entity),
        current=_PLACES.get(entity.name, f"/{entity.slug}"),
        title=entity.plural,
        keys=KEYS,
        panel=list_panel(entity),
        create=list_plus(entity),
    )


def _page(entity: Entity) -> rx.Component:
    return framed(
        record_page(entity),
        current=_PLACES.get(entity.name, f"/{entity.slug}"),
        title=entity.label,
        keys=PAGE_KEYS,
        acts=f"For this {entity.label.lower()}",
    )
