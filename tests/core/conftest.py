"""A cluster of its own for tests that compare with PostgreSQL, and the little world that conditions are tried on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_app.store.embedded import FOR_TESTS, EmbeddedPostgres, Role
from tests.core import condition_world


@pytest.fixture(scope="session")
def scratch_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """A connection to an empty database, as a superuser of nothing else."""
    folder: Path = tmp_path_factory.mktemp("pg")
    server = EmbeddedPostgres(folder, options=FOR_TESTS)
    server.start()
    server.create_database("scratch")
    url = server.url(Role.owner, "scratch").replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
        server.stop("immediate")


@pytest.fixture(scope="module")
def world() -> Iterator[condition_world.World]:
    """Companies and deals, declared for as long as a test module runs."""
    with condition_world.declared() as made:
        yield made
