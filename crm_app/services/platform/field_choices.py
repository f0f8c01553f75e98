"""Choices of a field as they are stored: {"value", "label", "color"}. The value is what records hold, and stays."""

import re
from collections.abc import Mapping, Sequence

from crm_app.core.text import fold

MOST = 200
COLORS = ("", *"12345678")  # steps of the scale of tints; none


def stored_choices(
    wrong: dict[str, str], given: Sequence[Mapping[str, str]], *, before: Sequence[Mapping[str, str]] = ()
) -> list[dict[str, str]]:
    """What a person gave, in this order; rows without a label are left out. What is wrong goes to `wrong`."""
    known = {c["value"] for c in before}
    found: list[dict[str, str]] = []
    taken, labels = set(known), set[str]()
    for row in given:
        label = " ".join(row.get("label", "").split())
        if not label:
            continue
        if len(label) > 60 or fold(label) in labels:
            wrong["choices"] = f"“{label[:60]}” is " + (
                "too long: at most 60 characters" if len(label) > 60 else "there twice"
            )
        labels.add(fold(label))
        value = row.get("value", "")
        if value not in known:
            value = _value(label, taken)
        taken.add(value)
        color = row.get("color", "")
        found.append({"value": value, "label": label, "color": color if color in COLORS else ""})
    if not found:
        wrong["choices"] = "give at least one"
    if len(found) > MOST:
        wrong["choices"] = f"are too many: at most {MOST}"
    return found


def _value(label: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:50] or "choice"
    return next(v for v in (base, *(f"{base}_{n}" for n in range(2, 10_000))) if v not in taken)
