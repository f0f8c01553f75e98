"""Where exports lie once they are written, and how whoever asked for one gets at it.

A file is written beside the program, out of one transaction, and then put where every process finds it: the row says
that it is there only afterwards.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from uuid import UUID

from crm_app.core.context import Actor
from crm_app.integrations.files import exported, key_of
from crm_app.models.platform.exports import ExportStatus
from crm_app.services.platform import audit_export, exporting
from crm_app.services.platform.exporting import Export, Told
from crm_app.store import downloads
from crm_app.store.keys import derived_key
from crm_app.store.uow import unit_of_work


async def keep(actor: Actor, export_id: UUID, *, told: Told = exporting.SILENT) -> Export:
    """Write a file that was asked for and keep it; once. `exporting.Cancelled` when nobody wants it any more: then
    nothing of it is left."""
    async with unit_of_work(actor) as uow:
        known = await exporting.read(uow, export_id)
    if known.status is ExportStatus.done:
        return known
    key = key_of(actor.tenant_id, export_id)
    with downloads.passing() as folder:
        path = folder / export_id.hex
        make = audit_export.make if known.entity == audit_export.WHAT else exporting.make
        async with unit_of_work(actor) as uow:
            rows = await make(uow, export_id, path, told=exporting.while_wanted(uow, export_id, told))
            await exporting.require_wanted(uow, export_id)  # else the audit log has nothing of it either
        size = path.stat().st_size
        await exported().put(key, path)
    try:
        async with unit_of_work(actor) as uow:
            return await exporting.settle(uow, export_id, rows=rows, size=size)
    except BaseException:
        await asyncio.shield(exported().delete([key]))
        raise


async def keep_now(actor: Actor, export_id: UUID) -> Export:
    """As `keep`, while somebody waits for it: when it fails, it is as if nobody had asked."""
    try:
        return await keep(actor, export_id)
    except BaseException:
        await asyncio.shield(_withdraw(actor, export_id))
        raise


async def _withdraw(actor: Actor, export_id: UUID) -> None:
    async with unit_of_work(actor) as uow:
        await exporting.discard(uow, export_id)


async def content(actor: Actor, made: Export) -> AsyncIterator[bytes]:
    """The file of an export that was read as one's own, in pieces."""
    return await exported().read(key_of(actor.tenant_id, made.id))


def address_of(actor: Actor, export_id: UUID) -> str:
    """Where this session fetches the file: nobody who learns its id can make an address of it."""
    return f"/api/exports/{export_id}/{_key(actor, export_id)}"


def is_address(actor: Actor, export_id: UUID, key: str) -> bool:
    return hmac.compare_digest(_key(actor, export_id).encode(), key.encode())


def _key(actor: Actor, export_id: UUID) -> str:
    text = f"{actor.tenant_id}/{actor.user_id}/{actor.session_id}/{export_id}"
    return hmac.new(derived_key("download"), text.encode(), hashlib.sha256).hexdigest()[:43]
