"""Comments on records, by colleagues for colleagues."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.models.base import TZ, TenantScoped, live_index


class Comment(TenantScoped, table=True):
    """`about` is the name of an entity and `about_id` one of its records. `text` is plain words, in which
    `@{<user id>}` stands for a colleague who is mentioned: names change."""

    __tablename__ = "comment"
    __table_args__ = (
        live_index("ix_comment_about", "about_id", "about", "created_at DESC", "id DESC"),
        sa.Index("ix_comment_trash", "tenant_id", "deleted_at", postgresql_where=sa.text("deleted_at IS NOT NULL")),
    )

    about: str = Field(max_length=40)
    about_id: UUID
    text: str
    created_at: datetime = Field(sa_type=TZ)
    created_by_id: UUID | None = None
    edited_at: datetime | None = Field(default=None, sa_type=TZ)
    deleted_at: datetime | None = Field(default=None, sa_type=TZ)
    deleted_by_id: UUID | None = None
