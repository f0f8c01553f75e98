"""Where everybody is signed in, and ending that: for those who look after people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import NotFound
from crm_app.models.base import table_of
from crm_app.models.people.sessions import UserSession
from crm_app.models.people.users import User
from crm_app.services.people import sessions, users
from crm_app.store.uow import UnitOfWork

_sessions: Any = table_of(UserSession)
_users: Any = table_of(User)
_MOST = 500


@dataclass(frozen=True, slots=True)
class Place:
    """A live session of somebody."""

    id: UUID
    user_id: UUID
    name: str
    since: datetime
    seen: datetime
    ip: str
    user_agent: str
    is_current: bool


async def listed(uow: UnitOfWork) -> list[Place]:
    """Every live session of the workspace, the one seen last first; 500 at most."""
    uow.require("user.manage")
    query = (
        sa.select(
            _sessions.c.id, _sessions.c.user_id, _users.c.name, _sessions.c.created_at, _sessions.c.last_seen_at,
            _sessions.c.ip, _sessions.c.user_agent,
        )
        .join(_users, sa.and_(_users.c.tenant_id == _sessions.c.tenant_id, _users.c.id == _sessions.c.user_id))
        .where(_sessions.c.revoked_at.is_(None), _sessions.c.expires_at > uow.now)
        .order_by(_sessions.c.last_seen_at.desc(), _sessions.c.id)
        .limit(_MOST)
    )  # fmt: skip
    here = uow.actor.session_id
    return [
        Place(r.id, r.user_id, r.name, r.created_at, r.last_seen_at, r.ip, r.user_agent, r.id == here)
        for r in await uow.rows(query)
    ]


async def end(uow: UnitOfWork, session_id: UUID) -> str:
    """Sign somebody out at one place; whom. Nobody ends the sessions of those who may do more than oneself."""
    uow.require("user.manage")
    live = sa.and_(_sessions.c.id == session_id, _sessions.c.revoked_at.is_(None))
    user_id = await uow.scalar(sa.select(_sessions.c.user_id).where(live))
    if user_id is None:
        raise NotFound("This session has ended already.")
    user = await users.managed(uow, user_id)
    await uow.execute(sa.update(_sessions).where(live).values(revoked_at=uow.now))
    return user.name


async def end_all(uow: UnitOfWork, user_id: UUID) -> int:
    """Sign somebody out everywhere, apps included; at how many places that was."""
    user = await users.managed(uow, user_id)
    return await sessions.revoke_all_of(uow, user.id)
