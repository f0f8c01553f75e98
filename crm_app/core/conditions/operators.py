"""Which operators a kind of field has, and what each takes. The one table for all readings."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from crm_app.core.registry import Kind


class Takes(StrEnum):
    nothing = "nothing"
    one = "one"
    list = "list"
    pair = "pair"
    days = "days"  # a whole number of days, 0 or more


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    words: str  # as a person reads it after the label of the field
    takes: Takes = Takes.one
    trigger: bool = False  # compares with the record as it was before; only where there is a before


_ALL = (
    Operator("eq", "is"),
    Operator("ne", "is not"),
    Operator("contains", "contains"),
    Operator("not_contains", "does not contain"),
    Operator("starts_with", "starts with"),
    Operator("in", "is any of", Takes.list),
    Operator("not_in", "is none of", Takes.list),
    Operator("lt", "is less than"),
    Operator("lte", "is at most"),
    Operator("gt", "is more than"),
    Operator("gte", "is at least"),
    Operator("between", "is between", Takes.pair),
    Operator("before", "is before"),
    Operator("after", "is after"),
    Operator("on_or_before", "is on or before"),
    Operator("on_or_after", "is on or after"),
    Operator("in_last_days", "is in the last", Takes.days),
    Operator("in_next_days", "is in the next", Takes.days),
    Operator("older_than_days", "is longer ago than", Takes.days),
    Operator("has", "has"),
    Operator("has_any", "has any of", Takes.list),
    Operator("has_none", "has none of", Takes.list),
    Operator("is_empty", "is empty", Takes.nothing),
    Operator("is_filled", "is filled in", Takes.nothing),
    Operator("changed", "changed", Takes.nothing, trigger=True),
    Operator("changed_to", "changed to", trigger=True),
)
OPERATORS: Mapping[str, Operator] = MappingProxyType({o.name: o for o in _ALL})

_EMPTY = ("is_empty", "is_filled")
_CHANGE = ("changed", "changed_to")
_TEXT = ("eq", "ne", "contains", "not_contains", "starts_with", "in", "not_in", *_EMPTY, *_CHANGE)
_NUMBER = ("eq", "ne", "lt", "lte", "gt", "gte", "between", "in", *_EMPTY, *_CHANGE)
_TIME = (
    *("eq", "before", "after", "on_or_before", "on_or_after", "between"),
    *("in_last_days", "in_next_days", "older_than_days", *_EMPTY, *_CHANGE),
)
_PICK = ("eq", "ne", "in", "not_in", *_EMPTY, *_CHANGE)

TEXTS = frozenset({Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url})
WHOLE_NUMBERS = frozenset({Kind.number, Kind.money, Kind.percent})
NUMBERS = WHOLE_NUMBERS | {Kind.decimal}

BY_KIND: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(TEXTS, _TEXT),
        **dict.fromkeys(NUMBERS, _NUMBER),
        Kind.date: _TIME,
        Kind.datetime: _TIME,
        Kind.choice: _PICK,
        Kind.link: _PICK,
        Kind.choices: ("has", "has_any", "has_none", *_EMPTY, "changed"),
        Kind.flag: ("eq", *_EMPTY, *_CHANGE),
        Kind.json: (),
    }
)


def operators_for(kind: Kind, *, trigger: bool = False) -> tuple[Operator, ...]:
    """In the order in which a builder offers them."""
    return tuple(o for o in (OPERATORS[n] for n in BY_KIND[kind]) if trigger or not o.trigger)


_TIME_WORDS = {"eq": "is on"}


def words(kind: Kind, op: str) -> str:
    """The operator as read after the label: "is more than", for a date "is on"."""
    if kind in (Kind.date, Kind.datetime) and op in _TIME_WORDS:
        return _TIME_WORDS[op]
    return OPERATORS[op].words
