"""Imports that were made, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.models.base import table_of
from crm_app.models.platform.imports import ImportBatch, ImportStatus
from crm_app.store.uow import UnitOfWork

_batches = table_of(ImportBatch)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """`report` is that of the dry run (report.Report.as_json)."""

    id: UUID
    name: str
    status: ImportStatus
    user: str
    created_at: datetime
    finished_at: datetime | None
    report: dict[str, Any]

    @property
    def created(self) -> int:
        return sum(s["new"] for s in self.report.get("steps", ()))

    @property
    def updated(self) -> int:
        return sum(s["updated"] for s in self.report.get("steps", ()))


async def listed(uow: UnitOfWork, *, limit: int = 50) -> Sequence[BatchRow]:
    """One's own imports; those of everybody for whoever may take imports back."""
    users = registry.get("user").table
    query = (
        sa.select(
            _batches.c.id, _batches.c.name, _batches.c.status, sa.func.coalesce(users.c.name, ""),
            _batches.c.created_at, _batches.c.finished_at, _batches.c.report,
        )
        .outerjoin(users, sa.and_(users.c.tenant_id == _batches.c.tenant_id, users.c.id == _batches.c.user_id))
        .order_by(_batches.c.created_at.desc(), _batches.c.id.desc())
        .limit(sa.literal_column(str(max(1, min(limit, 500)))))
    )  # fmt: skip
    if not uow.actor.can("import.revert"):
        query = query.where(_batches.c.user_id == uow.actor.user_id)
    return [BatchRow(*r) for r in await uow.rows(query)]
