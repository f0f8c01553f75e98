"""Imports: a batch, and what it did to which records, so that it can be taken back."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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


class ImportedRows(TenantScoped, table=True):
    """A chunk of what one step of a batch made or changed. `before` has, for updates, the old values of each record in
    the order of `record_ids`. An array a chunk instead of a row a record: an import of 100,000 stays quick."""

    __tablename__ = "imported_rows"
    __table_args__ = (
        tenant_fk("batch_id", "import_batch"),
        sa.Index("ix_imported_rows_batch", "tenant_id", "batch_id", "step"),
    )

    batch_id: UUID
    step: int
    entity: str = Field(max_length=40)
    action: str = Field(max_length=12)  # create | update
    record_ids: list[UUID] = Field(sa_type=ARRAY(sa.Uuid()))  # type: ignore[call-overload]
    before: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
