"""Jobs of the clock that keep the house: health by time, seals, partitions, old rows."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from crm_app.core.jobs import every
from crm_app.models.base import table_of
from crm_app.models.platform.idempotency import IdempotencyKey
from crm_app.models.platform.workspaces import ClientOperation
from crm_app.services.activities import comments
from crm_app.services.people import sessions
from crm_app.services.platform import audit, bulk_operations, custom_fields, exporting, notifications, trash
from crm_app.services.platform.imports import jobs as import_jobs
from crm_app.services.sales import activity_facts
from crm_app.store import downloads, uploads
from crm_app.store.uow import UnitOfWork


@every("*/5 * * * *")
async def refresh_health(uow: UnitOfWork) -> None:
    """Deals that became overdue by time alone."""
    while await activity_facts.refresh_due(uow) == 500:
        pass


@every("*/5 * * * *")
async def seal_audit(uow: UnitOfWork) -> None:
    await audit.seal(uow)


@every("23 * * * *")
async def empty_trash(uow: UnitOfWork) -> None:
    """What has lain in the trash for 30 days, records and fields."""
    await trash.sweep(uow)
    await custom_fields.sweep(uow)


@every("17 3 * * *")
async def sweep(uow: UnitOfWork) -> None:
    """Months ahead for the audit log; yesterday's operations and uploads, old sessions, notices and deleted
    comments are forgotten."""
    await uow.execute(sa.text("SELECT crm_audit_partitions(3)"))
    await sessions.sweep(uow)
    await bulk_operations.sweep(uow)
    await exporting.sweep(uow)
    operations = table_of(ClientOperation)
    await uow.execute(sa.delete(operations).where(operations.c.created_at < uow.now - timedelta(days=1)))
    requests = table_of(IdempotencyKey)
    await uow.execute(sa.delete(requests).where(requests.c.created_at < uow.now - timedelta(days=1)))
    await notifications.purge(uow)
    await comments.purge(uow)
    await import_jobs.sweep(uow)
    await asyncio.to_thread(uploads.sweep, uow.now)
    await asyncio.to_thread(downloads.sweep, uow.now)
