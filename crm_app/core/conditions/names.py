"""Names in a condition: the field or relation that is meant, or a refusal that suggests the nearest one."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from crm_app.core import registry
from crm_app.core.errors import Invalid
from crm_app.core.registry import CUSTOM, Entity, FieldSpec, Relation


@dataclass(frozen=True, slots=True)
class Names:
    """What a viewer may name. `hidden` holds "entity.field" of what the role may not see: to it that does not exist."""

    hidden: frozenset[str] = frozenset()

    def fields(self, entity: Entity) -> dict[str, FieldSpec]:
        """Every field of the entity that a condition may name."""
        return {n: s for n, s in entity.fields.items() if not s.masked and f"{entity.name}.{n}" not in self.hidden}

    def field(self, entity: Entity, name: str) -> FieldSpec:
        if f"{entity.name}.{name}" not in self.hidden:
            spec = entity.fields.get(name)
            if spec is not None and spec.masked:
                raise Invalid(**{name: f"{spec.label} is masked for your role; it cannot be asked for"})
            if spec is not None:
                return spec
        known = self.fields(entity)
        near = _nearest(name, known, {s.label.lower(): n for n, s in known.items()})
        raise Invalid(**{name: f"{entity.label} has no such field{near or '; see the list of its fields'}"})

    def relation(self, entity: Entity, name: str) -> tuple[Relation, Entity]:
        known = {n: r for n, r in registry.relations(entity).items() if f"{entity.name}.{r.link}" not in self.hidden}
        if name in known:
            return known[name], entity.other(known[name].entity)
        remedy = _nearest(name, known, {}) or f"; it has {', '.join(sorted(known)) or 'none'}"
        raise Invalid(**{name: f"{entity.label} has no such relation{remedy}"})


def custom_key(name: str) -> str | None:
    """The key in the JSONB column, or None for a column of its own."""
    return name.removeprefix(CUSTOM) if name.startswith(CUSTOM) else None


def _nearest(name: str, known: Mapping[str, object], labels: Mapping[str, str]) -> str:
    found = get_close_matches(name, known, 1) or [labels[n] for n in get_close_matches(name.lower(), labels, 1)]
    return f"; did you mean '{found[0]}'?" if found else ""
