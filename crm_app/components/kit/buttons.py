"""Buttons. A view has one primary button; what ends or deletes is danger; only Won is success."""

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from crm_app.components.kit import scripts
from crm_app.components.kit.icons import icon

Child = rx.Component | rx.Var | str


def _button(variant: str, label: Child, *, icon_name: str, size: str, key: str, **props: Any) -> rx.Component:
    classes = ["btn", variant, size, props.pop("class_name", "")]
    if key:
        props["aria_keyshortcuts"] = key.upper() if len(key) == 1 else key
    return rx.el.button(
        *([icon(icon_name, 16)] if icon_name else []),
        label,
        *([rx.el.kbd(key, aria_hidden="true")] if key else []),
        type=props.pop("type", "button"),
        class_name=" ".join(name for name in classes if name),
        **props,
    )


def primary(label: Child, *, icon_name: str = "", size: str = "", key: str = "", **props: Any) -> rx.Component:
    """The next best action; `size` is "", "sm" or "lg", `key` the shortcut shown beside the words."""
    return _button("primary", label, icon_name=icon_name, size=size, key=key, **props)


def outline(label: Child, *, icon_name: str = "", size: str = "", key: str = "", **props: Any) -> rx.Component:
    """Any other action of the view."""
    return _button("", label, icon_name=icon_name, size=size, key=key, **props)


def ghost(label: Child, *, icon_name: str = "", size: str = "", key: str = "", **props: Any) -> rx.Component:
    """A quiet action, in bars and heads."""
    return _button("ghost", label, icon_name=icon_name, size=size, key=key, **props)


def success(label: Child, *, icon_name: str = "", size: str = "", key: str = "", **props: Any) -> rx.Component:
    """Won."""
    return _button("win", label, icon_name=icon_name, size=size, key=key, **props)


def danger(label: Child, *, icon_name: str = "", size: str = "", key: str = "", **props: Any) -> rx.Component:
    """Something ends or is deleted."""
    return _button("danger", label, icon_name=icon_name, size=size, key=key, **props)


def icon_button(name: str, label: str | rx.Var, *, size: int = 20, class_name: str = "", **props: Any) -> rx.Component:
    """A button without words; `label` is what a screen reader and the tooltip say."""
    return rx.el.button(
        icon(name, size),
        type=props.pop("type", "button"),
        aria_label=label,
        data_tip=label,
        class_name=f"icon-btn {class_name}".strip(),
        **props,
    )


def link(*children: Child, href: str | rx.Var, **props: Any) -> rx.Component:
    """A link inside the app: changes the page without loading the document again."""
    return ReactRouterLink.create(*children, to=href, **props)


class NativeLink(rx.Component):
    """A link that leaves the app: Reflex's own stays inside, even for a file."""

    tag = "a"
    _is_tag_in_global_scope = True
    href: rx.Var[str]
    download: rx.Var[str]


def download(label: Child, *, href: str | rx.Var, size: str = "", class_name: str = "") -> rx.Component:
    """A quiet link to a file that a route of the API serves."""
    classes = " ".join(name for name in ("btn", "ghost", size, class_name) if name)
    return NativeLink.create(icon("arrow_download", 16), label, href=href, download="", class_name=classes)


def file_link(*children: Child, href: str | rx.Var, **props: Any) -> rx.Component:
    """A link to a file, which the browser saves."""
    return NativeLink.create(*children, href=href, download="", **props)


def link_button(
    label: Child, *, href: str | rx.Var, variant: str = "", icon_name: str = "", size: str = "", **props: Any
) -> rx.Component:
    """A link that looks like a button; `variant` is "", "primary" or "ghost"."""
    classes = " ".join(name for name in ("btn", variant, size, props.pop("class_name", "")) if name)
    return link(*([icon(icon_name, 16)] if icon_name else []), label, href=href, class_name=classes, **props)


class ActLink(rx.Component):
    """The React part; it goes there, and then presses."""

    library = scripts.ACT_LINK
    tag = "ActLink"
    to: rx.Var[str]
    press: rx.Var[str]
    keys: rx.Var[str]
    label: rx.Var[str]


def act_link(*children: Child, href: str, press: str, label: str = "", key: str = "", class_name: str) -> rx.Component:
    """What is made on another page: a link there, where `press` (a selector) is then clicked."""
    return ActLink.create(*children, to=href, press=press, label=label, keys=key, class_name=class_name)


def copying(text: rx.Var[str]) -> rx.Var:
    """A click handler, `custom_attrs={"onClick": ...}`, that copies the text without the server. Browsers have the
    clipboard on secure pages only; elsewhere the older way does it."""
    return rx.Var(
        f"(e) => {{ const text = {text!s}, button = e.currentTarget;"
        " const old = () => { const box = document.createElement('textarea'); box.value = text;"
        " document.body.append(box); box.select(); document.execCommand('copy'); box.remove(); button.focus(); };"
        " if (navigator.clipboard) navigator.clipboard.writeText(text).catch(old); else old();"
        " button.dataset.done = ''; setTimeout(() => delete button.dataset.done, 1200); }",
        _var_data=text._get_all_var_data(),
    )
