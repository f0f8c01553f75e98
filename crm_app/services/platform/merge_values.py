"""Which value a merged record gets for each of its fields, and how it gets its own back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.models.platform.merges import RecordMerge
from crm_app.store.uow import UnitOfWork


def pickable(entity: Entity) -> list[str]:
    """The fields whose value a person chooses; the currency goes with its amount."""
    money = {s.currency_field for s in entity.fields.values() if s.currency_field}
    return [n for n, s in entity.fields.items() if n not in entity.readonly and n not in money and not s.custom]


def merged_values(entity: Entity, survivor: Any, others: Sequence[Any], picks: Mapping[str, UUID]) -> dict[str, Any]:
    """By field: what was picked, else the survivor's value, else the first that another has. Lists are joined."""
    records = [survivor, *others]
    by_id = {r.id: r for r in records}
    values: dict[str, Any] = {}
    for name in pickable(entity):
        spec = entity.fields[name]
        if name in picks:
            source = by_id[picks[name]]
        elif spec.kind is Kind.choices:
            values[name] = _joined(getattr(r, name) for r in records)
            continue
        else:
            source = next((r for r in records if not _is_empty(_outside(spec, entity, r, by_id))), survivor)
        values[name] = _outside(spec, entity, source, by_id)
        if spec.currency_field in entity.fields and not _is_empty(values[name]):
            values[spec.currency_field] = getattr(source, spec.currency_field)
    values["custom"] = _custom(survivor, others, picks)
    return values


def _outside(spec: FieldSpec, entity: Entity, record: Any, group: Mapping[UUID, Any]) -> Any:
    """A record is not its own parent."""
    value = getattr(record, spec.name)
    return None if spec.target == entity.name and value in group else value


def _custom(survivor: Any, others: Sequence[Any], picks: Mapping[str, UUID]) -> dict[str, Any]:
    records = [survivor, *others]
    by_id = {r.id: r for r in records}
    values: dict[str, Any] = {}
    for key in dict.fromkeys(k for r in records for k in r.custom):
        found = [r.custom[key] for r in records if not _is_empty(r.custom.get(key))]
        if (chosen := picks.get(f"custom.{key}")) is not None:
            values[key] = by_id[chosen].custom.get(key)
        elif found and all(isinstance(v, list) for v in found):
            values[key] = _joined(found)
        else:
            values[key] = found[0] if found else survivor.custom.get(key)
    return values


def _joined(lists: Iterable[Sequence[Any]]) -> list[Any]:
    joined: list[Any] = []
    for items in lists:
        joined += [i for i in items if i not in joined]
    return joined


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


async def put_back_values(uow: UnitOfWork, entity: Entity, survivor: Any, done: RecordMerge) -> list[str]:
    """Give the survivor its values from before the merge. Returns the labels of fields that were changed since."""
    now = await uow.scalar(
        sa.select(sa.func.to_jsonb(sa.literal_column(entity.table.name))).where(entity.table.c.id == survivor.id)
    )
    going = {n: old for n, old in done.before.items() if n != "custom" and now.get(n) == done.after[n]}
    stayed = [n for n in done.before if n != "custom" and n not in going]
    old = await _typed(uow, entity, going)
    for name, value in old.items():
        setattr(survivor, name, value)
    if "custom" in done.before:
        before, after, custom = done.before["custom"], done.after["custom"], dict(survivor.custom)
        for key in {k for k in {*before, *after} if before.get(k) != after.get(k) or (k in before) != (k in after)}:
            if custom.get(key) != after.get(key):
                stayed.append(f"custom.{key}")
            elif key in before:
                custom[key] = before[key]
            else:
                custom.pop(key, None)
        survivor.custom = custom
    return [entity.fields[n].label if n in entity.fields else n.removeprefix("custom.") for n in stayed]


async def _typed(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values out of the database's JSON as the columns hold them."""
    if not values:
        return {}
    row = sa.func.jsonb_populate_record(
        sa.literal_column(f"NULL::{entity.table.name}"), sa.literal(dict(values), JSONB)
    ).table_valued(*(sa.column(n, entity.table.c[n].type) for n in values), name="old")  # fmt: skip
    found = (await uow.execute(sa.select(row))).mappings().one()
    return dict(found)
