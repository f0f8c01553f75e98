"""The panel beside the fields: one of them."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.services.platform.custom_fields import KINDS, TARGETS
from crm_app.state.platform.field_panel import FieldPanel

_one = FieldPanel.field
_wrong = FieldPanel.errors
_is_new = _one["name"].to(str) == ""
_is_own = _one["id"].to(str) != ""
_COLORS = (
    ("", "No colour"), ("1", "Blue"), ("2", "Teal"), ("3", "Green"), ("4", "Olive"), ("5", "Amber"), ("6", "Orange"),
    ("7", "Red"), ("8", "Violet"),
)  # fmt: skip
_LABELS = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities", "product": "Products"}


def field_panel() -> rx.Component:
    """Nothing while no field is open."""
    title = rx.cond(_is_new, "New field", _one["label"].to(str))
    head = rx.el.div(
        rx.el.h2(title, class_name="clip strong"),
        rx.el.span(
            rx.cond(_is_own, kit.icon_button("delete", "Put field away", size=16, on_click=FieldPanel.ask_delete)),
            kit.icon_button("dismiss", "Close", size=16, on_click=FieldPanel.close),
            class_name="push line tight",
        ),
        class_name="head",
    )
    panel = kit.side_panel(
        head,
        rx.el.form(
            rx.el.div(*_parts(), class_name="sec stack roomy"),
            rx.cond(FieldPanel.has_choices | _one["takes"].to(bool), _choices()),
            rx.el.div(
                kit.outline("Cancel", on_click=FieldPanel.close),
                kit.primary(rx.cond(FieldPanel.like.length() > 0, "Add all the same", "Save field"), type="submit"),
                class_name="sec line foot-line",
            ),
            key=FieldPanel.shown.to(str),
            on_submit=FieldPanel.save,
            no_validate=True,
            class_name="scroll",
        ),
        label=title,
        on_dismiss=FieldPanel.close,
        class_name="narrow",
    )
    return rx.fragment(rx.cond(FieldPanel.is_open, panel), _question())


def _parts() -> list[rx.Component]:
    return [
        _field("label", "Name", kit.text_input, default_value=_one["label"].to(str), max_length=60),
        rx.cond(FieldPanel.like.length() > 0, _alike()),
        rx.cond(_is_new, _kind(), rx.fragment()),
        rx.cond(_is_new & (_one["kind"].to(str) == "link"), _target()),
        rx.cond(FieldPanel.is_formula, _formula()),
        rx.cond(
            _is_new | _is_own,
            rx.fragment(
                _field("hint", "What to fill in (optional)", kit.text_input, default_value=_one["help"].to(str)),
                _field(
                    "section",
                    "Section of the form",
                    kit.text_input,
                    default_value=_one["section"].to(str),
                    hint="An existing one, or a new name. Empty: More",
                ),
            ),
        ),
        rx.cond(
            ~FieldPanel.is_formula & ~_one["always"].to(bool),
            kit.checkbox("Ask for it on every new record", name="required", default_checked=_one["required"].to(bool)),
        ),
    ]


def _field(id: str, label: str, control: Any, **props: Any) -> rx.Component:
    wrong, hint = _wrong.contains(id), props.pop("hint", None)
    return kit.field(
        label,
        control(f"field-{id}", name=id, invalid=wrong, **props),
        control_id=f"field-{id}",
        hint=hint,
        error=rx.cond(wrong, _wrong[id], ""),
    )


def _alike() -> rx.Component:
    return rx.el.p(
        rx.el.span("There is already ", rx.el.b(FieldPanel.like.join(" and ")), ". Use that if it means the same."),
        class_name="hint",
        role="status",
    )


def _kind() -> rx.Component:
    return _field(
        "kind",
        "Holds",
        lambda box, **props: kit.select(box, [(k, v) for k, v in KINDS.items()], **props),
        default_value=_one["kind"].to(str),
        on_change=FieldPanel.pick_kind,
        hint="This stays: values depend on it",
    )


def _target() -> rx.Component:
    options = [(t, _LABELS.get(t, "People")) for t in TARGETS]
    return _field("target", "Leads to", lambda box, **props: kit.select(box, options, **props))


def _formula() -> rx.Component:
    gives = rx.cond(FieldPanel.gives != "", FieldPanel.gives, "Like {Amount} * {Probability} / 100, or"
                    " if({Close date} < today(), \"late\", \"on time\")")  # fmt: skip
    return _field(
        "formula",
        "Formula",
        kit.text_area,
        default_value=_one["formula"].to(str),
        max_length=1000,
        on_blur=FieldPanel.try_formula,
        hint=gives,
    )


def _choices() -> rx.Component:
    def row(choice: rx.Var[dict[str, str]]) -> rx.Component:
        key, label = choice["key"].to(str), choice["label"].to(str)
        return rx.el.div(
            rx.el.input(
                name=rx.Var.create("choice.") + key, default_value=label, aria_label="Choice", class_name="input grow",
                max_length=60, auto_complete="off",
            ),
            rx.el.select(
                *[rx.el.option(words, value=value) for value, words in _COLORS],
                name=rx.Var.create("color.") + key, default_value=choice["color"].to(str), aria_label="Colour",
                class_name="select",
            ),
            rx.cond(
                _is_new | _is_own | _one["free"].to(bool),
                kit.icon_button("dismiss", "Leave out", size=16, on_click=FieldPanel.drop_choice(key)),
            ),
            class_name="line tight choice-row",
            key=key,
        )  # fmt: skip

    box = rx.el.fieldset(
        rx.el.legend("Choices", class_name="label"),
        rx.foreach(FieldPanel.choices, row),
        rx.cond(
            _is_new | _is_own | _one["free"].to(bool),
            kit.ghost("Choice", icon_name="add", size="sm", on_click=FieldPanel.add_choice),
        ),
        rx.cond(_wrong.contains("choices"), rx.el.p(_wrong["choices"], class_name="error"), rx.fragment()),
        class_name="bare ticks",
    )
    return rx.el.div(box, class_name="sec roomy")


def _question() -> rx.Component:
    return kit.dialog(
        "put-field-away",
        "Put field away",
        rx.el.p("It leaves lists, forms and filters. Its values are kept, and come back with it."),
        sub=_one["label"].to(str),
        keep="Keep it",
        open=FieldPanel.asks,
        on_dismiss=FieldPanel.keep,
        action=kit.danger("Put away", on_click=FieldPanel.delete),
    )
