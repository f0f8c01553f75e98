"""What other systems show on the page of a record: each has a state of its own, which is opened with the record.

The component is registered beside it: see components.record_slots.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_app.core.registry import Entity
from crm_app.state.base import AppState
from crm_app.store.uow import UnitOfWork

# async (page, uow, entity, values): `await page.get_state(Mine)` has the state to fill; `values` are those of the
# record, which the actor may see. Called at every reading of the page.
Opens = Callable[[AppState, UnitOfWork, Entity, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Part:
    opens: Opens
    entities: frozenset[str]  # empty: of every entity
    about: frozenset[str]


_parts: list[Part] = []


def opens_with_record(*entities: str, about: tuple[str, ...] = ()) -> Callable[[Opens], Opens]:
    """Register a part of the pages of these entities (of all, when none is named). `about` are names in the live feed
    under which a change of the part is told with the id of the record: the page is then read anew."""

    def register(fn: Opens) -> Opens:
        if all(known.opens is not fn for known in _parts):
            _parts.append(Part(fn, frozenset(entities), frozenset(about)))
        return fn

    return register


def parts_of(entity_name: str) -> list[Part]:
    return [p for p in _parts if not p.entities or entity_name in p.entities]


def topics_of(entity_name: str) -> frozenset[str]:
    """Names in the live feed that concern a page of this entity by the id of its record."""
    return frozenset(t for p in parts_of(entity_name) for t in p.about)
