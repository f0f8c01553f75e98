"""The audit log: written by triggers only, append-only, partitioned by month, sealed by a chain of digests."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped


class AuditEntry(SQLModel, table=True):
    """Who (`user_id`, `source`) changed which fields of what (`entity`, `record_id`), when, from which old value to
    which new one (`changes` = {"field": [old, new]}), from which address and with which browser."""

    __tablename__ = "audit_log"
    __table_args__ = (
        sa.Index("ix_audit_log_record", "tenant_id", "record_id", sa.text("at DESC")),
        sa.Index("ix_audit_log_tenant", "tenant_id", sa.text("at DESC")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(
        sa_type=TZ, primary_key=True, sa_column_kwargs={"server_default": sa.text("clock_timestamp()")}
    )
    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": sa.text("gen_random_uuid()")})
    tenant_id: UUID
    user_id: UUID | None = None
    source: str = Field(max_length=20)
    entity: str = Field(max_length=40)
    record_id: UUID
    action: str = Field(max_length=12)  # create | update | delete | restore | purge
    changes: dict[str, Any] = Field(sa_type=JSONB)
    ip: str = ""
    user_agent: str = ""
    request_id: str = ""


class AuditSeal(TenantScoped, table=True):
    """Digest over all entries up to `sealed_to`, chained to the seal before it: a changed past no longer fits."""

    __tablename__ = "audit_seal"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "number"),)

    number: int
    sealed_from: datetime = Field(sa_type=TZ)
    sealed_to: datetime = Field(sa_type=TZ)
    entries: int
    digest: str = Field(max_length=64)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
