"""Sign-ins of every person, those that failed too.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from crm_app.store import ddl

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", "user_id")],
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["crm_user.tenant_id", "crm_user.id"], name=op.f("fk_sign_in_tenant_id_user_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sign_in")),
    )
    op.create_index("ix_sign_in_at", "sign_in", ["tenant_id", sa.text("at DESC"), sa.text("id DESC")])
    op.create_index("ix_sign_in_user", "sign_in", ["tenant_id", "user_id", sa.text("at DESC"), sa.text("id DESC")])
    ddl.isolate(op, "sign_in", rights="SELECT, INSERT, DELETE")
    # A failure is written before it is known whose it is, in the workspaces where the address is somebody's. The
    # attempt itself is written anew each time: an unknown address must not be told by a transaction that wrote nothing.
    ddl.run(op, """
CREATE FUNCTION crm_sign_in_failed(attempt uuid, key text, why text, place text, agent text, moment timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE sign_in_attempt SET at = at WHERE id = attempt;
  INSERT INTO sign_in (tenant_id, id, user_id, at, outcome, way, ip, user_agent)
  SELECT u.tenant_id, gen_random_uuid(), u.id, moment, CASE WHEN u.status = 'active' THEN why ELSE u.status END, 'password',
         left(place, 64), left(agent, 300)
  FROM crm_user u
  WHERE u.email_key = key AND u.deleted_at IS NULL AND NOT (why = 'throttled' AND EXISTS (
    SELECT FROM sign_in s WHERE s.tenant_id = u.tenant_id AND s.user_id = u.id AND s.outcome = 'throttled'
      AND s.at > moment - interval '15 minutes'))
  LIMIT 10
$$""")


def downgrade() -> None:
    ddl.run(op, "DROP FUNCTION crm_sign_in_failed")
    op.drop_table("sign_in")
