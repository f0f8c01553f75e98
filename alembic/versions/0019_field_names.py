"""The column that says whose field it is has a name that the audit trigger does not use

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("custom_field", "field_setting"):
        op.alter_column(table, "entity", new_column_name="entity_name")
    for table, old, new in (
        ("custom_field", "entity_key", "entity_name_key"),
        ("field_setting", "entity_field", "entity_name_field"),
    ):
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT uq_{table}_tenant_id_{old} TO uq_{table}_tenant_id_{new}")


def downgrade() -> None:
    raise RuntimeError("Restore the backup that was made before this migration.")
