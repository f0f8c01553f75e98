"""Rows of the board as the small dictionaries the browser gets: texts, already formatted, under short names.

docs/how-to/board-protocol.md lists the names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from crm_app.core import money
from crm_app.core.context import Actor
from crm_app.core.text import initials, tint
from crm_app.models.sales.opportunities import Health
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.sales.board import Board, Column, Totals
from crm_app.services.sales.health import is_rotting

_OFTEN_ALIKE = ("p", "c", "d", "n", "nk", "nt")  # parts that many cards of a stage have in common
_OF_THE_STAGE = frozenset({"s", "o", "on", "ot"})  # parts that the column says for its cards
VERBS = {"call": "Call", "email": "Mail", "meeting": "Meeting", "task": "Task", "note": "Note"}


@lru_cache(maxsize=4096)
def short_day(day: date, today: date) -> str:
    """30 Nov, or 30 Nov 27 when it is another year and not near."""
    near = abs((day - today).days) < 330
    return f"{day.day} {day:%b}" if near else f"{day.day} {day:%b %y}"


def card(row: Mapping[str, Any], viewer: Actor, now: datetime, rotting_days: int | None) -> dict[str, Any]:
    """One deal as a card; empty parts are left out, and what the viewer's role does not see is empty."""
    today = viewer.day_of(now)
    closes: date | None = row["expected_close_on"]
    days = (now - row["stage_entered_at"]).days
    found: dict[str, Any] = {
        "id": str(row["id"]),
        "v": row["version"],
        "s": str(row["stage_id"]),
        "k": row["position"],
        "t": row["name"],
        "a": row["account_name"],
        "m": money.show(row["amount_minor"], row["currency"], cents=False),
        "c": short_day(closes, today) if closes else "",
        "d": f"{days} d",
        "o": initials(row["owner_name"]),
        "on": row["owner_name"],
        "ot": tint(row["owner_name"]),
        "p": "" if row["probability"] is None else f"{row['probability']} %",
    }
    if closes and closes < today:
        found["co"] = True
    if is_rotting(now=now, stage_entered_at=row["stage_entered_at"], rotting_days=rotting_days):
        found["dr"] = True
    return found | _next_activity(row, viewer, now, today)


def _next_activity(row: Mapping[str, Any], viewer: Actor, now: datetime, today: date) -> dict[str, Any]:
    """The badge of the next activity: what and when, its icon and its tone."""
    due: datetime | None = row["next_activity_at"]
    if due is None:
        return {"n": "No next step", "nk": "none", "nt": "risk"}
    local = due.astimezone(ZoneInfo(viewer.time_zone))
    kind = row["next_activity_kind"]
    verb = VERBS.get(kind, row["next_activity_subject"] or "Activity")
    if due < now:
        late = (today - local.date()).days
        return {"n": f"Overdue {late} d" if late else "Overdue", "nk": kind, "nt": "over"}
    if local.date() == today:
        at = "" if (local.hour, local.minute) == (0, 0) else f" {local:%H:%M}"
        return {"n": f"{verb} today{at}", "nk": kind, "nt": "good"}
    if local.date() - today < timedelta(days=7):
        return {"n": f"{verb} on {local:%a}", "nk": kind, "nt": ""}
    return {"n": f"{verb} {short_day(local.date(), today)}", "nk": kind, "nt": ""}


def totals(found: Totals, currency: str) -> dict[str, Any]:
    """Count, sums and the bar of a column. The workspace's currency leads; others are named, never added to it."""
    sums = sorted(found.sums, key=lambda s: s.currency != currency)
    lead = sums[0] if sums else None
    more = "".join(f" + {money.show_short(s.amount_minor, s.currency)}" for s in sums[1:] if s.amount_minor is not None)
    shares = {h.value: found.by_health.get(h.value, 0) / 100 for h in Health}
    names = {"good": "On track", "risk": "at risk", "overdue": "overdue"}
    said = (
        ", ".join(f"{names[k]} {money.show_short(int(v * 100), lead.currency)}" for k, v in shares.items())
        if lead and found.by_health
        else ""
    )
    return {
        "count": found.deals,
        "sum": _sum(lead.amount_minor if lead else 0, lead.currency if lead else currency) + more,
        "weighted": f"{money.show_short(lead.weighted_minor, lead.currency)} weighted"
        if lead and lead.weighted_minor is not None
        else "",
        "mix": shares,
        "mix_label": said,
    }


def _sum(minor: int | None, currency: str) -> str:
    return "" if minor is None else money.show_short(minor, currency)


def column(found: Column, viewer: Actor, now: datetime, color: int) -> dict[str, Any]:
    """A column of a snapshot. What its cards have in common it says once: `usual`, and their owners in `people`."""
    stage = found.stage
    limit = stage["rotting_days"]
    whole = [card(row, viewer, now, limit) for row in found.cards]
    usual = {k: Counter(c[k] for c in whole).most_common(1)[0][0] for k in _OFTEN_ALIKE} if whole else {}
    people: dict[tuple[str, str, int], int] = {}
    return {
        "id": str(stage["id"]),
        "name": stage["name"],
        "kind": stage["kind"].value,
        "color": color,
        "sum_title": f"{stage['probability']} % of the sum",
        "limit": limit or 0,
        "more": found.has_more,
        "cards": [_short(c, usual, people) for c in whole],
        "usual": usual,
        "people": [list(p) for p in people],
        **totals(found.totals, viewer.currency),
    }


def _short(
    whole: Mapping[str, Any], usual: Mapping[str, Any], people: dict[tuple[str, str, int], int]
) -> dict[str, Any]:
    """The card without what its column says; `by` is the number of its owner in `people`, which grows."""
    found = {k: v for k, v in whole.items() if k not in _OF_THE_STAGE and (k not in usual or usual[k] != v)}
    return found | {"by": people.setdefault((whole["o"], whole["on"], whole["ot"]), len(people))}


def stage_colors(stages: Sequence[Mapping[str, Any]]) -> dict[Any, int]:
    """Steps of the stage scale, evenly spread from blue (1) to green (8), unless a stage chose its own."""
    steps = [s for s in stages if s["kind"] is StageKind.open]
    last = max(len(steps) - 1, 1)
    spread = {s["id"]: 1 + round(i * 7 / last) for i, s in enumerate(steps)}
    return {s["id"]: s["color"] or spread.get(s["id"], 8) for s in stages}


def columns(found: Board, viewer: Actor, now: datetime) -> list[dict[str, Any]]:
    colors = stage_colors([c.stage for c in found.columns])
    return [column(c, viewer, now, colors[c.stage["id"]]) for c in found.columns]


def board_sums(open_deals: Totals, won: Totals, currency: str) -> dict[str, str]:
    """The figures at the right of the filter bar. Currencies are never added to each other; the workspace's leads."""
    return {
        "deals": f"{open_deals.deals:,}".replace(",", money.NNBSP),
        "open": _sum_text({s.currency: s.amount_minor for s in open_deals.sums}, currency),
        "weighted": _sum_text({s.currency: s.weighted_minor for s in open_deals.sums}, currency),
        "won": _sum_text({s.currency: s.amount_minor for s in won.sums}, currency),
    }


def _sum_text(amounts: Mapping[str, int | None], currency: str) -> str:
    if None in amounts.values():
        return ""
    order = sorted(amounts, key=lambda c: (c != currency, c))
    return " + ".join(money.show(amounts[c], c, cents=False) for c in order) or money.show(0, currency, cents=False)
