"""What a migration says about a table beside its columns: isolation, rights, audit. Used by alembic/versions only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

APP_ROLE = "crm_app"
_SQL = Path(__file__).resolve().parents[2] / "alembic" / "sql"


def run_file(op: Any, name: str) -> None:
    """Run alembic/sql/<name>; such a file is never changed once it has landed."""
    op.get_bind().exec_driver_sql((_SQL / name).read_text().replace("%", "%%"))


def run(op: Any, sql: str) -> None:
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))


def isolate(op: Any, table: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Row-level security by tenant. The policy stands inline: a function would hide the value from the planner."""
    own = "tenant_id = current_setting('app.tenant_id')::uuid"
    run(op, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    run(op, f"CREATE POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    run(op, f"GRANT {rights} ON {table} TO {APP_ROLE}")


def audit(
    op: Any,
    table: str,
    *,
    entity: str = "",
    skip: Sequence[str] = (),
    secret: Sequence[str] = (),
    function: str = "crm_audit",
) -> None:
    """Write old and new values to the audit log at every change; without `skip` columns, with `secret` ones masked."""
    args = ", ".join(f"'{a}'" for a in (entity, *(f"-{c}" for c in skip), *(f"*{c}" for c in secret)))
    for verb, rows in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
    ):
        run(
            op,
            f"CREATE TRIGGER audit_{verb.lower()} AFTER {verb} ON {table} REFERENCING {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}({args})",
        )
