"""One pool of connections a process, as the application's role."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crm_app.settings import settings
from crm_app.store.databases import database_urls, sqlalchemy_url

_engine: AsyncEngine | None = None


def engine() -> AsyncEngine:
    """The process's engine, made at first use."""
    global _engine  # noqa: PLW0603
    if _engine is None:
        options: dict[str, Any] = {"application_name": "salescompass"}
        _engine = create_async_engine(
            sqlalchemy_url(database_urls().app),
            pool_size=settings().pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args=options,
        )
    return _engine


async def close_engine() -> None:
    global _engine  # noqa: PLW0603
    if _engine is not None:
        await _engine.dispose()
        _engine = None
