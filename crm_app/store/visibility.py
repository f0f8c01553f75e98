"""Row visibility: own, team, all -> WHERE. `Actor.sees_owner` says the same in Python."""

from typing import Any

import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.registry import Entity


def visible(entity: Entity, actor: Actor, table: Any = None) -> sa.ColumnElement[bool] | None:
    """The condition under which this actor sees rows of `table` (default: the entity's), or None when all are seen."""
    if entity.visibility == "all" or actor.scope is Scope.all:
        return None
    owner: sa.Column[Any] = (table if table is not None else entity.table).c.owner_id
    mine = owner.in_(sorted(actor.team_ids)) if actor.scope is Scope.team else owner == actor.user_id
    # A record that belongs to nobody is everybody's.
    return sa.or_(mine, owner.is_(None)) if owner.nullable else mine


def visible_owners(actor: Actor) -> list[Any] | None:
    """The owners whose records the actor sees; None is everybody."""
    if actor.scope is Scope.all:
        return None
    return sorted(actor.team_ids) if actor.scope is Scope.team else [actor.user_id]
