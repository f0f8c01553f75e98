"""What goes along with a record that is thrown away; records in the trash are found by when they went there.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TRASHED = ("account", "contact", "product", "activity", "opportunity")


def upgrade() -> None:
    op.create_table(
        "trashed_along",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id")],
        sa.Column("root_entity", sa.String(length=40), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("link", sa.String(length=63), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_trashed_along")),
    )
    op.create_index("ix_trashed_along_root", "trashed_along", ["tenant_id", "root_id"])
    op.create_index("ix_trashed_along_row", "trashed_along", ["tenant_id", "row_id"])
    ddl.isolate(op, "trashed_along")
    for table in _TRASHED:
        op.create_index(
            f"ix_{table}_trash", table, ["tenant_id", "deleted_at", "id"],
            postgresql_where=sa.text("deleted_at IS NOT NULL"),
        )  # fmt: skip


def downgrade() -> None:
    for table in _TRASHED:
        op.drop_index(f"ix_{table}_trash", table_name=table)
    op.drop_table("trashed_along")
