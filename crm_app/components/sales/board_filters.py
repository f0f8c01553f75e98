"""The line under the head of the board: filters in force, the form to set them, the sums."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.components.list_views import ViewsOf, view_changed

_HEALTH = (("good", "On track"), ("risk", "No next step"), ("overdue", "Overdue"))


@dataclass(frozen=True)
class FilterView:
    """Vars and handlers of the filter bar.

    `chips` are {"key", "label", "text"}, `query` the filters as the address holds them, `owners` {"id", "name",
    "initials", "tint"}, `sums` the texts deals, open, weighted and won. `on_narrow` gets the form (owner and health may
    come several times), `on_widen` the key of a chip, `on_clear` nothing.
    """

    chips: rx.Var[list[dict[str, str]]]
    query: rx.Var[dict[str, str]]
    owners: rx.Var[list[dict[str, str]]]
    sums: rx.Var[dict[str, str]]
    shows_ends: rx.Var[bool]
    on_narrow: Any
    on_widen: Any
    on_clear: Any


def filter_bar(view: FilterView, views: ViewsOf) -> rx.Component:
    """Chips left, what to do with a changed view and the sums right."""
    deals = (view.sums["deals"], rx.cond(view.sums["deals"] == "1", "deal", "deals"))
    sums = rx.cond(
        view.shows_ends,
        kit.sums(deals, (view.sums["open"], "open"), (view.sums["won"], "won")),
        kit.sums(deals, (view.sums["open"], "open"), (view.sums["weighted"], "weighted")),
    )
    return kit.bar(
        rx.foreach(view.chips, lambda chip: _chip(chip, view)),
        kit.popover(kit.ghost("Filter", icon_name="filter", size="sm"), _form(view), label="Filter the board"),
        right=rx.fragment(view_changed(views), sums),
    )


def _chip(chip: rx.Var[dict[str, str]], view: FilterView) -> rx.Component:
    return kit.chip(chip["label"], chip["text"], on_remove=view.on_widen(chip["key"]))


def _form(view: FilterView) -> rx.Component:
    query = view.query
    return rx.el.form(
        kit.field("Contains", kit.text_input("f-q", name="q", default_value=_given(query, "q")), control_id="f-q"),
        _picks("Owner", _owners(view)),
        _pair("Value", _amount("min", "from", query), _amount("max", "until", query)),
        _pair("Close date", _day("from", "from", query), _day("until", "until", query)),
        kit.field("Tag", kit.text_input("f-tag", name="tag", default_value=_given(query, "tag")), control_id="f-tag"),
        _picks("Health", _health(query)),
        rx.el.div(
            kit.ghost("Clear all", on_click=view.on_clear, data_closes=""),
            kit.primary("Show", type="submit", data_closes="", class_name="push"),
            class_name="line",
        ),
        class_name="filters",
        on_submit=view.on_narrow,
        # Drawn anew when the address changes, so that the boxes say what is in force.
        key=query.to_string(),
    )


def _given(query: rx.Var[dict[str, str]], key: str) -> rx.Var[str]:
    return rx.cond(query.contains(key), query[key], "")


def _pair(legend: str, *boxes: rx.Component) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="label"), rx.el.div(*boxes, class_name="line"), class_name="pair"
    )


def _amount(key: str, word: str, query: rx.Var[dict[str, str]]) -> rx.Component:
    return kit.text_input(
        f"f-{key}", name=key, input_mode="decimal", placeholder=word, aria_label=f"Value {word}",
        default_value=_given(query, key),
    )  # fmt: skip


def _day(key: str, word: str, query: rx.Var[dict[str, str]]) -> rx.Component:
    return kit.date_input(f"f-{key}", name=key, aria_label=f"Close date {word}", default_value=_given(query, key))


def _picks(legend: str, boxes: rx.Component) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="label"), rx.el.div(boxes, class_name="picks scroll"), class_name="pair"
    )


def _owners(view: FilterView) -> rx.Component:
    chosen = _given(view.query, "owner")
    return rx.foreach(
        view.owners,
        lambda person: kit.checkbox(
            rx.fragment(kit.avatar(person["initials"], person["tint"].to(int)), person["name"]),
            name="owner",
            value=person["id"],
            default_checked=chosen.contains(person["id"]),
        ),
    )


def _health(query: rx.Var[dict[str, str]]) -> rx.Component:
    chosen = _given(query, "health")
    boxes = [
        kit.checkbox(label, name="health", value=value, default_checked=chosen.contains(value))
        for value, label in _HEALTH
    ]
    return rx.fragment(*boxes)
