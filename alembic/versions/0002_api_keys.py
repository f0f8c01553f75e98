"""API keys, refresh tokens, idempotency keys

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = """tenant_id uuid, user_id uuid, name text, email text, time_zone text, currency text,
workspace text, scope text, permissions jsonb, hidden_fields jsonb, role text, team_ids uuid[]"""
_USER = """u.tenant_id, u.id, u.name, u.email, coalesce(nullif(u.time_zone, ''), w.time_zone), w.currency, w.name, r.scope,
  r.permissions, r.hidden_fields, r.name,
  CASE WHEN r.scope = 'team' THEN crm_team_users(u.tenant_id, u.id) ELSE ARRAY[u.id] END"""
_JOINS = """JOIN crm_user u ON u.tenant_id = t.tenant_id AND u.id = t.user_id AND u.deleted_at IS NULL AND u.status = 'active'
  JOIN role r ON r.tenant_id = u.tenant_id AND r.id = u.role_id
  JOIN workspace w ON w.id = u.tenant_id"""
_DEFINER = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp"


def upgrade() -> None:
    create_tables()
    for table in ("api_key", "api_token", "idempotency_key"):
        ddl.isolate(op, table)
    ddl.audit(op, "api_key", skip=["last_used_at", "last_used_ip"], secret=["token_hash"])
    # Looks made before the tenant is known, each for one exact digest or family.
    ddl.run(op, f"""
CREATE FUNCTION crm_api_key_user(digest text)
RETURNS TABLE ({_COLUMNS}, key_id uuid, scopes jsonb, per_minute int, expires_at timestamptz, last_used_at timestamptz)
{_DEFINER} AS $$
  SELECT {_USER}, t.id, t.scopes, t.per_minute, t.expires_at, t.last_used_at FROM api_key t {_JOINS}
  WHERE t.token_hash = digest AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
$$""")
    ddl.run(op, f"""
CREATE FUNCTION crm_api_family_user(tenant uuid, wanted uuid)
RETURNS TABLE ({_COLUMNS}, key_id uuid, scopes jsonb)
{_DEFINER} AS $$
  SELECT {_USER}, t.family, t.scopes FROM api_token t {_JOINS}
  WHERE t.tenant_id = tenant AND t.family = wanted AND t.revoked_at IS NULL LIMIT 1
$$""")
    ddl.run(op, f"""
CREATE FUNCTION crm_api_token_user(digest text)
RETURNS TABLE (tenant_id uuid, user_id uuid)
{_DEFINER} AS $$
  SELECT t.tenant_id, t.user_id FROM api_token t {_JOINS} WHERE t.token_hash = digest
$$""")


def create_tables() -> None:
    key = lambda table: sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))
    user = lambda table: sa.ForeignKeyConstraint(
        ["tenant_id", "user_id"], ["crm_user.tenant_id", "crm_user.id"], name=op.f(f"fk_{table}_tenant_id_user_id")
    )
    moment = sa.DateTime(timezone=True)
    ids = lambda: [sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", "user_id")]
    op.create_table(
        "api_key",
        *ids(),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("last_used_at", moment, nullable=True),
        sa.Column("last_used_ip", sa.String(length=64), nullable=False),
        user("api_key"),
        key("api_key"),
    )
    op.create_index("uq_api_key_token", "api_key", ["token_hash"], unique=True)
    op.create_index("ix_api_key_user", "api_key", ["tenant_id", "user_id"])
    op.create_table(
        "api_token",
        *ids(),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        user("api_token"),
        key("api_token"),
    )
    op.create_index("uq_api_token_token", "api_token", ["token_hash"], unique=True)
    op.create_index("ix_api_token_family", "api_token", ["tenant_id", "family"])
    op.create_index("ix_api_token_user", "api_token", ["tenant_id", "user_id"])
    op.create_table(
        "idempotency_key",
        *ids(),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        user("idempotency_key"),
        key("idempotency_key"),
        sa.UniqueConstraint("tenant_id", "user_id", "key", name=op.f("uq_idempotency_key_tenant_id_user_id_key")),
    )
