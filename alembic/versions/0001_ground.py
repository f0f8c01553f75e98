"""The ground: people, customers, catalog, activities, sales, events, audit, imports, jobs

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

AUDITED = {
    "role": {},
    "team": {},
    "crm_user": {"entity": "user", "skip": ["last_seen_at", "preferences"], "secret": ["password_hash"]},
    "account": {},
    "contact": {},
    "product": {},
    "activity_type": {},
    "activity": {},
    "pipeline": {},
    "stage": {},
    "competitor": {},
    "win_loss_reason": {},
    "opportunity": {
        "skip": [
            "position", "health", "health_changes_at", "stage_entered_at", "last_activity_at", "next_activity_at",
            "next_activity_kind", "next_activity_subject",
        ]
    },
    "opportunity_line": {},
    "opportunity_stakeholder": {},
}  # fmt: skip
PLAIN = (
    "number_series", "client_operation", "event", "event_delivery", "import_batch", "imported_rows", "user_session",
    "one_time_link",
)  # fmt: skip
READ_ONLY = ("stage_history", "stage_total")  # written by triggers


def upgrade() -> None:
    ddl.run_file(op, "fold_0001.sql")
    create_tables()
    ddl.run_file(op, "functions_0001.sql")
    for table, how in AUDITED.items():
        ddl.isolate(op, table)
        ddl.audit(op, table, **how)
    for table in PLAIN:
        ddl.isolate(op, table)
    for table in READ_ONLY:
        ddl.isolate(op, table, rights="SELECT")
    open_workspace()
    protect_audit()
    keep_facts()
    install_jobs()


def open_workspace() -> None:
    """The tenants' own table: each sees itself. Anyone may found one, under the id its unit of work carries."""
    own = "id = current_setting('app.tenant_id')::uuid"
    ddl.run(op, "ALTER TABLE workspace ENABLE ROW LEVEL SECURITY")
    ddl.run(op, f"CREATE POLICY tenant ON workspace USING ({own}) WITH CHECK ({own})")
    ddl.run(op, "GRANT SELECT, INSERT, UPDATE ON workspace TO crm_app")
    ddl.run(op, "GRANT SELECT, INSERT, DELETE ON sign_in_attempt TO crm_app")
    ddl.run(op, "GRANT SELECT, INSERT, DELETE ON clock_period TO crm_app")


def protect_audit() -> None:
    ddl.run(op, "CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT")
    ddl.run(op, "SELECT crm_audit_partitions(3)")
    ddl.isolate(op, "audit_log", rights="SELECT")
    ddl.isolate(op, "audit_seal", rights="SELECT, INSERT")
    ddl.run(
        op,
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit_log_default "
        "FOR EACH STATEMENT EXECUTE FUNCTION crm_append_only()",
    )
    for table in ("audit_log", "audit_seal"):
        for name, when, each in (
            ("append_only", "BEFORE UPDATE OR DELETE", "ROW"),
            ("no_truncate", "BEFORE TRUNCATE", "STATEMENT"),
        ):
            ddl.run(
                op,
                f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION crm_append_only()",
            )


