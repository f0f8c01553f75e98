"""What follows for other records, once rows that point to them were written, changed or taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportBatch, ImportedRows
from crm_app.services.platform.imports.rules import rules_of
from crm_app.store.uow import UnitOfWork

if TYPE_CHECKING:
    from crm_app.services.platform.imports.planning import PlannedStep

Pointed = dict[str, set[UUID]]  # link -> records it points to, or did
_rows = table_of(ImportedRows)


async def after_writing(uow: UnitOfWork, step: PlannedStep) -> None:
    if not step.rules.leads:
        return
    pointed: Pointed = defaultdict(set)
    for link in step.rules.leads:
        if link in step.creates.columns:
            pointed[link] |= _ids(step.creates[link].unique().to_list())
        pointed[link] |= _ids(b[link] for b in step.before if link in b)
    if step.updates.height:
        ids = sa.literal(list(_ids(step.updates["id"].to_list())), sa.ARRAY(sa.Uuid()))
        await _add(uow, step.entity, step.entity.table.c.id == sa.any_(ids), pointed)
    await refresh(uow, step.entity, pointed)


async def before_reverting(uow: UnitOfWork, batch: ImportBatch, entity: Entity) -> Pointed:
    """Where the records of the batch point to now, and where they pointed to before it."""
    pointed: Pointed = defaultdict(set)
    leads = rules_of(entity.name).leads
    if not leads:
        return pointed
    mine = sa.and_(_rows.c.batch_id == batch.id, _rows.c.entity == entity.name)
    ids = sa.select(sa.func.unnest(_rows.c.record_ids)).where(mine)
    await _add(uow, entity, entity.table.c.id.in_(ids), pointed)
    for old in (await uow.execute(sa.select(_rows.c.before).where(mine, _rows.c.action == "update"))).scalars():
        for link in leads:
            pointed[link] |= _ids(b[link] for b in old if link in b)
    return pointed


async def refresh(uow: UnitOfWork, entity: Entity, pointed: Pointed) -> None:
    await uow.flush()
    for link, follow in rules_of(entity.name).leads.items():
        if pointed[link]:
            await follow(uow, pointed[link])


async def _add(uow: UnitOfWork, entity: Entity, which: sa.ColumnElement[bool], pointed: Pointed) -> None:
    for link in rules_of(entity.name).leads:
        column = entity.table.c[link]
        found = await uow.execute(sa.select(column).where(which, column.is_not(None)).distinct())
        pointed[link] |= set(found.scalars())


def _ids(texts: Iterable[str | None]) -> set[UUID]:
    return {UUID(t) for t in texts if t is not None}
