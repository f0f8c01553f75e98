"""Comments on records.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "comment",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", "about_id")],
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("edited_at", moment, nullable=True),
        sa.Column("deleted_at", moment, nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_comment")),
    )
    op.create_index(
        "ix_comment_about",
        "comment",
        ["tenant_id", "about_id", "about", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_comment_trash",
        "comment",
        ["tenant_id", "deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    ddl.isolate(op, "comment")
    ddl.audit(op, "comment")


def downgrade() -> None:
    op.drop_table("comment")
