"""Users of the workspace: who they are, what they may do, whether they may come in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from crm_app.core import registry
from crm_app.core.changes import RecordChanged
from crm_app.core.errors import Conflict, Invalid
from crm_app.models.base import table_of
from crm_app.models.people.users import Role, Team, User, UserStatus
from crm_app.models.platform.workspaces import Workspace
from crm_app.services.people import checks, links, sessions
from crm_app.services.people.roles import require_role
from crm_app.store.uow import UnitOfWork

_users: Any = table_of(User)
_roles: Any = table_of(Role)
_teams: Any = table_of(Team)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A line of the users page. `reset_asked_at`: waits for an admin to make a reset link."""

    id: UUID
    name: str
    email: str
    title: str
    status: UserStatus
    role_id: UUID
    role: str
    team_id: UUID | None
    team: str
    last_seen_at: datetime | None
    reset_asked_at: datetime | None


async def listed(uow: UnitOfWork) -> list[UserRow]:
    """Everybody, the disabled last."""
    uow.require("user.read")
    query = (
        sa.select(
            _users.c.id, _users.c.name, _users.c.email, _users.c.title, _users.c.status, _users.c.role_id,
            _roles.c.name.label("role"), _users.c.team_id, sa.func.coalesce(_teams.c.name, "").label("team"),
            _users.c.last_seen_at, _users.c.reset_asked_at,
        )
        .join(_roles, sa.and_(_roles.c.tenant_id == _users.c.tenant_id, _roles.c.id == _users.c.role_id))
        .outerjoin(_teams, sa.and_(_teams.c.tenant_id == _users.c.tenant_id, _teams.c.id == _users.c.team_id))
        .where(_users.c.deleted_at.is_(None))
        .order_by(_users.c.status == UserStatus.disabled.value, sa.func.crm_fold(_users.c.name), _users.c.id)
    )  # fmt: skip
    return [UserRow(*tuple(row)) for row in await uow.rows(query)]


async def add(
    uow: UnitOfWork,
    *,
    name: str,
    email: str,
    role_id: UUID,
    team_id: UUID | None = None,
    title: str = "",
    phone: str = "",
    password_hash: str = "",
) -> User:
    """A user; without a password one who is invited and cannot come in yet. Tells nobody: see invitations."""
    uow.require("user.manage")
    role = await _role(uow, role_id)
    require_role(uow.actor, role)
    address = checks.email_address(email)
    if await with_email(uow, address) is not None:
        raise Invalid(email="somebody in this workspace has this address already")
    user = User(
        name=checks.required_text("name", name, 120),
        email=address,
        role_id=role.id,
        team_id=await _team_id(uow, team_id),
        title=checks.optional_text("title", title, 120),
        phone=checks.optional_text("phone", phone, 40),
        password_hash=password_hash,
        status=UserStatus.active if password_hash else UserStatus.invited,
    )
    uow.add(user)
    await uow.flush()
    tell(uow, user, "created", {"email": [None, user.email], "role_id": [None, role.id]})
    return user


async def with_email(uow: UnitOfWork, email: str) -> User | None:
    query = sa.select(User).where(col(User.email_key) == checks.email_key(email), col(User.deleted_at).is_(None))
    found: User | None = (await uow.execute(query)).scalar_one_or_none()
    return found


async def change(uow: UnitOfWork, user_id: UUID, *, role_id: UUID, team_id: UUID | None) -> User:
    """Another role, another team. Both count from the user's next click on."""
    user = await managed(uow, user_id)
    role = await _role(uow, role_id)
    require_role(uow.actor, role)
    if role.id != user.role_id and "*" not in role.permissions:
        await _keep_an_admin(uow, user)
    diff: dict[str, list[Any]] = {"role_id": [user.role_id, role.id], "team_id": [user.team_id, team_id]}
    user.role_id, user.team_id = role.id, await _team_id(uow, team_id)
    await uow.flush()
    tell(uow, user, "updated", {k: v for k, v in diff.items() if v[0] != v[1]})
    return user


