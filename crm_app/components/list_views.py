"""Saved views of a list or a board: a tab each, the rest in a menu, and what to do with a view that was changed."""

from dataclasses import dataclass

import reflex as rx

from crm_app.components import kit
from crm_app.state.list_views import ListViews

View = rx.Var[dict[str, str]]


@dataclass(frozen=True)
class ViewsOf:
    """What the views are of, in words, and the vars of its state (state.view_screens.Shown). `fixed_query` is added to
    the addresses of the tabs that nobody saved."""

    what: str
    view_id: rx.Var[str]
    may_keep: rx.Var[bool]
    is_changed: rx.Var[bool]
    fixed_query: rx.Var[str] | None = None


def view_tabs(of: ViewsOf) -> rx.Component:
    """The tabs above a list or a board, and the menu of all views that have none."""
    others = kit.menu(
        kit.icon_button("add", "More views", size=16),
        rx.foreach(ListViews.others, lambda v: kit.menu_link(v["name"].to(str), href=v["href"].to(str))),
        rx.cond(ListViews.others.length() > 0, kit.menu_line()),
        kit.menu_item("Save what is shown as a view", icon_name="add", on_click=ListViews.ask_new, **kit.ASKS),
        label="More views",
    )
    return kit.tabs(
        f"Views of {of.what}",
        rx.foreach(ListViews.tabs, lambda v: _tab(v, of)),
        rx.cond(of.view_id != "", rx.foreach(ListViews.others, lambda v: _tab_of_other(v, of))),
        rx.el.span(others, class_name="tabs-end"),
    )


def _tab(view: View, of: ViewsOf) -> rx.Component:
    here = of.view_id == view["id"].to(str)
    return rx.fragment(
        kit.tab(view["name"].to(str), href=_href(view, of), current=here),
        rx.cond(here, _acts(view)),
        key=view["id"],
    )


def _href(view: View, of: ViewsOf) -> rx.Var[str]:
    plain = view["href"].to(str)
    if of.fixed_query is None:
        return plain
    more = rx.cond(view["id"].to(str) == "", "?", "&").to(str) + of.fixed_query
    return rx.cond(view["fixed"].to(bool) & (of.fixed_query != ""), plain + more, plain)


def _tab_of_other(view: View, of: ViewsOf) -> rx.Component:
    """The view one looks through stands among the tabs, whether it has one or not."""
    return rx.cond(of.view_id == view["id"].to(str), _tab(view, of))


def _acts(view: View) -> rx.Component:
    view_id, shared, pinned = view["id"].to(str), view["shared"].to(bool), view["pinned"].to(bool)
    share = rx.cond(
        shared,
        kit.menu_item("Make private", icon_name="lock_closed", on_click=ListViews.set_shared(view_id, False)),
        kit.menu_item("Share with everybody", icon_name="people", on_click=ListViews.set_shared(view_id, True)),
    )
    tab = rx.cond(
        pinned,
        rx.fragment(
            kit.menu_item("Move left", icon_name="arrow_left", on_click=ListViews.move(view_id, -1)),
            kit.menu_item("Move right", icon_name="arrow_right", on_click=ListViews.move(view_id, 1)),
            kit.menu_item("Take the tab away", icon_name="pin", on_click=ListViews.set_pinned(view_id, False)),
        ),
        kit.menu_item("Keep as a tab", icon_name="pin", on_click=ListViews.set_pinned(view_id, True)),
    )
    menu = kit.menu(
        kit.icon_button("more_horizontal", "Change the view " + view["name"].to(str), size=16),
        kit.menu_item("Rename", icon_name="edit", on_click=ListViews.ask_rename(view_id)),
        share,
        tab,
        kit.menu_line(),
        kit.menu_item("Delete", icon_name="delete", danger=True, on_click=ListViews.delete(view_id)),
        label="Change the view",
    )
    return rx.cond(view["may"].to(bool), rx.el.span(menu, class_name="tabs-end"))


def view_changed(of: ViewsOf) -> rx.Component:
    """Save, save as and reset, while what is shown differs from the view."""
    acts = rx.el.div(
        kit.sr("The view was changed", role="status"),
        rx.cond(
            of.may_keep,
            kit.ghost("Save", size="sm", class_name="accent", on_click=ListViews.keep),
        ),
        kit.ghost(rx.cond(of.may_keep, "Save as", "Save view"), size="sm", on_click=ListViews.ask_new, **kit.ASKS),
        kit.ghost("Reset", size="sm", on_click=ListViews.put_back),
        rx.el.span(class_name="vr", aria_hidden="true"),
        class_name="line tight view-changed",
    )
    return rx.cond(of.is_changed, acts)


def view_dialog() -> rx.Component:
    """A name for a view."""
    is_new = ListViews.asks == "new"
    error = ListViews.errors["name"].to(str)
    return kit.dialog(
        "view-dialog",
        rx.cond(is_new, "Save view", "Rename view"),
        kit.field(
            "Name",
            kit.text_input(
                "view-name", default_value=ListViews.name, max_length=60, auto_complete="off", data_autofocus="",
                invalid=ListViews.errors.contains("name"),
            ),
            control_id="view-name",
            error=rx.cond(ListViews.errors.contains("name"), error, ""),
        ),
        rx.cond(is_new, kit.checkbox("Share with everybody who may see such records", name="view-shared")),
        open=ListViews.asks != "",
        on_dismiss=ListViews.leave,
        on_submit=ListViews.submit,
        memory=ListViews.asks + ":" + ListViews.named_id,
        on_return=ListViews.recall,
        action=kit.primary(rx.cond(is_new, "Save view", "Rename view"), type="submit"),
    )  # fmt: skip
