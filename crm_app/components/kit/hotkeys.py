"""Keys of the page: each gives one declaration, from which come the shortcuts, their list and the palette's acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


@dataclass(frozen=True)
class Key:
    """One thing that a page can do.

    `keys` is "c", "g p" (one after the other) or "mod+z" (Ctrl or Command); "" when only the palette offers it. `press`
    is the CSS selector of what the mouse would click, `focus` of what has the focus afterwards, alone of what is only
    gone to: while no such element is there, the key does nothing and is not listed. With neither it is a key of a part
    that listens by itself, and is listed only. `icon` is that in the palette, where every act is offered that has one.
    """

    keys: str
    label: str
    press: str = ""
    focus: str = ""
    icon: str = ""
    group: str = ""  # the heading it stands under, when not that of the page

    def row(self, group: str) -> dict[str, str]:
        """As the parts in the browser take it."""
        names = {"keys": self.keys, "label": self.label, "press": self.press, "focus": self.focus, "icon": self.icon}
        return {**names, "group": self.group or group}


class Hotkeys(rx.Component):
    """The React part; only the listed keys leave the browser."""

    library = scripts.HOTKEYS
    tag = "Hotkeys"
    keys: rx.Var[list[str]]
    acts: rx.Var[list[dict[str, str]]]
    letters: rx.Var[bool]
    on_hotkey: rx.EventHandler[passthrough_event_spec(str)]


class KeyHelp(rx.Component):
    """The React part of the list of keys."""

    library = scripts.HOTKEYS
    tag = "KeyHelp"
    acts: rx.Var[list[dict[str, str]]]
    label: rx.Var[str]
    letters: rx.Var[bool]
    on_text: rx.Var[str]
    off_text: rx.Var[str]
    off_href: rx.Var[str]
    change_text: rx.Var[str]
    close_text: rx.Var[str]


def hotkeys(
    keys: Sequence[str] = (),
    *,
    on_hotkey: Any = None,
    acts: Sequence[dict[str, str]] = (),
    letters: bool | rx.Var[bool] = True,
) -> rx.Component:
    """Listens for keys: those of `acts` (rows of `Key.row`) are done in the browser, `keys` are told to
    `on_hotkey(key)`. They rest while somebody types or a dialog is open; with `letters` false single letters always do.
    """
    handler = {"on_hotkey": on_hotkey} if on_hotkey else {}
    return Hotkeys.create(keys=list(keys), acts=list(acts), letters=letters, **handler)


def key_help(acts: Sequence[dict[str, str]], *, letters: bool | rx.Var[bool], settings_href: str) -> rx.Component:
    """The dialog that lists the keys valid now; opened by whatever carries `data_keys=""`."""
    return KeyHelp.create(
        acts=list(acts),
        letters=letters,
        label="Keys of this page",
        on_text="Single letters rest while you type.",
        off_text="Single letters are off.",
        off_href=settings_href,
        change_text="Change that",
        close_text="Close",
    )
