"""Merges of records and what is needed to part them again.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("record_merge", "merged_record", "merged_link")


def upgrade() -> None:
    create_tables()
    for table in _TABLES:
        ddl.isolate(op, table)
    ddl.audit(op, "record_merge", skip=["before", "after"])


def create_tables() -> None:
    def ids(*names: str) -> list[sa.Column[sa.Uuid]]:
        return [sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", *names)]

    def key(table: str) -> sa.PrimaryKeyConstraint:
        return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))

    def of_merge(table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(
            ["tenant_id", "merge_id"],
            ["record_merge.tenant_id", "record_merge.id"],
            name=op.f(f"fk_{table}_tenant_id_merge_id"),
        )

    moment = sa.DateTime(timezone=True)
    op.create_table(
        "record_merge",
        *ids("survivor_id"),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        *[sa.Column(n, postgresql.JSONB(), nullable=False) for n in ("loser_ids", "before", "after")],
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("undone_by_id", sa.Uuid(), nullable=True),
        key("record_merge"),
    )
    op.create_index(
        "ix_record_merge_survivor", "record_merge", ["tenant_id", "survivor_id", sa.text("created_at DESC")]
    )
    op.create_table(
        "merged_record",
        *ids("merge_id", "record_id", "survivor_id"),
        sa.Column("entity", sa.String(length=40), nullable=False),
        of_merge("merged_record"),
        key("merged_record"),
    )
    op.create_index("ix_merged_record_record", "merged_record", ["tenant_id", "record_id"])
    op.create_index("ix_merged_record_merge", "merged_record", ["tenant_id", "merge_id"])
    op.create_table(
        "merged_link",
        *ids("merge_id", "record_id", "from_id"),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("link", sa.String(length=63), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        of_merge("merged_link"),
        key("merged_link"),
    )
    op.create_index("ix_merged_link_merge", "merged_link", ["tenant_id", "merge_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
