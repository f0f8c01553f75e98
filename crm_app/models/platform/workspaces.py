"""The workspace: the tenant itself. Not tenant-scoped; the app role reads its own row only."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped, new_id


class Workspace(SQLModel, table=True):
    """One customer organisation. `time_zone` (IANA) and `currency` (ISO 4217) are what its reports speak."""

    __tablename__ = "workspace"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(max_length=120)
    currency: str = Field(default="USD", max_length=3)
    time_zone: str = Field(default="UTC", max_length=64)
    number_prefix: str = Field(default="OPP", max_length=12)
    is_demo: bool = False
    # Another one after every change of the workspace's fields (services.platform.schema).
    schema_version: UUID = Field(
        default_factory=new_id, sa_column_kwargs={"server_default": sa.text("gen_random_uuid()")}
    )
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)


class NumberSeries(TenantScoped, table=True):
    """The next running number of a kind of document, handed out under a row lock."""

    __tablename__ = "number_series"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "key"),)

    key: str = Field(max_length=40)  # "opportunity:2026"
    next_value: int = 1


class ClientOperation(TenantScoped, table=True):
    """An operation a browser may send twice (a drop while the line was bad): its outcome, kept for a day.

    `id` is the operation id the browser made up.
    """

    __tablename__ = "client_operation"

    user_id: UUID
    outcome: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
