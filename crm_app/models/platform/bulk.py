"""Changes of many records at once: the operation, and chunk by chunk what it did: it can go on and be undone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, choice, tenant_fk


class BulkKind(StrEnum):
    edit = "edit"
    delete = "delete"
    undo = "undo"


class BulkStatus(StrEnum):
    running = "running"
    done = "done"
    cancelled = "cancelled"
    failed = "failed"


class BulkOperation(TenantScoped, table=True):
    """`changes` are {"field", "mode", "value"}. The counts are those of the chunks that are done: each chunk and its
    counts are written in one transaction. `undoes_id` is the operation that this one takes back."""

    __tablename__ = "bulk_operation"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        tenant_fk("undoes_id", "bulk_operation"),
        sa.Index("ix_bulk_operation_user", "tenant_id", "user_id", sa.text("created_at DESC")),
    )

    entity: str = Field(max_length=40)
    kind: BulkKind = choice(BulkKind)
    changes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    status: BulkStatus = choice(BulkStatus, default=BulkStatus.running)
    total: int = 0
    changed: int = 0
    unchanged: int = 0
    blocked: int = 0
    is_stopping: bool = False
    error: str = Field(default="", max_length=500)
    moved_at: datetime = Field(default_factory=utcnow, sa_type=TZ)  # when the last chunk was done
    undoes_id: UUID | None = None
    user_id: UUID
    source: str = Field(default="ui", max_length=20)
    ip: str = Field(default="", max_length=60)
    user_agent: str = Field(default="", max_length=300)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    finished_at: datetime | None = Field(default=None, sa_type=TZ)


class BulkChunk(TenantScoped, table=True):
    """Records of one transaction. `done_at` is the moment that all of them were stamped with; `before` holds the old
    columns of each in the order of `changed_ids`; `blocked` are [id, reason]."""

    __tablename__ = "bulk_chunk"
    __table_args__ = (
        tenant_fk("operation_id", "bulk_operation"),
        sa.UniqueConstraint("tenant_id", "operation_id", "place"),
    )

    operation_id: UUID
    place: int
    record_ids: list[UUID] = Field(sa_type=ARRAY(sa.Uuid()))
    done_at: datetime | None = Field(default=None, sa_type=TZ)
    changed_ids: list[UUID] = Field(
        default_factory=list, sa_type=ARRAY(sa.Uuid()), sa_column_kwargs={"server_default": sa.text("'{}'")}
    )
    before: list[dict[str, Any]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'[]'")}
    )
    blocked: list[list[str]] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'[]'")}
    )
