"""Imports: a batch, and what it did to which records, so that it can be taken back."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, choice, json_list, tenant_fk


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


class JobStatus(StrEnum):
    draft = "draft"  # files are being chosen and matched
    checking = "checking"
    checked = "checked"
    waiting = "waiting"  # for its turn
    running = "running"
    paused = "paused"
    stopping = "stopping"  # cancelled: what was written is being taken back
    done = "done"
    failed = "failed"
    closed = "closed"  # looked at and put away


class ImportJob(TenantScoped, table=True):
    """An import on its way, from the first file to the result; the batch it writes has its id.

    `document` is what a person chose (services.platform.imports.outline) and `revision` counts its changes; `report`
    is of the check of revision `checked`. `wanted` is what the person asks of the work under way: pause or cancel.
    `place` is how far the run is: the next (step, row) to write.
    """

    __tablename__ = "import_job"
    __table_args__ = (sa.Index("ix_import_job_user", "tenant_id", "user_id", sa.text("created_at DESC")),)

    name: str = Field(default="", max_length=200)
    status: JobStatus = choice(JobStatus, default=JobStatus.draft)
    user_id: UUID
    document: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    revision: int = 0
    checked: int = -1
    progress: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    place: list[int] = json_list()
    wanted: str = Field(default="", max_length=12)
    error: str = ""
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=TZ)


class ImportPreset(TenantScoped, table=True):
    """A matching of columns that is kept under a name, for the next file of this kind."""

    __tablename__ = "import_preset"
    __table_args__ = (sa.Index("uq_import_preset_name", "tenant_id", "entity", "name", unique=True),)

    entity: str = Field(max_length=40)
    name: str = Field(max_length=80)
    headings: list[str] = json_list()
    document: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    user_id: UUID | None = None
    updated_at: datetime = Field(default_factory=utcnow, sa_type=TZ)


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
    record_ids: list[UUID] = Field(sa_type=ARRAY(sa.Uuid()))
    before: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
