"""Views are kept of boards, too: a saved view is a table's or a board's.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(length=32), server_default=sa.text("'table'"), nullable=False)
    op.add_column("saved_view", kind)
    op.create_check_constraint(op.f("ck_saved_view_kind"), "saved_view", "kind IN ('table', 'board')")


def downgrade() -> None:
    op.execute("DELETE FROM saved_view WHERE kind = 'board'")
    op.drop_column("saved_view", "kind")
