"""Dialogs of the import wizard: the texts of a column and what they mean; a name for a matching that is kept."""

import reflex as rx

from crm_app.components import kit
from crm_app.services.platform import custom_fields
from crm_app.state.platform.import_grid import ImportGrid

_LINKED = ("link", custom_fields.FORMULA)  # need more than a column
_KINDS = [(str(kind), label) for kind, label in custom_fields.KINDS.items() if kind not in _LINKED]


def texts_of_column() -> rx.Component:
    """Each text of the file beside the choice, the person or the stage it means."""
    matched = ImportGrid.matched
    texts = matched["texts"].to(list[dict[str, str]])
    return kit.dialog(
        "match-values",
        "Match values",
        rx.el.ul(rx.foreach(texts, _text), class_name="import-texts"),
        sub=matched["heading"].to(str) + " goes to " + matched["label"].to(str),
        keep="Close",
        open=matched["field"].to(str) != "",
        on_dismiss=ImportGrid.close_texts,
        action=kit.primary("Done", on_click=ImportGrid.close_texts),
        wide=True,
    )


def _text(text: rx.Var[dict[str, str]]) -> rx.Component:
    choices = ImportGrid.matched["choices"].to(list[dict[str, str]])
    return rx.el.li(
        rx.el.label(
            rx.el.span(
                kit.clipped(text["text"], class_name="strong"),
                rx.el.span(" ", text["rows"], class_name="small muted num"),
                class_name="grow",
            ),
            rx.el.select(
                rx.el.option("Choose", value=""),
                rx.foreach(choices, lambda c: rx.el.option(c["label"], value=c["value"])),
                value=text["to"],
                on_change=lambda to: ImportGrid.set_text(text["text"], to),
                class_name=rx.cond(text["to"] == "", "select risk", "select"),
            ),
            class_name="line",
        ),
        key=text["text"],
    )


def naming() -> rx.Component:
    """What the matching is called that is kept for the next file."""
    return kit.dialog(
        "keep-matching",
        "Keep this matching",
        kit.field("Name", kit.text_input("preset", max_length=80, data_autofocus=""), control_id="preset"),
        sub="It is used by itself for the next file with the same columns.",
        open=ImportGrid.is_naming,
        on_dismiss=ImportGrid.keep_unnamed,
        on_submit=ImportGrid.keep_matching,
        action=kit.primary("Keep this matching", type="submit"),
    )


def new_field() -> rx.Component:
    """A field of the workspace's own for a column that has none."""
    asked = ImportGrid.new_field
    return kit.dialog(
        "new-field",
        "Make a field",
        kit.field(
            "Name",
            kit.text_input("field-label", max_length=60, default_value=asked["heading"], data_autofocus=""),
            control_id="field-label",
            error=asked["error"],
        ),
        kit.field(
            "Holds",
            kit.select("field-kind", _KINDS),
            control_id="field-kind",
            hint="Of a choice, the texts of the file become the choices.",
        ),
        sub=rx.Var.create("For the column ") + asked["heading"],
        open=asked["heading"] != "",
        on_dismiss=ImportGrid.keep_fields,
        on_submit=ImportGrid.make_field,
        action=kit.primary("Make a field", type="submit"),
    )
