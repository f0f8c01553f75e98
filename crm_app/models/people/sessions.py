"""Sign-in: sessions, one-time links, failed attempts, who signed in when. Secrets are stored as SHA-256 digests."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, choice, new_id, tenant_fk


class UserSession(TenantScoped, table=True):
    __tablename__ = "user_session"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        tenant_fk("viewing_id", "crm_user"),
        sa.Index("uq_user_session_token", "token_hash", unique=True),
        sa.Index("ix_user_session_user", "tenant_id", "user_id"),
    )

    user_id: UUID
    token_hash: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    last_seen_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    expires_at: datetime = Field(sa_type=TZ)
    revoked_at: datetime | None = Field(default=None, sa_type=TZ)
    ip: str = ""
    user_agent: str = ""
    viewing_id: UUID | None = None  # as whom its user looks at everything, until `viewing_until`
    viewing_until: datetime | None = Field(default=None, sa_type=TZ)


class LinkPurpose(StrEnum):
    reset = "reset"
    invite = "invite"


class OneTimeLink(TenantScoped, table=True):
    """A password reset or an invitation, good once."""

    __tablename__ = "one_time_link"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_one_time_link_token", "token_hash", unique=True),
    )

    user_id: UUID
    purpose: LinkPurpose = choice(LinkPurpose)
    token_hash: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    expires_at: datetime = Field(sa_type=TZ)
    used_at: datetime | None = Field(default=None, sa_type=TZ)


class SignInAttempt(SQLModel, table=True):
    """A failed sign-in, kept a day; not tenant-scoped, for the tenant is not known yet."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        sa.Index("ix_sign_in_attempt_email", "email_key", "at"),
        sa.Index("ix_sign_in_attempt_ip", "ip", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email_key: str = Field(max_length=254)
    ip: str = Field(default="", max_length=64)
    at: datetime = Field(default_factory=utcnow, sa_type=TZ)


class SignInOutcome(StrEnum):
    """`disabled` and `invited`: the right address of one who may not come in, or has not yet."""

    success = "success"
    wrong_password = "wrong_password"  # noqa: S105 - what happened
    throttled = "throttled"  # told once in a quarter of an hour, however often it was tried
    disabled = "disabled"
    invited = "invited"


class SignInWay(StrEnum):
    password = "password"  # noqa: S105 - a way in
    invitation = "invitation"
    app = "app"  # a program that asked for tokens


class SignIn(TenantScoped, table=True):
    """Somebody came in, or tried to under the address of a person of this workspace. Kept for a year."""

    __tablename__ = "sign_in"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("ix_sign_in_at", "tenant_id", sa.text("at DESC"), sa.text("id DESC")),
        sa.Index("ix_sign_in_user", "tenant_id", "user_id", sa.text("at DESC"), sa.text("id DESC")),
    )

    user_id: UUID
    at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    outcome: SignInOutcome = choice(SignInOutcome)
    way: SignInWay = choice(SignInWay)
    ip: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=300)
