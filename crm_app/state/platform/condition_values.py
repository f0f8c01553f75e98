"""The value of a comparison in the boxes of a builder, and back: always texts, `read` makes values of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_app.core import money
from crm_app.core.conditions import OPERATORS, Clause, Takes, Token
from crm_app.core.conditions.operators import NUMBERS, TEXTS
from crm_app.core.conditions.resolve import check_value
from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.core.fields import parse_value
from crm_app.core.registry import FieldSpec, Kind

WITHIN = "within"  # on screens alone: "is in this month" is kept as "between" its two ends
ME = "me"
_TIMES = (Kind.date, Kind.datetime)
_WHENS = [
    ("d:0", "today"), ("d:-1", "yesterday"), ("d:1", "tomorrow"), ("s:week:0", "the start of this week"),
    ("e:week:0", "the end of this week"), ("s:month:-1", "the start of last month"),
    ("s:month:0", "the start of this month"),
    ("e:month:0", "the end of this month"), ("s:quarter:0", "the start of this quarter"),
    ("e:quarter:0", "the end of this quarter"), ("s:year:0", "the start of this year"),
    ("e:year:0", "the end of this year"),
    ("ago", "days ago …"), ("ahead", "days from today …"), ("day", "a day …"),
]  # fmt: skip
_PERIODS = [
    (f"{period}:{by}", f"{word} {period}")
    for period in ("week", "month", "quarter", "year")
    for by, word in ((0, "this"), (-1, "last"), (1, "next"))
]
_ASKS = {
    "text": "Enter a text", "number": "Enter a number", "money": "Enter an amount", "percent": "Enter a percentage",
    "days": "Enter a number of days", "choice": "Choose one", "link": "Choose one", "flag": "Choose yes or no",
    "when": "Choose a day", "period": "Choose a period",
}  # fmt: skip


def is_choosing(spec: FieldSpec) -> bool:
    """Whether its values are of this field alone, so that another field cannot take them over."""
    return spec.kind in (Kind.choice, Kind.choices, Kind.link)


def op_of(clause: Clause) -> str:
    return WITHIN if _period(clause) else clause.op


def _period(clause: Clause) -> str:
    """ "month:-1" when the clause is between the two ends of one period."""
    match clause:
        case Clause(op="between", value=(Token("start_of", a, x), Token("end_of", b, y))) if (a, x or 0) == (b, y or 0):
            return f"{a}:{x or 0}"
    return ""


def takes_of(clause: Clause) -> Takes:
    return OPERATORS[clause.op].takes if clause.op in OPERATORS else Takes.one


def kind_of_box(spec: FieldSpec, clause: Clause) -> str:
    takes = takes_of(clause)
    if takes is Takes.nothing:
        return "none"
    if takes is Takes.days:
        return "days"
    if spec.kind in _TIMES:
        return "period" if _period(clause) else "when"
    if spec.kind in (Kind.money, Kind.percent):
        return spec.kind.value
    if spec.kind in NUMBERS:
        return "number"
    return {Kind.choice: "choice", Kind.choices: "choice", Kind.link: "link", Kind.flag: "flag"}.get(spec.kind, "text")


def box_of(spec: FieldSpec, clause: Clause, actor: Actor, titles: Mapping[str, str]) -> dict[str, Any]:
    """{"box", "takes", "value" (a text, or a list of them), "options", "labels", "unit"}."""
    box, takes, value = kind_of_box(spec, clause), takes_of(clause), clause.value
    if box == "period":
        shown: Any = _period(clause)
        takes = Takes.one
    elif takes in (Takes.list, Takes.pair):
        given = list(value) if isinstance(value, tuple | list) else []
        shown = [_text(spec, v, actor) for v in given]
        shown = [*shown, "", ""][:2] if takes is Takes.pair else shown
    else:
        shown = "" if value is None else _text(spec, value, actor)
    several = shown if isinstance(shown, list) else [shown]
    return {
        "box": box,
        "takes": takes.value,
        "value": shown,
        "options": _options(spec, box, several),
        "labels": {v: titles.get(v, "") or "A record" for v in several if v and box == "link"} | {ME: "Me"},
        "unit": {"money": money.symbol(actor.currency), "percent": "%", "days": "days"}.get(box, ""),
    }


def _options(spec: FieldSpec, box: str, shown: list[str]) -> list[dict[str, str]]:
    match box:
        case "choice":
            known = [(c.value, c.label) for c in spec.choices]
        case "flag":
            known = [("yes", "yes"), ("no", "no")]
        case "period":
            known = _PERIODS
        case "when":
            known = _WHENS
        case "link" if spec.target == "user":
            known = [(ME, "Me")]
        case _:
            return []
    found = [{"value": v, "label": label, "hint": ""} for v, label in known]
    if box in ("choice", "period"):
        found += [{"value": v, "label": v, "hint": ""} for v in shown if v and v not in dict(known)]
    return found


def _text(spec: FieldSpec, value: Any, actor: Actor) -> str:
    if isinstance(value, Token):
        return _token_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if spec.kind is Kind.money and isinstance(value, int):
        return f"{money.to_major(value, actor.currency):f}"
    if spec.kind in _TIMES and not isinstance(value, int):
        return f"day:{str(value)[:10]}" if value else ""
    return str(value)


def _token_text(token: Token) -> str:
    match token:
        case Token("me"):
            return ME
        case Token("now"):
            return "d:0"
        case Token("days_from_today", int(days)):
            return f"d:{days}" if -1 <= days <= 1 else f"ago:{-days}" if days < 0 else f"ahead:{days}"
        case Token(name, period, offset):
            return f"{name[0]}:{period}:{offset or 0}"
    return ""


def read(spec: FieldSpec, op: str, raw: Any, actor: Actor) -> Any:
    """A value for a clause from the texts of its boxes. What cannot be read stays a text, for `wrong` to tell."""
    takes = OPERATORS[op].takes if op in OPERATORS else Takes.one
    if spec.kind in _TIMES and op == "between" and isinstance(raw, str):
        period, _, by = raw.partition(":")
        if (f"{period}:{by}", "") in {(v, "") for v, _ in _PERIODS}:
            return Token("start_of", period, int(by)), Token("end_of", period, int(by))
        return None
    if takes is Takes.nothing:
        return None
    if takes in (Takes.list, Takes.pair):
        texts = [str(t)[:1000] for t in raw][:1000] if isinstance(raw, list) else [str(raw)[:1000]]
        if takes is Takes.pair:
            return tuple(_value(spec, t, actor) for t in (*texts, "", "")[:2])
        return tuple(dict.fromkeys(_value(spec, t, actor) for t in texts if t.strip())) or None
    text = str(raw[0] if isinstance(raw, list) and raw else raw)[:1000]
    if takes is Takes.days:
        return int(text) if text.strip().isdecimal() and len(text.strip()) < 6 else text.strip() or None
    value = _value(spec, text, actor)
    return None if value == "" else value


def _value(spec: FieldSpec, text: str, actor: Actor) -> Any:
    text = text.strip()
    if not text or spec.kind in TEXTS or spec.kind in (Kind.choice, Kind.choices):
        return text
    if spec.kind is Kind.link:
        return Token("me") if text == ME and spec.target == "user" else text
    if spec.kind is Kind.flag:
        return text == "yes"
    if spec.kind in _TIMES:
        return _when(text)
    open_ended = replace(spec, required=False, minimum=None, maximum=None)
    try:
        value = parse_value(open_ended, text, currency=actor.currency, time_zone=actor.time_zone)
    except ValueError:
        return text
    return str(value) if spec.kind is Kind.decimal else value


def _when(text: str) -> Any:
    """ "ago:30" -> 30 days ago; "day:2026-01-31" -> that day."""
    name, _, rest = text.partition(":")
    if name in ("d", "ago", "ahead"):
        try:
            days = int(rest)
        except ValueError:
            return text
        return Token("days_from_today", -days if name == "ago" else days) if abs(days) <= 36_500 else text
    if name in ("s", "e"):
        period, _, by = rest.partition(":")
        if f"{name}:{period}:{by}" in dict(_WHENS) or (f"{period}:{by}") in dict(_PERIODS):
            return Token("start_of" if name == "s" else "end_of", period, int(by))
        return text
    return rest if name == "day" else text


def with_op(spec: FieldSpec, clause: Clause, op: str) -> Clause:
    """Another operator; the value stays as far as it fits."""
    if op == WITHIN:
        kept = clause.value if _period(clause) else (Token("start_of", "month", 0), Token("end_of", "month", 0))
        return Clause(clause.field, "between", kept)
    if op not in OPERATORS:
        raise Invalid("There is no such operator.")
    before, after, value = takes_of(clause), OPERATORS[op].takes, clause.value
    several = isinstance(value, tuple | list)
    if after is Takes.nothing or (Takes.days in (before, after) and before is not after) or _period(clause):
        value = None
    elif after in (Takes.list, Takes.pair) and not several:
        value = None if value in (None, "") else (value,) if after is Takes.list else (value, "")
    elif after is Takes.pair and before is not Takes.pair:
        value = (*value, "", "")[:2]
    elif after is Takes.list and several:
        value = tuple(v for v in value if v != "") or None
    elif after is Takes.one and several:
        value = value[0] if value and value[0] != "" else None
    return Clause(clause.field, op, True if spec.kind is Kind.flag and value is None and after is Takes.one else value)


def wrong(spec: FieldSpec, clause: Clause) -> str:
    """What is missing or cannot be read, in words for the person who types it; empty when it can run."""
    takes, box, value = takes_of(clause), kind_of_box(spec, clause), clause.value
    if takes is not Takes.nothing:
        if value in (None, "", ()):
            return _ASKS[box] if takes is not Takes.list or box not in ("choice", "link") else "Choose at least one"
        if takes is Takes.pair and "" in value:
            return "Fill in both"
    unread = [v for v in (value if isinstance(value, tuple | list) else (value,)) if isinstance(v, str)]
    if box in ("number", "money", "percent", "days") and spec.kind is not Kind.decimal and unread:
        return f"“{unread[0][:40]}” cannot be read. {_ASKS[box]}"
    try:
        check_value(spec, clause)
    except Invalid as error:
        if takes is Takes.pair:
            return "The first must not be more than the second"
        return f"{_ASKS[box]}" if box in ("when", "number", "flag") else str(error)
    return ""