async def disable(uow: UnitOfWork, user_id: UUID) -> User:
    """Sign the user out everywhere and let them in no more. What they own stays theirs until given away."""
    user = await managed(uow, user_id)
    if user.id == uow.actor.user_id:
        raise Conflict("You cannot disable yourself. Ask another admin.")
    await _keep_an_admin(uow, user)
    await sessions.revoke_all_of(uow, user.id)
    await links.close_all(uow, user.id)
    return await _set_status(uow, user, UserStatus.disabled)


async def enable(uow: UnitOfWork, user_id: UUID) -> User:
    """Back in, with the old password; one who never had one is invited anew."""
    user = await managed(uow, user_id)
    return await _set_status(uow, user, UserStatus.active if user.password_hash else UserStatus.invited)


async def remove(uow: UnitOfWork, user_id: UUID) -> None:
    """Take a user off the list. Refused while they own anything: give that away first, or disable them."""
    user = await managed(uow, user_id)
    if user.id == uow.actor.user_id:
        raise Conflict("You cannot remove yourself. Ask another admin.")
    await _keep_an_admin(uow, user)
    if owned := await owned_by(uow, user.id):
        what = ", ".join(f"{n} {label}" for label, n in owned.items())
        raise Conflict(f"{user.name} still owns {what}. Give them to somebody else first, or disable {user.name}.")
    await sessions.revoke_all_of(uow, user.id)
    await links.close_all(uow, user.id)
    user.deleted_at, user.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    tell(uow, user, "deleted", {})


async def owned_by(uow: UnitOfWork, user_id: UUID) -> dict[str, int]:
    """How many records a user owns, by plural label; only what there is."""
    counts = {}
    for entity in registry.all_entities():
        if "owner_id" in entity.fields:
            mine = sa.and_(entity.table.c.owner_id == user_id, entity.table.c.deleted_at.is_(None))
            count = await uow.scalar(sa.select(sa.func.count()).select_from(entity.table).where(mine))
            if count:
                counts[(entity.plural if count > 1 else entity.label).lower()] = int(count)
    return counts


async def managed(uow: UnitOfWork, user_id: UUID) -> User:
    """The user, locked, if the actor may manage them: with `user.manage`, and nobody who may do more than oneself."""
    uow.require("user.manage")
    user = await uow.get(User, user_id, lock=True)
    role = await _role(uow, user.role_id)
    require_role(uow.actor, role)
    return user


async def _keep_an_admin(uow: UnitOfWork, user: User) -> None:
    """Conflict when this is the last active person who may do everything. Two at once wait for each other."""
    await uow.execute(sa.select(col(Workspace.id)).where(col(Workspace.id) == uow.actor.tenant_id).with_for_update())
    others = (
        sa.select(sa.func.count())
        .select_from(_users)
        .join(_roles, sa.and_(_roles.c.tenant_id == _users.c.tenant_id, _roles.c.id == _users.c.role_id))
        .where(
            _users.c.id != user.id,
            _users.c.status == UserStatus.active,
            _users.c.deleted_at.is_(None),
            _roles.c.permissions.contains(["*"]),
        )
    )
    if not await uow.scalar(others):
        raise Conflict("A workspace needs an admin, and this is the last one. Make somebody else an admin first.")


async def _set_status(uow: UnitOfWork, user: User, status: UserStatus) -> User:
    diff = {"status": [user.status.value, status.value]}
    user.status = status
    await uow.flush()
    tell(uow, user, "updated", diff)
    return user


async def _role(uow: UnitOfWork, role_id: UUID) -> Role:
    return await uow.get(Role, role_id)


async def _team_id(uow: UnitOfWork, team_id: UUID | None) -> UUID | None:
    return (await uow.get(Team, team_id)).id if team_id else None


def tell(uow: UnitOfWork, user: User, action: str, diff: dict[str, Any]) -> None:
    """The fact for handlers, the word for open screens."""
    uow.emit(RecordChanged(record_id=user.id, name=f"user.{action}", entity="user", diff=diff))
    uow.changed("user", user.id, user.version, action)
