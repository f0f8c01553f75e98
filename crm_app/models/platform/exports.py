"""Files that people asked for: what of, how far, where to fetch them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, choice, tenant_fk


class ExportStatus(StrEnum):
    running = "running"
    done = "done"
    failed = "failed"


class ExportFile(TenantScoped, table=True):
    """`view` is what it shows (core.views), `record_ids` those alone that were chosen. The file lies under
    the id where exports are kept (integrations.files) and goes with the row."""

    __tablename__ = "export_file"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("ix_export_file_user", "tenant_id", "user_id", sa.text("created_at DESC")),
    )

    entity: str = Field(max_length=40)
    form: str = Field(max_length=10)
    name: str = Field(max_length=200)
    status: ExportStatus = choice(ExportStatus, default=ExportStatus.running)
    view: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    record_ids: list[UUID] | None = Field(default=None, sa_type=ARRAY(sa.Uuid()))
    total: int = 0
    rows: int = 0
    size: int = Field(default=0, sa_type=sa.BigInteger)  # bytes
    error: str = Field(default="", max_length=500)
    user_id: UUID
    ip: str = Field(default="", max_length=60)
    user_agent: str = Field(default="", max_length=300)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    finished_at: datetime | None = Field(default=None, sa_type=TZ)
