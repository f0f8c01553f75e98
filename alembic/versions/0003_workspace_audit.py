"""Changes of the workspace itself are kept in the audit log too.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

from crm_app.store import ddl

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ddl.run_file(op, "workspace_audit.sql")
    ddl.audit(op, "workspace", function="crm_audit_workspace")


def downgrade() -> None:
    for verb in ("insert", "update", "delete"):
        ddl.run(op, f"DROP TRIGGER audit_{verb} ON workspace")
    ddl.run(op, "DROP FUNCTION crm_audit_workspace")
