"""A user of the tenant as an actor: for jobs, handlers, the command line, that act on somebody's behalf."""

from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.errors import NotFound
from crm_app.models.people.users import Role, User, UserStatus
from crm_app.models.platform.workspaces import Workspace
from crm_app.services.people.roles import expand
from crm_app.store.uow import UnitOfWork, unit_of_work


async def actor_for(tenant_id: UUID, user_id: UUID, *, source: Source = Source.job) -> Actor:
    """What the active user may do and see right now. NotFound when disabled or gone."""
    async with unit_of_work(Actor(tenant_id, None, source=source)) as uow:
        return await load(uow, user_id, source=source)


async def load(uow: UnitOfWork, user_id: UUID, *, source: Source = Source.job) -> Actor:
    user, role, space = User.__table__, Role.__table__, Workspace.__table__  # type: ignore[attr-defined]
    reach = sa.func.crm_team_users(user.c.tenant_id, user.c.id, type_=sa.ARRAY(sa.Uuid))
    query = (
        sa.select(
            user.c.name, role.c.permissions, role.c.scope, role.c.hidden_fields, reach.label("team_ids"),
            sa.func.coalesce(sa.func.nullif(user.c.time_zone, ""), space.c.time_zone).label("time_zone"),
            space.c.currency,
        )
        .join(role, sa.and_(role.c.tenant_id == user.c.tenant_id, role.c.id == user.c.role_id))
        .join(space, space.c.id == user.c.tenant_id)
        .where(user.c.id == user_id, user.c.status == UserStatus.active, user.c.deleted_at.is_(None))
    )  # fmt: skip
    found = await uow.rows(query)
    if not found:
        raise NotFound("This user does not exist, or is disabled.")
    row = found[0]
    return Actor(
        tenant_id=uow.actor.tenant_id,
        user_id=user_id,
        name=row.name,
        permissions=expand(tuple(row.permissions)),
        scope=row.scope,
        team_ids=frozenset(row.team_ids),
        time_zone=row.time_zone,
        currency=row.currency,
        source=source,
        hidden_fields=frozenset(row.hidden_fields),
    )
