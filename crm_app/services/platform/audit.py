"""The audit log: read it, seal it, check the seals."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.fields import MASKED
from crm_app.models.base import new_id, table_of
from crm_app.models.people.users import User
from crm_app.models.platform.audit import AuditEntry, AuditSeal
from crm_app.services.platform.schema import blind_spots
from crm_app.store.uow import UnitOfWork

_log, _seals, _users = table_of(AuditEntry), table_of(AuditSeal), table_of(User)
_SETTLED = timedelta(seconds=90)  # room for clocks that differ
# When the oldest transaction that has written began: what it wrote is not to be seen yet.
_OLDEST_WRITER = sa.text(
    "SELECT min(xact_start) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
)


async def history(
    uow: UnitOfWork,
    entity: str,
    record_id: UUID,
    *,
    field: str = "",
    actions: Sequence[str] = (),
    before: tuple[datetime, UUID] | None = None,
    limit: int = 200,
) -> Sequence[Mapping[Any, Any]]:
    """Who changed what of one record, latest first. Ask for the record itself before: its readers may read this.

    `field` keeps the entries that touch it, `before` is (at, id) of the entry under which to go on.
    """
    uow.require(f"{entity}.read")
    return await entries(uow, entity, record_id, field=field, actions=actions, before=before, limit=limit)


async def entries(
    uow: UnitOfWork,
    entity: str,
    record_id: UUID,
    *,
    field: str = "",
    actions: Sequence[str] = (),
    before: tuple[datetime, UUID] | None = None,
    limit: int = 200,
) -> Sequence[Mapping[Any, Any]]:
    """As `history`, for services that have asked for a right of their own."""
    hidden, masked = blind_spots(uow.actor, entity)
    if field in hidden:
        return []
    query = (
        sa.select(
            _log.c.id, _log.c.at, _log.c.action, _log.c.changes, _log.c.source, _log.c.user_id,
            _users.c.name.label("user_name"),
        )
        .outerjoin(_users, sa.and_(_users.c.tenant_id == _log.c.tenant_id, _users.c.id == _log.c.user_id))
        .where(_log.c.entity == entity, _log.c.record_id == record_id)
        .order_by(_log.c.at.desc(), _log.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if field:
        query = query.where(_log.c.changes.has_key(field))
    if actions:
        query = query.where(_log.c.action.in_(actions))
    if before is not None:
        query = query.where(sa.tuple_(_log.c.at, _log.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = (await uow.execute(query)).mappings().all()
    if not hidden | masked:
        return rows
    return [{**r, "changes": _seen(r["changes"], hidden, masked)} for r in rows]


def _seen(changes: Mapping[str, Any], hidden: frozenset[str], masked: frozenset[str]) -> dict[str, Any]:
    shown = {k: v for k, v in changes.items() if k not in hidden}
    return shown | {
        k: [MASKED if side not in (None, "", []) else side for side in shown[k]] for k in masked if k in shown
    }


_NOTE = sa.text("SELECT crm_note(:entity, :record, :act, CAST(:details AS jsonb))")


async def note(uow: UnitOfWork, entity: str, record_id: UUID, act: str, details: Mapping[str, Any]) -> None:
    """An act beside a change of a record: export, retry, dismiss. `details` are JSON-safe."""
    values = {"entity": entity, "record": record_id, "act": act, "details": json.dumps(details)}
    await uow.execute(_NOTE, values)


async def seal(uow: UnitOfWork) -> int:
    """Seal all settled entries since the last seal; returns how many. The digest chains to the seal before."""
    last = (await uow.execute(sa.select(_seals).order_by(_seals.c.number.desc()).limit(1))).mappings().one_or_none()
    start = last["sealed_to"] if last else datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    end = uow.now - _SETTLED
    if (writing := await uow.scalar(_OLDEST_WRITER)) is not None:
        end = min(end, writing - timedelta(microseconds=1))
    if end <= start:
        return 0
    entries, digest = await _digest(uow, start, end, last["digest"] if last else "")
    if entries:
        await uow.execute(
            sa.insert(_seals).values(
                tenant_id=uow.actor.tenant_id,
                id=new_id(),
                number=last["number"] + 1 if last else 1,
                sealed_from=start,
                sealed_to=end,
                entries=entries,
                digest=digest,
                created_at=uow.now,
            )
        )
    return entries


async def broken_seals(uow: UnitOfWork) -> list[int]:
    """Numbers of the seals that no longer fit the log: somebody changed the past behind the triggers' back."""
    uow.require("audit.read")
    before, broken = "", []
    for s in (await uow.execute(sa.select(_seals).order_by(_seals.c.number))).mappings().all():
        entries, digest = await _digest(uow, s["sealed_from"], s["sealed_to"], before)
        if (entries, digest) != (s["entries"], s["digest"]):
            broken.append(s["number"])
        before = s["digest"]
    return broken


_DIGEST = sa.text("""
    SELECT count(*) AS entries, coalesce(string_agg(encode(h, 'hex'), '' ORDER BY at, id), '') AS hashes
    FROM (SELECT at, id, sha256(convert_to(l::text, 'UTF8')) AS h FROM audit_log l WHERE at > :start AND at <= :end) e
""")


async def _digest(uow: UnitOfWork, start: datetime, end: datetime, before: str) -> tuple[int, str]:
    row = (await uow.execute(_DIGEST, {"start": start, "end": end})).mappings().one()
    return row["entries"], hashlib.sha256(f"{before}{row['hashes']}".encode()).hexdigest()
