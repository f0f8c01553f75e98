"""How Alembic reaches the database: as the owner role, in one transaction per migration."""

import re
from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel

from crm_app.store.databases import database_urls, sqlalchemy_url
from crm_app.store.migrations import import_models

# Tables that no model declares: Procrastinate's, the partitions of the audit log, the runner's own note.
_NOT_OURS = re.compile(r"^(procrastinate_.*|audit_log_(\d{6}|default)|installation)$")


def include_object(item: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", "")
    return not (reflected and _NOT_OURS.match(table or ""))


def main() -> None:
    import_models()
    url = context.config.attributes.get("url") or database_urls().owner
    engine = sa.create_engine(sqlalchemy_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            include_object=include_object,
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


main()
