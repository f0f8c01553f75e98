"""The page of duplicates."""

from typing import Any

import reflex as rx

from crm_app.components import kit
from crm_app.core import registry
from crm_app.core.matching import matched_entities
from crm_app.state.customers.duplicates import DuplicatesState as State
from crm_app.state.customers.duplicates_views import FieldRow, HeadView, MergeView, PairView, ValueView

KEYS = (
    kit.Key("j", "Next pair"),
    kit.Key("k", "Pair before"),
    kit.Key("1", "Keep the first record"),
    kit.Key("2", "Keep the second record"),
    kit.Key("m", "Merge", press="[data-merge]", icon="people_team"),
    kit.Key("n", "Not a duplicate", press="[data-apart]", icon="dismiss"),
    kit.Key("s", "Skip", press="[data-skip]", icon="arrow_right"),
)


def duplicates() -> rx.Component:
    """The content of the sheet."""
    return rx.fragment(
        kit.page_head("Duplicates", _look()),
        rx.cond(
            State.is_loaded,
            rx.el.div(_list(), _compare(), class_name="dups"),
            kit.skeleton_rows("Duplicates are being read", rows=10),
        ),
        kit.hotkeys(["j", "k", "1", "2", "3"], on_hotkey=State.press),
    )


def _look() -> rx.Component:
    run = State.run
    under_way = rx.el.span(
        rx.el.span(run["text"].to(str), role="status", class_name="muted small hide-s"),
        rx.el.progress(value=run["percent"].to(int), max=100, aria_label="Looking for duplicates"),
        class_name="line",
    )
    start = kit.outline("Look for duplicates", icon_name="search", on_click=State.scan)
    return rx.cond(run["is_under_way"].to(bool), under_way, rx.cond(State.may_merge, start))


def _list() -> rx.Component:
    return rx.el.section(
        rx.el.div(*[_of(name) for name in reversed(matched_entities())], class_name="dup-kinds"),
        rx.cond(
            State.about != "",
            rx.el.p("Looks like ", rx.el.b(State.about), class_name="dup-about"),
            kit.tabs("How sure", _band("sure", "Sure"), _band("check", "Check")),
        ),
        rx.el.ul(rx.foreach(State.pairs, _pair), class_name="dup-pairs"),
        rx.cond(
            State.about == "",
            rx.el.p(State.run["text"].to(str), class_name="muted small dup-note"),
        ),
        rx.cond(State.lately.length() > 0, _lately()),
        class_name="dup-side",
        aria_label="Pairs",
    )


def _of(name: str) -> rx.Component:
    return kit.link(
        registry.get(name).plural,
        href=f"/duplicates?entity={name}",
        class_name="btn sm",
        aria_current=rx.cond(State.entity == name, "page", rx.Var("undefined")),
    )


def _band(band: str, label: str) -> rx.Component:
    href = rx.Var.create("/duplicates?entity=") + State.entity + f"&band={band}"
    return kit.tab(label, href=href, current=State.band == band, count=State.counts[band].to_string())


def _pair(pair: rx.Var[PairView]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(pair.one, class_name="strong clip"),
            rx.el.span(pair.two, class_name="clip"),
            rx.el.span(pair.reasons, class_name="muted small clip"),
            type="button",
            on_click=State.choose(pair.id),
            aria_pressed=State.current == pair.id,
        ),
        key=pair.id,
    )


def _lately() -> rx.Component:
    def line(merge: rx.Var[MergeView]) -> rx.Component:
        return rx.el.li(
            rx.el.div(
                kit.link(merge.name, href=merge.href, class_name="strong clip"),
                rx.el.span(merge.what, class_name="muted small"),
                class_name="grow",
            ),
            kit.icon_button(
                "arrow_undo", rx.Var.create("Part again: ") + merge.name, size=16, on_click=State.undo(merge.id)
            ),
            class_name="line",
            key=merge.id,
        )

    return rx.el.div(
        rx.el.h2("Merged lately"),
        rx.el.ul(rx.foreach(State.lately, line), class_name="dup-lately"),
        class_name="dup-note",
    )


