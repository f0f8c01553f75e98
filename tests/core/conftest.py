"""The little world that conditions are tried on, and an empty database for comparing with PostgreSQL."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from crm_app.store.databases import sqlalchemy_url
from tests.conftest import TestCluster
from tests.core import condition_world


@pytest.fixture(scope="session")
def scratch(cluster: TestCluster) -> Iterator[sa.Connection]:
    """A connection of the owner to an empty database."""
    name = cluster.make(migrated=False)
    engine = sa.create_engine(sqlalchemy_url(cluster.urls(name).owner), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()
    cluster.drop(name)


@pytest.fixture(scope="module")
def world() -> Iterator[condition_world.World]:
    """Companies and deals, declared for as long as a test module runs."""
    with condition_world.declared() as made:
        yield made
