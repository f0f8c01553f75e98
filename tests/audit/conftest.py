"""Ways around the application: as the owner of the tables, and as the superuser of the server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from crm_app.store.databases import DatabaseUrls
from crm_app.store.embedded import Role
from tests.conftest import TestCluster

Connect = Callable[[], Any]


@pytest.fixture
def as_owner(database: DatabaseUrls) -> Connect:
    @contextmanager
    def connect() -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(database.owner) as connection:
            yield connection

    return connect


@pytest.fixture
def as_superuser(database: DatabaseUrls, cluster: TestCluster) -> Connect:
    name = str(psycopg.conninfo.conninfo_to_dict(database.app)["dbname"])

    @contextmanager
    def connect() -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(cluster.postgres.url(Role.superuser, name)) as connection:
            yield connection

    return connect
