"""Pairs of records that look like one, and the runs that look for them.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = ("duplicate_pair", "duplicate_scan")


def upgrade() -> None:
    create_tables()
    for table in _TABLES:
        ddl.isolate(op, table)


def create_tables() -> None:
    def ids(*names: str) -> list[sa.Column[sa.Uuid]]:
        return [sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", *names)]

    def key(table: str) -> sa.PrimaryKeyConstraint:
        return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))

    moment, text = sa.DateTime(timezone=True), sa.String
    op.create_table(
        "duplicate_pair",
        *ids("first_id", "second_id", "scan_id"),
        sa.Column("entity", text(length=40), nullable=False),
        sa.Column("band", text(length=8), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("labels", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("verdict", text(length=32), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        key("duplicate_pair"),
    )
    op.create_index(
        "uq_duplicate_pair_records", "duplicate_pair", ["tenant_id", "entity", "first_id", "second_id"], unique=True
    )
    op.create_index(
        "ix_duplicate_pair_open",
        "duplicate_pair",
        ["tenant_id", "entity", "band", sa.text("points DESC"), "id"],
        postgresql_where=sa.text("verdict = 'open'"),
    )
    op.create_table(
        "duplicate_scan",
        *ids(),
        sa.Column("entity", text(length=40), nullable=False),
        sa.Column("status", text(length=32), nullable=False),
        *[sa.Column(n, sa.Integer(), nullable=False) for n in ("done", "total", "found")],
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        key("duplicate_scan"),
    )
    op.create_index("ix_duplicate_scan_entity", "duplicate_scan", ["tenant_id", "entity", sa.text("created_at DESC")])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
