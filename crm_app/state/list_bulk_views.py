"""A change of many records as screens show it: fields that can be chosen, how far it is, how it ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.models.platform.bulk import BulkKind, BulkStatus
from crm_app.services.platform.bulk_operations import ADD, SET, Blocked, Change, Progress
from crm_app.state.list_cells import counted, number
from crm_app.state.platform.forms import field_of, values_of

_TEXTS = frozenset({Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url})
_NEVER = frozenset({Kind.json})
_SHOWN = 8  # reasons in the dialog, and records under each
_CLEARS = "Left empty, it is cleared."
NOTHING: dict[str, Any] = {
    "id": "", "text": "", "percent": 0, "is_running": False, "title": "", "detail": "", "can_undo": False,
    "can_resume": False, "blocked": 0,
}  # fmt: skip


def editable(entity: Entity, actor: Actor) -> list[str]:
    """Fields that make sense on many records: none that names one of them."""
    mine = {f for s in entity.form for f in s.fields}
    return [
        n
        for n, spec in entity.fields.items()
        if (n in mine or n == "owner_id") and n not in entity.readonly and spec.kind not in _NEVER
        if n not in (entity.title, entity.import_key) and (n != "owner_id" or actor.can(f"{entity.name}.assign"))
    ]


def field_to_change(spec: FieldSpec, actor: Actor) -> dict[str, Any]:
    """A field of the dialog; a list is added to unless one says otherwise."""
    is_list = spec.kind is Kind.choices
    may_clear = not spec.required and (spec.nullable or spec.kind in _TEXTS)
    made = field_of(
        spec,
        text=actor.currency if spec.currency_field else "",
        hint=_CLEARS if may_clear and not is_list else "",
    )
    return {**made, "is_list": is_list, "mode": ADD if is_list else SET}


def changes_of(
    entity: Entity, fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any], actor: Actor
) -> list[Change]:
    names = [f["name"] for f in fields if f["name"] in entity.fields]
    values = values_of({n: entity.fields[n] for n in names}, given, actor)
    wrong = {n: "is needed" for n in names if values[n] in (None, "") and entity.fields[n].required}
    wrong |= {
        n: "is needed"
        for n in names
        if entity.fields[n].kind is Kind.choices and not values[n] and _mode(given, n) != SET
    }
    if wrong:
        raise Invalid(**wrong)
    return [
        Change(
            n, [] if entity.fields[n].kind is Kind.choices and values[n] is None else values[n], _mode(given, n),
            actor.currency if entity.fields[n].currency_field else "",
        )
        for n in names
    ]  # fmt: skip


def _mode(given: Mapping[str, Any], name: str) -> str:
    return str(given.get(f"{name}_mode", SET))


_VERBS = {
    BulkKind.edit: ("Changing", "changed"),
    BulkKind.delete: ("Deleting", "deleted"),
    BulkKind.undo: ("Undoing", "put back"),
}


def progress_view(entity: Entity, p: Progress) -> dict[str, Any]:
    doing, did = _VERBS[p.kind]
    title = f"{counted(entity, p.changed)} {did}" + (f", {number(p.blocked)} blocked" if p.blocked else "")
    rest = p.total - p.done
    detail = [f"{number(p.unchanged)} had this value already." if p.unchanged else ""]
    if p.status is BulkStatus.cancelled:
        detail.append(f"Cancelled: {number(rest)} were not looked at.")
    if p.status is BulkStatus.failed:
        detail.append(f"Stopped, {number(rest)} were not looked at: {p.error}")
    return {
        "id": str(p.id),
        "text": f"{doing} {number(p.done)} of {counted(entity, p.total)}",
        "percent": p.done * 100 // p.total if p.total else 0,
        "is_running": p.status is BulkStatus.running,
        "title": title,
        "detail": " ".join(d for d in detail if d),
        "can_undo": p.can_undo,
        "can_resume": p.status in (BulkStatus.cancelled, BulkStatus.failed),
        "blocked": p.blocked,
    }


def reasons_view(entity: Entity, found: Sequence[Blocked]) -> list[dict[str, Any]]:
    """By how often: {"reason", "count", "records": [{"title", "href"}], "more"}."""
    counts = Counter(b.reason for b in found)
    told = []
    for reason, count in counts.most_common(_SHOWN):
        named = [b for b in found if b.reason == reason and b.title][:_SHOWN]
        records = [{"title": b.title, "href": f"/{entity.slug}/{b.record_id}"} for b in named]
        more = count - len(records)
        told.append(
            {
                "reason": reason,
                "count": number(count),
                "records": records,
                "more": f"and {number(more)} more" if more else "",
            }
        )
    return told
