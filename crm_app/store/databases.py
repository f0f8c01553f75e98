"""Which database this installation uses: the one in the settings, or the embedded one, started on first need."""

from dataclasses import dataclass, field
from functools import cache

import psycopg

from crm_app.core.errors import NotReady
from crm_app.settings import settings
from crm_app.store.embedded import EmbeddedPostgres, Role


@dataclass(frozen=True)
class DatabaseUrls:
    """postgresql:// addresses. Only `app` is held by row-level security; `direct` is `app` past a pooler."""

    app: str = field(repr=False)
    owner: str = field(repr=False)
    direct: str = field(repr=False)


@cache
def embedded() -> EmbeddedPostgres:
    """The installation's own cluster, started or not."""
    return EmbeddedPostgres(settings().data_dir / "postgres", programs=settings().pg_bin)


@cache
def database_urls() -> DatabaseUrls:
    """Starts or joins the embedded cluster when no DATABASE_URL is set; NotReady when it cannot."""
    chosen = settings()
    if not chosen.is_embedded:
        return DatabaseUrls(chosen.database_url, chosen.database_owner_url, chosen.database_direct_url)
    cluster = embedded()
    cluster.start()
    app = cluster.url(Role.app)
    return DatabaseUrls(app=app, owner=cluster.url(Role.owner), direct=app)


def sqlalchemy_url(url: str) -> str:
    """The same address for SQLAlchemy's psycopg dialect, sync and async."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def reach(url: str) -> psycopg.Connection:
    """An autocommit connection for the programs of the installation itself; NotReady when there is none to be had."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10, application_name="salescompass upkeep")
    except psycopg.OperationalError as error:
        raise NotReady(
            f"The database cannot be reached: {str(error).strip()}",
            remedy="Start the server, or mend DATABASE_URL and DATABASE_OWNER_URL; unset, the embedded one is used.",
        ) from error
