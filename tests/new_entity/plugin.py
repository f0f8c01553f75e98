"""Adds the entity of docs/how-to/add-an-entity.md to the product, as somebody who follows it would: the model as it
stands there, a table as Alembic makes it from the model, and the lines that the how-to adds to the migration.

For a process of its own (`-p tests.new_entity.plugin`): what is declared stays declared.
"""

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from crm_app import parts
from crm_app.store import ddl, migrations
from tests.new_entity.how_to import MIGRATION, MODEL

MODULE = "crm_app.models.activities.visits"


def _declare() -> Any:
    """The file below crm_app/models, without being there."""
    path = Path(tempfile.mkdtemp()) / "visits.py"
    path.write_text(MODEL)
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[MODULE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


parts.load("models")
visits = _declare()
_upgrade = migrations.upgrade


def _upgrade_and_one_more(urls: Any = None, **more: Any) -> Any:
    status = _upgrade(urls, **more)
    engine = sa.create_engine(urls.owner.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)) as op:
        visits.Visit.__table__.create(connection)
        exec(MIGRATION.replace("    ddl.", "ddl."), {"ddl": ddl, "op": op})
    engine.dispose()
    return status


migrations.upgrade = _upgrade_and_one_more  # type: ignore[assignment]
