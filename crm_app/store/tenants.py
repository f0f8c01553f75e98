"""Across workspaces: who there is, and which period of the clock was begun. Nothing here reads records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.store.engine import engine


async def tenant_ids() -> list[UUID]:
    async with engine().begin() as connection:
        return list((await connection.execute(sa.text("SELECT crm_tenants()"))).scalars())


@asynccontextmanager
async def claimed_period(key: str) -> AsyncIterator[Any]:
    """For the first process that asks for this period: the psycopg connection of the transaction that claims it, for
    deferring the job in the same one. None for all others."""
    statement = "INSERT INTO clock_period (key, begun_at) VALUES (:key, now()) ON CONFLICT DO NOTHING RETURNING key"
    async with engine().begin() as connection:
        is_first = (await connection.execute(sa.text(statement), {"key": key})).scalar() is not None
        yield (await connection.get_raw_connection()).driver_connection if is_first else None


async def forget_old_periods() -> None:
    """Periods older than a week, and failed sign-ins older than a day."""
    async with engine().begin() as connection:
        await connection.execute(sa.text("DELETE FROM clock_period WHERE begun_at < now() - interval '7 days'"))
        await connection.execute(sa.text("DELETE FROM sign_in_attempt WHERE at < now() - interval '1 day'"))
