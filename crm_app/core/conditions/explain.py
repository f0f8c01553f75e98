"""A condition as an English sentence, and a clause as the two halves of a filter chip."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_app.core import money
from crm_app.core.conditions.names import Names
from crm_app.core.conditions.operators import NUMBERS, OPERATORS, Takes, words
from crm_app.core.conditions.tree import AllOf, AnyOf, Clause, Condition, Not, Related, Token
from crm_app.core.dates import show_date, show_moment
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import label_of

NameOf = Callable[[FieldSpec, Any], str]  # the name of a linked record, or a label of one's own; "" for the usual one
_OF_ONE = {"in": "eq", "not_in": "ne", "has_any": "has"}  # a list of one is told as that one
SHOWN = 5  # values of a list that are told one by one


def explain(
    condition: Condition,
    entity: Entity,
    *,
    names: NameOf | None = None,
    currency: str = "USD",
    time_zone: str = "UTC",
) -> str:
    """ "Amount is more than € 10 000 and (type is Partner or has no activity where due date is before today)".

    Unknown names are told as they are: a sentence about a condition that no longer fits must still be readable.
    """
    text = _Speaker(Names(), names, currency, time_zone).node(condition, entity, top=True)
    return text[:1].upper() + text[1:]


def explain_clause(
    clause: Clause,
    entity: Entity,
    *,
    names: NameOf | None = None,
    currency: str = "USD",
    time_zone: str = "UTC",
) -> tuple[str, str]:
    """("Amount", "is more than € 10 000")."""
    return _Speaker(Names(), names, currency, time_zone).clause(clause, entity)


@dataclass(frozen=True, slots=True)
class _Speaker:
    names: Names
    name_of: NameOf | None
    currency: str
    time_zone: str

    def node(self, node: Condition, entity: Entity, *, top: bool = False) -> str:
        match node:
            case AllOf(()):
                return f"every {_small(entity.label)}" if top else "anything"
            case AnyOf(()):
                return "nothing"
            case AllOf(items) | AnyOf(items):
                joint = " and " if isinstance(node, AllOf) else " or "
                text = joint.join(self.node(i, entity) for i in items)
                return text if top or len(items) == 1 else f"({text})"
            case Not(item):
                text = self.node(item, entity)
                return f"not {text}" if text.startswith("(") and text.endswith(")") else f"not ({text})"
            case Related():
                return self.related(node, entity)
            case Clause():
                label, text = self.clause(node, entity)
                return f"{_small(label)} {text}"

    def related(self, node: Related, entity: Entity) -> str:
        try:
            relation, other = self.names.relation(entity, node.relation)
        except Invalid:
            return f"{node.quantifier} {node.relation} (no longer there)"
        noun = _small(other.label) if relation.many else _small(label_of(relation.link))
        if node.quantifier == "every":
            return f"for every {noun}, {self.node(node.item, other)}"
        article = "no" if node.quantifier == "none" else "an" if noun[:1] in "aeiou" else "a"
        where = "" if node.item == AllOf() else f" where {self.node(node.item, other)}"
        return f"has {article} {noun}{where}"

    def clause(self, node: Clause, entity: Entity) -> tuple[str, str]:
        try:
            spec = self.names.field(entity, node.field)
        except Invalid:
            return label_of(node.field.removeprefix("custom.")), f"{node.op.replace('_', ' ')} (no longer there)"
        if node.op not in OPERATORS:
            return spec.label, f"{node.op} (not understood)"
        verb, takes = words(spec.kind, node.op), OPERATORS[node.op].takes
        if spec.kind is Kind.flag and isinstance(node.value, bool):
            return spec.label, f"{verb} {'yes' if node.value else 'no'}"
        if takes is Takes.pair and (period := _period(node.value)):
            return spec.label, f"is in {period}"
        match takes:
            case Takes.nothing:
                return spec.label, verb
            case Takes.days:
                unit = "day" if node.value == 1 else "days"
                return spec.label, f"{verb} {node.value} {unit}"
            case Takes.pair if isinstance(node.value, tuple | list) and len(node.value) == 2:
                return spec.label, f"{verb} {self.value(spec, node.value[0])} and {self.value(spec, node.value[1])}"
            case Takes.list if isinstance(node.value, tuple | list):
                if len(node.value) == 1 and node.op in _OF_ONE:
                    verb = words(spec.kind, _OF_ONE[node.op])
                return spec.label, f"{verb} {self.several(spec, node.value)}"
        return spec.label, f"{verb} {self.value(spec, node.value)}"

    def several(self, spec: FieldSpec, values: tuple[Any, ...] | list[Any]) -> str:
        shown = [self.value(spec, v) for v in values[:SHOWN]]
        more = len(values) - len(shown)
        return f"{', '.join(shown)} and {more} more" if more else ", ".join(shown)

    def value(self, spec: FieldSpec, value: Any) -> str:
        if isinstance(value, Token):
            return _token(value)
        if self.name_of is not None and (name := self.name_of(spec, value)):
            return name
        if spec.kind in (Kind.choice, Kind.choices):
            return spec.choice_label(str(value))
        if spec.kind is Kind.link:
            return "a record"
        if spec.kind in (Kind.date, Kind.datetime):
            return self.time(value)
        if spec.kind in NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
            if spec.kind is Kind.money:
                return money.show(int(value), self.currency)
            text = f"{value:,}".replace(",", money.NNBSP)
            return f"{text}{money.NBSP}%" if spec.kind is Kind.percent else text
        return f"“{value}”" if isinstance(value, str) and spec.kind not in NUMBERS else str(value)

    def time(self, value: Any) -> str:
        """31 Jan 2026, with the time of day where the value has one."""
        try:
            if isinstance(value, str):
                value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return str(value)
        if isinstance(value, datetime):
            value = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(self.time_zone))
            return show_moment(value, self.time_zone)
        return show_date(value) if isinstance(value, date) else str(value)


def _token(token: Token) -> str:
    if token.name == "me":
        return "me"
    if token.name == "now":
        return "now"
    if token.name == "days_from_today":
        days = token.argument
        if days in (-1, 0, 1):
            return ("yesterday", "today", "tomorrow")[days + 1]
        return f"{abs(days)} days {'ago' if days < 0 else 'from today'}"
    offset, period = token.offset or 0, token.argument
    edge = "start" if token.name == "start_of" else "end"
    if offset in (-1, 0, 1):
        which = {-1: f"last {period}", 0: f"this {period}", 1: f"next {period}"}[offset]
        if period == "day":
            return ("yesterday", "today", "tomorrow")[offset + 1]
        return f"the {edge} of {which}"
    return f"the {edge} of the {period} {abs(offset)} {period}s {'ago' if offset < 0 else 'from now'}"


def _period(value: Any) -> str:
    """ "this month", when the value are its two ends."""
    match value:
        case (Token("start_of", a, x), Token("end_of", b, y)) if (a, x or 0) == (b, y or 0) and -1 <= (x or 0) <= 1:
            return f"{('last', 'this', 'next')[(x or 0) + 1]} {a}"
    return ""


def _small(label: str) -> str:
    """Label inside a sentence: "Close date" -> "close date", but "SLA breach" and "VAT" stay."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
