"""Lists of records, drawn from the declaration of their entity."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.components.layouts import NEW_DEAL, layout_switch
from crm_app.components.list_bulk import KEYS as BULK_KEYS
from crm_app.components.list_bulk import bulk_acts, bulk_parts, can_pick
from crm_app.components.list_exports import export_button, export_dialog
from crm_app.components.list_filters import filter_chips, filter_panel
from crm_app.components.list_views import ViewsOf, view_changed, view_dialog, view_tabs
from crm_app.components.records import record_form
from crm_app.core.registry import Entity
from crm_app.state.list_bulk import ListBulk
from crm_app.state.list_columns import ListColumns
from crm_app.state.list_panel import ListPanel
from crm_app.state.lists import RecordList
from crm_app.state.record_form import RecordForm
from crm_app.state.sales.layouts import DealLayouts

KEYS = (
    kit.Key("c", "New record", press="[data-create]", icon="add"),
    kit.Key("/", "Search this list", focus="#find-in-list", icon="search"),
    kit.Key("f", "Filter this list", press="[data-filter]", icon="filter"),
    kit.Key("j k", "Next and previous record"),
    kit.Key("x", "Select a row"),
    kit.Key("mod+a", "Select all that match"),
    kit.Key("shift+x", "Select all from the last selected row on"),
    kit.Key("f2", "Edit a cell"),
    *BULK_KEYS,
)
_MADE_ELSEWHERE = frozenset({"opportunity", "team"})  # on the board, under Settings


def record_list(entity: Entity) -> rx.Component:
    """The content of a list's sheet."""
    shown = rx.cond(RecordList.is_loaded & (RecordList.total == 0), _nothing(entity), _table(entity))
    return rx.fragment(
        _head(entity),
        rx.cond(
            RecordList.refused != "",
            _refused(entity),
            rx.fragment(
                view_tabs(_views_of(entity)),
                _bar(entity),
                bulk_parts(),
                export_dialog(),
                rx.cond(RecordList.note != "", rx.el.p(kit.icon("info", 16), RecordList.note, class_name="note")),
                rx.cond(RecordList.is_loaded, shown, kit.skeleton_rows(f"{entity.plural} are being read", rows=12)),
            ),
        ),
        record_form(),
        filter_panel(entity),
        view_dialog(),
    )


def _head(entity: Entity) -> rx.Component:
    beside = None
    if entity.name == "opportunity":
        beside = layout_switch("list", is_narrowed=RecordList.is_filtered, carry=DealLayouts.as_board)
    return kit.page_head(entity.plural, export_button(entity), _import(entity), _new(entity), beside=beside)


def _views_of(entity: Entity) -> ViewsOf:
    return ViewsOf(entity.plural.lower(), RecordList.view_id, RecordList.may_keep, RecordList.is_changed)


def _new(entity: Entity) -> rx.Component:
    """What makes one, in the head of the list; on a phone the plus of the bottom bar does."""
    if entity.name != "opportunity":
        return _create(entity, class_name="hide-s", key="C", data_create="")
    return _new_deal(rx.el.kbd("C", aria_hidden="true"), key="C", class_name="btn primary hide-s")


def _new_deal(*more: rx.Component, key: str = "", class_name: str = "btn primary") -> rx.Component:
    """Deals are made on the board."""
    words = (kit.icon("add", 16), "New deal", *more)
    there = kit.act_link(*words, href="/pipeline", press=NEW_DEAL, key=key, class_name=class_name)
    return rx.cond(may("opportunity.create"), there)


def list_plus(entity: Entity) -> rx.Component | None:
    """The plus of the bottom bar of a phone."""
    sign = kit.icon("add", 24)
    if entity.name == "opportunity":
        button = kit.act_link(sign, href="/pipeline", press=NEW_DEAL, label="New deal", class_name="plus")
    elif makes(entity):
        words = kit.sr(f"New {entity.label.lower()}")
        button = rx.el.button(
            sign, words, type="button", class_name="plus", on_click=RecordForm.ask(entity.name, "", ""), **kit.ASKS
        )
    else:
        return None
    return rx.cond(may(f"{entity.name}.create"), button)


def _import(entity: Entity) -> rx.Component:
    there = kit.link_button("Import", href="/import", variant="ghost", icon_name="arrow_upload", class_name="hide-s")
    return rx.cond(may(f"{entity.name}.import"), there)


def makes(entity: Entity) -> bool:
    """Whether the list has a button that makes a record."""
    return not entity.is_managed and entity.name not in _MADE_ELSEWHERE


