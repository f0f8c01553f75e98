"""Records side by side, as the page of duplicates shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity, Kind
from crm_app.services.platform import records
from crm_app.services.platform.merge_values import pickable
from crm_app.services.platform.merges import Parted
from crm_app.state.platform.fields import field_view
from crm_app.store.uow import UnitOfWork


@dataclass(frozen=True)
class PairView:
    id: str
    one: str
    two: str
    reasons: str


@dataclass(frozen=True)
class ValueView:
    """One record's value of a field; `record` is its id."""

    record: str
    shown: str
    picked: bool


@dataclass(frozen=True)
class FieldRow:
    """`is_joined`: lists are put together, so nothing is to be picked."""

    name: str
    label: str
    choices: list[ValueView] = field(default_factory=list)
    differs: bool = False
    is_joined: bool = False


@dataclass(frozen=True)
class HeadView:
    id: str
    name: str
    href: str
    since: str


@dataclass(frozen=True)
class MergeView:
    id: str
    name: str
    href: str
    what: str


def _choosable(entity: Entity) -> list[str]:
    """The fields side by side: those of the workspace's own too."""
    return [*pickable(entity), *(n for n, s in entity.fields.items() if s.custom and n not in entity.readonly)]


async def read(uow: UnitOfWork, entity: Entity, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """The records in this order, without fields that the actor may not see. NotFound when one is not there."""
    money = [s.currency_field for s in entity.fields.values() if s.currency_field]
    names = [n for n in (entity.title, *_choosable(entity), *money, "created_at") if n in entity.fields]
    where = entity.table.c.id.in_(list(ids))
    page = await records.find(uow, entity, columns=list(dict.fromkeys(names)), where=where, limit=len(ids))
    found = {r["id"]: dict(r) for r in page.rows}
    if any(i not in found for i in ids):
        raise NotFound("One of these records is gone, or you may not see it.")
    return [found[i] for i in ids]


def heads(entity: Entity, found: Sequence[Mapping[str, Any]], actor: Actor) -> list[HeadView]:
    return [
        HeadView(
            str(r["id"]),
            str(r.get(entity.title) or entity.label),
            f"/{entity.slug}/{r['id']}",
            show_date(actor.day_of(r["created_at"])),
        )
        for r in found
    ]


def field_rows(
    entity: Entity, found: Sequence[Mapping[str, Any]], actor: Actor, survivor: str, picks: Mapping[str, str]
) -> list[FieldRow]:
    """Every field that one of them has, those that differ first."""
    order = sorted(found, key=lambda r: str(r["id"]) != survivor)
    rows = []
    for name in _choosable(entity):
        spec = entity.fields[name]
        if name not in found[0] or spec.kind is Kind.json:
            continue
        shown = {str(r["id"]): field_view(spec, r, actor).shown for r in found}
        if not any(shown.values()):
            continue
        first = next((str(r["id"]) for r in order if shown[str(r["id"])]), survivor)
        picked = picks.get(name) or first
        rows.append(
            FieldRow(
                name,
                spec.label,
                [ValueView(i, text, i == picked) for i, text in shown.items()],
                differs=len(set(shown.values())) > 1,
                is_joined=spec.kind is Kind.choices and name not in picks,
            )
        )
    return sorted(rows, key=lambda row: not row.differs)


def told(parted: Parted, name: str) -> str:
    """What parting did, in one sentence."""
    text = f"Taken out of {name} again"
    kept = [k.title for k in parted.kept[:3]]
    more = len(parted.kept) - len(kept) + parted.more
    if kept or more:
        names = ", ".join(kept) + (f" and {more} more" if kept and more else f"{more} records" if more else "")
        text += f". As they were moved since, these stay: {names}"
    if parted.fields:
        text += f". Changed since and kept: {', '.join(parted.fields)}"
    return text
