"""Work that failed for good, facts and jobs: an admin sees it, runs it again or puts it aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core import registry
from crm_app.core.text import label_of
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event, EventDelivery
from crm_app.models.platform.failures import FailedJob
from crm_app.services.platform import audit
from crm_app.store import queue
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

TOPIC = "failed_job"  # what open screens hear
_MOST = 200
_events, _deliveries, _failed = table_of(Event), table_of(EventDelivery), table_of(FailedJob)
_PARKED = _deliveries.c.parked_at.is_not(None)
# The queue is not tenant-scoped: a job is a workspace's when its arguments name it. Its row number stands as a UUID.
_QUEUED = sa.text("""
    SELECT j.id, j.task_name, j.attempts, min(e.at) FILTER (WHERE e.type = 'started') AS since, max(e.at) AS last
    FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id
    WHERE j.status = 'failed' AND j.args ->> 'tenant_id' = :tenant GROUP BY j.id ORDER BY j.id DESC LIMIT :most
""")
_TAKE_QUEUED = sa.text("""
    DELETE FROM procrastinate_jobs
    WHERE status = 'failed' AND args ->> 'tenant_id' = :tenant AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY (:ids))
    RETURNING id, task_name, args
""")
_LOST = (
    "The job ended without a word, as when the server is killed or runs out of memory. The server's log has the rest."
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One piece of work that waits for a decision. `entity`, `record_id` and `record` are empty where it is about no
    record, or one the actor may not see."""

    id: UUID
    what: str
    why: str  # the fact or the clock that asked for it, as words
    entity: str
    record_id: UUID | None
    record: str
    since: datetime
    attempts: int
    error: str


async def listed(uow: UnitOfWork) -> list[Failure]:
    """The newest 200 of each kind, latest first."""
    uow.require("settings.manage")
    found = [*await _parked(uow), *await _jobs(uow), *await _queued(uow)]
    return sorted(found, key=lambda f: f.since, reverse=True)


async def _parked(uow: UnitOfWork) -> list[Failure]:
    query = (
        sa.select(
            _deliveries.c.id, _deliveries.c.handler, _deliveries.c.attempts, _deliveries.c.error,
            _deliveries.c.parked_at, _events.c.name, _events.c.entity, _events.c.record_id,
        )
        .join(_events, sa.and_(_events.c.tenant_id == _deliveries.c.tenant_id, _events.c.id == _deliveries.c.event_id))
        .where(_PARKED)
        .order_by(_deliveries.c.parked_at.desc())
        .limit(_MOST)
    )  # fmt: skip
    rows = await uow.rows(query)
    titles = await _titles(uow, [(r.entity, r.record_id) for r in rows])
    made = []
    for r in rows:
        title = titles.get(r.record_id, "")
        noun, _, verb = r.name.partition(".")
        why = f"after {label_of(noun).lower()} {verb.replace('_', ' ')}"
        record_id = r.record_id if title else None
        what = label_of(r.handler.rpartition(".")[2])
        made.append(Failure(r.id, what, why, r.entity, record_id, title, r.parked_at, r.attempts, in_words(r.error)))
    return made


async def _titles(uow: UnitOfWork, wanted: Sequence[tuple[str, UUID]]) -> dict[UUID, str]:
    """The names of the records that are there and may be seen, one query a kind."""
    found: dict[UUID, str] = {}
    for name in {n for n, _ in wanted}:
        entity = registry.find(name)
        if entity is None or not uow.actor.can(f"{name}.read"):
            continue
        table = entity.table
        ids = [i for n, i in wanted if n == name]
        query = sa.select(table.c.id, table.c[entity.title].label("title"))
        query = query.where(table.c.id.in_(ids), table.c.deleted_at.is_(None))
        if (seen := visible(entity, uow.actor)) is not None:
            query = query.where(seen)
        found |= {r.id: r.title for r in await uow.rows(query)}
    return found


async def _jobs(uow: UnitOfWork) -> list[Failure]:
    made = []
    for r in await uow.rows(sa.select(_failed).order_by(_failed.c.last_failed_at.desc()).limit(_MOST)):
        what = label_of(r.key.rpartition(":")[2])
        why = "by the clock" if r.key.startswith("tick:") else "in the background"
        made.append(Failure(r.id, what, why, "", None, "", r.first_failed_at, r.attempts, in_words(r.error)))
    return made


async def _queued(uow: UnitOfWork) -> list[Failure]:
    rows = await uow.rows(_QUEUED, {"tenant": str(uow.actor.tenant_id), "most": _MOST})
    return [
        Failure(
            UUID(int=r.id), label_of(r.task_name), "in the background", "", None, "", r.since or r.last or uow.now,
            r.attempts, _LOST,
        )
        for r in rows
    ]  # fmt: skip


