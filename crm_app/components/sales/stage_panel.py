"""The panel beside the pipelines: one stage and its rules."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.settings import may
from crm_app.state.sales.stages import StagePanel

_one = StagePanel.stage
_wrong = StagePanel.errors
_key = _one["id"].to(str) + "." + _one["version"].to(str)  # another stage, or a saved one: the form begins anew


def stage_panel() -> rx.Component:
    """Nothing while no stage is open."""
    is_open_stage = _one["kind"].to(str) == "open"
    is_new = _one["id"].to(str) == ""
    head = rx.el.div(
        kit.stage_mark(
            rx.cond(is_new, "New stage", _one["name"].to(str)), _one["step"].to(str), class_name="clip strong"
        ),
        rx.el.span(
            rx.cond(
                ~is_new & is_open_stage & may("stage.delete"),
                kit.icon_button("delete", "Remove stage", size=16, on_click=StagePanel.ask_remove),
            ),
            kit.icon_button("dismiss", "Close", size=16, on_click=StagePanel.close),
            class_name="push line tight",
        ),
        class_name="head",
    )
    form = rx.el.form(
        rx.el.div(
            _field("name", "Name", kit.text_input, default_value=_one["name"].to(str), max_length=100),
            rx.cond(is_open_stage, rx.fragment(_numbers(), _colors())),
            _field(
                "description",
                "What a rep should know here",
                kit.text_area,
                default_value=_one["description"].to(str),
                max_length=2000,
            ),
            class_name="sec stack roomy",
        ),
        rx.cond(is_open_stage, rx.el.div(_needs(), class_name="sec roomy")),
        rx.el.div(
            kit.outline("Cancel", on_click=StagePanel.close),
            kit.primary(rx.cond(is_new, "Add stage", "Save stage"), type="submit"),
            class_name="sec line foot-line",
        ),
        *[kit.hidden(name, _one[name].to(str)) for name in ("id", "kind", "version")],
        key=_key,
        on_submit=StagePanel.save,
        no_validate=True,
        class_name="scroll",
    )
    panel = kit.side_panel(
        head,
        form,
        label=rx.cond(is_new, "New stage", "Stage " + _one["name"].to(str)),
        on_dismiss=StagePanel.close,
        class_name="narrow",
    )
    return rx.fragment(rx.cond(StagePanel.is_open, panel), _question())


def _field(id: str, label: str, control: Any, **props: Any) -> rx.Component:
    wrong = _wrong.contains(id)
    hint = props.pop("hint", None)
    return kit.field(
        label,
        control(f"stage-{id}", name=id, invalid=wrong, **props),
        control_id=f"stage-{id}",
        hint=hint,
        error=rx.cond(wrong, _wrong[id], ""),
        class_name="grow",
    )


def _numbers() -> rx.Component:
    digits = {"input_mode": "numeric", "auto_complete": "off"}
    return rx.el.div(
        _field(
            "probability",
            "Chance to win, in %",
            kit.text_input,
            default_value=_one["probability"].to(str),
            **digits,
        ),
        _field(
            "rotting_days",
            "Limit in days",
            kit.text_input,
            default_value=_one["rotting_days"].to(str),
            hint="Longer than that marks a deal",
            **digits,
        ),
        class_name="line top",
    )


def _colors() -> rx.Component:
    def swatch(step: int) -> rx.Component:
        box = rx.el.input(
            type="radio", name="color", value=str(step), default_checked=_one["color"].to(str) == str(step)
        )
        label = f"Colour {step} of 8" if step else "By its place"
        shown = rx.el.span(kit.sr(label)) if step else rx.el.span("Auto", kit.sr(", by its place"))
        return rx.el.label(box, shown, class_name=f"s{step}" if step else "auto", data_tip=label)

    return rx.el.fieldset(
        rx.el.legend("Colour", class_name="label"),
        rx.el.div(*[swatch(step) for step in range(9)], class_name="swatches"),
        class_name="bare",
    )


def _needs() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Needed to enter", class_name="label"),
        rx.el.p("A deal is asked for these when it is moved here.", class_name="muted small"),
        rx.foreach(
            StagePanel.fields,
            lambda field: kit.checkbox(
                field["label"].to(str), name=field["name"].to(str), default_checked=field["on"].to(bool)
            ),
        ),
        rx.cond(
            _wrong.contains("required_fields"), rx.el.p(_wrong["required_fields"], class_name="error"), rx.fragment()
        ),
        class_name="bare ticks",
    )


def _question() -> rx.Component:
    return kit.dialog(
        "remove-stage",
        "Remove stage",
        rx.el.p("Its history stays in the reports. A stage that still holds deals cannot be removed."),
        sub=_one["name"].to(str),
        keep="Keep it",
        open=StagePanel.asks,
        on_dismiss=StagePanel.keep,
        action=kit.danger("Remove stage", on_click=StagePanel.remove(_one["id"].to(str), _one["name"].to(str))),
    )
