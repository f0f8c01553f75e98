"""What a record's page and the panel beside a list share: head, figures, fields, related lists, tabs. No frame."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.fields import field_row
from crm_app.components.frame import may
from crm_app.components.record_slots import Tab, tabs_of
from crm_app.components.timeline import timeline
from crm_app.core.registry import Entity
from crm_app.core.related import RelatedList, related_lists
from crm_app.state.record import TIMELINES, RecordState
from crm_app.state.record_form import RecordForm
from crm_app.state.record_history import ChangeView, RecordHistory
from crm_app.state.record_views import ColumnView, FigureView, RelatedView
from crm_app.state.records import CellView, RowView
from crm_app.state.timeline import Timeline

_HEAD = RecordState.head


def record_title(entity: Entity, *, heading: str = "h1") -> rx.Component:
    """Mark, name, what it is, whose it is."""
    if entity.name in ("account", "contact", "user"):
        mark = kit.avatar(_HEAD.mark, _HEAD.tint, square=entity.name == "account", size="xl")
    else:
        mark = rx.el.span(kit.icon(entity.icon), class_name="record-icon", aria_hidden="true")
    name = rx.el.h1(_HEAD.name) if heading == "h1" else rx.el.h2(_HEAD.name)
    line = rx.el.p(
        rx.cond(_HEAD.detail != "", rx.el.span(_HEAD.detail)),
        rx.cond(_HEAD.account != "", kit.link(_HEAD.account, href=_HEAD.account_href)),
        rx.cond(_HEAD.owner != "", rx.el.span("Owner ", _HEAD.owner)),
        class_name="line wrap muted",
        style={"gap": "0 12px"},
    )
    return rx.el.div(mark, rx.el.div(name, line, class_name="grow"), class_name="line record-title")


def record_figures() -> rx.Component:
    """Key figures, each leading to the records behind it."""

    def one(figure: rx.Var[FigureView]) -> rx.Component:
        value = rx.cond(figure.href != "", kit.link(figure.text, href=figure.href), figure.text)
        note = rx.cond(
            figure.note != "",
            rx.el.span(figure.note, class_name=rx.Var.create("note-by ") + figure.tone),
            rx.fragment(),
        )
        return rx.el.div(rx.el.dt(figure.label), rx.el.dd(value, note), key=figure.label)

    return rx.cond(_HEAD.figures.length() > 0, rx.el.dl(rx.foreach(_HEAD.figures, one), class_name="kpis"))


def record_fields() -> rx.Component:
    """The sections of the form, each field edited in its place."""

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
        rx.foreach(
            RecordState.sections,
            lambda s: kit.section(s.title, kit.props_list(rx.foreach(s.fields, row)), key=s.title),
        ),
        rx.el.p("Created ", RecordState.created, class_name="muted small made"),
    )


def record_cards() -> rx.Component:
    """The related lists in short, as cards."""
    return rx.foreach(RecordState.related, _card)


def has_overview(entity: Entity) -> bool:
    return bool(related_lists(entity)) or entity.name in TIMELINES


def record_tabs(entity: Entity, *, area: str, inside: bool = False) -> rx.Component:
    """The strip of tabs over the panels of `area`; `inside` a panel beside a list the address stays as it is."""
    has_cards = bool(related_lists(entity)) if inside else has_overview(entity)
    items: list[dict[str, Any]] = [{"id": "overview", "label": "Overview"}] if has_cards else []
    if entity.name in TIMELINES:
        items.append({"id": "timeline", "label": "Timeline", "count": Timeline.count, "off": ~may("activity.read")})
    items += [
        {"id": r.id, "label": r.title, "count": _count(r), "off": ~may(f"{r.entity}.read")}
        for r in _lists_with_tab(entity)
    ]
    slots = [_item(entity, t) for t in tabs_of(entity)]
    details = {"id": "details", "label": "Details", "narrow": bool(items) and not inside}
    history = {"id": "history", "label": "History"}
    items = [*items, *slots, details, history] if has_cards else [details, *items, *slots, history]
    return kit.panel_tabs(
        f"Parts of the {entity.label.lower()}", items, area=area, inside=inside, on_shown=RecordHistory.shown
    )


def _item(entity: Entity, tab: Tab) -> dict[str, Any]:
    found: dict[str, Any] = {"id": tab.id, "label": tab.label}
    if tab.count is not None:
        found["count"] = tab.count
    if tab.shown is not None:
        found["off"] = ~tab.shown(entity)
    return found


def _count(wanted: RelatedList) -> rx.Var:
    mine = RecordState.related
    return rx.Var(
        f"({mine!s}.find((r) => r.id === {wanted.id!r})?.count ?? '')", _var_data=mine._get_all_var_data()
    ).to(str)


def _lists_with_tab(entity: Entity) -> list[RelatedList]:
    return [r for r in related_lists(entity) if r.is_tab]


def record_panels(entity: Entity) -> list[rx.Component]:
    """The panels behind the tabs, but for the fields."""
    found = []
    if has_overview(entity):
        found.append(record_panel("overview", "Overview", record_cards()))
    if entity.name in TIMELINES:
        found.append(record_panel("timeline", "Timeline", timeline(with_changes=False)))
    found += [record_panel(r.id, f"All {r.title.lower()}", _table_of(entity, r.id)) for r in _lists_with_tab(entity)]
    found += [record_panel(t.id, t.label, t.content(entity)) for t in tabs_of(entity)]
    return [*found, record_panel("history", "History", _history())]


def record_panel(id: str, label: str, *content: rx.Component) -> rx.Component:
    return rx.el.div(*content, id=id, tab_index=0, role="region", aria_label=label)


def _add(view: rx.Var[RelatedView]) -> rx.Component:
    ask = RecordForm.ask(view.makes, view.link, _HEAD.id)
    add = kit.ghost("Add", icon_name="add", size="sm", on_click=ask, **kit.ASKS)
    return rx.cond(view.makes != "", add)


def _card(view: rx.Var[RelatedView]) -> rx.Component:
    count = rx.cond(view.card_count != "", kit.pill(view.card_count))
    more = rx.cond(
        view.card_count.to(str) != view.brief.length().to_string(),
        rx.el.p(kit.link("Show all", href=view.card_href), class_name="more"),
    )
    return rx.el.section(
        rx.el.header(rx.el.h2(view.card), count, rx.el.div(_add(view), class_name="push line")),
        rx.el.div(
            rx.cond(
                view.brief.length() > 0,
                rx.fragment(rx.el.ul(rx.foreach(view.brief, _brief)), more),
                rx.el.p("None yet", class_name="muted"),
            ),
            class_name="body",
        ),
        class_name="card",
        key=view.id,
    )


def _brief(row: rx.Var[RowView]) -> rx.Component:
    """The name as the link, the rest in grey beneath, the last one right."""
    first = row.cells[0]
    rest = rx.foreach(row.cells[1:-1], lambda c: rx.cond(c.text != "", rx.el.span(c.text)))
    return rx.el.li(
        _mark(first),
        rx.el.span(
            kit.link(first.text, href=first.href, class_name="strong plain clip"),
            rx.el.span(rest, class_name="muted small line wrap rest"),
            class_name="grow two-lines",
        ),
        rx.el.span(row.cells[-1].text, class_name="num small last"),
        class_name="item",
        key=row.id,
    )


def _mark(cell: rx.Var[CellView]) -> rx.Component:
    return rx.cond(cell.mark != "", kit.avatar(cell.mark, cell.tint))


def _table_of(entity: Entity, relation: str) -> rx.Component:
    return rx.foreach(RecordState.related, lambda view: rx.cond(view.id == relation, _table(entity, view)))


def _table(entity: Entity, view: rx.Var[RelatedView]) -> rx.Component:
    """A related list in full, as far as the page goes; behind that the list itself."""
    head = rx.el.tr(rx.foreach(view.columns, _column))
    body = rx.foreach(view.rows, lambda row: rx.el.tr(rx.foreach(row.cells, _cell), key=row.id))
    full = rx.el.div(
        kit.table(view.title, head=head, body=body),
        class_name="card table-card",
    )
    nothing = kit.empty_state(
        kit.table_art(),
        rx.fragment("No ", view.title.lower(), " yet"),
        f"What belongs to this {entity.label.lower()} will stand here.",
        rx.cond(
            view.makes != "",
            kit.outline("Add", icon_name="add", on_click=RecordForm.ask(view.makes, view.link, _HEAD.id), **kit.ASKS),
        ),
    )
    return rx.fragment(
        rx.el.header(
            rx.el.h2(view.title),
            rx.cond(view.count != "", kit.pill(view.count)),
            rx.el.div(
                rx.cond(
                    view.count != "",
                    kit.link_button("Open as list", href=view.href, variant="ghost", icon_name="open"),
                ),
                _add(view),
                class_name="push line",
            ),
            class_name="tab-head",
        ),
        rx.cond(view.rows.length() > 0, full, nothing),
    )


def _column(column: rx.Var[ColumnView], index: rx.Var[int]) -> rx.Component:
    small = rx.cond(index > 1, " hide-s", "")
    return rx.el.th(column.label, scope="col", class_name=rx.cond(column.number, "r", "") + small)


def _cell(cell: rx.Var[CellView], index: rx.Var[int]) -> rx.Component:
    inside = rx.match(
        cell.leads,
        ("out", rx.el.a(cell.text, href=cell.href, class_name="plain")),
        ("in", kit.link(cell.text, href=cell.href, class_name=rx.cond(index == 0, "strong", "quiet-link"))),
        rx.el.span(cell.text),
    )
    return rx.el.td(
        rx.cond(index == 0, rx.el.span(_mark(cell), inside, class_name="line"), inside),
        class_name=rx.cond(cell.number, "r", "") + rx.cond(index > 1, " hide-s", ""),
    )


def _history() -> rx.Component:
    head = rx.el.tr(
        kit.column("Field"),
        kit.column("From"),
        kit.column("To"),
        kit.column("Who", hide_small=True),
        kit.column("When"),
    )
    table = rx.el.div(
        kit.table("Changes", head=head, body=rx.foreach(RecordHistory.changes, _change)), class_name="card table-card"
    )
    older = rx.cond(
        RecordHistory.has_older,
        rx.el.div(kit.ghost("Load older", size="sm", on_click=RecordHistory.older), class_name="line"),
    )
    first = rx.el.p("Created ", RecordState.created, class_name="muted small made-first")
    nothing = rx.el.p("No field was changed since.", class_name="muted")
    return rx.fragment(
        rx.el.header(rx.el.h2("History"), class_name="tab-head"),
        rx.cond(
            RecordHistory.is_read,
            rx.fragment(rx.cond(RecordHistory.changes.length() > 0, table, nothing), older, first),
            kit.skeleton_rows("The history is being read"),
        ),
    )


def _change(change: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.tr(
        kit.cell(change.field, class_name="strong"),
        kit.cell(
            rx.cond(change.old != "", rx.el.s(change.old, class_name="muted"), rx.el.span("–", class_name="muted"))
        ),
        kit.cell(rx.cond(change.new != "", change.new, rx.el.span("emptied", class_name="muted"))),
        kit.cell(change.who, hide_small=True),
        kit.cell(change.when, class_name="num muted"),
        key=change.id,
    )
