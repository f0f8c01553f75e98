"""The filter of a list: its parts as chips to edit in place, and the builder."""

import reflex as rx

from crm_app.components import kit
from crm_app.core.registry import Entity
from crm_app.state.list_filters import ListFilters
from crm_app.state.lists import RecordList

_CUT = 44  # letters of a chip that are shown


def filter_chips() -> rx.Component:
    """What is in force, and the button to filter by more."""
    return rx.fragment(
        rx.foreach(RecordList.chips, _chip),
        kit.ghost(
            "Filter",
            icon_name="filter",
            size="sm",
            on_click=ListFilters.ask(-1),
            data_filter="",
            **kit.ASKS,
        ),
    )


def _chip(chip: rx.Var[dict[str, str]], place: rx.Var[int]) -> rx.Component:
    return kit.chip(
        chip["label"],
        chip["text"],
        on_open=ListFilters.ask(place),
        on_remove=RecordList.drop(place),
        changed=(ListFilters.is_open & (ListFilters.anchor == f"[data-chip='{place}']")),
        data_chip=place.to_string(),
        data_tip=rx.cond(chip["text"].length() > _CUT, chip["text"], rx.Var("undefined")),
        **kit.ASKS,
    )


def filter_panel(entity: Entity) -> rx.Component:
    """The builder, beside the chip or the button that asked for it."""
    buttons = rx.el.div(
        rx.el.p(ListFilters.found, class_name="muted grow", role="status"),
        kit.ghost(rx.cond(ListFilters.is_part, "Remove", "Clear"), on_click=ListFilters.clear),
        rx.cond(ListFilters.is_part, kit.ghost("All conditions", on_click=ListFilters.ask(-1))),
        kit.outline("Cancel", on_click=ListFilters.leave),
        kit.primary("Apply", on_click=ListFilters.apply, data_apply=""),
        class_name="line cond-foot",
    )
    return kit.anchored(
        kit.condition_builder(
            f"Conditions on {entity.plural.lower()}",
            tree=ListFilters.tree,
            fields=ListFilters.fields,
            options=ListFilters.options,
            focus=ListFilters.focus,
            memory=ListFilters.memory,
            on_edit=ListFilters.change,
            on_search=ListFilters.look_up,
        ),
        buttons,
        label=f"Filter {entity.plural.lower()}",
        open=ListFilters.is_open,
        anchor=ListFilters.anchor,
        on_dismiss=ListFilters.leave,
        loose=~ListFilters.is_changed,
        class_name="cond-panel",
    )
