"""A change of many records at once takes time in proportion to their number.

Revision ID: 0008
Revises: 0007
"""

from crm_app.store import ddl
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ddl.run_file(op, "changes_of_many.sql")


def downgrade() -> None:
    """The functions of 0001 say the same; only slower."""
