"""Changes of many records at once

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("bulk_operation", "bulk_chunk")


def upgrade() -> None:
    moment, uuids = sa.DateTime(timezone=True), postgresql.ARRAY(sa.Uuid())
    op.create_table(
        "bulk_operation",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id")],
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        *[sa.Column(n, sa.Integer(), nullable=False) for n in ("total", "changed", "unchanged", "blocked")],
        sa.Column("is_stopping", sa.Boolean(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("moved_at", moment, nullable=False),
        sa.Column("undoes_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("ip", sa.String(length=60), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bulk_operation")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["crm_user.tenant_id", "crm_user.id"], name=op.f("fk_bulk_operation_tenant_id_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "undoes_id"],
            ["bulk_operation.tenant_id", "bulk_operation.id"],
            name=op.f("fk_bulk_operation_tenant_id_undoes_id"),
        ),
    )
    op.create_index(
        "ix_bulk_operation_user", "bulk_operation", ["tenant_id", "user_id", sa.text("created_at DESC")]
    )
    op.create_table(
        "bulk_chunk",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", "operation_id")],
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("record_ids", uuids, nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.Column("changed_ids", uuids, server_default=sa.text("'{}'"), nullable=False),
        *[
            sa.Column(n, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
            for n in ("before", "blocked")
        ],
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bulk_chunk")),
        sa.UniqueConstraint("tenant_id", "operation_id", "place", name=op.f("uq_bulk_chunk_tenant_id_operation_id_place")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "operation_id"],
            ["bulk_operation.tenant_id", "bulk_operation.id"],
            name=op.f("fk_bulk_chunk_tenant_id_operation_id"),
        ),
    )
    for table in _TABLES:
        ddl.isolate(op, table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
