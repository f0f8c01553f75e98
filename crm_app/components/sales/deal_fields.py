"""The left panel of a deal: what the next stage wants, and the fields in place."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.fields import field_row
from crm_app.state.sales.deal import DealState
from crm_app.state.sales.deal_views import GateItem


def deal_fields() -> rx.Component:
    return rx.fragment(
        rx.cond(DealState.gate.title != "", _gate()),
        rx.foreach(
            DealState.sections,
            lambda section: kit.section(
                section.title,
                kit.props_list(
                    rx.foreach(section.fields, _field),
                    rx.cond(
                        section.title == "Details",
                        kit.prop("Created", rx.el.span(DealState.created, class_name="muted num")),
                    ),
                ),
            ),
        ),
    )


def _field(view: rx.Var) -> rx.Component:
    return field_row(
        view,
        status=DealState.statuses,
        options=DealState.options,
        histories=DealState.histories,
        hints=DealState.hints,
        on_save=DealState.save,
        on_search=DealState.search,
        on_ask_history=DealState.ask_history,
    )


def _gate() -> rx.Component:
    return kit.section(
        DealState.gate.title,
        rx.el.ul(rx.foreach(DealState.gate.wanted, _wanted), class_name="gate"),
        actions=rx.el.span(DealState.gate.done, class_name="muted small num"),
    )


def _wanted(item: rx.Var[GateItem]) -> rx.Component:
    return rx.cond(
        item.is_there,
        rx.el.li(kit.icon("checkmark_circle", filled=True), rx.el.span(item.label, kit.sr(", done")), class_name="ok"),
        rx.el.li(
            kit.icon("circle"),
            rx.el.button(
                "Add ",
                item.label.lower(),
                type="button",
                class_name="as-link",
                custom_attrs={"onClick": _edit(item.name)},
            ),
            class_name="no",
        ),
    )


def _edit(name: rx.Var[str]) -> rx.Var:
    """Opens the field in place, without the server."""
    return rx.Var(
        f'() => document.querySelector(`[data-field="${{{name!s}}}"] button:is(.val, .pen-btn)`)?.click()',
        _var_data=name._get_all_var_data(),
    )
