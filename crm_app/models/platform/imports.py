"""Imports: a batch, and what it did to each record, so that it can be taken back."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, choice, tenant_fk


class ImportStatus(StrEnum):
    running = "running"
    done = "done"
    failed = "failed"
    reverting = "reverting"
    reverted = "reverted"


class ImportBatch(TenantScoped, table=True):
    __tablename__ = "import_batch"

    name: str = Field(max_length=200)
    status: ImportStatus = choice(ImportStatus, default=ImportStatus.running)
    mapping: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    user_id: UUID | None = None
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    finished_at: datetime | None = Field(default=None, sa_type=TZ)


class ImportedRecord(TenantScoped, table=True):
    """`before` holds the old values of an update; `version` is the record's version after the import."""

    __tablename__ = "imported_record"
    __table_args__ = (
        tenant_fk("batch_id", "import_batch"),
        sa.Index("ix_imported_record_batch", "tenant_id", "batch_id", "entity"),
    )

    batch_id: UUID
    entity: str = Field(max_length=40)
    record_id: UUID
    action: str = Field(max_length=12)  # create | update
    version: int = 1
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
