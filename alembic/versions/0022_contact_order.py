"""Contacts in the order of what their list shows, also where it leads on to the thousandth page.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_LIVE = sa.text("deleted_at IS NULL")
_NEW = {  # name -> (columns, what it holds besides)
    "ix_contact_mail": (["tenant_id", "email", "id"], ["owner_id"]),
    "ix_contact_title": (["tenant_id", "title", "id"], []),
    "ix_contact_called": (["tenant_id", "phone", "id"], []),
    "ix_contact_changed": (["tenant_id", "updated_at", "id"], []),
}
_WIDER = {
    "ix_contact_name": (["tenant_id", "sort_key", "id"], ["owner_id"]),
    "ix_contact_owner": (["tenant_id", "owner_id", "sort_key"], ["id"]),
}


def upgrade() -> None:
    op.drop_index("ix_contact_account", "contact")
    op.create_index("ix_contact_account", "contact", ["account_id", "tenant_id", "id"])
    for name in _WIDER:
        op.drop_index(name, "contact")
    for name, (columns, include) in {**_WIDER, **_NEW}.items():
        op.create_index(name, "contact", columns, postgresql_where=_LIVE, postgresql_include=include)


def downgrade() -> None:
    op.drop_index("ix_contact_account", "contact")
    op.create_index("ix_contact_account", "contact", ["account_id", "tenant_id"])
    for name in (*_NEW, *_WIDER):
        op.drop_index(name, "contact")
    for name, (columns, _) in _WIDER.items():
        op.create_index(name, "contact", columns, postgresql_where=_LIVE)
