"""Phone numbers are searched by any of their digits: in the index alone, which holds what such a search asks.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_account_phone", "account", "phone_key"),
    ("ix_contact_phone", "contact", "phone_key"),
    ("ix_contact_mobile", "contact", "mobile_key"),
)


def upgrade() -> None:
    make(["id", "owner_id"])


def downgrade() -> None:
    make([])


def make(held: list[str]) -> None:
    for name, table, column in _INDEXES:
        op.drop_index(name, table_name=table)
        there = sa.text("deleted_at IS NULL")
        op.create_index(name, table, ["tenant_id", column], postgresql_where=there, postgresql_include=held)
