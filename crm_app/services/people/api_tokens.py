"""Apps that sign in as a person: short access tokens (JWT) and refresh tokens that are good once.

A refresh token that comes a second time was copied: the whole sign-in ends, for the thief and for the owner.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.context import Actor, Source
from crm_app.core.errors import Unauthenticated
from crm_app.models.base import new_id, table_of
from crm_app.models.people.api_keys import ApiToken
from crm_app.models.people.sessions import SignInWay
from crm_app.services.people import actors, sessions, sign_ins
from crm_app.services.people.api_callers import ISSUER, digest, forget, signing_key
from crm_app.settings import settings
from crm_app.store import api_identity
from crm_app.store.uow import UnitOfWork, unit_of_work

PREFIX = "scr_"
_tokens: Any = table_of(ApiToken)


@dataclass(frozen=True, slots=True)
class Pair:
    """`expires_in`: seconds for which the access token is good."""

    access: str
    refresh: str
    expires_in: int


async def sign_in(email: str, password: str, *, ip: str, user_agent: str) -> Pair:
    """A first pair. Unauthenticated or Throttled otherwise, exactly as at the sign-in page."""
    now = utcnow()
    found = await sessions.proven(email, password, ip=ip, user_agent=user_agent, now=now)
    actor = Actor(found.tenant_id, found.user_id, ip=ip, user_agent=user_agent, source=Source.api)
    async with unit_of_work(actor, now=now) as uow:
        await sign_ins.record(uow, found.user_id, SignInWay.app)
        return await _pair(uow, found.user_id, new_id())


async def refresh(token: str, *, ip: str, user_agent: str) -> Pair:
    """The next pair; the token that was given is used up."""
    now, secret = utcnow(), digest(token)
    owner = await api_identity.token_user(secret)
    if owner is None:
        raise _ended()
    tenant_id, user_id = owner
    actor = Actor(tenant_id, user_id, ip=ip, user_agent=user_agent, source=Source.api)
    async with unit_of_work(actor, now=now) as uow:
        row = (await uow.execute(sa.select(_tokens).where(_tokens.c.token_hash == secret).with_for_update())).one()
        if row.revoked_at is None and row.used_at is None and row.expires_at > now:
            await actors.load(uow, user_id, source=Source.api)  # NotFound when disabled meanwhile
            await uow.execute(sa.update(_tokens).where(_tokens.c.id == row.id).values(used_at=now))
            return await _pair(uow, user_id, row.family)
        if row.used_at is not None:
            await _end(uow, row.family)
    raise _ended()


async def end(token: str, *, ip: str, user_agent: str) -> None:
    """Sign an app out: every token of its sign-in. Unknown tokens are none of ours, which is as good."""
    owner = await api_identity.token_user(digest(token))
    if owner is None:
        return
    actor = Actor(*owner, ip=ip, user_agent=user_agent, source=Source.api)
    async with unit_of_work(actor, now=utcnow()) as uow:
        family = await uow.scalar(sa.select(_tokens.c.family).where(_tokens.c.token_hash == digest(token)))
        await _end(uow, family)


async def _pair(uow: UnitOfWork, user_id: UUID, family: UUID) -> Pair:
    token, lifetime = PREFIX + secrets.token_urlsafe(32), timedelta(minutes=settings().api_access_minutes)
    uow.add(
        ApiToken(
            user_id=user_id,
            family=family,
            token_hash=digest(token),
            scopes=["*"],
            created_at=uow.now,
            expires_at=uow.now + timedelta(days=settings().api_refresh_days),
            ip=uow.actor.ip[:64],
            user_agent=uow.actor.user_agent[:300],
        )
    )
    await uow.flush()
    access = _signed(replace(uow.actor, user_id=user_id), family, uow.now, lifetime)
    return Pair(access, token, int(lifetime.total_seconds()))


def _signed(actor: Actor, family: UUID, now: datetime, lifetime: timedelta) -> str:
    said = {
        "iss": ISSUER, "sub": str(actor.user_id), "tid": str(actor.tenant_id), "fam": str(family),
        "iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp()),
    }  # fmt: skip
    return jwt.encode(said, signing_key(), algorithm="HS256")


async def _end(uow: UnitOfWork, family: UUID) -> None:
    live = sa.and_(_tokens.c.family == family, _tokens.c.revoked_at.is_(None))
    await uow.execute(sa.update(_tokens).where(live).values(revoked_at=uow.now))
    uow.changed_many("api_key")
    forget(uow.actor.tenant_id)


def _ended() -> Unauthenticated:
    return Unauthenticated("This refresh token is used up, has expired or was revoked. Sign in at /api/token/ again.")
