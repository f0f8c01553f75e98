"""Failed jobs of a workspace; acts beside changes of records in the audit log

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_job",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("task", sa.String(length=80), nullable=False),
        sa.Column("args", postgresql.JSONB(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_failed_job")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_failed_job_tenant_id_key")),
    )
    ddl.isolate(op, "failed_job")
    # What people do beside changing records: exports, jobs run again. No verb of the triggers can be forged by it.
    ddl.run(op, """
CREATE FUNCTION crm_note(entity text, record uuid, act text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF act NOT IN ('export', 'retry', 'dismiss') THEN
    RAISE EXCEPTION 'crm_note does not write %', act USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO audit_log (tenant_id, user_id, source, entity, record_id, action, changes, ip, user_agent, request_id)
  VALUES (current_setting('app.tenant_id')::uuid, nullif(current_setting('app.user_id', true), '')::uuid,
          coalesce(nullif(current_setting('app.source', true), ''), 'sql'), entity, record, act, details,
          coalesce(current_setting('app.ip', true), ''), coalesce(current_setting('app.user_agent', true), ''),
          coalesce(current_setting('app.request_id', true), ''));
END $$""")


def downgrade() -> None:
    ddl.run(op, "DROP FUNCTION crm_note")
    op.drop_table("failed_job")
