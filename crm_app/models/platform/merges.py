"""Merges: which records became one, and what is needed to part them again."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.models.base import TZ, TenantScoped, tenant_fk


class RecordMerge(TenantScoped, table=True):
    """`before` and `after` hold the survivor's columns that the merge changed, as JSON of the database."""

    __tablename__ = "record_merge"
    __table_args__ = (sa.Index("ix_record_merge_survivor", "tenant_id", "survivor_id", sa.text("created_at DESC")),)

    kind: str = Field(max_length=40)  # the entity; the audit trigger has a variable of that name
    survivor_id: UUID
    title: str = Field(default="", max_length=200)  # of the survivor, as it was called then
    loser_ids: list[str] = Field(default_factory=list, sa_type=JSONB)
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    user_id: UUID | None = None
    created_at: datetime = Field(sa_type=TZ)
    undone_at: datetime | None = Field(default=None, sa_type=TZ)
    undone_by_id: UUID | None = None


class MergedRecord(TenantScoped, table=True):
    """A record that went into another: whoever opens it is led there."""

    __tablename__ = "merged_record"
    __table_args__ = (
        tenant_fk("merge_id", "record_merge"),
        sa.Index("ix_merged_record_record", "tenant_id", "record_id"),
        sa.Index("ix_merged_record_merge", "tenant_id", "merge_id"),
    )

    merge_id: UUID
    entity: str = Field(max_length=40)
    record_id: UUID
    survivor_id: UUID


class MergedLink(TenantScoped, table=True):
    """A row that pointed to a loser. `moved`: it points to the survivor now; `trashed`: the survivor had its like."""

    __tablename__ = "merged_link"
    __table_args__ = (
        tenant_fk("merge_id", "record_merge"),
        sa.Index("ix_merged_link_merge", "tenant_id", "merge_id"),
    )

    merge_id: UUID
    table_name: str = Field(max_length=63)
    link: str = Field(max_length=63)
    record_id: UUID
    from_id: UUID
    action: str = Field(max_length=8)
