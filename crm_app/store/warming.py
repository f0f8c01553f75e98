"""A server that has just started does its first things as fast as its later ones."""

import asyncio
import contextlib
import logging
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from crm_app.core import registry
from crm_app.settings import settings
from crm_app.store import ready
from crm_app.store.engine import engine

log = logging.getLogger(__name__)
_CONNECTIONS = 4  # as many as a small team uses at once; the others warm up when they are needed
_NOBODY = sa.text("SELECT set_config('app.tenant_id', :nil, true)")


async def warm() -> None:
    """Compile the statements of the hot paths, open connections, and let each plan the triggers of every entity, which
    otherwise costs the first to write 20 ms and more. Changes no row."""
    for statement in ready.made():
        statement.prepare()
        await asyncio.sleep(0)  # who is there already is served meanwhile
    try:
        async with contextlib.AsyncExitStack() as held:
            lines = [
                await held.enter_async_context(engine().begin()) for _ in range(min(_CONNECTIONS, settings().pool_size))
            ]
            for line in lines:
                await line.execute(_NOBODY, {"nil": str(UUID(int=0))})
                for entity in registry.all_entities():
                    # Triggers run once for a statement, also for one that finds nothing to change.
                    await line.execute(sa.update(entity.table).values(version=entity.table.c.version).where(sa.false()))
    except (SQLAlchemyError, OSError) as error:  # then the first who write wait for it
        log.warning("the database could not be warmed up: %s", error)
