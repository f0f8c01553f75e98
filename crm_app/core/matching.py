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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record made ready to be compared with many, trait by trait."""

    keys: tuple[tuple[Any, ...], ...]
    more: tuple[Any, ...]  # of names the words, of phones the whole numbers


def prepared(rules: MatchRules, values: Mapping[str, Any]) -> Prepared:
    """Works on fields as they are stored or typed."""
    return Prepared(tuple(normalised(t, values) for t in rules.traits), tuple(_more(t, values) for t in rules.traits))


def _more(trait: Trait, values: Mapping[str, Any]) -> Any:
    texts = [str(values.get(f) or "") for f in trait.fields]
    if trait.like is Like.name:
        words = [w for t in texts for w in fold(t).split()] if len(trait.fields) > 1 else []
        return words, sorted(words)
    # Whole numbers with their country, and those without; another extension is another telephone.
    return {t.strip() for t in texts if len(digits(t)) > 4} if trait.like is Like.phone else None


def likeness(rules: MatchRules, one: Prepared, two: Prepared) -> Likeness:
    """The points of a pair, 0 at least."""
    points, labels = 0.0, []
    for place, trait in enumerate(rules.traits):
        mine, theirs = one.keys[place], two.keys[place]
        if not mine or not theirs:
            continue
        share = _share(trait, mine, theirs, one.more[place], two.more[place])
        if share > 0:
            points += trait.points * share
            if share > 0.5:
                labels.append(trait.label if share == 1 else f"similar {trait.label.removeprefix('same ')}")
        else:
            points += trait.against
    return Likeness(max(0, round(points)), tuple(labels))


def _share(trait: Trait, mine: tuple[Any, ...], theirs: tuple[Any, ...], my: Any, their: Any) -> float:
    """How much of the points: 1 the same, 0 another."""
    if trait.like is Like.name:
        return _names(mine[0], theirs[0], my, their)
    if not any(m in theirs for m in mine):
        return 0.0
    return 1.0 if trait.like is not Like.phone or _same_phone(my, their) else 0.0


def _names(mine: str, theirs: str, my: tuple[list[str], list[str]], their: Any) -> float:
    if mine == theirs or (my[1] and my[1] == their[1]):
        return 1.0
    if _is_initial(my[0], their[0]):
        return 0.6
    return max(0.0, (float(JaroWinkler.similarity(mine, theirs)) - _ALIKE) / (1 - _ALIKE))


def _is_initial(mine: list[str], theirs: list[str]) -> bool:
    """J. Weber and Jana Weber."""
    if len(mine) < 2 or len(theirs) < 2 or mine[-1] != theirs[-1]:
        return False
    short, long = sorted((mine[0].rstrip("."), theirs[0].rstrip(".")), key=len)
    return len(short) == 1 and long.startswith(short)


def _same_phone(mine: set[str], theirs: set[str]) -> bool:
    """The last digits agree already; two numbers with their country must agree as a whole."""
    return any(
        a == b if a.startswith("+") and b.startswith("+") else digits(a) == digits(b) for a in mine for b in theirs
    )
