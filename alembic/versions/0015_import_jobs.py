"""Imports on their way, and matchings of columns that are kept

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = ("import_job", "import_preset")


def upgrade() -> None:
    def ids(*names: str) -> list[sa.Column[sa.Uuid]]:
        return [sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", *names)]

    def key(table: str) -> sa.PrimaryKeyConstraint:
        return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))

    def array(name: str) -> sa.Column[postgresql.JSONB]:
        return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)

    moment = sa.DateTime(timezone=True)
    op.create_table(
        "import_job",
        *ids("user_id"),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("progress", postgresql.JSONB(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        array("place"),
        sa.Column("wanted", sa.String(length=12), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        key("import_job"),
    )
    op.create_index("ix_import_job_user", "import_job", ["tenant_id", "user_id", sa.text("created_at DESC")])
    op.create_table(
        "import_preset",
        *ids(),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        array("headings"),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", moment, nullable=False),
        key("import_preset"),
    )
    op.create_index("uq_import_preset_name", "import_preset", ["tenant_id", "entity", "name"], unique=True)
    for table in _TABLES:
        ddl.isolate(op, table)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
