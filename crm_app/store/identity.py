"""Looks made before it is known who acts: sessions, addresses, one-time links, failed attempts.

Each goes through a definer function that answers for one exact key, or to `sign_in_attempt`, which belongs to no
tenant. Every statement is a transaction of its own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_app.models.base import table_of
from crm_app.models.people.sessions import LinkPurpose, SignInAttempt
from crm_app.store.engine import engine

_SESSIONS = sa.text(
    "SELECT asked.digest, live.* FROM unnest(CAST(:digests AS text[])) AS asked (digest)"
    " CROSS JOIN LATERAL crm_session_user(asked.digest) AS live"
)
_CANDIDATES = sa.text("SELECT * FROM crm_sign_in_candidates(:key)")
_LINK = sa.text("SELECT * FROM crm_link_user(:digest)")
_FAILED = sa.text("SELECT crm_sign_in_failed(:attempt, :key, :why, :ip, :agent, :now)")
_attempts = table_of(SignInAttempt)


@dataclass(frozen=True)
class Standing:
    """An active user and what the role gives, as crm_standing tells it. `permissions` as stored, bundles not worked
    out."""

    tenant_id: UUID
    user_id: UUID
    name: str
    email: str
    time_zone: str
    currency: str
    workspace: str
    scope: str
    permissions: list[str]
    field_rights: dict[str, str]
    role: str
    team_ids: list[UUID]
    territory_ids: list[UUID]
    shared: list[str]


@dataclass(frozen=True)
class SessionRow(Standing):
    """A live session and for whom it answers. `viewer_id` is whose session it is while they look as somebody else."""

    session_id: UUID
    last_seen_at: datetime
    preferences: dict[str, object]
    viewer_id: UUID | None
    viewer: str | None
    viewing_until: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user with the address someone signs in with; one address may live in several workspaces."""

    tenant_id: UUID
    user_id: UUID
    password_hash: str
    status: str


@dataclass(frozen=True, slots=True)
class LinkRow:
    link_id: UUID
    tenant_id: UUID
    user_id: UUID
    purpose: LinkPurpose
    email: str
    name: str
    workspace: str
    is_open: bool


@asynccontextmanager
async def _each_alone() -> AsyncIterator[AsyncConnection]:
    """A connection on which every statement is its own transaction."""
    async with engine().connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


_asked: dict[str, asyncio.Future[SessionRow | None]] = {}
_answering: asyncio.Task[None] | None = None


async def session_user(digest: str) -> SessionRow | None:
    """The live session of this token digest: not revoked, not expired, of an active user.

    Looks of the same moment are one round trip: a change makes every open board ask who looks at it. None is answered
    from what was read before it was asked.
    """
    global _answering  # noqa: PLW0603
    loop = asyncio.get_running_loop()
    if not _asked or _answering is None or _answering.done() or _answering.get_loop() is not loop:
        _asked.clear()
        _answering = loop.create_task(_answer(), name="look at sessions")
    answer = _asked.setdefault(digest, loop.create_future())
    return await asyncio.shield(answer)


async def _answer() -> None:
    await asyncio.sleep(0)
    asked = dict(_asked)
    _asked.clear()
    try:
        async with _each_alone() as connection:
            rows = (await connection.execute(_SESSIONS, {"digests": list(asked)})).all()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to everybody who asked
        for answer in asked.values():
            answer.set_exception(error)
        return
    found = {digest: SessionRow(*row) for digest, *row in rows}
    for digest, answer in asked.items():
        answer.set_result(found.get(digest))


async def sign_in_candidates(email_key: str) -> list[Candidate]:
    """Users with this folded address, the one seen last first."""
    async with _each_alone() as connection:
        rows = (await connection.execute(_CANDIDATES, {"key": email_key})).all()
    return [Candidate(*row) for row in rows]


async def has_workspaces() -> bool:
    async with _each_alone() as connection:
        return bool((await connection.execute(sa.text("SELECT EXISTS (SELECT FROM crm_tenants())"))).scalar())


async def ping() -> None:
    """Ask the database for a sign of life; SQLAlchemyError when there is none."""
    async with _each_alone() as connection:
        await connection.execute(sa.text("SELECT 1"))


async def link_user(digest: str) -> LinkRow | None:
    async with _each_alone() as connection:
        row = (await connection.execute(_LINK, {"digest": digest})).first()
    if row is None:
        return None
    values = dict(row._mapping)
    return LinkRow(**values | {"purpose": LinkPurpose(row.purpose)})


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures within the window, this one among them, and when the oldest of each was."""

    id: UUID
    by_email: int
    oldest_by_email: datetime | None
    by_ip: int
    oldest_by_ip: datetime | None


async def note_attempt(email_key: str, ip: str, now: datetime, window: timedelta) -> Attempts:
    """Count an attempt before it is judged, so that a hundred at once cannot slip by together."""
    attempt = SignInAttempt(email_key=email_key, ip=ip[:64], at=now)
    since = now - window
    mine, from_here = _attempts.c.email_key == email_key, _attempts.c.ip == attempt.ip
    counted = sa.select(
        sa.func.count().filter(mine), sa.func.min(_attempts.c.at).filter(mine),
        sa.func.count().filter(from_here), sa.func.min(_attempts.c.at).filter(from_here),
    ).where(_attempts.c.at > since, mine | from_here)  # fmt: skip
    async with _each_alone() as connection:
        await connection.execute(sa.insert(_attempts), attempt.model_dump())
        row = (await connection.execute(counted)).one()
    return Attempts(attempt.id, *row)


async def note_failure(attempt_id: UUID, email_key: str, why: str, *, ip: str, user_agent: str, now: datetime) -> None:
    """Write the failure down for the people who have this address, if there are any: as long either way."""
    values = {"attempt": attempt_id, "key": email_key, "why": why, "ip": ip, "agent": user_agent, "now": now}
    async with _each_alone() as connection:
        await connection.execute(_FAILED, values)


async def forget_attempt(attempt_id: UUID) -> None:
    """It was refused unjudged: it must not lengthen the wait."""
    async with _each_alone() as connection:
        await connection.execute(sa.delete(_attempts).where(_attempts.c.id == attempt_id))


async def forget_attempts(email_key: str, ip: str | None = None) -> None:
    """The right password came from `ip`, or a link was used (None): failures from there no longer count."""
    which = _attempts.c.email_key == email_key
    if ip is not None:
        which &= _attempts.c.ip == ip[:64]
    async with _each_alone() as connection:
        await connection.execute(sa.delete(_attempts).where(which))
