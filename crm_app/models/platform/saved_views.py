"""Views of lists and boards that people keep: a person's own, or shared with the workspace."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.clock import utcnow
from crm_app.models.base import TenantScoped, choice, link, tenant_fk, when


class ViewKind(StrEnum):
    table = "table"
    board = "board"


class SavedView(TenantScoped, table=True):
    """`about` is the entity that is shown, as a table or a board, `definition` core.views.dump of a view: of a board,
    its filter alone; `place` orders those that are pinned as tabs, None for the others."""

    __tablename__ = "saved_view"
    __table_args__ = (
        tenant_fk("owner_id", "crm_user"),
        sa.Index("ix_saved_view_about", "tenant_id", "about", postgresql_where=sa.text("deleted_at IS NULL")),
        sa.Index("ix_saved_view_owner_id", "owner_id", "tenant_id"),
        sa.CheckConstraint("kind IN ('table', 'board')", name="kind"),
    )

    about: str = Field(max_length=40)
    kind: ViewKind = choice(ViewKind, default=ViewKind.table, sa_column_kwargs={"server_default": sa.text("'table'")})
    owner_id: UUID = link("user")
    name: str = Field(max_length=60)
    is_shared: bool = Field(default=False)
    place: int | None = Field(default=None)
    definition: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'{}'")}
    )
    created_at: datetime = when(default_factory=utcnow)
    updated_at: datetime = when(default_factory=utcnow)
    deleted_at: datetime | None = when(default=None)
