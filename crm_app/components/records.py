"""Pages of records, drawn from the declaration of their entity."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.customers.alike import alike
from crm_app.components.fields import field_row
from crm_app.components.form_fields import form_field
from crm_app.components.frame import may
from crm_app.components.timeline import KEYS as TIMELINE_KEYS
from crm_app.components.timeline import timeline
from crm_app.core.matching import matched_entities
from crm_app.core.registry import Entity
from crm_app.state.record import RELATED, RecordState, RelatedView
from crm_app.state.record_form import RecordForm
from crm_app.state.records import CellView, RowView
from crm_app.state.timeline import Timeline

PAGE_KEYS = (
    *TIMELINE_KEYS,
    kit.Key("e", "Edit the fields", press=".props :is(button.val, .pen-btn)", icon="edit"),
    kit.Key(
        "a", "Give it to somebody else", press="[data-field=owner_id] :is(button.val, .pen-btn)", icon="person_add"
    ),
    kit.Key("", "Delete", press="[data-delete]", icon="delete"),
)


def _mark(cell: rx.Var[CellView], *, square: bool) -> rx.Component:
    return rx.cond(cell.mark != "", kit.avatar(cell.mark, cell.tint, square=square))


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
        ),
    )


def _menu(entity: Entity) -> rx.Component:
    delete = kit.menu_item("Delete", icon_name="delete", danger=True, on_click=RecordState.delete, data_delete="")
    items = [rx.cond(may(f"{entity.name}.delete"), delete)]
    allowed = may(f"{entity.name}.delete")
    if entity.name in matched_entities():
        there = rx.Var.create(f"/duplicates?entity={entity.name}&ids=") + RecordState.head.id
        find = kit.menu_link("Find duplicates", href=there, icon_name="people_team")
        items.insert(0, rx.cond(may(f"{entity.name}.merge"), find))
        allowed = allowed | may(f"{entity.name}.merge")
    menu = kit.menu(kit.icon_button("more_horizontal", "More actions"), *items, label="More actions", end=True)
    return rx.el.div(rx.cond(allowed, menu), class_name="push line")


def _loaded(entity: Entity) -> rx.Component:
    head, related, has_timeline = RecordState.head, entity.name in RELATED, entity.name in ("account", "contact")
    mark = kit.avatar(head.mark, head.tint, square=entity.name != "contact", size="xl")
    words = rx.el.div(rx.el.h1(head.name), rx.el.p(head.detail, class_name="muted"), class_name="grow")
    tabs = [{"id": "details", "label": "Details"}]
    if related:
        tabs.insert(0, {"id": "deal", "label": "Overview"})
    if has_timeline:
        tabs.insert(1, {"id": "timeline", "label": "Timeline", "count": Timeline.count})
    return rx.fragment(
        rx.el.div(rx.el.div(mark, words, class_name="line"), class_name="opp-head"),
        kit.panel_tabs(f"Parts of the {entity.label.lower()}", tabs, area=".three") if related else rx.fragment(),
        rx.el.div(
            _panel("details", "left", "Details", _fields()),
            _panel("deal", "mid", "Overview", rx.foreach(RecordState.related, _related)) if related else rx.fragment(),
            _panel("timeline", "right", "Timeline", timeline(with_changes=False)) if has_timeline else rx.fragment(),
            class_name="three" if related else "three one",
        ),
    )


def _panel(id: str, place: str, label: str, *content: rx.Component) -> rx.Component:
    return rx.el.div(*content, id=id, class_name=place, tab_index=0, role="region", aria_label=label)


def _fields() -> rx.Component:
    def row(view: rx.Var) -> rx.Component:
        return field_row(
            view,
            status=RecordState.statuses,
            options=RecordState.options,
            histories=RecordState.histories,
            hints=RecordState.hints,
            on_save=RecordState.save,
            on_search=RecordState.search,
            on_ask_history=RecordState.ask_history,
        )

    return rx.fragment(
        rx.foreach(RecordState.sections, lambda s: kit.section(s.title, kit.props_list(rx.foreach(s.fields, row)))),
        rx.el.p("Created ", RecordState.created, class_name="muted small made"),
    )


def _related(related: rx.Var[RelatedView]) -> rx.Component:
    add = kit.ghost(
        "Add", icon_name="add", size="sm", on_click=RecordForm.ask(related.makes, related.link, RecordState.head.id)
    )
    return rx.el.section(
        rx.el.header(
            rx.el.h2(related.title),
            rx.cond(
                related.rows.length() > 0,
                kit.pill(related.rows.length().to_string() + rx.cond(related.more, "+", "")),
            ),
            rx.el.div(rx.cond(related.makes != "", add), class_name="push line"),
        ),
        rx.el.div(
            rx.cond(
                related.rows.length() > 0,
                rx.el.ul(rx.foreach(related.rows, _related_row)),
                rx.el.p("None", class_name="muted"),
            ),
            class_name="body",
        ),
        class_name="card",
        key=related.title,
    )


def _related_row(row: rx.Var[RowView]) -> rx.Component:
    """The name as the link, the rest in grey beside it, the last one right."""
    first = row.cells[0]
    return rx.el.li(
        _mark(first, square=False),
        kit.link(first.text, href=first.href, class_name="strong grow clip"),
        rx.foreach(
            row.cells[1:], lambda cell: rx.cond(cell.text != "", rx.el.span(cell.text, class_name="muted small num"))
        ),
        class_name="item",
        key=row.id,
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
