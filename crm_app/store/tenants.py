"""Across workspaces: who there is, and which period of the clock was begun. Nothing here reads records."""

from uuid import UUID

import sqlalchemy as sa

from crm_app.store.engine import engine


async def tenant_ids() -> list[UUID]:
    async with engine().begin() as connection:
        return list((await connection.execute(sa.text("SELECT crm_tenants()"))).scalars())


async def claim_period(key: str) -> bool:
    """True for the first process that asks for this period of a job of the clock."""
    statement = "INSERT INTO clock_period (key, begun_at) VALUES (:key, now()) ON CONFLICT DO NOTHING RETURNING key"
    async with engine().begin() as connection:
        return (await connection.execute(sa.text(statement), {"key": key})).scalar() is not None


async def forget_old_periods() -> None:
    """Periods older than a week, and failed sign-ins older than a day."""
    async with engine().begin() as connection:
        await connection.execute(sa.text("DELETE FROM clock_period WHERE begun_at < now() - interval '7 days'"))
        await connection.execute(sa.text("DELETE FROM sign_in_attempt WHERE at < now() - interval '1 day'"))
