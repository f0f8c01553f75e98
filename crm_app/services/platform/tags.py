"""Tags of a workspace: those that are there already while one types, and one name for what has two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from crm_app.core.errors import Invalid
from crm_app.core.registry import Entity, Kind
from crm_app.core.text import lower
from crm_app.services.platform import schema
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

FIELD = "tags"
LONGEST = 60
_MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Tag:
    """`count` is the number of records that have it, of all kinds, as far as the actor sees them."""

    name: str
    count: int


async def suggested(uow: UnitOfWork, text: str, *, limit: int = 8) -> Sequence[Tag]:
    """Tags with this text in them: those that begin with it first, then those that are used most."""
    return await _found(uow, lower(" ".join(text.split()))[:LONGEST], limit)


async def listed(uow: UnitOfWork) -> Sequence[Tag]:
    """All of them, those that are used most first; for who may put them in order."""
    uow.require("settings.manage")
    return await _found(uow, "", _MOST_LISTED)


async def _found(uow: UnitOfWork, text: str, limit: int) -> Sequence[Tag]:
    per_kind = []
    for entity in await _entities(uow, "read"):
        table = entity.table
        each = sa.func.jsonb_array_elements_text(table.c[FIELD]).label("name")
        query = sa.select(each).where(table.c.deleted_at.is_(None), table.c[FIELD] != sa.text("'[]'::jsonb"))
        if (seen := visible(entity, uow.actor)) is not None:
            query = query.where(seen)
        per_kind.append(query)
    if not per_kind:
        return []
    every = sa.union_all(*per_kind).subquery("every")
    folded, count = sa.func.lower(every.c.name), sa.func.count()
    found = sa.select(every.c.name, count).group_by(every.c.name).order_by(count.desc(), every.c.name).limit(limit)
    if text:
        starts = sa.func.starts_with(folded, text)
        found = found.where(sa.func.strpos(folded, text) > 0).order_by(None)
        found = found.order_by(sa.func.bool_or(starts).desc(), count.desc(), every.c.name)
    return [Tag(name, number) for name, number in await uow.rows(found)]


async def _entities(uow: UnitOfWork, right: str) -> list[Entity]:
    """Kinds of records whose tags the actor may read or change."""
    return [
        e
        for e in (await schema.entities_of(uow)).values()
        if (spec := e.spec(FIELD)) is not None and spec.kind is Kind.choices and not spec.masked
        if uow.actor.can(f"{e.name}.{right}") and (right == "read" or FIELD not in e.readonly)
    ]


async def rename(uow: UnitOfWork, name: str, to: str) -> int:
    """Every record of the workspace that has the tag has the other in its place, once; those in the trash, too. The
    answer is how many were changed. Who may rename tags sees every record, or only those that they see are changed."""
    uow.require("settings.manage")
    to = " ".join(to.split())
    if not to or len(to) > LONGEST or ";" in to or "," in to:
        raise Invalid(tag=f"is a text of up to {LONGEST} characters, without commas and semicolons")
    if to == name:
        return 0
    changed = 0
    for entity in await _entities(uow, "update"):
        changed += await _rename(uow, entity, name, to)
    return changed


async def _rename(uow: UnitOfWork, entity: Entity, name: str, to: str) -> int:
    table: Any = entity.table
    tags = sa.type_coerce(table.c[FIELD], JSONB)
    without = tags.op("-", return_type=JSONB())(sa.literal(name, sa.Text()))
    joined = without.op("||", return_type=JSONB())(sa.func.jsonb_build_array(sa.literal(to, sa.Text())))
    after = sa.case((tags.has_key(to), without), else_=joined)
    stamps = {"version": table.c.version + 1, "updated_at": uow.now, "updated_by_id": uow.actor.user_id}
    query = sa.update(table).where(tags.has_key(name)).values(**{FIELD: after}, **stamps)
    if (mine := visible(entity, uow.actor, to_write=True)) is not None:
        query = query.where(mine)
    found = await uow.execute(query.returning(table.c.id))
    count = len(found.all())
    if count:
        uow.changed_many(entity.name)
    return count