def keep_facts() -> None:
    for name, verb, function, rows in (
        ("facts_insert", "INSERT", "crm_opportunity_created", "NEW TABLE AS new_rows"),
        (
            "facts_update",
            "UPDATE",
            "crm_opportunity_changed",
            "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        ),
        ("facts_delete", "DELETE", "crm_opportunity_purged", "OLD TABLE AS old_rows"),
    ):
        ddl.run(
            op,
            f"CREATE TRIGGER {name} AFTER {verb} ON opportunity REFERENCING {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        )
    ddl.run(
        op,
        "CREATE TRIGGER facts_purging BEFORE DELETE ON opportunity "
        "FOR EACH ROW EXECUTE FUNCTION crm_opportunity_purging()",
    )


def install_jobs() -> None:
    """Procrastinate's own schema, of the pinned version; jobs carry their tenant in the arguments, so no policy here."""
    ddl.run(op, SchemaManager.get_schema())
    for table in ("jobs", "events", "periodic_defers", "workers"):
        ddl.run(
            op,
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_{table} TO crm_app",
        )
    ddl.run(op, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO crm_app")


def downgrade() -> None:
    raise RuntimeError(
        "The first migration is not taken back: restore a backup, or drop the database."
    )


def create_tables() -> None:
    op.create_table(
        "activity_type",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("icon", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_activity_type")),
    )
    op.create_index(
        "uq_activity_type_key",
        "activity_type",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "clock_period",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_clock_period")),
    )
    op.create_table(
        "audit_log",
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name=op.f("pk_audit_log")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "ix_audit_log_record",
        "audit_log",
        ["tenant_id", "record_id", sa.literal_column("at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_audit_log_tenant",
        "audit_log",
        ["tenant_id", sa.literal_column("at DESC")],
        unique=False,
    )
    op.create_table(
        "audit_seal",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_audit_seal_tenant_id_number")
        ),
    )
    op.create_table(
        "client_operation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_client_operation")),
    )
    op.create_table(
        "competitor",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("website", sa.String(length=300), nullable=False),
        sa.Column("strengths", sa.String(), nullable=False),
        sa.Column("weaknesses", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_competitor")),
    )
    op.create_index(
        "uq_competitor_name",
        "competitor",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_record",
        "event",
        ["tenant_id", "record_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "import_batch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_batch")),
    )
    op.create_table(
        "number_series",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("next_value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_number_series")),
        sa.UniqueConstraint(
            "tenant_id", "key", name=op.f("uq_number_series_tenant_id_key")
        ),
    )
    op.create_table(
        "pipeline",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pipeline")),
    )
    op.create_index(
        "uq_pipeline_name",
        "pipeline",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "product",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("family", sa.String(length=80), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.String(length=30), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("sort_key", sa.String(length=200), nullable=False),
        sa.Column(
            "search_text",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, crm_fold(coalesce(name, '') || ' ' || coalesce(sku, '') || ' ' || coalesce(family, '')))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_product")),
    )
    op.create_index(
        "ix_product_key",
        "product",
        ["tenant_id", "name_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_product_name",
        "product",
        ["tenant_id", "sort_key", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_product_search",
        "product",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "uq_product_sku",
        "product",
        ["tenant_id", "sku"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND sku <> ''"),
    )
    op.create_table(
        "role",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("permissions", postgresql.JSONB(), nullable=False),
        sa.Column("hidden_fields", postgresql.JSONB(), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_role")),
    )
    op.create_index(
        "uq_role_name",
        "role",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index(
        "ix_sign_in_attempt_email", "sign_in_attempt", ["email_key", "at"], unique=False
    )
    op.create_index(
        "ix_sign_in_attempt_ip", "sign_in_attempt", ["ip", "at"], unique=False
    )
    op.create_table(
        "stage_total",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("health", sa.String(length=32), nullable=False),
        sa.Column("deals", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("weighted_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "stage_id",
            "owner_id",
            "currency",
            "health",
            name=op.f("pk_stage_total"),
        ),
    )
    op.create_table(
        "team",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["team.tenant_id", "team.id"],
            name=op.f("fk_team_tenant_id_parent_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team")),
    )
    op.create_index(
        "uq_team_name",
        "team",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "win_loss_reason",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_win_loss_reason")),
    )
    op.create_index(
        "uq_win_loss_reason",
        "win_loss_reason",
        ["tenant_id", "kind", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("number_prefix", sa.String(length=12), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
    )
    op.create_table(
        "crm_user",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("preferences", postgresql.JSONB(), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reset_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["role.tenant_id", "role.id"],
            name=op.f("fk_crm_user_tenant_id_role_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_id"],
            ["team.tenant_id", "team.id"],
            name=op.f("fk_crm_user_tenant_id_team_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_crm_user")),
    )
    op.create_index(
        "uq_crm_user_email",
        "crm_user",
        ["tenant_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "event_delivery",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("handler", sa.String(length=120), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "event_id"],
            ["event.tenant_id", "event.id"],
            name=op.f("fk_event_delivery_tenant_id_event_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_event_delivery")),
        sa.UniqueConstraint(
            "tenant_id",
            "event_id",
            "handler",
            name=op.f("uq_event_delivery_tenant_id_event_id_handler"),
        ),
    )
    op.create_index(
        "ix_event_delivery_parked",
        "event_delivery",
        ["tenant_id", "parked_at"],
        unique=False,
        postgresql_where=sa.text("parked_at IS NOT NULL"),
    )
    op.create_table(
        "imported_rows",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("record_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["import_batch.tenant_id", "import_batch.id"],
            name=op.f("fk_imported_rows_tenant_id_batch_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_imported_rows")),
    )
    op.create_index(
        "ix_imported_rows_batch",
        "imported_rows",
        ["tenant_id", "batch_id", "step"],
        unique=False,
    )
    op.create_table(
        "stage",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("color", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Integer(), nullable=False),
        sa.Column("rotting_days", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column(
            "required_fields",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "probability BETWEEN 0 AND 100", name=op.f("ck_stage_probability")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pipeline_id"],
            ["pipeline.tenant_id", "pipeline.id"],
            name=op.f("fk_stage_tenant_id_pipeline_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stage")),
    )
    op.create_index(
        "ix_stage_order",
        "stage",
        ["tenant_id", "pipeline_id", "position"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_stage_name",
        "stage",
        ["tenant_id", "pipeline_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("industry", sa.String(length=80), nullable=False),
        sa.Column("website", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("employees", sa.Integer(), nullable=True),
        sa.Column("annual_revenue_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("founded_year", sa.Integer(), nullable=True),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("country", sa.String(length=100), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column(
            "tags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("sort_key", sa.String(length=200), nullable=False),
        sa.Column(
            "search_text",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, crm_fold(coalesce(name, '') || ' ' || coalesce(website, '') || ' ' || coalesce(city, '')))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_account_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_account_tenant_id_parent_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account")),
    )
    op.create_index(
        "ix_account_key",
        "account",
        ["tenant_id", "name_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_account_name",
        "account",
        ["tenant_id", "sort_key", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_account_owner",
        "account",
        ["tenant_id", "owner_id", "sort_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_account_parent",
        "account",
        ["parent_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "ix_account_search",
        "account",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "one_time_link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_one_time_link_tenant_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_one_time_link")),
    )
    op.create_index(
        "uq_one_time_link_token", "one_time_link", ["token_hash"], unique=True
    )
    op.create_table(
        "user_session",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_user_session_tenant_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_session")),
    )
    op.create_index(
        "ix_user_session_user", "user_session", ["tenant_id", "user_id"], unique=False
    )
    op.create_index(
        "uq_user_session_token", "user_session", ["token_hash"], unique=True
    )
    op.create_table(
        "contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("department", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("mobile", sa.String(length=40), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("country", sa.String(length=100), nullable=False),
        sa.Column("lead_source", sa.String(length=50), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column(
            "tags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("phone_key", sa.String(length=40), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("sort_key", sa.String(length=200), nullable=False),
        sa.Column(
            "search_text",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, crm_fold(coalesce(name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(title, '')))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_contact_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_contact_tenant_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contact")),
    )
    op.create_index(
        "ix_contact_account",
        "contact",
        ["account_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "ix_contact_email",
        "contact",
        ["tenant_id", "email_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_key",
        "contact",
        ["tenant_id", "name_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_name",
        "contact",
        ["tenant_id", "sort_key", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_owner",
        "contact",
        ["tenant_id", "owner_id", "sort_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_phone",
        "contact",
        ["tenant_id", "phone_key"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_contact_search",
        "contact",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "opportunity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("number", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("primary_contact_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("probability", sa.Integer(), nullable=False),
        sa.Column("probability_is_manual", sa.Boolean(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expected_close_on", sa.Date(), nullable=False),
        sa.Column("actual_close_on", sa.Date(), nullable=True),
        sa.Column("opportunity_type", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.String(length=32), nullable=False),
        sa.Column("lead_source", sa.String(length=50), nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("primary_competitor_id", sa.Uuid(), nullable=True),
        sa.Column("competitive_position", sa.String(length=32), nullable=False),
        sa.Column("competitor_analysis", sa.String(), nullable=False),
        sa.Column(
            "services",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "decision_timeline",
            postgresql.JSONB(),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("buying_process", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(length=500), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_activity_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_activity_kind", sa.String(length=40), nullable=False),
        sa.Column("next_activity_subject", sa.String(length=200), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("qualification_score", sa.Integer(), nullable=False),
        sa.Column("fit_score", sa.Integer(), nullable=False),
        sa.Column("requires_approval", sa.Boolean(), nullable=False),
        sa.Column("approval_status", sa.String(length=32), nullable=True),
        sa.Column(
            "discount_approval",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("win_loss_reason_id", sa.Uuid(), nullable=True),
        sa.Column("win_loss_details", sa.String(), nullable=False),
        sa.Column("competitor_won_id", sa.Uuid(), nullable=True),
        sa.Column(
            "tags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("position", sa.Float(), nullable=False),
        sa.Column("stage_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("health", sa.String(length=32), nullable=False),
        sa.Column("health_changes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delete_reason", sa.String(length=200), nullable=False),
        sa.Column("sort_key", sa.String(length=200), nullable=False),
        sa.Column(
            "search_text",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, crm_fold(coalesce(name, '') || ' ' || coalesce(number, '')))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(status = 'open') = (actual_close_on IS NULL)",
            name=op.f("ck_opportunity_closed"),
        ),
        sa.CheckConstraint(
            "number ~ '^[A-Za-z0-9-]+$'", name=op.f("ck_opportunity_number")
        ),
        sa.CheckConstraint(
            "amount_minor > 0 AND amount_minor <= 99999999999999",
            name=op.f("ck_opportunity_amount"),
        ),
        sa.CheckConstraint(
            "probability BETWEEN 0 AND 100", name=op.f("ck_opportunity_probability")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_opportunity_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "competitor_won_id"],
            ["competitor.tenant_id", "competitor.id"],
            name=op.f("fk_opportunity_tenant_id_competitor_won_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_opportunity_tenant_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pipeline_id"],
            ["pipeline.tenant_id", "pipeline.id"],
            name=op.f("fk_opportunity_tenant_id_pipeline_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "primary_competitor_id"],
            ["competitor.tenant_id", "competitor.id"],
            name=op.f("fk_opportunity_tenant_id_primary_competitor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "primary_contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_opportunity_tenant_id_primary_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stage_id"],
            ["stage.tenant_id", "stage.id"],
            name=op.f("fk_opportunity_tenant_id_stage_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "win_loss_reason_id"],
            ["win_loss_reason.tenant_id", "win_loss_reason.id"],
            name=op.f("fk_opportunity_tenant_id_win_loss_reason_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity")),
    )
    op.create_index(
        "ix_opportunity_account",
        "opportunity",
        ["account_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "ix_opportunity_amount",
        "opportunity",
        [
            "tenant_id",
            sa.literal_column("amount_minor DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_board",
        "opportunity",
        ["tenant_id", "stage_id", "position", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_clock",
        "opportunity",
        ["tenant_id", "health_changes_at"],
        unique=False,
        postgresql_where=sa.text(
            "deleted_at IS NULL AND status = 'open' AND health_changes_at IS NOT NULL"
        ),
    )
    op.create_index(
        "ix_opportunity_contact",
        "opportunity",
        ["tenant_id", "primary_contact_id"],
        unique=False,
        postgresql_where=sa.text(
            "deleted_at IS NULL AND primary_contact_id IS NOT NULL"
        ),
    )
    op.create_index(
        "ix_opportunity_list",
        "opportunity",
        ["tenant_id", "expected_close_on", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_name",
        "opportunity",
        ["tenant_id", "sort_key", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_owner",
        "opportunity",
        ["tenant_id", "owner_id", "stage_id", "position", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_opportunity_search",
        "opportunity",
        ["search_text"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_opportunity_updated",
        "opportunity",
        [
            "tenant_id",
            sa.literal_column("updated_at DESC"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_opportunity_number",
        "opportunity",
        ["tenant_id", "number"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "activity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("happens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=100), nullable=False),
        sa.Column("location", sa.String(length=200), nullable=False),
        sa.Column("next_steps", sa.String(length=500), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("duration_minutes >= 0", name=op.f("ck_activity_duration")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["account.tenant_id", "account.id"],
            name=op.f("fk_activity_tenant_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_activity_tenant_id_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "opportunity_id"],
            ["opportunity.tenant_id", "opportunity.id"],
            name=op.f("fk_activity_tenant_id_opportunity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_id"],
            ["crm_user.tenant_id", "crm_user.id"],
            name=op.f("fk_activity_tenant_id_owner_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_activity")),
    )
    op.create_index(
        "ix_activity_account",
        "activity",
        ["account_id", "tenant_id", sa.literal_column("happens_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_activity_contact",
        "activity",
        ["contact_id", "tenant_id", sa.literal_column("happens_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_activity_list",
        "activity",
        ["tenant_id", sa.literal_column("happens_at DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_activity_opportunity",
        "activity",
        ["opportunity_id", "tenant_id", sa.literal_column("happens_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_activity_planned",
        "activity",
        ["tenant_id", "owner_id", "happens_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND status = 'planned'"),
    )
    op.create_table(
        "opportunity_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "discount_percent BETWEEN 0 AND 100",
            name=op.f("ck_opportunity_line_discount"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_opportunity_line_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "opportunity_id"],
            ["opportunity.tenant_id", "opportunity.id"],
            name=op.f("fk_opportunity_line_tenant_id_opportunity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["product.tenant_id", "product.id"],
            name=op.f("fk_opportunity_line_tenant_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity_line")),
    )
    op.create_index(
        "ix_opportunity_line_opportunity",
        "opportunity_line",
        ["opportunity_id", "tenant_id", "position"],
        unique=False,
    )
    op.create_table(
        "opportunity_stakeholder",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "custom", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["contact.tenant_id", "contact.id"],
            name=op.f("fk_opportunity_stakeholder_tenant_id_contact_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "opportunity_id"],
            ["opportunity.tenant_id", "opportunity.id"],
            name=op.f("fk_opportunity_stakeholder_tenant_id_opportunity_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "id", name=op.f("pk_opportunity_stakeholder")
        ),
    )
    op.create_index(
        "ix_opportunity_stakeholder_contact",
        "opportunity_stakeholder",
        ["contact_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "ix_opportunity_stakeholder_opportunity",
        "opportunity_stakeholder",
        ["opportunity_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "uq_opportunity_stakeholder",
        "opportunity_stakeholder",
        ["tenant_id", "opportunity_id", "contact_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "stage_history",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("from_stage_id", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("moved_by_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("probability", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "opportunity_id"],
            ["opportunity.tenant_id", "opportunity.id"],
            name=op.f("fk_stage_history_tenant_id_opportunity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stage_id"],
            ["stage.tenant_id", "stage.id"],
            name=op.f("fk_stage_history_tenant_id_stage_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stage_history")),
    )
    op.create_index(
        "ix_stage_history_opportunity",
        "stage_history",
        ["tenant_id", "opportunity_id", "entered_at"],
        unique=False,
    )
    op.create_index(
        "ix_stage_history_stage",
        "stage_history",
        ["tenant_id", "stage_id", "entered_at"],
        unique=False,
    )
    op.create_foreign_key(
        "fk_team_manager",
        "team",
        "crm_user",
        ["tenant_id", "manager_id"],
        ["tenant_id", "id"],
    )
