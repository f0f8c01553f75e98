"""Requests that a program may send twice because the line was bad: done once, answered twice alike.

The key is claimed in the transaction that does the work, so it stands only if the work does. A refused request leaves
nothing behind and may be sent again, corrected, under the same key.
"""

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core.errors import CrmError, Invalid, Unauthenticated
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.idempotency import IdempotencyKey
from crm_app.store.uow import UnitOfWork

LONGEST = 200
_KEY = re.compile(rf"[!-~]{{1,{LONGEST}}}")
_table = table_of(IdempotencyKey)


class KeyReused(CrmError):
    """The key stood for another request."""

    status, code = 422, "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that the first request got."""

    status: int
    body: str


async def begin(uow: UnitOfWork, key: str, digest: str) -> Kept | None:
    """None when this request is new and now ours; else what it led to. A twin under way is waited for.

    `digest` is of all that makes the request what it is; KeyReused when the key came with another one.
    """
    if uow.actor.user_id is None:
        raise Unauthenticated("Sign in first.")
    if not _KEY.fullmatch(key):
        raise Invalid(f"Idempotency-Key may have {LONGEST} visible ASCII characters at most, such as a UUID.")
    mine: dict[str, Any] = {"tenant_id": uow.actor.tenant_id, "user_id": uow.actor.user_id, "key": key}
    claim = insert(_table).values(**mine, id=new_id(), digest=digest, status=0, body="", created_at=uow.now)
    if await uow.scalar(claim.on_conflict_do_nothing().returning(_table.c.id)) is not None:
        return None
    query = sa.select(_table.c.digest, _table.c.status, _table.c.body).where(
        _table.c.user_id == uow.actor.user_id, _table.c.key == key
    )
    row = (await uow.rows(query))[0]
    if row.digest != digest:
        raise KeyReused("This Idempotency-Key was used for another request. Take a new key for every new request.")
    return Kept(row.status, row.body)


async def keep(uow: UnitOfWork, key: str, status: int, body: str) -> None:
    """Write the answer down, with the transaction that it tells of."""
    which = sa.and_(_table.c.user_id == uow.actor.user_id, _table.c.key == key)
    await uow.execute(sa.update(_table).where(which).values(status=status, body=body))
