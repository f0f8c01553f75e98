"""Places to drop files, or to choose them."""

from collections.abc import Iterable
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts
from crm_app.components.kit.icon_paths import PATHS


class FileDrop(rx.Component):
    """The React part; it sends the file and shows how far it is."""

    library = scripts.FILE_DROP
    tag = "FileDrop"
    url: rx.Var[str]
    accept: rx.Var[str]
    largest: rx.Var[int]
    label: rx.Var[str]
    hint: rx.Var[str]
    disabled: rx.Var[bool]
    multiple: rx.Var[bool]
    on_done: rx.EventHandler[passthrough_event_spec(str, str, int)]
    on_fail: rx.EventHandler[passthrough_event_spec(str)]


def file_drop(
    label: str, *, url: str, endings: Iterable[str], largest: int, on_done: Any, on_fail: Any, hint: str = "",
    disabled: bool | rx.Var[bool] = False, multiple: bool = False,
) -> rx.Component:  # fmt: skip
    """Sends a file with an ending like ".csv" and at most `largest` bytes as the body of a POST to `url`?name=...;
    `multiple` takes several, sent one after the other.

    The route answers 201 with {"id", "name", "size"}, which `on_done(id, name, size)` is told; `on_fail(message)` is
    told why it did not work.
    """
    return FileDrop.create(
        label=label,
        url=url,
        accept=",".join(sorted(endings)),
        largest=largest,
        hint=hint,
        disabled=disabled,
        multiple=multiple,
        on_done=on_done,
        on_fail=on_fail,
    )


class Attach(rx.Component):
    """The React part; it owns what is on its way."""

    library = scripts.ATTACH
    tag = "Attach"
    title: rx.Var[str]
    label: rx.Var[str]
    count: rx.Var[int]
    url: rx.Var[str]
    largest: rx.Var[int]
    can: rx.Var[bool]
    known: rx.Var[list[str]]
    icons: rx.Var[dict[str, str]]
    on_sent: rx.EventHandler[passthrough_event_spec(str, str)]


def attach(
    *listed: rx.Component, title: str, count: rx.Var[int], url: rx.Var[str], largest: int, can: rx.Var[bool],
    known: rx.Var[list[str]], on_sent: Any, label: str = "Attach",
) -> rx.Component:  # fmt: skip
    """A card that takes files by button, drop and paste, around `listed`, what is there already.

    Each goes as the body of a POST to `url`?name=..., which answers 201 with {"id", "name"}; `on_sent(id, name)` is
    told then, and the line of its progress goes when the id is among `known`. `largest` in bytes.
    """
    icons = {name: PATHS[name, 16, False] for name in ("attach", "dismiss")}
    return Attach.create(
        *listed, title=title, label=label, count=count, url=url, largest=largest, can=can, known=known, icons=icons,
        on_sent=on_sent,
    )  # fmt: skip
