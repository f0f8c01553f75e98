"""What hangs on a record that is thrown away, and what becomes of it (blueprint 5.3).

A link that must be filled protects its target. Of the others the declaration says (FieldSpec.on_delete) whether the
record follows into the trash ("along") or lets go of the link ("unlink"); it is written down and put back when the
record comes back. A link with no rule stays, and shows nothing while its target is in the trash.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import RecordChanged
from crm_app.core.registry import Entity
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.attachments import Attachment
from crm_app.models.platform.trash import Along, TrashedAlong
from crm_app.store.uow import UnitOfWork

_along, _files = table_of(TrashedAlong), table_of(Attachment)
_MOST_TOLD = 200  # changed records of a kind that are told one by one


class Fate(StrEnum):
    protects = "protects"
    along = "along"
    unlinked = "unlinked"
    stays = "stays"


@dataclass(frozen=True, slots=True)
class Hanging:
    """`count` records of `entity` that point to a record over `link`, and what becomes of them. What is no record of
    its own (files, comments) has no entity: `link` is what one of it is called."""

    entity: str
    link: str
    count: int
    fate: Fate


Count = Callable[[UnitOfWork, Entity, UUID], Awaitable[int]]
_beside: dict[str, Count] = {}


def hangs_on(label: str) -> Callable[[Count], Count]:
    """Register `async (uow, entity, record_id) -> number`: what comes and goes with records of any kind. The caller of
    `weigh` sees the record."""

    def register(fn: Count) -> Count:
        _beside[label] = fn
        return fn

    return register


def fate_of(spec: registry.FieldSpec) -> Fate:
    if not spec.nullable:
        return Fate.protects
    return {"along": Fate.along, "unlink": Fate.unlinked}.get(spec.on_delete, Fate.stays)


def _relations(entity: Entity) -> Iterator[tuple[Entity, str, Fate]]:
    """Every declared link that leads here, whatever the actor may see of it."""
    for relation in registry.relations(registry.get(entity.name)).values():
        if relation.many:
            other = registry.get(relation.entity)
            yield other, relation.link, fate_of(other.fields[relation.link])


async def weigh(uow: UnitOfWork, entity: Entity, record_id: UUID) -> list[Hanging]:
    """What hangs on the record, protecting ones first. NotFound when the actor may not know of it."""
    uow.require(f"{entity.name}.delete")
    await uow.get(entity.model, record_id)
    found = []
    for other, link, fate in _relations(entity):
        table = other.table
        mine = sa.and_(table.c[link] == record_id, table.c.deleted_at.is_(None))
        if n := int(await uow.scalar(sa.select(sa.func.count()).select_from(table).where(mine))):
            found.append(Hanging(other.name, link, n, fate))
    for label, count in sorted(_beside.items()):
        if n := await count(uow, entity, record_id):
            found.append(Hanging("", label, n, Fate.along))
    order = list(Fate)
    return sorted(found, key=lambda h: (order.index(h.fate), -h.count))


@hangs_on("file")
async def _files_of(uow: UnitOfWork, entity: Entity, record_id: UUID) -> int:
    mine = sa.and_(_files.c.about == entity.name, _files.c.about_id == record_id, _files.c.deleted_at.is_(None))
    return int(await uow.scalar(sa.select(sa.func.count()).where(mine)))


async def follow(uow: UnitOfWork, entity: Entity, record_ids: Sequence[UUID]) -> None:
    """Let go along what goes along with these records, which are being thrown away, and unlink what lets go."""
    for other, link, fate in _relations(entity):
        if fate not in (Fate.along, Fate.unlinked):
            continue
        table = other.table
        mine = sa.and_(table.c[link] == sa.any_(_ids(record_ids)), table.c.deleted_at.is_(None))
        rows = await uow.rows(sa.select(table.c.id, table.c[link]).where(mine).order_by(table.c.id).with_for_update())
        if not rows:
            continue
        gone = {"deleted_at": uow.now, "deleted_by_id": uow.actor.user_id}
        await _change(uow, other, [r[0] for r in rows], gone if fate is Fate.along else {link: None})
        action = Along.trashed if fate is Fate.along else Along.unlinked
        kept = [
            {
                "tenant_id": uow.actor.tenant_id, "id": new_id(), "root_entity": entity.name, "root_id": r[1],
                "entity": other.name, "row_id": r[0], "link": link, "action": action,
            }
            for r in rows
        ]  # fmt: skip
        await uow.execute(sa.insert(_along), kept)
        _tell(uow, other, "deleted" if fate is Fate.along else "updated", [(r[0], r[1]) for r in rows], link)


async def bring_back(uow: UnitOfWork, entity: Entity, record_ids: Sequence[UUID]) -> None:
    """What went along with these records comes back with them; what somebody changed or threw away since, stays."""
    a = _along
    mine = sa.and_(a.c.root_entity == entity.name, a.c.root_id == sa.any_(_ids(record_ids)))
    rows = await uow.rows(sa.select(a.c.entity, a.c.link, a.c.action, a.c.root_id, a.c.row_id).where(mine))
    groups: dict[tuple[str, str, Along, UUID], list[UUID]] = {}
    for name, link, action, root_id, row_id in rows:
        groups.setdefault((name, link, action, root_id), []).append(row_id)
    for (name, link, action, root_id), ids in groups.items():
        if (other := registry.find(name)) is None or link not in other.table.c:
            continue
        table = other.table
        if action is Along.trashed:
            as_left = sa.and_(table.c.deleted_at.is_not(None), table.c[link] == root_id)
            back: dict[str, Any] = {"deleted_at": None, "deleted_by_id": None}
        else:
            as_left, back = table.c[link].is_(None), {link: root_id}
        done = await _change(uow, other, ids, back, as_left)
        told = "restored" if action is Along.trashed else "updated"
        _tell(uow, other, told, [(i, root_id) for i in done], link, is_back=True)
    await uow.execute(sa.delete(a).where(mine))


async def _change(
    uow: UnitOfWork, entity: Entity, ids: Sequence[UUID], values: dict[str, Any], also: Any = None
) -> list[UUID]:
    table = entity.table
    where = table.c.id == sa.any_(_ids(ids))
    stamps = {"version": table.c.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id}
    update = sa.update(table).where(where if also is None else sa.and_(where, also)).values(values | stamps)
    return [r.id for r in await uow.rows(update.returning(table.c.id))]


def _ids(ids: Sequence[UUID]) -> Any:
    return sa.literal(list(ids), sa.ARRAY(sa.Uuid()))


def _tell(
    uow: UnitOfWork, entity: Entity, action: str, rows: Sequence[tuple[UUID, UUID]], link: str, *, is_back: bool = False
) -> None:
    name = entity.name
    if not rows:
        return
    uow.changed_many(name)
    for row_id, root_id in rows[:_MOST_TOLD] if action == "updated" else rows:
        diff = {link: [None, root_id] if is_back else [root_id, None]} if action == "updated" else {}
        uow.emit(RecordChanged(record_id=row_id, name=f"{name}.{action}", entity=name, diff=diff))
