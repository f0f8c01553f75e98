"""Row visibility: own, team, all -> WHERE. `Actor.sees_owner` says the same in Python."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.registry import Entity
from crm_app.store.ready import one_of


def visible(entity: Entity, actor: Actor, table: Any = None) -> sa.ColumnElement[bool] | None:
    """The condition under which this actor sees rows of `table` (default: the entity's), or None when all are seen."""
    if entity.visibility == "all" or actor.scope is Scope.all:
        return None
    owner: sa.Column[Any] = (table if table is not None else entity.table).c.owner_id
    mine = owner.in_(sorted(actor.team_ids)) if actor.scope is Scope.team else owner == actor.user_id
    # A record that belongs to nobody is everybody's.
    return sa.or_(mine, owner.is_(None)) if owner.nullable else mine


def owned_later(table: sa.Table) -> sa.ColumnElement[bool]:
    """As `visible` says of rows that have an owner, for a statement compiled once for all actors; `sight_of` has its
    values."""
    owner = table.c.owner_id
    mine = sa.or_(sa.bindparam("sees_all", type_=sa.Boolean()), one_of(owner, "owners"))
    return sa.or_(mine, owner.is_(None)) if owner.nullable else mine


def sight_of(entity: Entity, actor: Actor) -> dict[str, Any]:
    """The values that `owned_later` asks for; none where everybody sees all."""
    if entity.visibility == "all":
        return {}
    owners = visible_owners(actor)
    return {"sees_all": owners is None, "owners": owners or []}


def visible_owners(actor: Actor) -> list[Any] | None:
    """The owners whose records the actor sees; None is everybody."""
    if actor.scope is Scope.all:
        return None
    return sorted(actor.team_ids) if actor.scope is Scope.team else [actor.user_id]


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything about an actor that decides what they may see: who has the same sight reads the same."""

    tenant_id: UUID
    owners: tuple[UUID, ...] | None  # whose records; None is everybody's
    permissions: frozenset[str]
    hidden_fields: frozenset[str]
    masked_fields: frozenset[str]


def sight(actor: Actor) -> Sight:
    owners = visible_owners(actor)
    return Sight(
        actor.tenant_id,
        None if owners is None else tuple(owners),
        actor.permissions,
        actor.hidden_fields,
        actor.masked_fields,
    )