def in_words(error: str) -> str:
    """What is stored is "ValueError: not yet": what it said comes first, its kind only where it said nothing."""
    kind, sign, text = error.partition(": ")
    if not sign or not kind.isidentifier():
        return error or "It gave no reason. The server's log has the rest."
    if kind in ("OperationalError", "ConnectionError", "ConnectionRefusedError", "TimeoutError", "ConnectTimeout"):
        return f"A service it needs did not answer: {text.splitlines()[0] if text else kind}"
    if kind in ("KeyError", "AttributeError", "TypeError", "AssertionError", "IndexError"):
        return f"A mistake in the program ({kind} {text}). Report it; the server's log has the rest."
    return text.splitlines()[0] if text.strip() else f"It gave no reason but {kind}."


async def retry(uow: UnitOfWork, failure_ids: Sequence[UUID] | None = None) -> int:
    """Another round of attempts, by a job as at first; None is all. Returns how many begin."""
    uow.require("settings.manage")
    again = (
        sa.update(_deliveries)
        .where(_PARKED, *_among(_deliveries, failure_ids))
        .values(parked_at=None, attempts=0)
        .returning(_deliveries.c.id, _deliveries.c.event_id)
    )
    deliveries = await uow.rows(again)
    tenant = str(uow.actor.tenant_id)
    if deliveries:
        events = sorted({str(r.event_id) for r in deliveries})
        await queue.defer(await uow.driver(), queue.DELIVER, tenant_id=tenant, event_ids=events)
    taken = [*await _take_jobs(uow, failure_ids), *await _take_queued(uow, failure_ids)]
    for _, task, args in taken:
        await queue.defer(await uow.driver(), task, **args)
    await _note(uow, "retry", [r.id for r in deliveries] + [t[0] for t in taken])
    return len(deliveries) + len(taken)


async def dismiss(uow: UnitOfWork, failure_ids: Sequence[UUID] | None = None) -> int:
    """Put aside without running it again; None is all. Returns how many."""
    uow.require("settings.manage")
    aside = (
        sa.update(_deliveries)
        .where(_PARKED, *_among(_deliveries, failure_ids))
        .values(parked_at=None, done_at=uow.now)
        .returning(_deliveries.c.id)
    )
    gone = [r.id for r in await uow.rows(aside)]
    gone += [t[0] for t in (*await _take_jobs(uow, failure_ids), *await _take_queued(uow, failure_ids))]
    await _note(uow, "dismiss", gone)
    return len(gone)


def _among(table: sa.Table, ids: Sequence[UUID] | None) -> list[sa.ColumnElement[bool]]:
    return [] if ids is None else [table.c.id.in_(ids)]


async def _take_jobs(uow: UnitOfWork, ids: Sequence[UUID] | None) -> list[tuple[UUID, str, dict[str, Any]]]:
    taken = sa.delete(_failed).where(*_among(_failed, ids)).returning(_failed.c.id, _failed.c.task, _failed.c.args)
    return [(r.id, r.task, r.args) for r in await uow.rows(taken)]


async def _take_queued(uow: UnitOfWork, ids: Sequence[UUID] | None) -> list[tuple[UUID, str, dict[str, Any]]]:
    numbers = None if ids is None else [i.int for i in ids if i.int < 2**63]
    rows = await uow.rows(_TAKE_QUEUED, {"tenant": str(uow.actor.tenant_id), "ids": numbers})
    return [(UUID(int=r.id), r.task_name, r.args) for r in rows]


async def _note(uow: UnitOfWork, act: str, ids: Sequence[UUID]) -> None:
    for failure_id in ids:
        await audit.note(uow, TOPIC, failure_id, act, {})
    if ids:
        uow.changed_many(TOPIC)


async def record(uow: UnitOfWork, key: str, *, task: str, args: dict[str, Any], error: str) -> None:
    """Write down that a job of this workspace failed; failing again counts on the same row."""
    row = {
        "tenant_id": uow.actor.tenant_id, "id": new_id(), "key": key, "task": task, "args": args, "attempts": 1,
        "error": error[:2000], "first_failed_at": uow.now, "last_failed_at": uow.now,
    }  # fmt: skip
    again = {"attempts": _failed.c.attempts + 1, "error": error[:2000], "last_failed_at": uow.now}
    statement = insert(_failed).values(row)
    await uow.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=again))
    uow.changed_many(TOPIC)


async def settle(uow: UnitOfWork, key: str) -> None:
    """The job succeeded: what failed before needs nobody."""
    if (await uow.rows(sa.delete(_failed).where(_failed.c.key == key).returning(_failed.c.id))) != []:
        uow.changed_many(TOPIC)
