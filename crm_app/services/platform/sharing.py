"""Showing one record to one person who would not see it, to read or to change too; and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.events import RecordFact
from crm_app.core.notices import declare_notice
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.people.users import User, UserStatus
from crm_app.models.platform.shares import RecordShare
from crm_app.services.platform import audit, notifications
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import Ground, grounds

TOPIC = "record_share"  # what callers that are kept for seconds hear
SHARED = declare_notice(
    "shared", label="Somebody shares a record with you", sentence="{by} shares with you", icon="person_add", mail=True
)
_shares, _users = table_of(RecordShare), table_of(User)


@dataclass(frozen=True, kw_only=True)
class RecordShared(RecordFact):
    """<entity>.shared: told to the person it is shared with."""

    user_id: UUID
    can_write: bool


@dataclass(frozen=True, slots=True)
class ShareLine:
    """Somebody to whom a record is shown, and by whom."""

    user_id: UUID
    name: str
    can_write: bool
    at: datetime
    by: str


async def listed(uow: UnitOfWork, entity: Entity, record_id: UUID) -> Sequence[ShareLine]:
    """To whom the record is shown. NotFound when the actor may not know of it."""
    uow.require(f"{entity.name}.read")
    await uow.get(entity.model, record_id)
    by = _users.alias("by")
    query = (
        sa.select(_shares.c.user_id, _users.c.name, _shares.c.can_write, _shares.c.created_at, by.c.name.label("by"))
        .join(_users, sa.and_(_users.c.tenant_id == _shares.c.tenant_id, _users.c.id == _shares.c.user_id))
        .outerjoin(by, sa.and_(by.c.tenant_id == _shares.c.tenant_id, by.c.id == _shares.c.created_by_id))
        .where(_shares.c.entity == entity.name, _shares.c.record_id == record_id)
        .order_by(sa.func.crm_fold(_users.c.name), _shares.c.user_id)
    )
    return [
        ShareLine(r.user_id, r.name, r.can_write, r.created_at, r.by or "") for r in await uow.rows(query)
    ]  # fmt: skip


async def share(uow: UnitOfWork, entity: Entity, record_id: UUID, user_id: UUID, *, can_write: bool = False) -> None:
    """Show the record to a person; once more changes what they may do with it.

    Only who sees it by right of their own passes it on: not one to whom it is shown.
    """
    record = await _own(uow, entity, record_id)
    person = await uow.get(User, user_id)
    if person.status is UserStatus.disabled:
        raise Conflict(f"{person.name} is disabled. Choose somebody who can come in.")
    if person.id in (uow.actor.user_id, getattr(record, "owner_id", None)):
        raise Invalid(user_id="sees this record anyway")
    known = sa.and_(_shares.c.record_id == record_id, _shares.c.user_id == user_id, _shares.c.entity == entity.name)
    before = await uow.rows(sa.select(_shares.c.can_write).where(known).with_for_update())
    if before and before[0].can_write == can_write:
        return
    if before:
        await uow.execute(sa.update(_shares).where(known).values(can_write=can_write))
    else:
        uow.add(
            RecordShare(
                entity=entity.name, record_id=record_id, user_id=user_id, can_write=can_write, created_at=uow.now,
                created_by_id=uow.actor.user_id,
            )
        )  # fmt: skip
        await uow.flush()
    await _note(uow, entity, record_id, "share", user_id, can_write=can_write)
    uow.emit(
        RecordShared(
            record_id=record_id, name=f"{entity.name}.shared", entity=entity.name, user_id=user_id, can_write=can_write
        )
    )
    how = "to read and to change" if can_write else "to read"
    await notifications.notify(
        uow, user_id, SHARED, about=entity.name, about_id=record_id, by_id=uow.actor.user_id, text=how
    )
    _tell(uow, entity, record)


async def unshare(uow: UnitOfWork, entity: Entity, record_id: UUID, user_id: UUID) -> None:
    """Show it to them no more. Everybody may give back what is shown to themselves."""
    if user_id == uow.actor.user_id:
        uow.require(f"{entity.name}.read")
        record = await uow.get(entity.model, record_id)
    else:
        record = await _own(uow, entity, record_id)
    gone = sa.delete(_shares).where(
        _shares.c.entity == entity.name, _shares.c.record_id == record_id, _shares.c.user_id == user_id
    )
    if not await uow.write(gone):
        raise NotFound("This record is not shared with them any more.")
    await _note(uow, entity, record_id, "unshare", user_id)
    _tell(uow, entity, record)


async def may_share(uow: UnitOfWork, entity: Entity, record_id: UUID) -> bool:
    """Whether `share` would let the actor."""
    try:
        await _own(uow, entity, record_id)
    except (Forbidden, NotFound, Invalid):
        return False
    return True


async def _own(uow: UnitOfWork, entity: Entity, record_id: UUID) -> Any:
    """The record, locked, if the actor may change it and sees it by more than a share."""
    uow.require(f"{entity.name}.update")
    if entity.visibility == "all":
        raise Invalid(f"{entity.plural} are seen by everybody whose role may read them.")
    record = await uow.get(entity.model, record_id, lock=True)
    ways = grounds(entity, uow.actor)
    own = [condition for ground, condition in ways.items() if ground is not Ground.share]
    if ways and not await uow.scalar(sa.select(sa.exists().where(entity.table.c.id == record_id, sa.or_(*own)))):
        raise Forbidden(
            f"This {entity.label.lower()} is shared with you. Who owns it can share it further.",
            permission=f"{entity.name}.update",
        )
    return record


async def _note(uow: UnitOfWork, entity: Entity, record_id: UUID, act: str, user_id: UUID, **how: bool) -> None:
    await audit.note(uow, entity.name, record_id, act, {"user_id": str(user_id), **how})


def _tell(uow: UnitOfWork, entity: Entity, record: Any) -> None:
    uow.changed(entity.name, record.id, record.version)
    uow.changed_many(TOPIC)
