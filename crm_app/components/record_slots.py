"""Places on the page of a record that other systems fill, without touching the page.

A tab: `record_tab("files", "Files", content)` in any module of components. What it shows lives in a state of its own,
which `state.record_parts.opens_with_record` fills with the record. Key figures of the head come from services: see
services.platform.figures. A part of the head, such as a button: `record_action(content, "contract")`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import reflex as rx

from crm_app.core.registry import Entity

Content = Callable[[Entity], rx.Component]


@dataclass(frozen=True)
class Tab:
    """`count` stands behind the label; `shown` hides the tab from those whom it is not for; tabs come by `place`:
    overview 0, timeline 10, related lists 20, files 30, history 90."""

    id: str
    label: str
    content: Content
    entities: frozenset[str]
    count: rx.Var | None = None
    shown: Callable[[Entity], rx.Var[bool]] | None = None
    place: int = 50


_tabs: dict[str, Tab] = {}
_actions: list[tuple[Content, frozenset[str]]] = []


def record_tab(
    id: str,
    label: str,
    content: Content,
    *entities: str,
    count: rx.Var | None = None,
    shown: Callable[[Entity], rx.Var[bool]] | None = None,
    place: int = 50,
) -> None:
    """A tab on the pages of these entities; of all, when none is named."""
    _tabs[id] = Tab(id, label, content, frozenset(entities), count, shown, place)


def record_action(content: Content, *entities: str) -> None:
    """Something in the head of the pages of these entities, before the menu."""
    if all(known is not content for known, _ in _actions):
        _actions.append((content, frozenset(entities)))


def tabs_of(entity: Entity) -> list[Tab]:
    mine = [t for t in _tabs.values() if not t.entities or entity.name in t.entities]
    return sorted(mine, key=lambda t: (t.place, t.label))


def actions_of(entity: Entity) -> list[rx.Component]:
    return [content(entity) for content, names in _actions if not names or entity.name in names]
