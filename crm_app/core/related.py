"""What is shown beside a record: the records of other entities that point to it, worked out from their links.

`arrange` says it better where the plain declaration is not enough; it is called under the table that points.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_app.core import registry
from crm_app.core.conditions import Condition
from crm_app.core.registry import Entity

_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class RelatedList:
    """Records of `entity` whose `link` leads here; `id` is the name of the relation.

    `columns` begin with the title and are those of a tab of its own (`is_tab`); `brief` are those of the card of the
    overview, which shows those that satisfy `only`, under `card`. `order` sorts them; places count from the left.
    """

    id: str
    entity: str
    link: str
    title: str
    columns: tuple[str, ...]
    brief: tuple[str, ...]
    card: str
    only: Condition | None = None
    order: str = ""
    card_order: str = ""  # of the card, where it is another
    is_tab: bool = False
    place: int = 50


_arranged: dict[tuple[str, str], dict[str, Any]] = {}
_ELSEWHERE: set[tuple[str, str]] = set()


def arrange(entity_name: str, relation: str, **how: object) -> None:
    """How the records of a relation stand on the page of `entity_name`; `how` are fields of RelatedList."""
    _arranged[entity_name, relation] = how


def elsewhere(entity_name: str, relation: str) -> None:
    """Not as a list: the page shows these records in a way of its own."""
    _ELSEWHERE.add((entity_name, relation))


def related_lists(entity: Entity) -> list[RelatedList]:
    """In the order of the page. Without what this actor sees nothing of, when `entity` is as somebody sees it."""
    found = [
        _list(entity, name, entity.other(r.entity), r.link)
        for name, r in registry.relations(entity).items()
        if r.many and (entity.name, name) not in _ELSEWHERE
    ]
    return sorted(found, key=lambda r: (r.place, r.title))


def _list(entity: Entity, name: str, other: Entity, link: str) -> RelatedList:
    title = other.plural if "_by_" not in name else f"{other.plural}: {other.fields[link].label.lower()}"
    columns = (other.title, *(n for n in other.columns if n not in (other.title, link)))[:_COLUMNS]
    plain = RelatedList(name, other.name, link, title, columns, columns[:4], title)
    how = _arranged.get((entity.name, name), {})
    made = replace(plain, **how)
    if "title" in how and "card" not in how:
        made = replace(made, card=made.title)
    return replace(made, columns=_known(other, made.columns), brief=_known(other, made.brief))


def _known(other: Entity, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(n for n in names if n in other.fields)
