"""Files that hang on records.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "attachment",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id")],
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("deleted_at", moment, nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_attachment")),
    )
    op.create_index(
        "ix_attachment_about",
        "attachment",
        ["tenant_id", "about_id", "about", sa.text("created_at DESC")],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ix_attachment_size", "attachment", ["tenant_id"], postgresql_include=["size"])
    op.create_index(
        "ix_attachment_trash",
        "attachment",
        ["tenant_id", "deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    ddl.isolate(op, "attachment")
    ddl.audit(op, "attachment")


def downgrade() -> None:
    op.drop_table("attachment")
