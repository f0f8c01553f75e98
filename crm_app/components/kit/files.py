"""A place to drop a file, or to choose one."""

from collections.abc import Iterable
from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


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
    on_done: rx.EventHandler[passthrough_event_spec(str, str, int)]
    on_fail: rx.EventHandler[passthrough_event_spec(str)]


def file_drop(
    label: str, *, url: str, endings: Iterable[str], largest: int, on_done: Any, on_fail: Any, hint: str = "",
    disabled: bool | rx.Var[bool] = False,
) -> rx.Component:  # fmt: skip
    """Sends one file with an ending like ".csv" and at most `largest` bytes as the body of a POST to `url`?name=...

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
        on_done=on_done,
        on_fail=on_fail,
    )
