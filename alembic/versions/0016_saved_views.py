"""Views of lists that people keep.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "saved_view",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id")],
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("definition", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("deleted_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"], ["crm_user.tenant_id", "crm_user.id"], name=op.f("fk_saved_view_tenant_id_owner_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_saved_view")),
    )
    op.create_index(
        "ix_saved_view_about", "saved_view", ["tenant_id", "about"], postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index("ix_saved_view_owner_id", "saved_view", ["owner_id", "tenant_id"])
    ddl.isolate(op, "saved_view")
    ddl.audit(op, "saved_view", skip=("updated_at",))


def downgrade() -> None:
    op.drop_table("saved_view")
