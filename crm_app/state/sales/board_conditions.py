"""What a board shows, as a condition: saved views and lists hold that, the address of the board its own short words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_app.core import conditions, money
from crm_app.core.conditions import AllOf, AnyOf, Clause, Condition, Related, Token
from crm_app.models.sales.opportunities import Health, OpportunityStatus
from crm_app.state.sales import filters

_OPEN = OpportunityStatus.open.value
_ME = Token("me")
_HEALTH = {h.value for h in Health}


def condition_of(query: Mapping[str, str], currency: str) -> Condition:
    """Pipeline, filters and whether ends are shown. What cannot be read is left out."""
    parts: list[Condition] = []
    if pipeline := filters.pipeline_of(query):
        parts.append(Clause("pipeline_id", "eq", pipeline))
    if not query.get("ends"):
        parts.append(Clause("status", "eq", _OPEN))
    wanted = filters.parse(query, currency)
    if wanted.owners or filters.has_me(query):
        me = (_ME,) if filters.has_me(query) else ()
        parts.append(Clause("owner_id", "in", (*me, *sorted(str(o) for o in wanted.owners))))
    rest = replace(wanted, owners=(), health=tuple(sorted(wanted.health))).condition()
    if rest is not None:
        found = conditions.parse(rest)
        parts += found.items if isinstance(found, AllOf) else (found,)
    return AllOf(tuple(parts))


def query_of(whole: Condition, currency: str) -> tuple[dict[str, str], tuple[int, ...]]:
    """The condition in the words of the board's address, and the places of those of its parts that a board cannot
    hold."""
    query: dict[str, str] = {"ends": "1"}
    left: list[int] = []
    for place, part in enumerate(whole.items if isinstance(whole, AllOf) else (whole,)):
        found = _words(part, currency)
        if not found or found.keys() & (query.keys() - {"ends"}):
            left.append(place)
        else:
            query |= found
    return {k: v for k, v in query.items() if v}, tuple(left)


def canonical(query: Mapping[str, str], currency: str) -> dict[str, str]:
    """The same for whatever shows the same."""
    return query_of(condition_of(query, currency), currency)[0]


def _words(part: Condition, currency: str) -> dict[str, str]:
    """One part in the words of the address; empty when a board has none for it."""
    match part:
        case AnyOf((Clause("name", "contains", str(text)), Related("account", "some", inner))) if inner == Clause(
            "name", "contains", text
        ):
            return {"q": text}
        case Clause(field, op, value):
            return _clause(field, op, value, currency)
    return {}


def _clause(field: str, op: str, value: Any, currency: str) -> dict[str, str]:
    several = value if op == "in" and isinstance(value, tuple) else (value,) if op == "eq" else ()
    match field, op:
        case "amount_minor", "gte" | "lte" if isinstance(value, int):
            return {"min" if op == "gte" else "max": _amount(value, currency)}
        case "amount_minor", "between" if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
            return {"min": _amount(value[0], currency), "max": _amount(value[1], currency)}
        case "expected_close_on", "on_or_after" | "on_or_before" if _is_day(value):
            return {"from" if op == "on_or_after" else "until": str(value)}
        case "expected_close_on", "between" if isinstance(value, tuple) and all(_is_day(v) for v in value):
            return {"from": str(value[0]), "until": str(value[1])}
        case "tags", "has" if isinstance(value, str):
            return {"tag": value}
        case "owner_id", _ if several and all(v == _ME or not isinstance(v, Token) for v in several):
            return {"owner": ",".join(sorted((filters.ME if v == _ME else str(v)) for v in several))}
        case "health", _ if several and _HEALTH.issuperset(several):
            return {"health": ",".join(sorted(several))}
        case "pipeline_id", _ if len(several) == 1:
            return {"p": str(several[0])}
        case "status", _ if several == (_OPEN,):
            return {"ends": ""}
    return {}


def _amount(minor: int, currency: str) -> str:
    return f"{money.to_major(minor, currency):f}"


def _is_day(value: Any) -> bool:
    return not isinstance(value, Token | bool | int)
