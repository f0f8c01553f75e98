"""What a person is told: a line in their notification centre, perhaps a letter."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.models.base import TZ, TenantScoped, tenant_fk


class Notification(TenantScoped, table=True):
    """`about` and `about_id` name a record, or are empty; `source_id` is what caused it, such as a comment. `key` keeps
    one cause from telling the same person twice. `in_app` is False for what only goes by mail."""

    __tablename__ = "notification"
    __table_args__ = (
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_notification_key", "tenant_id", "user_id", "key", unique=True),
        sa.Index("ix_notification_user", "tenant_id", "user_id", sa.text("created_at DESC"), sa.text("id DESC")),
        sa.Index(
            "ix_notification_unread", "tenant_id", "user_id", postgresql_where=sa.text("read_at IS NULL AND in_app")
        ),
        sa.Index(
            "ix_notification_source", "tenant_id", "source_id", postgresql_where=sa.text("source_id IS NOT NULL")
        ),
    )  # fmt: skip

    user_id: UUID
    kind: str = Field(max_length=40)
    key: str = Field(max_length=80)
    about: str = Field(default="", max_length=40)
    about_id: UUID | None = None
    source_id: UUID | None = None
    by_id: UUID | None = None
    title: str = Field(default="", max_length=200)  # empty: the sentence of the kind
    text: str = Field(default="", max_length=500)
    href: str = Field(default="", max_length=300)  # empty: to the record
    in_app: bool = True
    created_at: datetime = Field(sa_type=TZ)
    read_at: datetime | None = Field(default=None, sa_type=TZ)
    mailed_at: datetime | None = Field(default=None, sa_type=TZ)
