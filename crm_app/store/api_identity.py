"""Looks at keys and tokens of programs, made before it is known who acts. Each goes through a definer function that
answers for one exact digest or family (see store.identity, which does the same for people)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.store.engine import engine
from crm_app.store.identity import Standing

_KEY = sa.text("SELECT * FROM crm_api_key_user(:digest)")
_FAMILY = sa.text("SELECT * FROM crm_api_family_user(:tenant, :family)")
_TOKEN = sa.text("SELECT * FROM crm_api_token_user(:digest)")


@dataclass(frozen=True)
class CallerRow(Standing):
    """The active user behind a live key or family, and what the key is held to. `scopes` as stored."""

    key_id: UUID
    scopes: list[str]
    per_minute: int = 0  # 0: the installation's own limit
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


async def key_user(digest: str) -> CallerRow | None:
    """The live key of this digest: not revoked, not expired, of an active user."""
    row = await _first(_KEY, {"digest": digest})
    return CallerRow(*row) if row else None


async def family_user(tenant_id: UUID, family: UUID) -> CallerRow | None:
    """The sign-in of an app that nobody has ended."""
    row = await _first(_FAMILY, {"tenant": tenant_id, "family": family})
    return CallerRow(*row) if row else None


async def token_user(digest: str) -> tuple[UUID, UUID] | None:
    """Tenant and user of a refresh token, whatever became of it."""
    row = await _first(_TOKEN, {"digest": digest})
    return (row.tenant_id, row.user_id) if row else None


async def _first(query: sa.TextClause, values: dict[str, object]) -> Any:
    async with engine().connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        return (await alone.execute(query, values)).first()
