"""What people are told.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "notification",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", "user_id")],
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        *[sa.Column(n, sa.Uuid(), nullable=True) for n in ("about_id", "source_id", "by_id")],
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=False),
        sa.Column("in_app", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("read_at", moment, nullable=True),
        sa.Column("mailed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_notification_tenant_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notification")),
    )
    op.create_index("uq_notification_key", "notification", ["tenant_id", "user_id", "key"], unique=True)
    op.create_index(
        "ix_notification_user",
        "notification",
        ["tenant_id", "user_id", sa.text("created_at DESC"), sa.text("id DESC")],
    )
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["tenant_id", "user_id"],
        postgresql_where=sa.text("read_at IS NULL AND in_app"),
    )
    op.create_index(
        "ix_notification_source",
        "notification",
        ["tenant_id", "source_id"],
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    ddl.isolate(op, "notification")


def downgrade() -> None:
    op.drop_table("notification")
