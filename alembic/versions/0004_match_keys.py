"""Keys by which duplicates of accounts and contacts are found.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (("account", "domain_key", 253), ("account", "phone_key", 40), ("contact", "mobile_key", 40))
_INDEXES = (
    ("ix_account_domain", "account", "domain_key"),
    ("ix_account_phone", "account", "phone_key"),
    ("ix_contact_mobile", "contact", "mobile_key"),
)
_DIGITS = r"right(regexp_replace(split_part({0}, ';', 1), '\D', '', 'g'), 10)"


def upgrade() -> None:
    for table, column, length in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.String(length=length), server_default="", nullable=False))
    for table, skip in (("account", ["domain_key"]), ("contact", ["mobile_key"])):
        drop_audit(table)
        ddl.audit(op, table, skip=skip)
    website = r"regexp_replace(lower(btrim(website)), '^([a-z][a-z0-9+.-]*://)?(www\.)?([^/:?#]*).*$', '\3')"
    ddl.run(op, f"UPDATE account SET phone_key = {_DIGITS.format('phone')}, domain_key = left({website}, 253)")
    ddl.run(
        op, f"UPDATE contact SET phone_key = {_DIGITS.format('phone')}, mobile_key = {_DIGITS.format('mobile')}"
    )
    for name, table, column in _INDEXES:
        op.create_index(name, table, ["tenant_id", column], postgresql_where=sa.text("deleted_at IS NULL"))


def downgrade() -> None:
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    for table, column, _ in _COLUMNS:
        op.drop_column(table, column)
    for table in ("account", "contact"):
        drop_audit(table)
        ddl.audit(op, table)


def drop_audit(table: str) -> None:
    for verb in ("insert", "update", "delete"):
        ddl.run(op, f"DROP TRIGGER audit_{verb} ON {table}")
