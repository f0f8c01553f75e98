"""Keys of the page."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Hotkeys(rx.Component):
    """The React part; only the listed keys leave the browser."""

    library = scripts.HOTKEYS
    tag = "Hotkeys"
    keys: rx.Var[list[str]]
    presses: rx.Var[dict[str, str]]
    letters: rx.Var[bool]
    on_hotkey: rx.EventHandler[passthrough_event_spec(str)]


def hotkeys(
    keys: list[str] | None = None,
    *,
    on_hotkey: Any = None,
    presses: dict[str, str] | None = None,
    letters: bool | rx.Var[bool] = True,
) -> rx.Component:
    """Listens for "c", "?", "mod+k" (Ctrl or Command) or "g p" (one after the other).

    `keys` are told to `on_hotkey(key)`; `presses` maps a key to the CSS selector of what it clicks, at once and
    without the server. Single keys rest while somebody types or a dialog is open, and with `letters` false always.
    """
    handler = {"on_hotkey": on_hotkey} if on_hotkey else {}
    return Hotkeys.create(keys=keys or [], presses=presses or {}, letters=letters, **handler)
