"""What a change is about: the draft a guard looks at, and the fact that tells of it afterwards."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_app.core.conditions import stored
from crm_app.core.events import RecordFact, plain
from crm_app.core.registry import Entity


@dataclass(frozen=True, kw_only=True)
class RecordChanged(RecordFact):
    """<entity>.created | updated | deleted | restored, with {"field": [old, new]}."""

    diff: dict[str, Any] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        return {"diff": plain(self.diff)}


@dataclass
class Draft:
    """A create (`before` is None) or an update on its way. A guard reads it, fills what follows from it into `values`,
    or refuses with Invalid. It changes nothing else."""

    entity: Entity
    values: dict[str, Any]
    before: Any = None

    def get(self, name: str) -> Any:
        """The value as it will be."""
        return self.values[name] if name in self.values else self.was(name)

    def was(self, name: str) -> Any:
        """The value as it stands; None on a new record."""
        return None if self.before is None else value_of(self.entity, self.before, name)

    def touches(self, *names: str) -> bool:
        """Whether one of these fields will be another than before."""
        return any(n in self.values and (self.before is None or self.values[n] != self.was(n)) for n in names)


def value_of(entity: Entity, record: Any, name: str) -> Any:
    """The typed value of a field of a record, whether it has a column or stands among the custom ones; None of a
    formula, which is worked out where it is read."""
    spec = entity.fields.get(name)
    if spec is None or not spec.custom:
        return getattr(record, name, None)
    return stored.load(spec.kind, (record.custom or {}).get(spec.key))


Guard = Callable[[Any, Draft], Awaitable[None]]  # async (uow, draft) -> None
_guards: dict[str, list[Guard]] = defaultdict(list)


def guards(entity_name: str) -> Callable[[Guard], Guard]:
    """Register the rules of an entity; they run before every create, update and delete, whoever asks for it. A delete
    is a draft with `deleted_at`."""

    def register(fn: Guard) -> Guard:
        if fn not in _guards[entity_name]:
            _guards[entity_name].append(fn)
        return fn

    return register


def guards_of(entity_name: str) -> tuple[Guard, ...]:
    return tuple(_guards.get(entity_name, ()))


def diff_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {k: [before.get(k), v] for k, v in after.items() if before.get(k) != v}
