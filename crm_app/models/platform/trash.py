"""What went along when a record was thrown away, so that it comes back whole."""

from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.models.base import TenantScoped, choice


class Along(StrEnum):
    trashed = "trashed"  # the row was thrown away with it
    unlinked = "unlinked"  # the row lost its link to it


class TrashedAlong(TenantScoped, table=True):
    """One row of another record that followed `root_id` (a record of `root_entity`) into the trash, or let go of it."""

    __tablename__ = "trashed_along"
    __table_args__ = (
        sa.Index("ix_trashed_along_root", "tenant_id", "root_id"),
        sa.Index("ix_trashed_along_row", "tenant_id", "row_id"),
    )

    root_entity: str = Field(max_length=40)
    root_id: UUID
    entity: str = Field(max_length=40)
    row_id: UUID
    link: str = Field(max_length=63)
    action: Along = choice(Along)
