"""Pages of records, drawn from the declaration of their entity."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.customers.alike import alike
from crm_app.components.form_fields import form_field
from crm_app.components.frame import may
from crm_app.components.neighbours import neighbours
from crm_app.components.people.access import access_dialog, access_item
from crm_app.components.record_body import (
    has_overview,
    record_fields,
    record_figures,
    record_panel,
    record_panels,
    record_tabs,
    record_title,
)
from crm_app.components.record_delete import delete_dialog
from crm_app.components.record_slots import actions_of
from crm_app.components.timeline import KEYS as TIMELINE_KEYS
from crm_app.core.matching import matched_entities
from crm_app.core.registry import Entity
from crm_app.state.record import RecordState
from crm_app.state.record_delete import RecordDelete
from crm_app.state.record_form import RecordForm

PAGE_KEYS = (
    *TIMELINE_KEYS,
    kit.Key("e", "Edit the fields", press=".props :is(button.val, .pen-btn)", icon="edit"),
    kit.Key(
        "a", "Give it to somebody else", press="[data-field=owner_id] :is(button.val, .pen-btn)", icon="person_add"
    ),
    kit.Key("j", "Next record", press="[data-next]"),
    kit.Key("k", "Previous record", press="[data-previous]"),
    kit.Key("", "Delete", press="[data-delete]", icon="delete"),
)


def record_page(entity: Entity) -> rx.Component:
    """The content of a record's sheet."""
    return rx.cond(
        RecordState.is_missing,
        _missing(entity),
        rx.fragment(
            rx.el.header(
                kit.crumbs((entity.plural, f"/{entity.slug}")),
                rx.cond(RecordState.is_loaded, _menu(entity)),
                class_name="head",
            ),
            rx.cond(
                RecordState.is_loaded,
                _loaded(entity),
                kit.skeleton_rows(f"The {entity.label.lower()} is being read", rows=12),
            ),
            record_form(),
            delete_dialog(),
            access_dialog(),
        ),
    )


def _menu(entity: Entity) -> rx.Component:
    items = [access_item(entity.name, RecordState.head.id)]
    if not entity.is_managed:
        ask = RecordDelete.ask(entity.name, RecordState.head.id, f"/{entity.slug}")
        delete = kit.menu_item("Delete", icon_name="delete", danger=True, on_click=ask, data_delete="")
        items.append(rx.cond(may(f"{entity.name}.delete"), delete))
    if entity.name in matched_entities():
        there = rx.Var.create(f"/duplicates?entity={entity.name}&ids=") + RecordState.head.id
        find = kit.menu_link("Find duplicates", href=there, icon_name="people_team")
        items.insert(0, rx.cond(may(f"{entity.name}.merge"), find))
    menu = kit.menu(kit.icon_button("more_horizontal", "More actions"), *items, label="More actions", end=True)
    state = RecordState
    around = neighbours(
        entity.label.lower(), place=state.place, before_href=state.before_href, after_href=state.after_href
    )
    return rx.el.div(
        rx.cond((state.before_href != "") | (state.after_href != ""), around),
        *actions_of(entity),
        menu,
        class_name="push line",
    )


def _loaded(entity: Entity) -> rx.Component:
    body = rx.el.div(
        record_panel("details", "Details", record_fields()),
        *record_panels(entity),
        class_name="record" if has_overview(entity) else "record plain",
    )
    return rx.fragment(
        rx.el.div(
            rx.el.div(record_title(entity), record_figures(), class_name="line wrap record-top"), class_name="opp-head"
        ),
        record_tabs(entity, area=".record"),
        body,
    )


def _missing(entity: Entity) -> rx.Component:
    return kit.empty_state(
        kit.paper_art(),
        f"This {entity.label.lower()} is not here",
        "It was deleted, or your role may not see it. A colleague who owns it, or an admin, can tell.",
        kit.link_button(f"To the {entity.plural.lower()}", href=f"/{entity.slug}", variant="primary"),
        whole_page=True,
    )


def record_form() -> rx.Component:
    """The dialog that makes a record."""

    def shown(field: rx.Var, index: rx.Var[int]) -> rx.Component:
        return form_field(field, index, prefix="new", on_search=RecordForm.search)

    more = rx.el.details(
        rx.el.summary("More fields", class_name="muted"),
        rx.el.div(rx.foreach(RecordForm.rest, lambda f, n: shown(f, n + 1)), class_name="stack"),
    )
    return kit.dialog(
        "new-record",
        RecordForm.title,
        rx.foreach(RecordForm.fields, shown),
        kit.form_watch(RecordForm.watched, on_typed=RecordForm.look),
        alike(RecordForm.alike),
        rx.cond(RecordForm.rest.length() > 0, more),
        rx.cond(
            RecordForm.error != "",
            rx.el.p(kit.icon("error_circle", 16), RecordForm.error, class_name="error", role="alert"),
        ),
        open=RecordForm.is_open,
        on_dismiss=RecordForm.leave,
        on_submit=RecordForm.submit,
        memory=RecordForm.memory,
        on_return=RecordForm.recall,
        action=kit.primary("Create", type="submit"),
    )
