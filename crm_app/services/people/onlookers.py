"""Who sees a record: whom one may mention there, and who may be told of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.registry import Entity
from crm_app.core.text import fold
from crm_app.models.base import table_of
from crm_app.models.people.users import User, UserStatus
from crm_app.services.people import standing
from crm_app.services.platform import about
from crm_app.store.identity import Standing
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_users = table_of(User)
_MOST = 24  # people who are looked at for one answer


@dataclass(frozen=True, slots=True)
class Onlooker:
    id: UUID
    name: str
    title: str


async def named(uow: UnitOfWork, entity: Entity, record_id: UUID, text: str, *, limit: int = 6) -> list[Onlooker]:
    """Colleagues who see the record and have a name with a word that begins like `text`, in the order of names."""
    await about.seen(uow, entity, record_id)
    pattern = fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    folded = sa.literal(" ") + sa.func.crm_fold(_users.c.name)
    query = _active().where(folded.like(f"% {pattern}%"), _users.c.id != uow.actor.user_id)
    return (await _seeing(uow, entity, record_id, query.order_by(_users.c.name, _users.c.id).limit(_MOST)))[:limit]


async def among(uow: UnitOfWork, entity: Entity, record_id: UUID, user_ids: Iterable[UUID]) -> list[Onlooker]:
    """Those of these people who see the record."""
    await about.seen(uow, entity, record_id)
    return await _seeing(uow, entity, record_id, _active().where(_users.c.id.in_(list(user_ids)[:_MOST])))


def _active() -> sa.Select[Any]:
    query = sa.select(_users.c.id, _users.c.name, _users.c.title)
    return query.where(_users.c.status == UserStatus.active, _users.c.deleted_at.is_(None))


async def _seeing(uow: UnitOfWork, entity: Entity, record_id: UUID, query: sa.Select[Any]) -> list[Onlooker]:
    """Each of them is asked as they would be: by the permissions of their role and the rows that it shows."""
    people = {r.id: Onlooker(r.id, r.name, r.title) for r in await uow.rows(query)}
    if not people:
        return []
    table = entity.table
    seen_by: list[sa.ColumnElement[bool]] = []
    asked: list[UUID] = []
    for row in await _standings(uow, list(people)):
        actor = standing.actor_of(row)
        if not actor.can(f"{entity.name}.read") or actor.user_id is None:
            continue
        there = sa.exists().where(table.c.id == record_id, table.c.deleted_at.is_(None))
        condition = visible(entity, actor)
        seen_by.append((there if condition is None else there.where(condition)).label(f"p{len(asked)}"))
        asked.append(actor.user_id)
    if not asked:
        return []
    answers = (await uow.rows(sa.select(*seen_by)))[0]
    seeing = {who for who, sees in zip(asked, answers, strict=True) if sees}
    return [person for user_id, person in people.items() if user_id in seeing]


async def _standings(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Standing]:
    """What the database says of these people, as it does when they sign in."""
    query = sa.text("SELECT s.* FROM unnest(CAST(:ids AS uuid[])) AS p(id), crm_standing(:tenant, p.id) AS s")
    rows = await uow.rows(query, {"ids": list(ids), "tenant": uow.actor.tenant_id})
    return [Standing(*tuple(r)) for r in rows]
