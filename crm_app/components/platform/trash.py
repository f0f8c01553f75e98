"""The page of the trash."""

import reflex as rx

from crm_app.components import kit
from crm_app.core import registry
from crm_app.state.platform.fields import has_page
from crm_app.state.platform.trash import ThrownView, TrashState

_AGES = (("today", "Last day"), ("week", "Last 7 days"))


def trash_page() -> rx.Component:
    """The content of the sheet."""
    return rx.fragment(
        kit.page_head("Trash"),
        rx.cond(
            TrashState.is_loaded,
            rx.cond(TrashState.may_look, rx.fragment(_bar(), _rows()), _not_yours()),
            kit.skeleton_rows("The trash is being read", rows=10),
        ),
        _dialog(),
    )


def _bar() -> rx.Component:
    def box(name: str, label: str, options: list[tuple[str, str]] | rx.Var, empty: str) -> rx.Component:
        return kit.select(
            f"trash-{name}", options, empty=empty, aria_label=label, value=TrashState.narrowed[name].to(str),
            on_change=lambda value: TrashState.narrow(name, value), class_name="select fit",
        )  # fmt: skip

    return kit.bar(
        box("kind", "Kind of record", TrashState.kinds, "Everything"),
        box("who", "Deleted by", TrashState.people, "By anybody"),
        box("age", "Deleted when", list(_AGES), "At any time"),
        right=rx.el.p("Kept for 30 days", class_name="muted push"),
    )


def _rows() -> rx.Component:
    head = rx.el.tr(
        kit.column("Record"),
        kit.column("Kind", hide_small=True),
        kit.column("Deleted by", hide_small=True),
        kit.column("Deleted", hide_small=True),
        kit.column("Goes in", hide_small=True),
        kit.column(kit.sr("Acts")),
    )
    older = rx.cond(
        TrashState.has_older, rx.el.div(kit.ghost("Load older", size="sm", on_click=TrashState.older), class_name="bar")
    )
    table = rx.fragment(kit.table("Trash", head=head, body=rx.foreach(TrashState.rows, _row)), older)
    return rx.cond(TrashState.rows.length() > 0, table, _nothing())


def _row(row: rx.Var[ThrownView]) -> rx.Component:
    icons = {e.name: e.icon for e in registry.all_entities() if has_page(e.name)}
    small = rx.el.span(row.label, ", ", row.when, class_name="muted small show-s")
    purge = kit.icon_button(
        "delete", rx.Var.create("Delete for good: ") + row.title, size=16,
        on_click=TrashState.ask_purge(row.kind, row.id, row.title),
    )  # fmt: skip
    return rx.el.tr(
        kit.cell(
            rx.el.span(
                kit.icon_for(row.icon, icons, 20, default="document"),
                rx.el.span(
                    rx.el.span(
                        rx.el.span(row.title, class_name="strong"),
                        rx.cond(row.along != "", rx.el.span(" ", row.along, class_name="muted small")),
                    ),
                    small,
                    class_name="two-lines",
                ),
                class_name="trash-name",
            ),
            class_name="name",
        ),
        kit.cell(row.label, hide_small=True),
        kit.cell(row.who, hide_small=True),
        kit.cell(row.when, hide_small=True, class_name="num"),
        kit.cell(rx.el.span(row.left, class_name=rx.cond(row.is_last, "over strong", "")), hide_small=True),
        kit.cell(
            rx.el.span(
                kit.outline(
                    rx.fragment(rx.el.span("Restore", class_name="word"), kit.sr(" ", row.title)),
                    icon_name="arrow_undo",
                    size="sm",
                    on_click=TrashState.put_back(row.kind, row.id),
                ),
                rx.cond(TrashState.may_purge, purge),
                class_name="line tight trash-acts",
            ),
            class_name="r",
        ),
        key=row.id,
    )


def _nothing() -> rx.Component:
    return kit.empty_state(
        kit.paper_art(),
        "Nothing here",
        "What is deleted waits here for 30 days, whole, and can be restored with all that went with it.",
    )


def _not_yours() -> rx.Component:
    return kit.empty_state(
        kit.paper_art(),
        "The trash is not for your role",
        "Whoever may delete records may look into the trash. A manager or an admin can restore something for you.",
    )


def _dialog() -> rx.Component:
    return kit.dialog(
        "purge-record",
        "Delete for good",
        rx.el.p(
            "It cannot be restored afterwards, nor can what went with it. Links of other records to it are emptied."
        ),
        sub=TrashState.asked_title,
        open=TrashState.is_asked,
        on_dismiss=TrashState.keep,
        on_submit=TrashState.purge,
        keep="Keep in the trash",
        action=kit.danger("Delete for good", type="submit"),
    )
