"""Heads, bars, tabs, cards and sections: how a page is put together."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.buttons import link
from crm_app.components.kit.icons import icon

Child = rx.Component | rx.Var | str


def page_head(
    title: Child, *right: rx.Component, crumbs: rx.Component | None = None, beside: rx.Component | None = None
) -> rx.Component:
    """The first line of a sheet with the one h1; crumbs or a switch of layout stand beside it, actions right."""
    return rx.el.header(
        crumbs or rx.fragment(),
        rx.el.h1(title),
        beside or rx.fragment(),
        rx.el.div(*right, class_name="push line"),
        class_name="head",
    )


def crumbs(*places: tuple[Child, str | rx.Var]) -> rx.Component:
    """The way to this page, as (name, address); the page itself is the title after it."""
    steps: list[rx.Component] = []
    for name, href in places:
        steps += [link(name, href=href), icon("chevron_right", 16)]
    return rx.el.nav(*steps, class_name="crumbs", aria_label="Path")


def bar(*left: rx.Component, right: rx.Component | None = None) -> rx.Component:
    """The line under the head: filters left, sums or view actions right."""
    return rx.el.div(rx.el.div(*left, class_name="line chips"), right or rx.fragment(), class_name="bar")


def sums(*pairs: tuple[Child, Child]) -> rx.Component:
    """Figures of the view, as (figure, word)."""
    return rx.el.p(
        *[rx.el.span(rx.el.b(figure, class_name="num"), " ", word) for figure, word in pairs], class_name="sums push"
    )


def tabs(label: str, *items: rx.Component) -> rx.Component:
    """Saved views or parts of a record; every tab is a place with an address."""
    return rx.el.nav(*items, class_name="tabs", aria_label=label)


def tab(label: Child, *, href: str | rx.Var, current: bool | rx.Var[bool], count: Child | None = None) -> rx.Component:
    """One tab of `tabs`."""
    number = [rx.el.span(count, class_name="n")] if count is not None else []
    return link(label, *number, href=href, **_current(current))


def _current(current: bool | rx.Var[bool]) -> dict[str, Any]:
    if isinstance(current, rx.Var):
        return {"aria_current": rx.cond(current, "page", rx.Var("undefined"))}
    return {"aria_current": "page"} if current else {}


class PanelTabs(rx.Component):
    """The React part; it knows which panel is seen and keeps that in the address."""

    library = scripts.PANEL_TABS
    tag = "PanelTabs"
    items: rx.Var[list[dict[str, Any]]]
    area: rx.Var[str]
    label: rx.Var[str]
    inside: rx.Var[bool]
    on_shown: rx.EventHandler[passthrough_event_spec(str)]


def panel_tabs(
    label: str, items: list[dict[str, Any]], *, area: str, inside: bool = False, on_shown: Any = None
) -> rx.Component:
    """Tabs between panels, all of which may stand side by side where there is room. `items` are {"id", "label",
    "count", "off", "narrow"}, where `off` leaves a tab out and `narrow` shows it on narrow screens only; the first is
    seen at first. `area` is the selector of what holds the panels: it gets `data-shown`, the chosen panel `data-on`.
    The address holds the choice, but for tabs `inside` a panel beside a page. `on_shown(id)` runs at every choice."""
    more = {"on_shown": on_shown} if on_shown is not None else {}
    return PanelTabs.create(items=items, area=area, label=label, inside=inside, **more)


def segmented(label: str, *items: rx.Component, class_name: str = "") -> rx.Component:
    """A switch between a few ways to see the same thing."""
    return rx.el.div(*items, role="group", aria_label=label, class_name=f"seg {class_name}".strip())


def segment(label: Child, *, pressed: bool | rx.Var[bool], icon_name: str = "", **props: Any) -> rx.Component:
    """One side of `segmented`."""
    return rx.el.button(
        *([icon(icon_name, 16)] if icon_name else []), label, type="button", aria_pressed=pressed, **props
    )


def steps(current: int, *names: str) -> rx.Component:
    """Where one stands in a job of several steps; `current` counts from 0."""

    def step(index: int, name: str) -> rx.Component:
        done = index < current
        mark = rx.el.span(icon("checkmark", 16) if done else str(index + 1), class_name="no")
        here = {"aria_current": "step"} if index == current else {}
        return rx.el.li(mark, name, class_name="done" if done else "", **here)

    return rx.el.ol(*[step(i, name) for i, name in enumerate(names)], class_name="steps")


def card(
    title: Child | None, *content: rx.Component, actions: rx.Component | None = None, **props: Any
) -> rx.Component:
    """A box on a sunken ground; use sections, parted by lines, where there is only one ground."""
    head = rx.el.header(rx.el.h2(title), rx.el.div(actions or rx.fragment(), class_name="push line"))
    return rx.el.section(
        head if title is not None else rx.fragment(),
        *content,
        class_name=f"card {props.pop('class_name', '')}".strip(),
        **props,
    )


def section(
    title: Child, *content: rx.Component, count: Child | None = None, actions: rx.Component | None = None, **props: Any
) -> rx.Component:
    """A part of a panel, parted from the next by a line."""
    number = [rx.el.span(count, class_name="pill")] if count is not None else []
    head = rx.el.header(rx.el.h2(title), *number, rx.el.div(actions or rx.fragment(), class_name="push line"))
    return rx.el.section(head, *content, class_name=f"sec {props.pop('class_name', '')}".strip(), **props)


def panel(*content: rx.Component, label: str | rx.Var, **props: Any) -> rx.Component:
    """The second sheet beside the first: a record, or the settings of what is chosen."""
    return rx.el.aside(*content, aria_label=label, class_name=f"panel {props.pop('class_name', '')}".strip(), **props)


class SidePanel(rx.Component):
    """The React part; it takes the focus and gives it back."""

    library = scripts.SIDE_PANEL
    tag = "SidePanel"
    label: rx.Var[str]
    on_dismiss: rx.EventHandler[no_args_event_spec]


def side_panel(*content: rx.Component, label: str | rx.Var, on_dismiss: Any, class_name: str = "") -> rx.Component:
    """A panel that opens and closes; under 900 px it lies over the sheet. `on_dismiss` also runs on Esc."""
    return SidePanel.create(*content, label=label, on_dismiss=on_dismiss, class_name=class_name)


def figures(*pairs: tuple[str, Child]) -> rx.Component:
    """Three figures in a panel, as (name, figure)."""
    return rx.el.dl(
        *[rx.el.div(rx.el.dt(name), rx.el.dd(figure), class_name="fig") for name, figure in pairs], class_name="figs"
    )
