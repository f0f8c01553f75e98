"""Days that formulas put together, for lists that sort and filter by them

Revision ID: 0025
Revises: 0024
"""

from alembic import op

from crm_app.store import ddl

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ddl.run_file(op, "formulas.sql")


def downgrade() -> None:
    op.execute("DROP FUNCTION crm_day_of(numeric, numeric, numeric)")
