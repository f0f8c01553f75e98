"""A user of the tenant as an actor: for jobs, handlers, the command line, that act on somebody's behalf."""

from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.errors import Conflict, NotFound
from crm_app.core.text import fold
from crm_app.models.base import table_of
from crm_app.models.people.users import Role, User, UserStatus
from crm_app.models.platform.workspaces import Workspace
from crm_app.services.people import standing
from crm_app.services.people.checks import email_key
from crm_app.store import identity
from crm_app.store.identity import Standing
from crm_app.store.tenants import tenant_ids
from crm_app.store.uow import UnitOfWork, unit_of_work

_STANDING = sa.text("SELECT * FROM crm_standing(:tenant, :person)")


async def actor_for(tenant_id: UUID, user_id: UUID, *, source: Source = Source.job) -> Actor:
    """What the active user may do and see right now. NotFound when disabled or gone."""
    async with unit_of_work(Actor(tenant_id, None, source=source)) as uow:
        return await load(uow, user_id, source=source)


async def by_email(email: str, *, workspace: str = "", source: Source = Source.cli) -> Actor:
    """The active user with this address, for the command line; `workspace` names one of several.

    Without an address: the first admin, where there is one workspace only.
    """
    found = []
    for tenant_id, user_id in await _candidates(email):
        async with unit_of_work(Actor(tenant_id, None, source=source)) as uow:
            space = await uow.get(Workspace, tenant_id)
            if not workspace or fold(workspace) == fold(space.name):
                found.append((space.name, await load(uow, user_id, source=source)))
    if not found:
        where = f" in the workspace {workspace}" if workspace else ""
        raise NotFound(f"Nobody signs in as {email}{where}." if email else f"There is no admin{where}.")
    if len(found) > 1:
        names = ", ".join(sorted(name for name, _ in found))
        raise Conflict(f"There are several workspaces: {names}. Say who you are (--as) and which one (--workspace).")
    return found[0][1]


async def _candidates(email: str) -> list[tuple[UUID, UUID]]:
    if email:
        known = await identity.sign_in_candidates(email_key(email))
        return [(c.tenant_id, c.user_id) for c in known if c.status == UserStatus.active]
    user, role = table_of(User), table_of(Role)
    admins = (
        sa.select(user.c.id)
        .join(role, sa.and_(role.c.tenant_id == user.c.tenant_id, role.c.id == user.c.role_id))
        .where(role.c.permissions.contains(["*"]), user.c.status == UserStatus.active, user.c.deleted_at.is_(None))
        .order_by(user.c.created_at, user.c.id)
        .limit(1)
    )
    found = []
    for tenant_id in await tenant_ids():
        async with unit_of_work(Actor(tenant_id, None, source=Source.cli)) as uow:
            if (admin_id := await uow.scalar(admins)) is not None:
                found.append((tenant_id, admin_id))
    return found


async def load(uow: UnitOfWork, user_id: UUID, *, source: Source = Source.job) -> Actor:
    """What the active user may do and see, in the workspace of this unit of work. NotFound when disabled or gone."""
    found = await uow.rows(_STANDING, {"tenant": uow.actor.tenant_id, "person": user_id})
    if not found:
        raise NotFound("This user does not exist, or is disabled.")
    return standing.actor_of(Standing(*tuple(found[0])), source=source)
