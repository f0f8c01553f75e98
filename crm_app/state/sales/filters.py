"""The board's address: which pipeline, narrowed to what. The query string and the view that it names hold it alone."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from crm_app.core import money
from crm_app.models.sales.opportunities import Health
from crm_app.services.sales.board import Filters

HEALTH = {"good": "On track", "risk": "No next step", "overdue": "Overdue"}
ME = "me"  # among the owners: whoever looks
NOTHING = "-"  # in addresses: without what the view has
KEYS = ("owner", "q", "min", "max", "from", "until", "tag", "health")
_ALL = (*KEYS, "ends")


def parse(query: Mapping[str, str], currency: str, me: UUID | None = None) -> Filters:
    """Filters of a query string, for `me`. What cannot be read is left out: an old link opens the board, not an
    error."""
    named = (me if v == ME else _uuid(v) for v in query.get("owner", "").split(","))
    return Filters(
        owners=tuple(dict.fromkeys(u for u in named if u)),
        text=query.get("q", "").strip()[:100],
        least_minor=_amount(query.get("min", ""), currency),
        most_minor=_amount(query.get("max", ""), currency),
        closes_from=_day(query.get("from", "")),
        closes_until=_day(query.get("until", "")),
        tag=query.get("tag", "").strip()[:60],
        health=tuple(h for h in query.get("health", "").split(",") if h in {x.value for x in Health}),
    )


def has_me(query: Mapping[str, str]) -> bool:
    return ME in query.get("owner", "").split(",")


def pipeline_of(query: Mapping[str, str]) -> str:
    """Its id; empty for the first, or what is none."""
    return str(_uuid(query.get("p", "")) or "")


def address(pipeline_id: str, query: Mapping[str, str]) -> str:
    """/pipeline with its query string, empty parts left out, in a stable order."""
    parts = {"view": query.get("view", ""), "p": pipeline_id} | {k: query[k] for k in _ALL if query.get(k)}
    given = urlencode({k: v for k, v in parts.items() if v}, safe=",")
    return f"/pipeline?{given}" if given else "/pipeline"


def over(base: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """A view with what the address says differently."""
    found = {k: asked.get(k, base.get(k, "")) for k in ("p", *_ALL)}
    return {k: v for k, v in found.items() if v and v != NOTHING}


def without(query: Mapping[str, str], key: str) -> dict[str, str]:
    gone = {"value": ("min", "max"), "closes": ("from", "until")}.get(key, (key,))
    return {k: v for k, v in query.items() if k not in gone}


def chips(filters: Filters, owner_names: Mapping[UUID, str], currency: str) -> list[dict[str, str]]:
    """What the filter bar shows: {"key", "label", "text"}."""
    found: list[dict[str, str]] = []

    def add(key: str, label: str, text: str) -> None:
        found.append({"key": key, "label": label, "text": text})

    if filters.text:
        add("q", "Contains", filters.text)
    if filters.owners:
        add("owner", "Owner", ", ".join(owner_names.get(o, "somebody") for o in filters.owners))
    low, high = filters.least_minor, filters.most_minor
    if low is not None or high is not None:
        add("value", "Value", _range(money.show(low, currency), money.show(high, currency)))
    if filters.closes_from or filters.closes_until:
        add("closes", "Close date", _range(_said(filters.closes_from), _said(filters.closes_until)))
    if filters.tag:
        add("tag", "Tag", filters.tag)
    if filters.health:
        add("health", "Health", ", ".join(HEALTH[h] for h in filters.health))
    return found


def _range(low: str, high: str) -> str:
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"until {high}"


def _said(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _amount(text: str, currency: str) -> int | None:
    try:
        return money.parse_amount(text, currency) if text else None
    except ValueError:
        return None
