"""Territories, records shared with a person, looking as another person; one maker of an actor's standing

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from crm_app.store import ddl

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_territories()
    create_shares()
    op.add_column("user_session", sa.Column("viewing_id", sa.Uuid(), nullable=True))
    op.add_column("user_session", sa.Column("viewing_until", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_user_session_tenant_id_viewing_id"),
        "user_session",
        "crm_user",
        ["tenant_id", "viewing_id"],
        ["tenant_id", "id"],
    )
    for table in ("territory", "territory_member", "record_share"):
        ddl.isolate(op, table)
    for table in ("territory", "territory_member"):
        ddl.audit(op, table)
    _note_more_acts()
    ddl.isolate(op, "territory_account", rights="SELECT")
    ddl.run_file(op, "reach.sql")
    for table, function, verb, rows in (
        ("territory", "crm_territory_changed", "INSERT", "NEW TABLE AS new_rows"),
        ("territory", "crm_territory_changed", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("account", "crm_account_added", "INSERT", "NEW TABLE AS new_rows"),
        ("account", "crm_account_changed", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("account", "crm_account_purged", "DELETE", "OLD TABLE AS old_rows"),
    ):
        ddl.run(
            op,
            f"CREATE TRIGGER place_{verb.lower()} AFTER {verb} ON {table} REFERENCING {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        )


def _note_more_acts() -> None:
    """Beside those that are known by now: a record is shown to somebody, somebody looks as another person."""
    definition = op.get_bind().exec_driver_sql("SELECT pg_get_functiondef('crm_note'::regproc)").scalar_one()
    ddl.run(op, definition.replace("act NOT IN (", "act NOT IN ('share', 'unshare', 'view', 'view_end', "))


_MOMENT = sa.DateTime(timezone=True)


def _ids(*names: str) -> list[sa.Column[sa.Uuid]]:
    return [sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "id", *names)]


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}"))


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{other}.tenant_id", f"{other}.id"], name=name)


def create_territories() -> None:
    def json(name: str, default: str) -> sa.Column[object]:
        return sa.Column(name, postgresql.JSONB(), server_default=sa.text(default), nullable=False)

    op.create_table(
        "territory",
        *_ids(),
        *[sa.Column(n, _MOMENT, nullable=False) for n in ("created_at", "updated_at")],
        *[sa.Column(n, sa.Uuid(), nullable=True) for n in ("created_by_id", "updated_by_id", "deleted_by_id")],
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=True),
        json("custom", "'{}'"),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        json("countries", "'[]'"),
        json("industries", "'[]'"),
        _key("territory"),
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index("uq_territory_name", "territory", ["tenant_id", "name"], unique=True, postgresql_where=live)
    op.create_table(
        "territory_member",
        *_ids("territory_id", "user_id"),
        _of("territory_member", "territory_id", "territory"),
        _of("territory_member", "user_id", "crm_user"),
        _key("territory_member"),
    )
    op.create_index("uq_territory_member", "territory_member", ["tenant_id", "user_id", "territory_id"], unique=True)
    op.create_index("ix_territory_member_territory", "territory_member", ["tenant_id", "territory_id"])
    op.create_table(
        "territory_account",
        *[sa.Column(n, sa.Uuid(), nullable=False) for n in ("tenant_id", "territory_id", "account_id")],
        sa.PrimaryKeyConstraint("tenant_id", "territory_id", "account_id", name=op.f("pk_territory_account")),
    )
    op.create_index("ix_territory_account_account", "territory_account", ["tenant_id", "account_id"])


def create_shares() -> None:
    op.create_table(
        "record_share",
        *_ids("record_id", "user_id"),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("can_write", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        _of("record_share", "user_id", "crm_user"),
        _key("record_share"),
    )
    op.create_index("uq_record_share", "record_share", ["tenant_id", "record_id", "user_id"], unique=True)
    op.create_index(
        "ix_record_share_user", "record_share", ["tenant_id", "user_id", "entity"],
        postgresql_include=["record_id", "can_write"],
    )  # fmt: skip


def downgrade() -> None:
    raise RuntimeError("Who sees which record would be another: restore a backup instead.")
