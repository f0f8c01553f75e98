"""What a workspace makes of its records: fields of its own, and how it names and asks for those that are there."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TZ, TenantScoped


class CustomField(TenantScoped, table=True):
    """A field that this workspace added to an entity. Its values stand under `key` in the column `custom` of records.

    `kind` is one of core.registry.Kind; `choices` are {"value", "label", "color"}. A deleted one keeps its key and the
    values until it is purged.
    """

    __tablename__ = "custom_field"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "entity_name", "key"),)

    entity_name: str = Field(max_length=40)
    key: str = Field(max_length=40)
    label: str = Field(max_length=60)
    kind: str = Field(max_length=20)
    help: str = Field(default="", max_length=200)
    section: str = Field(default="", max_length=60)  # of the form; empty: a section of their own at the end
    required: bool = False
    choices: list[dict[str, str]] = Field(default_factory=list, sa_type=JSONB)
    target: str = Field(default="", max_length=40)
    formula: str = Field(default="", max_length=1000)
    position: int = 0
    created_at: datetime = Field(default_factory=utcnow, sa_type=TZ)
    created_by_id: UUID | None = None
    deleted_at: datetime | None = Field(default=None, sa_type=TZ)


class FieldSetting(TenantScoped, table=True):
    """What this workspace changed of a field that every workspace has: its name, whether it is asked for, its choices.

    `choices` NULL leaves those of the declaration; for a field whose choices the program knows, only their labels,
    colours and order are taken from here.
    """

    __tablename__ = "field_setting"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "entity_name", "field"),)

    entity_name: str = Field(max_length=40)
    field: str = Field(max_length=60)
    label: str = Field(default="", max_length=60)  # empty: as declared
    required: bool = False
    choices: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB)
