"""The stages of a deal with the days spent in each; pressing one asks to go there."""

import reflex as rx

from crm_app.components import kit
from crm_app.components.frame import may
from crm_app.state.sales.deal import DealState
from crm_app.state.sales.deal_views import Step

# Arrow keys walk; only the present stage is in the tab order.
_WALK = rx.Var(
    "(e) => { const step = {ArrowRight: 1, ArrowLeft: -1}[e.key]; if (!step) return; e.preventDefault();"
    " const all = [...e.currentTarget.querySelectorAll('button')]; const at = all.indexOf(document.activeElement);"
    " all[Math.max(0, Math.min(all.length - 1, at + step))].focus(); }"
)


def stage_bar() -> rx.Component:
    return rx.el.ol(
        rx.foreach(DealState.steps, _step),
        class_name="stagebar",
        aria_label="Stages with days spent",
        custom_attrs={"onKeyDown": _WALK},
    )


def _step(step: rx.Var[Step]) -> rx.Component:
    days = rx.el.span(step.days, class_name=rx.cond(step.late, "d late", "d"))
    return rx.el.li(
        rx.el.button(
            rx.cond(step.done, kit.icon("checkmark", 16)),
            rx.el.span(step.name, class_name="nm"),
            rx.cond(step.days != "", days),
            type="button",
            tab_index=rx.cond(step.now, 0, -1),
            aria_current=rx.cond(step.now, "step", rx.Var("undefined")),
            aria_disabled=rx.cond(may("opportunity.move"), rx.Var("undefined"), "true"),
            on_click=DealState.go_to(step.id),
        ),
        class_name=step.look,
    )
