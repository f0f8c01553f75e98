"""Facts about opportunities that a database trigger keeps, whatever way a row was changed: nobody else writes here."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crm_app.models.base import TZ, TenantScoped, tenant_fk


class StageHistory(TenantScoped, table=True):
    """One stay of a deal in a stage; `left_at` is empty while it lasts. Amount and owner are those at entry."""

    __tablename__ = "stage_history"
    __table_args__ = (
        tenant_fk("opportunity_id", "opportunity"),
        tenant_fk("stage_id", "stage"),
        sa.Index("ix_stage_history_opportunity", "tenant_id", "opportunity_id", "entered_at"),
        sa.Index("ix_stage_history_stage", "tenant_id", "stage_id", "entered_at"),
    )

    opportunity_id: UUID
    pipeline_id: UUID
    stage_id: UUID
    from_stage_id: UUID | None = None
    entered_at: datetime = Field(sa_type=TZ)
    left_at: datetime | None = Field(default=None, sa_type=TZ)
    owner_id: UUID
    moved_by_id: UUID | None = None
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    probability: int


class StageTotal(SQLModel, table=True):
    """Count and sums of the deals in a stage, by owner, currency and health; kept in the transaction of the change."""

    __tablename__ = "stage_total"

    tenant_id: UUID = Field(primary_key=True)
    stage_id: UUID = Field(primary_key=True)
    owner_id: UUID = Field(primary_key=True)
    currency: str = Field(primary_key=True, max_length=3)
    health: str = Field(primary_key=True, max_length=32)
    deals: int = Field(default=0, sa_type=sa.BigInteger)
    amount_minor: int = Field(default=0, sa_type=sa.BigInteger)
    weighted_minor: int = Field(default=0, sa_type=sa.BigInteger)