def _create(entity: Entity, **props: str) -> rx.Component:
    if not makes(entity):
        return rx.fragment()
    label = f"New {entity.label.lower()}"
    button = kit.primary(label, icon_name="add", on_click=RecordForm.ask(entity.name, "", ""), **kit.ASKS, **props)
    return rx.cond(may(f"{entity.name}.create"), button)


def _bar(entity: Entity, *actions: rx.Component) -> rx.Component:
    """`actions` stand before the choice of columns."""
    return rx.el.div(
        kit.search_input(
            "find-in-list", f"Search {entity.plural.lower()}", value=RecordList.query, on_search=RecordList.search
        ),
        rx.el.div(filter_chips(), class_name="line chips"),
        rx.el.p(RecordList.count, class_name="muted push count", role="status"),
        view_changed(_views_of(entity)),
        *actions,
        _look(),
        class_name="bar list-bar",
    )


def _look() -> rx.Component:
    """Columns, their order, density."""
    compact = RecordList.density == "compact"
    return kit.popover(
        kit.icon_button("options", "Columns and density", on_click=ListColumns.ask),
        rx.el.h2("Density"),
        kit.segmented(
            "Density",
            kit.segment("Comfortable", pressed=~compact, on_click=ListColumns.set_density("comfortable")),
            kit.segment("Compact", pressed=compact, on_click=ListColumns.set_density("compact")),
        ),
        rx.el.h2("Columns"),
        rx.el.ul(rx.foreach(ListColumns.choices, _column_choice), class_name="column-choices scroll"),
        kit.ghost("As usual", size="sm", on_click=ListColumns.as_usual, data_closes=""),
        label="Columns and density",
        end=True,
        class_name="look",
    )


def _column_choice(choice: rx.Var[dict]) -> rx.Component:
    name, label, on = choice["name"].to(str), choice["label"].to(str), choice["on"].to(bool)
    moves = rx.el.span(
        kit.icon_button(
            "arrow_up", "Move " + label + " up", size=16, on_click=ListColumns.move(name, -1),
            disabled=choice["first"].to(bool),
        ),
        kit.icon_button(
            "arrow_down", "Move " + label + " down", size=16, on_click=ListColumns.move(name, 1),
            disabled=choice["last"].to(bool),
        ),
        class_name="push line tight",
    )  # fmt: skip
    box = kit.checkbox(
        rx.el.span(label, class_name="clip"),
        checked=on,
        disabled=choice["fixed"].to(bool),
        on_change=ListColumns.toggle(name).prevent_default,
    )
    return rx.el.li(box, rx.cond(on & ~choice["fixed"].to(bool), moves), key=name)


def _table(entity: Entity) -> rx.Component:
    return kit.data_table(
        entity.plural,
        *bulk_acts(entity),
        columns=RecordList.columns,
        feeds=RecordList.feeds,
        total=RecordList.total,
        sort=RecordList.sort,
        descending=RecordList.descending,
        density=RecordList.density,
        sums=RecordList.sums,
        count_text=RecordList.count,
        statuses=RecordList.statuses,
        options=RecordList.options,
        open_id=RecordList.open_id,
        tail=RecordList.tail,
        on_open=ListPanel.open,
        on_range=RecordList.rows_at,
        on_sort=RecordList.sort_by,
        on_save=RecordList.save,
        on_search=RecordList.search_link,
        on_width=RecordList.widen,
        can_pick=can_pick(entity),
        on_pick=ListBulk.pick,
        picks=ListBulk.picks,
    )


def _nothing(entity: Entity) -> rx.Component:
    plural = entity.plural.lower()
    none_found = kit.empty_state(
        kit.table_art(),
        f"No {plural} found",
        rx.cond(
            RecordList.query != "",
            rx.fragment("Nothing begins with “", RecordList.query, "”. Try fewer words."),
            f"None of the {plural} you may see fits this filter.",
        ),
        kit.outline("Show all", on_click=RecordList.show_all),
    )
    none_yet = kit.empty_state(
        kit.table_art(),
        f"No {plural} yet",
        f"Add the first one, or bring your {plural} along from a file.",
        _new_deal() if entity.name == "opportunity" else _create(entity),
        rx.cond(may(f"{entity.name}.import"), kit.link_button("Import a file", href="/import")),
    )
    return rx.cond(RecordList.is_filtered, none_found, none_yet)


def _refused(entity: Entity) -> rx.Component:
    return kit.empty_state(kit.paper_art(), f"{entity.plural} are not for your role", RecordList.refused)
