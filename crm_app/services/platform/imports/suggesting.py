"""Which column of a file most likely fills which field: by its heading, then by headings that resemble it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from crm_app.core import registry
from crm_app.core.context import Actor
from crm_app.core.registry import Entity, FieldSpec
from crm_app.core.text import fold
from crm_app.services.platform.imports.mapping import importable
from crm_app.services.platform.imports.rules import rules_of

_ALIKE = 0.84  # "Acount name" is the account's name; "Street" is not the stage
_SUFFIXES = ("_id", "_minor", "_on", "_at")


class Sureness(StrEnum):
    exact = "exact"
    alike = "alike"
    none = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`field` is empty when no field fits the column."""

    field: str = ""
    sureness: Sureness = Sureness.none


def fields_for(actor: Actor, entity: Entity) -> list[FieldSpec]:
    """What a file may fill and the actor may write: as in the form, then the rest by label."""
    fields = importable(entity, rules_of(entity.name))
    form = [name for section in entity.form for name in section.fields if name in fields]
    rest = sorted((n for n in fields if n not in form), key=lambda n: fold(fields[n].label))
    closed = actor.hidden_fields | actor.masked_fields | actor.fixed_fields
    return [fields[n] for n in [*form, *rest] if f"{entity.name}.{n}" not in closed]


def suggest(entity: Entity, fields: Sequence[FieldSpec], headings: Sequence[str]) -> dict[str, Suggestion]:
    """Heading -> suggestion; each field is suggested once, to the heading that fits it best."""
    known = _known_headings(entity, fields)
    found: dict[str, Suggestion] = {h: Suggestion() for h in headings}
    taken: set[str] = set()
    for heading in headings:
        name = known.get(plain(heading))
        if name and name not in taken:
            found[heading] = Suggestion(name, Sureness.exact)
            taken.add(name)
    for heading in headings:
        open_headings = {k: n for k, n in known.items() if n not in taken}
        if found[heading].field or len(plain(heading)) < 4:
            continue
        best = process.extractOne(
            plain(heading),
            list(open_headings),
            scorer=DamerauLevenshtein.normalized_similarity,
            score_cutoff=_ALIKE,
        )
        if best:
            found[heading] = Suggestion(open_headings[best[0]], Sureness.alike)
            taken.add(open_headings[best[0]])
    return found


def _known_headings(entity: Entity, fields: Sequence[FieldSpec]) -> dict[str, str]:
    """Plain heading -> field. What comes first stays: a field's own name before another one's by-name."""
    known: dict[str, str] = {}
    ways: list[Mapping[str, Sequence[str]]] = [
        {f.name: (f.label, f.name, *(f.name.removesuffix(s) for s in _SUFFIXES)) for f in fields},
        rules_of(entity.name).headings,
        {
            f.name: (f"{entity.label} {f.label}", f"{registry.get(f.target).label} name" if f.target else "")
            for f in fields
        },
    ]
    allowed = {f.name for f in fields}
    for way in ways:
        for name, spellings in way.items():
            for spelling in spellings:
                if name in allowed and (short := plain(spelling)):
                    known.setdefault(short, name)
    return known


def plain(heading: str) -> str:
    """ "E-Mail Address" -> "emailaddress" """
    return re.sub(r"[\W_]+", "", fold(heading))
