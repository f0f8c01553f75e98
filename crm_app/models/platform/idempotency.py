"""Requests of programs that may come twice: the answer of the first, kept for a day."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, tenant_fk


class IdempotencyKey(TenantScoped, table=True):
    """`key` is what the client made up, `digest` of method, path and body says what it was first used for."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.UniqueConstraint("tenant_id", "user_id", "key"),
    )

    user_id: UUID
    key: str = Field(max_length=200)
    digest: str = Field(max_length=64)
    status: int = 0
    body: str = ""
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
