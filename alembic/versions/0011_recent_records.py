"""The records that people opened last.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recent_records",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("records", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"], ["crm_user.tenant_id", "crm_user.id"], name=op.f("fk_recent_records_tenant_id_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_recent_records")),
    )
    ddl.isolate(op, "recent_records")


def downgrade() -> None:
    op.drop_table("recent_records")
