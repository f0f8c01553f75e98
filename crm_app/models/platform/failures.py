"""Jobs that failed for one workspace, kept until they succeed or an admin puts them aside."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped


class FailedJob(TenantScoped, table=True):
    """`key` names the work ("tick:refresh_health"), so that failing again is the same row; `task` with `args` is the
    job of the queue that does it once more."""

    __tablename__ = "failed_job"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "key"),)

    key: str = Field(max_length=160)
    task: str = Field(max_length=80)
    args: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    attempts: int = 1
    error: str = ""
    first_failed_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    last_failed_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
