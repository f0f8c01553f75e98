"""Saved views of a list: a tab each, the rest in a menu, and what to do with a view that was changed."""

import reflex as rx

from crm_app.components import kit
from crm_app.core.registry import Entity
from crm_app.state.list_views import ListViews
from crm_app.state.lists import RecordList

View = rx.Var[dict[str, str]]


def view_tabs(entity: Entity) -> rx.Component:
    """The tabs above a list, and the menu of all that have none."""
    others = kit.menu(
        kit.icon_button("add", "More views", size=16),
        rx.foreach(ListViews.others, lambda v: kit.menu_link(v["name"].to(str), href=v["href"].to(str))),
        rx.cond(ListViews.others.length() > 0, kit.menu_line()),
        kit.menu_item("Save what is shown as a view", icon_name="add", on_click=ListViews.ask_new),
        label="More views",
    )
    return kit.tabs(
        f"Views of {entity.plural.lower()}",
        rx.foreach(ListViews.tabs, _tab),
        rx.cond(RecordList.view_id != "", rx.foreach(ListViews.others, _tab_of_other)),
        rx.el.span(others, class_name="tabs-end"),
    )


def _tab(view: View) -> rx.Component:
    here = RecordList.view_id == view["id"].to(str)
    return rx.fragment(
        kit.tab(view["name"].to(str), href=view["href"].to(str), current=here),
        rx.cond(here, _acts(view)),
        key=view["id"],
    )


def _tab_of_other(view: View) -> rx.Component:
    """The view one looks through stands among the tabs, whether it has one or not."""
    return rx.cond(RecordList.view_id == view["id"].to(str), _tab(view))


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


def view_changed() -> rx.Component:
    """Save, save as and reset, while what is shown differs from the view."""
    acts = rx.el.div(
        kit.sr("The view was changed", role="status"),
        rx.cond(
            RecordList.may_keep,
            kit.ghost("Save", size="sm", class_name="accent", on_click=ListViews.keep),
        ),
        kit.ghost(rx.cond(RecordList.may_keep, "Save as", "Save view"), size="sm", on_click=ListViews.ask_new),
        kit.ghost("Reset", size="sm", on_click=ListViews.put_back),
        rx.el.span(class_name="vr", aria_hidden="true"),
        class_name="line tight view-changed",
    )
    return rx.cond(RecordList.is_changed, acts)


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
