"""Row visibility: own, team, all -> WHERE. `Actor.sees_owner` says the same in Python."""

from typing import Any

import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.registry import Entity


def visible(entity: Entity, actor: Actor, table: Any = None) -> sa.ColumnElement[bool] | None:
    """The condition under which this actor sees rows of `table` (default: the entity's), or None when all are seen."""
    if entity.visibility == "all" or actor.scope is Scope.all:
        return None
    owner: sa.ColumnElement[Any] = (table if table is not None else entity.table).c.owner_id
    if actor.scope is Scope.team:
        return owner.in_(sorted(actor.team_ids))
    return owner == actor.user_id


def visible_owners(actor: Actor) -> list[Any] | None:
    """The owners whose records the actor sees; None is everybody."""
    if actor.scope is Scope.all:
        return None
    return sorted(actor.team_ids) if actor.scope is Scope.team else [actor.user_id]
