"""Products and activities have tags, as companies, people and deals have

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("product", "activity"):
        tags = sa.Column("tags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
        op.add_column(table, tags)


def downgrade() -> None:
    for table in ("product", "activity"):
        op.drop_column(table, "tags")
