"""One-time links: the token is told once and stored as a digest, so that nobody who reads the database can use it."""

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.errors import Conflict
from crm_app.models.base import table_of
from crm_app.models.people.sessions import LinkPurpose, OneTimeLink
from crm_app.services.people.sessions import digest
from crm_app.settings import settings
from crm_app.store import identity
from crm_app.store.identity import LinkRow
from crm_app.store.uow import UnitOfWork

LIFE = {LinkPurpose.reset: timedelta(hours=1), LinkPurpose.invite: timedelta(days=7)}
_links: Any = table_of(OneTimeLink)


class LinkExpired(Conflict):
    """Used, too old, replaced by a newer one, or never there."""

    code = "expired"


async def make(uow: UnitOfWork, user_id: UUID, purpose: LinkPurpose) -> str:
    """A token for a new link; earlier ones of this purpose stop working. The caller has asked for the permission."""
    await close_all(uow, user_id, purpose)
    token = secrets.token_urlsafe(32)
    uow.add(
        OneTimeLink(
            user_id=user_id,
            purpose=purpose,
            token_hash=digest(token),
            created_at=uow.now,
            expires_at=uow.now + LIFE[purpose],
        )
    )
    await uow.flush()
    return token


def address(token: str, purpose: LinkPurpose, **shown: str) -> str:
    """Where a person opens it; `shown` are words for the page."""
    query = f"?{urlencode(shown)}" if shown else ""
    return f"{settings().base_url}/{purpose.value}/{token}{query}"


async def look_up(token: str, purpose: LinkPurpose) -> LinkRow:
    """Whom an open link is for, without using it up: mail scanners open links too."""
    row = await identity.link_user(digest(token)) if token else None
    if row is None or row.purpose is not purpose or not row.is_open:
        raise LinkExpired("This link has been used or is too old. Ask for a new one.")
    return row


def bearer(row: LinkRow, *, ip: str = "", user_agent: str = "") -> Actor:
    """Who holds the link: the user, with no permission beyond what the link itself is for."""
    return Actor(row.tenant_id, row.user_id, name=row.name, ip=ip, user_agent=user_agent)


async def use(uow: UnitOfWork, link_id: UUID) -> None:
    """Use it up, with the transaction; of two at once only one gets through."""
    used = (
        sa.update(_links)
        .where(_links.c.id == link_id, _links.c.used_at.is_(None), _links.c.expires_at > uow.now)
        .values(used_at=uow.now)
    )
    if await uow.write(used) != 1:
        raise LinkExpired("This link has been used or is too old. Ask for a new one.")


async def close_all(uow: UnitOfWork, user_id: UUID, purpose: LinkPurpose | None = None) -> None:
    """Open links of the user stop working."""
    open_ones = sa.update(_links).where(_links.c.user_id == user_id, _links.c.used_at.is_(None))
    if purpose is not None:
        open_ones = open_ones.where(_links.c.purpose == purpose)
    await uow.execute(open_ones.values(used_at=uow.now))


async def made_since(uow: UnitOfWork, user_id: UUID, purpose: LinkPurpose, within: timedelta) -> int:
    """How many were made lately, used or not."""
    lately = (_links.c.user_id == user_id) & (_links.c.purpose == purpose) & (_links.c.created_at > uow.now - within)
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(_links).where(lately)))
