"""Looking for duplicates in the background: when somebody asks, and every night."""

import asyncio
import logging
from uuid import UUID

from crm_app.core import registry
from crm_app.core.errors import Conflict, NotFound
from crm_app.core.jobs import every
from crm_app.core.matching import matched_entities
from crm_app.jobs.delivery import system_actor
from crm_app.services.customers import duplicates_pairs, duplicates_scan
from crm_app.store.queue import queue
from crm_app.store.uow import UnitOfWork, signal, unit_of_work

log = logging.getLogger(__name__)
_EVERY = 0.4  # seconds between two words of progress


@queue.task(name=duplicates_pairs.SCAN)
async def scan_duplicates(tenant_id: str, scan_id: str) -> None:
    """One run. Beginning anew does no harm: pairs are kept by their records."""
    actor, run = system_actor(UUID(tenant_id)), UUID(scan_id)
    try:
        async with unit_of_work(actor) as uow:
            entity, rows = await duplicates_scan.begin(uow, run)
    except NotFound:
        log.info("the run %s is gone", scan_id)
        return
    looked = [0]
    scoring = asyncio.create_task(
        asyncio.to_thread(duplicates_scan.pairs_of, entity, rows, lambda done: looked.__setitem__(0, done))
    )
    try:
        while not (await asyncio.wait({scoring}, timeout=_EVERY))[0]:
            async with unit_of_work(actor) as uow:
                await duplicates_scan.progress(uow, run, looked[0])
            await signal(actor, duplicates_pairs.SCAN, {"entity": entity.name, "done": looked[0], "total": len(rows)})
        pairs = scoring.result()
        async with unit_of_work(actor) as uow:
            await duplicates_scan.keep(uow, run, entity, pairs)
            await duplicates_scan.end(uow, run, entity, found=len(pairs))
    except BaseException:
        scoring.cancel()
        async with unit_of_work(actor) as uow:
            await duplicates_scan.end(uow, run, entity, found=0, failed=True)
        raise
    finally:
        await signal(actor, duplicates_pairs.SCAN, {"entity": entity.name, "done": len(rows), "total": len(rows)})


@every("41 2 * * *")
async def find_duplicates(uow: UnitOfWork) -> None:
    for name in matched_entities():
        try:
            await duplicates_pairs.start(uow, registry.get(name))
        except Conflict:
            log.info("%s is being looked through already", name)
