"""Stored facts, and which handler has dealt with which."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, tenant_fk


class Event(TenantScoped, table=True):
    __tablename__ = "event"
    __table_args__ = (sa.Index("ix_event_record", "tenant_id", "record_id", sa.text("id DESC")),)

    name: str = Field(max_length=80)
    entity: str = Field(max_length=40)
    record_id: UUID
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    user_id: UUID | None = None
    depth: int = 0
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)


class EventDelivery(TenantScoped, table=True):
    """One handler and one event. `done_at` set: dealt with. `parked_at` set: given up, an admin may retry it."""

    __tablename__ = "event_delivery"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "event_id", "handler"),
        tenant_fk("event_id", "event"),
        sa.Index(
            "ix_event_delivery_parked", "tenant_id", "parked_at", postgresql_where=sa.text("parked_at IS NOT NULL")
        ),
    )

    event_id: UUID
    handler: str = Field(max_length=120)
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = Field(default=None, sa_type=TZ)
    parked_at: datetime | None = Field(default=None, sa_type=TZ)


class ClockPeriod(SQLModel, table=True):
    """A period of a job of the clock that has begun ("seal_audit:2026-11-21T10:05:00+00:00"); not of one tenant."""

    __tablename__ = "clock_period"

    key: str = Field(primary_key=True, max_length=120)
    begun_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
