"""When two records are the same person or company: what a declaration says of it, and the points it comes to.

A trait is compared by its kind. Those with `keys` also find candidates: indexed columns hold their normalised values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rapidfuzz.distance import JaroWinkler

from crm_app.core.addresses import domain_of
from crm_app.core.text import digits, fold, name_key

SURE, CHECK = 70, 40  # points from which on a pair is in the band
_ALIKE = 0.8  # similarity of two names below which they are two names


class Band(StrEnum):
    sure = "sure"
    check = "check"


class Like(StrEnum):
    """How a trait is normalised and compared."""

    email = "email"
    phone = "phone"
    domain = "domain"
    name = "name"  # by similarity: the points shrink with it
    same = "same"  # plain equality: links
    text = "text"  # equality of folded text


@dataclass(frozen=True, slots=True)
class Trait:
    """`points` when it is the same, `against` (negative) when both have it and it differs. `tells`: that somebody has
    it is told even to those who may not see the record, for it should be unique."""

    label: str
    like: Like
    fields: tuple[str, ...]
    points: int
    against: int = 0
    keys: tuple[str, ...] = ()  # columns that hold its normalised value, one or one for each field
    tells: bool = False


@dataclass(frozen=True, slots=True)
class MatchRules:
    """`near` finds further candidates, for misspelt names: columns compared whole (0) or by their first n letters."""

    entity: str
    traits: tuple[Trait, ...]
    near: tuple[tuple[str, int], ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that decide, in the order of the traits."""
        return tuple(dict.fromkeys(f for t in self.traits for f in t.fields))


@dataclass(frozen=True, slots=True)
class Likeness:
    """`labels` of the traits that speak for it."""

    points: int
    labels: tuple[str, ...]

    @property
    def band(self) -> Band | None:
        return Band.sure if self.points >= SURE else Band.check if self.points >= CHECK else None


_rules: dict[str, MatchRules] = {}


def match(entity: str, *traits: Trait, near: tuple[tuple[str, int], ...] = ()) -> MatchRules:
    """Declare how duplicates of an entity are found; stands under its declaration."""
    rules = MatchRules(entity, traits, near)
    _rules[entity] = rules
    return rules


def rules_for(entity: str) -> MatchRules | None:
    return _rules.get(entity)


def matched_entities() -> tuple[str, ...]:
    return tuple(sorted(_rules))


def normalised(trait: Trait, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a record is compared and looked up; empty when it has none of it."""
    given = [values.get(f) for f in trait.fields]
    match trait.like:
        case Like.name:
            whole = name_key(" ".join(str(g) for g in given if g))
            return (whole,) if whole else ()
        case Like.domain:
            host = domain_of(*(str(g or "") for g in given))
            return (host,) if host else ()
        case Like.email | Like.text:
            texts = [fold(str(g)) for g in given if g]
            return tuple(t for t in texts if t)
        case Like.phone:
            return tuple(n for g in given if g and len(n := digits(str(g))) > 4)
        case _:
            return tuple(g for g in given if g is not None)


def likeness(rules: MatchRules, one: Mapping[str, Any], two: Mapping[str, Any]) -> Likeness:
    """The points of a pair, 0 at least. Works on fields as they are stored or typed."""
    points, labels = 0.0, []
    for trait in rules.traits:
        share = _share(trait, one, two)
        if share is None:
            continue
        if share > 0:
            points += trait.points * share
            if share > 0.5:
                labels.append(trait.label if share == 1 else f"similar {trait.label.removeprefix('same ')}")
        else:
            points += trait.against
    return Likeness(max(0, round(points)), tuple(labels))


def _share(trait: Trait, one: Mapping[str, Any], two: Mapping[str, Any]) -> float | None:
    """How much of the points: 1 the same, 0 another, None when one of the two has nothing to compare."""
    mine, theirs = normalised(trait, one), normalised(trait, two)
    if not mine or not theirs:
        return None
    if trait.like is Like.name:
        return _names(trait, one, two, mine[0], theirs[0])
    if trait.like is Like.phone:
        return 1.0 if _phones(trait, one) & _phones(trait, two) or _loosely(trait, one, two) else 0.0
    return 1.0 if set(mine) & set(theirs) else 0.0


def _names(trait: Trait, one: Mapping[str, Any], two: Mapping[str, Any], mine: str, theirs: str) -> float:
    if mine == theirs:
        return 1.0
    if len(trait.fields) > 1:
        words = [[w for f in trait.fields for w in fold(str(r.get(f) or "")).split()] for r in (one, two)]
        if sorted(words[0]) == sorted(words[1]):
            return 1.0
        if _is_initial(*words):
            return 0.6
    return max(0.0, (float(JaroWinkler.similarity(mine, theirs)) - _ALIKE) / (1 - _ALIKE))


def _is_initial(mine: list[str], theirs: list[str]) -> bool:
    """J. Weber and Jana Weber."""
    if len(mine) < 2 or len(theirs) < 2 or mine[-1] != theirs[-1]:
        return False
    short, long = sorted((mine[0].rstrip("."), theirs[0].rstrip(".")), key=len)
    return len(short) == 1 and long.startswith(short)


def _phones(trait: Trait, values: Mapping[str, Any]) -> set[str]:
    """Whole numbers with their country; another extension is another telephone."""
    texts = [str(values.get(f) or "").strip() for f in trait.fields]
    return {t for t in texts if t.startswith("+") and len(t) > 5}


def _loosely(trait: Trait, one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """By their last digits, where one of them has no country."""
    pairs = [(str(one.get(f) or ""), str(two.get(g) or "")) for f in trait.fields for g in trait.fields]
    loose = [(a, b) for a, b in pairs if a and b and not (a.startswith("+") and b.startswith("+"))]
    return any(len(digits(a)) > 4 and digits(a) == digits(b) for a, b in loose)
