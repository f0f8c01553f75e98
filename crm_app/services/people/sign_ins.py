"""Who signed in, from where, and who tried: for oneself and for those who look after people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.models.base import new_id, table_of
from crm_app.models.people.sessions import SignIn, SignInOutcome, SignInWay
from crm_app.models.people.users import User
from crm_app.store.uow import UnitOfWork

KEPT = timedelta(days=365)
Mark = tuple[datetime, UUID]
_sign_ins: Any = table_of(SignIn)
_users: Any = table_of(User)


@dataclass(frozen=True, slots=True)
class SignInLine:
    """One sign-in, or a try. `ip` and `user_agent` are what the other side said of itself."""

    id: UUID
    at: datetime
    user_id: UUID
    name: str
    outcome: SignInOutcome
    way: SignInWay
    ip: str
    user_agent: str

    @property
    def mark(self) -> Mark:
        return (self.at, self.id)


async def record(uow: UnitOfWork, user_id: UUID, way: SignInWay) -> None:
    """Somebody came in. Failures are written before it is known whose they are: see store.identity."""
    actor = uow.actor
    row = {
        "tenant_id": actor.tenant_id, "id": new_id(), "user_id": user_id, "at": uow.now,
        "outcome": SignInOutcome.success, "way": way, "ip": actor.ip[:64], "user_agent": actor.user_agent[:300],
    }  # fmt: skip
    await uow.execute(sa.insert(_sign_ins).values(row))


async def mine(uow: UnitOfWork, *, limit: int = 20) -> Sequence[SignInLine]:
    """The actor's own, latest first."""
    return (await _page(uow, [_sign_ins.c.user_id == uow.actor.user_id], None, limit))[0]


async def listed(
    uow: UnitOfWork,
    *,
    user_id: UUID | None = None,
    failed_only: bool = False,
    before: Mark | None = None,
    limit: int = 50,
) -> tuple[Sequence[SignInLine], Mark | None]:
    """A page of everybody's, latest first, and the mark under which it goes on."""
    uow.require("user.manage")
    which = [_sign_ins.c.user_id == user_id] if user_id else []
    if failed_only:
        which.append(_sign_ins.c.outcome != SignInOutcome.success)
    return await _page(uow, which, before, limit)


async def _page(
    uow: UnitOfWork, which: list[Any], before: Mark | None, limit: int
) -> tuple[Sequence[SignInLine], Mark | None]:
    at, row_id = _sign_ins.c.at, _sign_ins.c.id
    query = (
        sa.select(
            row_id, at, _sign_ins.c.user_id, _users.c.name, _sign_ins.c.outcome, _sign_ins.c.way, _sign_ins.c.ip,
            _sign_ins.c.user_agent,
        )
        .join(_users, sa.and_(_users.c.tenant_id == _sign_ins.c.tenant_id, _users.c.id == _sign_ins.c.user_id))
        .where(*which)
        .order_by(at.desc(), row_id.desc())
    )  # fmt: skip
    if before is not None:
        query = query.where(sa.tuple_(at, row_id) < sa.tuple_(*map(sa.literal, before)))
    size = max(1, min(limit, 200))
    rows = await uow.rows(query.limit(size + 1))
    lines = [SignInLine(*tuple(r)) for r in rows[:size]]
    return lines, lines[-1].mark if len(rows) > size else None


async def sweep(uow: UnitOfWork) -> None:
    """Forget what is older than a year."""
    await uow.execute(sa.delete(_sign_ins).where(_sign_ins.c.at < uow.now - KEPT))
