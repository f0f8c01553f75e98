"""Files that people asked for

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment, text = sa.DateTime(timezone=True), sa.String
    op.create_table(
        "export_file",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id")],
        sa.Column("entity", text(length=40), nullable=False),
        sa.Column("form", text(length=10), nullable=False),
        sa.Column("name", text(length=200), nullable=False),
        sa.Column("status", text(length=32), nullable=False),
        sa.Column("view", postgresql.JSONB(), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        *[sa.Column(n, sa.Integer(), nullable=False) for n in ("total", "rows")],
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("error", text(length=500), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("ip", text(length=60), nullable=False),
        sa.Column("user_agent", text(length=300), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_export_file")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_export_file_tenant_id_user_id"),
        ),
    )
    op.create_index("ix_export_file_user", "export_file", ["tenant_id", "user_id", sa.text("created_at DESC")])
    ddl.isolate(op, "export_file")


def downgrade() -> None:
    op.drop_table("export_file")
