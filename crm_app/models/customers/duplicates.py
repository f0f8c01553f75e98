"""Pairs of records that look like one, and the runs that look for them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.models.base import TZ, TenantScoped, choice, json_list, live_index


class Verdict(StrEnum):
    open = "open"
    different = "different"  # a person said so; no run asks again


class ScanStatus(StrEnum):
    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"


class DuplicatePair(TenantScoped, table=True):
    """`first_id` < `second_id`, so that a pair is there once. `labels` say what speaks for it."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        sa.Index("uq_duplicate_pair_records", "tenant_id", "entity", "first_id", "second_id", unique=True),
        live_index(
            "ix_duplicate_pair_open", "entity", "band", "points DESC", "id", where="verdict = 'open'"
        ),
    )  # fmt: skip

    entity: str = Field(max_length=40)
    first_id: UUID
    second_id: UUID
    band: str = Field(max_length=8)
    points: int
    labels: list[str] = json_list()
    verdict: Verdict = choice(Verdict, default=Verdict.open)
    decided_by_id: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=TZ)
    scan_id: UUID


class DuplicateScan(TenantScoped, table=True):
    """A run over all records of an entity; `done` of `total` steps."""

    __tablename__ = "duplicate_scan"
    __table_args__ = (sa.Index("ix_duplicate_scan_entity", "tenant_id", "entity", sa.text("created_at DESC")),)

    entity: str = Field(max_length=40)
    status: ScanStatus = choice(ScanStatus, default=ScanStatus.waiting)
    done: int = 0
    total: int = 0
    found: int = 0
    user_id: UUID | None = None
    created_at: datetime = Field(sa_type=TZ)
    finished_at: datetime | None = Field(default=None, sa_type=TZ)
