"""The dialog of a move, a closing or a new deal: it asks only for what is still needed."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.customers.alike import alike_names
from crm_app.components.form_fields import form_field, label_of

_FEW = 6  # choices shown as cards; more become a list


@dataclass(frozen=True)
class DealDialogView:
    """Vars and handlers of the dialog.

    A field is one of state.platform.forms. `on_submit` gets the form, `on_search` the name of a link and what was typed
    into it.
    """

    is_open: rx.Var[bool]
    kind: rx.Var[str]
    title: rx.Var[str]
    about: rx.Var[str]
    confirm: rx.Var[str]
    error: rx.Var[str]
    fields: rx.Var[list[dict[str, Any]]]
    memory: rx.Var[str]
    on_submit: Any
    on_cancel: Any
    on_search: Any
    on_return: Any


def deal_dialog(view: DealDialogView) -> rx.Component:
    """One dialog for every question of the board; what was typed stays when the server refuses it."""
    return kit.dialog(
        "deal-dialog",
        view.title,
        rx.foreach(view.fields, lambda field, index: _field(field, index, view)),
        alike_names(),
        rx.cond(view.error != "", rx.el.p(kit.icon("error_circle", 16), view.error, class_name="error", role="alert")),
        sub=rx.cond(view.about != "", view.about, rx.fragment()),
        open=view.is_open,
        on_dismiss=view.on_cancel,
        on_submit=view.on_submit,
        memory=view.memory,
        on_return=view.on_return,
        keep=rx.cond(view.kind == "lost", "Keep open", "Cancel"),
        action=rx.match(
            view.kind,
            ("won", kit.success(view.confirm, type="submit")),
            ("lost", kit.danger(view.confirm, type="submit")),
            kit.primary(view.confirm, type="submit"),
        ),
    )


def _field(field: rx.Var[dict[str, Any]], index: rx.Var[int], view: DealDialogView) -> rx.Component:
    options = field["options"].to(list[dict[str, str]])
    few = (field["kind"] == "choice") & (field["name"] == "win_loss_reason_id") & (options.length() <= _FEW)
    return rx.cond(
        few,
        _reasons(field, options),
        form_field(field, index, prefix="deal", on_search=view.on_search),
    )


def _reasons(field: rx.Var[dict[str, Any]], options: rx.Var[list[dict[str, str]]]) -> rx.Component:
    def card(option: rx.Var[dict[str, str]]) -> rx.Component:
        taken = option["value"] == field["value"]
        box = rx.el.input(
            type="radio", name=field["name"].to(str), value=option["value"], default_checked=taken, class_name="radio"
        )
        return rx.el.label(box, rx.el.span(option["label"]), class_name="reason")

    return rx.el.fieldset(
        rx.el.legend(label_of(field), class_name="label"),
        rx.foreach(options, card),
        _error(field),
        class_name="reasons",
    )


def _error(field: rx.Var[dict[str, Any]]) -> rx.Component:
    words = field["error"].to(str)
    return rx.cond(words != "", rx.el.p(kit.icon("error_circle", 16), words, class_name="error", role="alert"))
