"""What `alembic check` would say: the migrations make exactly the tables that the models declare."""

from collections.abc import Callable

from alembic import command
from alembic.script import ScriptDirectory

from crm_app.store import migrations
from crm_app.store.databases import DatabaseUrls


def test_models_and_migrations_agree(another_database: Callable[..., DatabaseUrls]):
    command.check(migrations.config_of(migrations.SCRIPTS, another_database().owner))


def test_there_is_one_line_of_migrations():
    assert len(ScriptDirectory(str(migrations.SCRIPTS)).get_heads()) == 1
