"""Fields that a workspace adds, what it changes of the others, and what roles may do with each

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custom_field",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(40), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("help", sa.String(200), nullable=False),
        sa.Column("section", sa.String(60), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("target", sa.String(40), nullable=False),
        sa.Column("formula", sa.String(1000), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint("tenant_id", "entity", "key", name=op.f("uq_custom_field_tenant_id_entity_key")),
    )
    op.create_table(
        "field_setting",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(40), nullable=False),
        sa.Column("field", sa.String(60), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_field_setting")),
        sa.UniqueConstraint("tenant_id", "entity", "field", name=op.f("uq_field_setting_tenant_id_entity_field")),
    )
    for table in ("custom_field", "field_setting"):
        ddl.isolate(op, table)
        ddl.audit(op, table)
    op.add_column(
        "workspace",
        sa.Column("schema_version", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    rights = sa.Column("field_rights", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("role", rights)
    ddl.run_file(op, "fields.sql")
    _rename_in_functions()
    _keep_versions_out_of_the_log()
    _tell_custom_fields_apart()
    op.drop_column("role", "hidden_fields")


def _rename_in_functions() -> None:
    """The looks made before the tenant is known tell the field rights in place of the hidden fields; the type of what a
    function returns changes only when it is made anew."""
    found = op.get_bind().exec_driver_sql(
        "SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc WHERE prosrc LIKE '%%hidden_fields%%'"
        " AND pronamespace = 'public'::regnamespace"
    )
    for signature, definition in found.all():
        ddl.run(op, f"DROP FUNCTION {signature}")
        ddl.run(op, definition.replace("hidden_fields", "field_rights"))


def _keep_versions_out_of_the_log() -> None:
    """What changed of the fields is in the log itself; that the version did tells nobody anything."""
    definition = op.get_bind().exec_driver_sql("SELECT pg_get_functiondef('crm_audit_workspace'::regproc)").scalar_one()
    ddl.run(op, definition.replace("ARRAY['id', 'created_at']", "ARRAY['id', 'created_at', 'schema_version']"))


def _tell_custom_fields_apart() -> None:
    """In the log of new and purged records, as in that of changes."""
    definition = op.get_bind().exec_driver_sql("SELECT pg_get_functiondef('crm_audit'::regproc)").scalar_one()
    for row in ("r", "o"):
        definition = definition.replace(f"jsonb_each(to_jsonb({row}))", f"jsonb_each(crm_flat(to_jsonb({row})))")
    ddl.run(op, definition)


def downgrade() -> None:
    raise RuntimeError("Values of custom fields would lose their names: restore a backup instead.")
