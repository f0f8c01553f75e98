"""Files that hang on records. What is in them lies elsewhere: see integrations.files."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.models.base import TZ, TenantScoped, live_index


class Attachment(TenantScoped, table=True):
    """`about` is the name of an entity and `about_id` one of its records: whoever sees that sees the file. `sha256`
    (hex) is of its content, `kind` what was found in it; `name` is for people only: the file lies under its id."""

    __tablename__ = "attachment"
    __table_args__ = (
        live_index("ix_attachment_about", "about_id", "about", "created_at DESC"),
        sa.Index("ix_attachment_size", "tenant_id", postgresql_include=["size"]),
        sa.Index("ix_attachment_trash", "tenant_id", "deleted_at", postgresql_where=sa.text("deleted_at IS NOT NULL")),
    )

    about: str = Field(max_length=40)
    about_id: UUID
    name: str = Field(max_length=200)
    kind: str = Field(max_length=20)
    size: int = Field(sa_type=sa.BigInteger)  # bytes
    sha256: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=TZ)
    created_by_id: UUID | None = None
    deleted_at: datetime | None = Field(default=None, sa_type=TZ)
    deleted_by_id: UUID | None = None
