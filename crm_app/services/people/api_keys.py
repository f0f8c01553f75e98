"""API keys: made, listed, revoked by the people they act for. A key is told once; we keep its digest."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Source
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.people.api_keys import ApiKey
from crm_app.models.people.users import User
from crm_app.services.people import checks
from crm_app.services.people.api_callers import PREFIX, digest, forget
from crm_app.services.people.roles import BUNDLES, catalogue
from crm_app.settings import settings
from crm_app.store.uow import UnitOfWork

MOST_KEYS = 50  # of one person
LONGEST_DAYS, MOST_PER_MINUTE = 3650, 60_000
CREATE, MANAGE = "api_key.create", "api_key.manage"
_keys: Any = table_of(ApiKey)
_users: Any = table_of(User)


@dataclass(frozen=True, slots=True)
class KeyView:
    """A line of the list. `hint` is the end of the key; `state` is live, expired or revoked."""

    id: UUID
    name: str
    hint: str
    user_id: UUID
    user: str
    scopes: tuple[str, ...]
    per_minute: int
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str
    state: str


async def create(
    uow: UnitOfWork, *, name: str, scopes: Sequence[str], days: int | None = 90, per_minute: int | None = None
) -> tuple[str, KeyView]:
    """A key that acts as oneself, held to `scopes`; the key is told this once. `days` until it expires; None: never.

    A scope beyond one's own role is refused, and a key makes no keys.
    """
    uow.require(CREATE)
    if uow.actor.user_id is None or uow.actor.source is Source.api:
        raise Forbidden("Keys are made by people, under Settings, API keys.", permission=CREATE)
    key = ApiKey(
        user_id=uow.actor.user_id,
        name=checks.required_text("name", name, 80),
        hint="",
        token_hash="",
        scopes=_scopes(uow, scopes),
        per_minute=_whole("per_minute", per_minute or settings().api_per_minute, MOST_PER_MINUTE),
        created_at=uow.now,
        expires_at=None if days is None else uow.now + timedelta(days=_whole("days", days, LONGEST_DAYS)),
    )
    mine = sa.select(sa.func.count()).where(_keys.c.user_id == key.user_id, _keys.c.revoked_at.is_(None))
    if await uow.scalar(mine) >= MOST_KEYS:
        raise Conflict(f"You have {MOST_KEYS} keys already. Revoke one that nothing uses any more.")
    token = PREFIX + secrets.token_urlsafe(32)
    key.hint, key.token_hash = token[-4:], digest(token)
    uow.add(key)
    await uow.flush()
    return token, _view(key, uow.actor.name, uow.now)


async def listed(uow: UnitOfWork) -> list[KeyView]:
    """One's own keys, with `api_key.manage` everybody's: the live ones first, the youngest first."""
    if not uow.actor.can(MANAGE):
        uow.require(CREATE)
    query = sa.select(_keys, _users.c.name.label("user")).join(
        _users, sa.and_(_users.c.tenant_id == _keys.c.tenant_id, _users.c.id == _keys.c.user_id)
    )
    if not uow.actor.can(MANAGE):
        query = query.where(_keys.c.user_id == uow.actor.user_id)
    found = [_view(row, row.user, uow.now) for row in await uow.rows(query.order_by(_keys.c.created_at.desc()))]
    return sorted(found, key=lambda k: k.state != "live")


async def revoke(uow: UnitOfWork, key_id: UUID) -> None:
    """End a key of one's own, or with `api_key.manage` anybody's, at once."""
    if not uow.actor.can(MANAGE):
        uow.require(CREATE)
    which = [_keys.c.id == key_id, _keys.c.revoked_at.is_(None)]
    if not uow.actor.can(MANAGE):
        which.append(_keys.c.user_id == uow.actor.user_id)
    if not await uow.write(sa.update(_keys).where(*which).values(revoked_at=uow.now)):
        raise NotFound("This key was revoked already, or is not yours.")
    uow.changed("api_key", key_id, 0, "deleted")
    forget(uow.actor.tenant_id)


def _scopes(uow: UnitOfWork, wanted: Sequence[str]) -> list[str]:
    """ "*" and bundles follow the role and are cut down to it at every request; single names must be in it now."""
    names = sorted(set(wanted))
    if not names:
        raise Invalid(scopes="choose what the key may do")
    if unknown := [n for n in names if n != "*" and n not in BUNDLES and n not in catalogue()]:
        raise Invalid(scopes=f"there is no permission called {unknown[0]}")
    if more := [n for n in names if n != "*" and n not in BUNDLES and not uow.actor.can(n)]:
        noun, _, verb = more[0].partition(".")
        raise Forbidden(f"Your role does not let you {verb} {noun} records, so your key cannot.", permission=more[0])
    return names


def _whole(field: str, number: int, most: int) -> int:
    if not 1 <= number <= most:
        raise Invalid(**{field: f"must be a whole number from 1 to {most}"})
    return number


def _view(row: Any, user: str, now: datetime) -> KeyView:
    expired = row.expires_at is not None and row.expires_at <= now
    return KeyView(
        row.id, row.name, row.hint, row.user_id, user, tuple(row.scopes), row.per_minute, row.created_at,
        row.expires_at, row.last_used_at, row.last_used_ip,
        "revoked" if row.revoked_at else "expired" if expired else "live",
    )  # fmt: skip
