"""The board: stages side by side, deals dragged between them, live.

The hand's part (drag, keyboard, selection, order before the server answered) is local JSX; the server sends one
snapshot and then small ops. docs/how-to/board-protocol.md describes both, and the answers to events.
"""

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventHandler, passthrough_event_spec

from crm_app.components.kit.icon_paths import PATHS
from crm_app.components.kit.kanban.labels import LABELS

_MODULES = (
    "column.jsx", "drag.js", "feed.js", "hooks.js", "keys.js", "menu.jsx", "model.js", "moves.js", "outbox.js",
    "parts.jsx", "quick_add.jsx", "selection.js",
)  # fmt: skip
_BOARD = rx.asset("board.jsx", shared=True)
for _module in _MODULES:
    rx.asset(_module, shared=True)

_ICONS = {
    "add": PATHS["add", 16, False],
    "more": PATHS["more_horizontal", 16, False],
    "dismiss": PATHS["dismiss", 16, False],
    "open": PATHS["open", 16, False],
    "check": PATHS["checkmark", 16, False],
    "up": PATHS["arrow_up", 16, False],
    "down": PATHS["arrow_down", 16, False],
    "won": PATHS["trophy", 20, False],
    "lost": PATHS["thumb_dislike", 20, False],
    "pipeline": PATHS["arrow_right", 20, False],
    "won_16": PATHS["trophy", 16, False],
    "lost_16": PATHS["thumb_dislike", 16, False],
    "pipeline_16": PATHS["arrow_right", 16, False],
}


class Kanban(rx.NoSSRComponent):
    """See `kanban`. Children are shown instead of the cards when no stage has any."""

    library = _BOARD.importable_path
    tag = "Kanban"

    columns: rx.Var[list[dict[str, Any]]]
    base: rx.Var[int]
    ops: rx.Var[list[dict[str, Any]]]
    card: rx.Var[Any]
    labels: rx.Var[dict[str, str]]
    icons: rx.Var[dict[str, str]]
    locked: rx.Var[str]
    ends: rx.Var[list[str]]
    can_add: rx.Var[bool]

    # ids, stage, index, id of the card above or None, {id: {"v": version, "s": stage}} as it was seen, operation id
    on_move: rx.EventHandler[passthrough_event_spec(list, str, int, str | None, dict, str)]
    # ids, "won" | "lost" | "pipeline", {id: {"v": version, "s": stage}} as it was seen, operation id
    on_close: rx.EventHandler[passthrough_event_spec(list, str, dict, str)]
    # stage, title, amount as typed, operation id
    on_add: rx.EventHandler[passthrough_event_spec(str, str, str, str)]
    # stage, id of the last loaded card or None
    on_load_more: rx.EventHandler[passthrough_event_spec(str, str | None)]
    on_resync: rx.EventHandler[rx.event.no_args_event_spec]
    # ids
    on_select: rx.EventHandler[passthrough_event_spec(list)]


def kanban(
    *children: rx.Component,
    columns: rx.Var[list[dict[str, Any]]],
    base: rx.Var[int],
    ops: rx.Var[list[dict[str, Any]]],
    card: Callable[..., rx.Component],
    on_move: EventHandler,
    on_close: EventHandler,
    on_add: EventHandler,
    on_load_more: EventHandler,
    on_resync: EventHandler,
    on_select: EventHandler | None = None,
    locked: rx.Var[str] | str = "",
    ends: rx.Var[list[str]] | list[str] | None = None,
    can_add: rx.Var[bool] | bool = True,
    labels: dict[str, str] | None = None,
) -> rx.Component:
    """The board of one pipeline.

    `base` is the number of the last op that `columns` already holds and changes with every snapshot; `card` an rx.memo
    with one parameter `deal`; `locked` why the reader may not move deals; `ends` what a drag may close with; `labels`
    texts that differ from LABELS. Handlers never wait in the browser for a lost connection: a card that went back must
    not move later.
    """
    handlers = {
        "on_move": on_move,
        "on_close": on_close,
        "on_add": on_add,
        "on_load_more": on_load_more,
        "on_resync": on_resync,
    }
    optional = {"on_select": on_select} if on_select is not None else {}
    return Kanban.create(
        *children,
        columns=columns,
        base=base,
        ops=ops,
        card=card,
        labels=LABELS | (labels or {}),
        icons=_ICONS,
        locked=locked,
        ends=["won", "lost", "pipeline"] if ends is None else ends,
        can_add=can_add,
        **{name: handler.temporal for name, handler in (handlers | optional).items()},
    )
