"""The ground of every test: one throw-away PostgreSQL a run, one migrated template, one database per process.

Nothing starts before a test asks for `database`: tests of pure ideas need no server. The processes of pytest-xdist
share the cluster; the first one pytest starts in (not a worker) makes its folder and takes it away.
"""

import base64
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from crm_app.settings import settings
from crm_app.store import databases, migrations
from crm_app.store.databases import DatabaseUrls
from crm_app.store.embedded import FOR_TESTS, EmbeddedPostgres, Role

pytest_plugins = ["tests.people"]
TEMPLATE = "crm_template"
_RUN_FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """No test reads the developer's settings or touches the developer's data."""
    worker = getattr(config, "workerinput", None)
    folder = Path(worker["run_folder"]) if worker else Path(tempfile.mkdtemp(prefix="crm-test-"))
    folder.chmod(0o711)  # the server may run under another account
    config.stash[_RUN_FOLDER] = folder
    for name in [n for n in os.environ if n.startswith("CRM_") or n in ("DATABASE_URL", "REDIS_URL")]:
        del os.environ[name]
    os.environ["CRM_ENV_FILE"] = ""
    os.environ["CRM_SECRET_KEY"] = base64.b64encode(b"a key of tests, 32 bytes long...").decode()
    use_data_dir(folder / f"data-{worker['workerid'] if worker else 'main'}")


def pytest_configure_node(node: object) -> None:
    """Called by pytest-xdist in the first process for each of the others."""
    node.workerinput["run_folder"] = str(node.config.stash[_RUN_FOLDER])  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = config.stash[_RUN_FOLDER]
    EmbeddedPostgres(folder / "postgres").stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


def use_data_dir(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["CRM_DATA_DIR"] = str(folder)
    forget_settings()


def forget_settings() -> None:
    """After a change of the environment."""
    settings.cache_clear()
    databases.embedded.cache_clear()
    databases.database_urls.cache_clear()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class TestCluster:
    """The server of this run; `make` gives a new database, migrated or empty."""

    __test__ = False
    postgres: EmbeddedPostgres
    worker: str
    _numbers: Iterator[int]

    def make(self, *, migrated: bool = True) -> str:
        name = f"crm_{self.worker}_{next(self._numbers)}"
        self.postgres.create_database(name, template=TEMPLATE if migrated else None)
        return name

    def drop(self, name: str) -> None:
        self.postgres.drop_database(name)

    def urls(self, name: str) -> DatabaseUrls:
        app = self.postgres.url(Role.app, name)
        return DatabaseUrls(app=app, owner=self.postgres.url(Role.owner, name), direct=app)


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Path:
    """Folder of this run that other accounts may enter, unlike pytest's own."""
    return request.config.stash[_RUN_FOLDER]


@pytest.fixture(scope="session")
def cluster(run_folder: Path) -> TestCluster:
    folder = run_folder
    postgres = EmbeddedPostgres(folder / "postgres", options={**FOR_TESTS, "max_connections": "150"})
    postgres.start()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    made = TestCluster(postgres, worker, count(1))
    with _alone(folder):
        if not postgres.has_database(TEMPLATE):
            half = f"{TEMPLATE}_half"
            postgres.create_database(half)
            migrations.upgrade(made.urls(half))
            postgres.rename_database(half, TEMPLATE)
    return made


@pytest.fixture(scope="session")
def database(cluster: TestCluster) -> Iterator[DatabaseUrls]:
    """This process's own migrated database; `crm_app.settings` points at it from here on."""
    urls = cluster.urls(cluster.make())
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = urls.app, urls.owner
    forget_settings()
    yield urls
    del os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"]
    forget_settings()


@pytest.fixture
def another_database(cluster: TestCluster) -> Iterator[Callable[..., DatabaseUrls]]:
    """Makes further databases, which are gone after the test: `another_database(migrated=False)`."""
    made: list[str] = []

    def make(*, migrated: bool = True) -> DatabaseUrls:
        made.append(cluster.make(migrated=migrated))
        return cluster.urls(made[-1])

    yield make
    for name in made:
        cluster.drop(name)
