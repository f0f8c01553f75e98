"""Who is behind a request of a program: from an API key or an access token to an actor.

Looked up once and kept for seconds, as long as the live feed tells this process of every change of keys, users, roles
and teams: a key that was revoked, or a role that lost a right, counts from that moment on.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

import jwt
import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.errors import Unauthenticated
from crm_app.models.base import table_of
from crm_app.models.people.api_keys import ApiKey
from crm_app.services.people import standing
from crm_app.services.people.roles import expand
from crm_app.settings import settings
from crm_app.store import api_identity
from crm_app.store.api_identity import CallerRow
from crm_app.store.keys import derived_key
from crm_app.store.live import hub
from crm_app.store.uow import unit_of_work

PREFIX = "sck_"  # of a key: by it programs that look for leaked secrets know it
ISSUER = "salescompass"
_FRESH = 5.0  # seconds
_MOST = 5_000
_TOUCH_EVERY = timedelta(minutes=1)
_MATTERS = frozenset({"api_key", "user", "role", "team", "workspace", "territory", "territory_member", "record_share"})
_keys: Any = table_of(ApiKey)
_known: OrderedDict[str, tuple[CallerRow, float]] = OrderedDict()
_forgotten = count()  # moves on at every `forget`: what was read before it is not kept
_round = next(_forgotten)


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that acts as `actor`. `key_id` names the key, or the sign-in of the app, for limits."""

    actor: Actor
    key_id: UUID
    email: str
    role: str
    workspace: str
    per_minute: int


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def by_key(token: str, *, now: datetime, ip: str, user_agent: str, request_id: str) -> Caller:
    """Who a key stands for. Unauthenticated when it is unknown, revoked or expired, or its user is disabled: nobody is
    told which."""
    secret = digest(token)
    row = await _cached(secret, lambda: api_identity.key_user(secret))
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        raise Unauthenticated("This API key is not known here, has expired or was revoked. Make a new one in Settings.")
    caller = _caller(row, ip, user_agent, request_id)
    if row.last_used_at is None or now - row.last_used_at > _TOUCH_EVERY:
        if secret in _known:  # before the wait: requests beside this one need not note it too
            _known[secret] = replace(row, last_used_at=now), _known[secret][1]
        await _touch(caller, now)
    return caller


def is_remembered(token: str) -> bool:
    """Whether this process has met the key before, as a good one."""
    return digest(token) in _known


async def by_access_token(token: str, *, now: datetime, ip: str, user_agent: str, request_id: str) -> Caller:
    """Who an access token stands for, as long as nobody ended the sign-in it came from."""
    try:
        said = jwt.decode(
            token, signing_key(), algorithms=["HS256"], issuer=ISSUER,
            options={"require": ["exp", "iss", "sub", "tid", "fam"], "verify_exp": False, "verify_iat": False},
        )  # fmt: skip
        tenant_id, family, ends = UUID(said["tid"]), UUID(said["fam"]), int(said["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated("This access token is not one of ours. Sign in at /api/token/ for a new one.") from error
    if ends <= now.timestamp():
        raise Unauthenticated("This access token has expired. Renew it at /api/token/refresh/.")
    row = await _cached(f"{tenant_id}:{family}", lambda: api_identity.family_user(tenant_id, family))
    if row is None or str(row.user_id) != said["sub"]:
        raise Unauthenticated("This sign-in has ended. Sign in at /api/token/ again.")
    return _caller(row, ip, user_agent, request_id)


def signing_key() -> bytes:
    return _signing_key()


@lru_cache(maxsize=1)
def _signing_key() -> bytes:
    return derived_key("api access token")


def forget(tenant_id: UUID | None, entities: frozenset[str] = _MATTERS) -> None:
    """Look callers of this tenant (None: all) up anew."""
    global _round  # noqa: PLW0603
    if tenant_id is not None and not entities & _MATTERS:
        return
    _round = next(_forgotten)
    if tenant_id is None:
        _known.clear()
    else:
        for key in [k for k, (row, _) in _known.items() if row.tenant_id == tenant_id]:
            del _known[key]


hub.tell_cache(forget)


async def _cached(key: str, look: Callable[[], Awaitable[CallerRow | None]]) -> CallerRow | None:
    kept = _known.get(key)
    if kept is not None and hub.is_listening.is_set() and time.monotonic() - kept[1] < _FRESH:
        return kept[0]
    asked_at, begun = time.monotonic(), _round
    row = await look()
    if row is None or begun != _round:
        _known.pop(key, None)
        return row
    _known[key] = row, asked_at
    _known.move_to_end(key)
    if len(_known) > _MOST:
        _known.popitem(last=False)
    return row


def _caller(row: CallerRow, ip: str, user_agent: str, request_id: str) -> Caller:
    actor = standing.actor_of(
        row,
        held=lambda permissions: held(permissions, tuple(row.scopes)),
        ip=ip,
        user_agent=user_agent,
        source=Source.api,
        request_id=request_id,
    )
    return Caller(actor, row.key_id, row.email, row.role, row.workspace, row.per_minute or settings().api_per_minute)


@lru_cache(maxsize=2_048)
def held(permissions: tuple[str, ...], scopes: tuple[str, ...]) -> frozenset[str]:
    """What is left of a role's permissions (as stored) under the scopes of a key: never more than either."""
    may, wanted = expand(permissions), expand(scopes)
    if "*" in wanted:
        return may
    return wanted if "*" in may else may & wanted


async def _touch(caller: Caller, now: datetime) -> None:
    used = {"last_used_at": now, "last_used_ip": caller.actor.ip[:64]}
    async with unit_of_work(caller.actor, now=now) as uow:
        await uow.execute(sa.update(_keys).where(_keys.c.id == caller.key_id).values(**used))
