"""What programs sign in with: keys that people make, refresh tokens of apps. Secrets are kept as digests only."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, tenant_fk


class ApiKey(TenantScoped, table=True):
    """A key acts as its user, held to `scopes`: permission names, a bundle, or "*" for all that the user may.

    `hint` is the end of the key, by which people tell it from others. `per_minute` is how many requests it may send.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_api_key_token", "token_hash", unique=True),
        sa.Index("ix_api_key_user", "tenant_id", "user_id"),
    )

    user_id: UUID
    name: str = Field(max_length=80)
    hint: str = Field(max_length=8)
    token_hash: str = Field(max_length=64)
    scopes: list[str] = Field(default_factory=list, sa_type=JSONB)
    per_minute: int
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    expires_at: datetime | None = Field(default=None, sa_type=TZ)
    revoked_at: datetime | None = Field(default=None, sa_type=TZ)
    last_used_at: datetime | None = Field(default=None, sa_type=TZ)
    last_used_ip: str = Field(default="", max_length=64)


class ApiToken(TenantScoped, table=True):
    """A refresh token, good once. `family` is one sign-in of an app: all tokens that followed from it."""

    __tablename__ = "api_token"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_api_token_token", "token_hash", unique=True),
        sa.Index("ix_api_token_family", "tenant_id", "family"),
        sa.Index("ix_api_token_user", "tenant_id", "user_id"),
    )

    user_id: UUID
    family: UUID
    token_hash: str = Field(max_length=64)
    scopes: list[str] = Field(default_factory=list, sa_type=JSONB)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    expires_at: datetime = Field(sa_type=TZ)
    used_at: datetime | None = Field(default=None, sa_type=TZ)
    revoked_at: datetime | None = Field(default=None, sa_type=TZ)
    ip: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=300)
