"""The quick log: what was done or is to do, written down in one place."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from crm_app.components.kit import scripts


class Composer(rx.Component):
    """The React part; it owns the draft, which outlives a reload."""

    library = scripts.COMPOSER
    tag = "Composer"
    kinds: rx.Var[list[dict[str, Any]]]
    people: rx.Var[list[dict[str, str]]]
    store: rx.Var[str]
    answer: rx.Var[dict[str, Any]]
    found: rx.Var[list[dict[str, str]]]
    on_mention: rx.EventHandler[passthrough_event_spec(str)]
    on_log: rx.EventHandler[passthrough_event_spec(dict)]


def composer(
    kinds: rx.Var, *, people: rx.Var, store: rx.Var | str, answer: rx.Var, on_log: Any, found: rx.Var, on_mention: Any
) -> rx.Component:
    """`kinds` are {"value", "label", "path" (24 px icon), "ask", "outcomes" [{"value", "label"}], "talk", "timed",
    "planned"}; `people` {"value", "label"}; `store` names the draft in the browser's store.

    While "@" and letters are typed, `on_mention(letters)` is answered in `found`: {"value", "label", "hint"} of
    colleagues. `on_log` gets {"kind", "text", "mentions" [{"id", "name"}], "who", "outcome", "minutes", "at" (local,
    empty for now), "store", "operation"} and is answered in `answer` as {"state": "saved" | "error", "message", "at"},
    where `at` differs from answer to answer. It may come twice with the same operation id (a UUID), when the line was
    lost; an answer of "saved" ends it.
    """
    return Composer.create(
        kinds=kinds, people=people, store=store, answer=answer, on_log=on_log, found=found, on_mention=on_mention
    )


class Remark(rx.Component):
    """The React part; it owns what is being changed."""

    library = scripts.REMARK
    tag = "Remark"
    id: rx.Var[str]
    text: rx.Var[str]
    mentions: rx.Var[list[dict[str, str]]]
    may_edit: rx.Var[bool]
    may_remove: rx.Var[bool]
    edited: rx.Var[bool]
    people: rx.Var[list[dict[str, str]]]
    answer: rx.Var[dict[str, Any]]
    on_search: rx.EventHandler[passthrough_event_spec(str)]
    on_edit: rx.EventHandler[passthrough_event_spec(str, str, list)]
    on_remove: rx.EventHandler[passthrough_event_spec(str)]


def remark(shown: rx.Component, **props: Any) -> rx.Component:
    """A comment as `shown`, which its author changes in place and deletes.

    `text` is what is edited, with "@<name>" for each of `mentions` ({"id", "name"}); `on_edit(id, text, mentions)` is
    answered in `answer`: {"id", "state": "saved" | "error", "message", "at"}. `people` answers `on_search(letters)`.
    """
    return Remark.create(shown, **props)
