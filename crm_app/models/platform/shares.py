"""Records that are shown to people beyond those who see them by owner, team or territory."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, tenant_fk


class RecordShare(TenantScoped, table=True):
    """One record shown to one person, to read or to change too."""

    __tablename__ = "record_share"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_record_share", "tenant_id", "record_id", "user_id", unique=True),
        sa.Index(
            "ix_record_share_user", "tenant_id", "user_id", "entity", postgresql_include=["record_id", "can_write"]
        ),
    )

    entity: str = Field(max_length=40)
    record_id: UUID
    user_id: UUID
    can_write: bool = False
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    created_by_id: UUID | None = None
