"""Activities are searched by an index, and any table that has one without a word in crm_search.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_FOLDED = "to_tsvector('simple'::regconfig, crm_fold(coalesce(subject, '')))"
_REFUSES = "ELSE RAISE EXCEPTION 'no search over %', kind;"
_LOOKS = "ELSE RETURN QUERY SELECT f.id, ''::text, ''::text, ''::text FROM crm_search_any(kind, query, owners, lim) f;"
_FEW, _ENOUGH = "LIMIT 500)", "LIMIT greatest(500, lim))"


def upgrade() -> None:
    column = sa.Column("search_text", postgresql.TSVECTOR(), sa.Computed(_FOLDED, persisted=True), nullable=True)
    op.add_column("activity", column)
    op.create_index("ix_activity_search", "activity", ["search_text"], postgresql_using="gin")
    ddl.run_file(op, "search_any.sql")
    _replace((_REFUSES, _LOOKS), (_FEW, _ENOUGH))


def downgrade() -> None:
    _replace((_LOOKS, _REFUSES), (_ENOUGH, _FEW))
    ddl.run(op, "DROP FUNCTION crm_search_any(text, tsquery, uuid[], integer)")
    op.drop_index("ix_activity_search", table_name="activity")
    op.drop_column("activity", "search_text")


def _replace(*changes: tuple[str, str]) -> None:
    found = op.get_bind().exec_driver_sql("SELECT pg_get_functiondef('crm_search'::regproc)").scalar_one()
    for old, new in changes:
        if old not in found:
            raise RuntimeError(f"crm_search has no {old!r}")
        found = found.replace(old, new)
    ddl.run(op, found)
