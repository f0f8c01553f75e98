"""Key figures in the head of a record: each system that has one registers it, and the page shows what there is."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm_app.core.conditions import Condition
from crm_app.core.registry import Entity
from crm_app.store.uow import UnitOfWork


class Measure(StrEnum):
    money = "money"  # a mapping of currency -> minor units
    number = "number"
    moment = "moment"  # UTC; None is "never"
    percent = "percent"
    day = "day"
    text = "text"


@dataclass(frozen=True, slots=True)
class Figure:
    """`note` stands small beside it, `tone` is good, risk, over or muted. `entity` and `filter` name the records behind
    it, where there are any to be listed."""

    label: str
    measure: Measure
    value: Any
    note: str = ""
    tone: str = ""
    entity: str = ""
    filter: Condition | None = None


Source = Callable[[UnitOfWork, Entity, Mapping[str, Any]], Awaitable[Sequence[Figure]]]
_sources: dict[str, list[tuple[int, Source]]] = defaultdict(list)


def figures(*entity_names: str, place: int = 50) -> Callable[[Source], Source]:
    """Register `async (uow, entity, values) -> figures` for records of these entities; `values` are those of the page.
    It asks for the rights of what it counts, and leaves a figure out where the role has none."""

    def register(fn: Source) -> Source:
        for name in entity_names:
            if all(known is not fn for _, known in _sources[name]):
                _sources[name].append((place, fn))
        return fn

    return register


async def figures_of(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> list[Figure]:
    """Of a record that the caller has read, in the order of their places."""
    found: list[Figure] = []
    for _, source in sorted(_sources.get(entity.name, ()), key=lambda s: s[0]):
        found += await source(uow, entity, values)
    return found