def _compare() -> rx.Component:
    return rx.el.section(
        rx.cond(State.heads.length() > 1, _side_by_side(), _nothing()),
        class_name="dup-main",
        aria_label="Side by side",
        tab_index=0,
    )


def _nothing() -> rx.Component:
    return rx.cond(
        State.about != "",
        kit.empty_state(kit.people_art(), "Nothing looks like it", "No other record you may see resembles this one."),
        kit.empty_state(
            kit.people_art(),
            "No duplicates here",
            "What looks alike is listed here, surest first. All records are looked through every night.",
        ),
    )


def _side_by_side() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.div(
                rx.el.span("Keep", class_name="muted small dup-label", id="dup-keep"),
                rx.el.div(
                    rx.foreach(State.heads, _head),
                    class_name="dup-values",
                    role="radiogroup",
                    aria_labelledby="dup-keep",
                ),
                class_name="dup-row head-row",
            ),
            rx.foreach(State.rows, _row),
            class_name="dup-grid",
        ),
        rx.el.div(
            rx.cond(
                State.may_merge,
                rx.fragment(
                    rx.cond(
                        (State.current != "") & (State.about == ""),
                        rx.fragment(
                            kit.ghost("Skip", key="S", data_skip="", on_click=State.skip),
                            kit.outline("Not a duplicate", key="N", data_apart="", on_click=State.tell_apart),
                        ),
                    ),
                    kit.primary("Merge", key="M", data_merge="", on_click=State.merge),
                ),
                rx.el.p("Your role may look but not merge. A manager or an admin can.", class_name="muted"),
            ),
            class_name="bar dup-foot",
        ),
    )


def _head(head: rx.Var[HeadView]) -> rx.Component:
    return rx.el.div(
        _radio("dup-survivor", head.id, State.keep(head.id), head.name, checked=State.survivor == head.id),
        rx.el.span(
            "Since ",
            head.since,
            " · ",
            kit.link("Open", kit.sr(" ", head.name), href=head.href),
            class_name="muted small",
        ),
        class_name="dup-head",
        key=head.id,
    )


def _row(row: rx.Var[FieldRow]) -> rx.Component:
    label = rx.Var.create("dup-of-") + row.name

    def value(one: rx.Var[ValueView]) -> rx.Component:
        plain = rx.el.span(rx.cond(one.shown != "", one.shown, "–"), class_name="dup-value")
        shown = rx.cond(one.shown != "", one.shown, "Empty")
        pick = State.pick(row.name, one.record)
        choice = _radio(rx.Var.create("dup-") + row.name, one.record, pick, shown, default_checked=one.picked)
        return rx.el.div(rx.cond(row.differs & ~row.is_joined, choice, plain), key=one.record)

    return rx.el.div(
        rx.el.span(
            row.label,
            rx.cond(row.is_joined & row.differs, rx.el.span(" joined", class_name="muted")),
            class_name="small dup-label",
            id=label,
        ),
        rx.el.div(
            rx.foreach(row.choices, value),
            class_name="dup-values",
            role=rx.cond(row.differs & ~row.is_joined, "radiogroup", "group"),
            aria_labelledby=label,
        ),
        class_name=rx.cond(row.differs, "dup-row differs", "dup-row"),
        key=State.current + State.survivor + row.name,  # drawn anew for other records, not for a pick
        custom_attrs={"data-field": row.name},
    )


def _radio(
    name: str | rx.Var, value: rx.Var[str], on_pick: rx.event.EventSpec, text: rx.Var, **state: Any
) -> rx.Component:
    """`state` is `checked`, or `default_checked` where the browser shows the choice before the server knows it."""
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=value, on_change=lambda _: on_pick, **state),
        rx.el.span(text),
        class_name="dup-pick",
    )
