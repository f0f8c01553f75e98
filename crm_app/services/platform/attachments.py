"""Files on any record: attached, listed, taken away and brought back. Their content goes by integrations.files, outside
of any unit of work; see api.attachments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.filetypes import FileType, of_name
from crm_app.core.registry import Entity
from crm_app.core.text import clip
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.platform.attachments import Attachment
from crm_app.services.platform import about
from crm_app.services.platform.history import Mark
from crm_app.settings import settings
from crm_app.store.uow import UnitOfWork

TOPIC = "attachment"  # in the live feed; the record id is that of the record it hangs on
KEPT_DAYS = 30  # in the trash
MOST = 200  # files of a record that are listed
_MB, _GB = 1024**2, 1024**3
_files, _users = table_of(Attachment), table_of(User)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as lists show it. `size` in bytes."""

    id: UUID
    name: str
    type: FileType
    size: int
    sha256: str
    created_at: datetime
    by_id: UUID | None
    by_name: str
    may_remove: bool


async def listed(
    uow: UnitOfWork, entity: Entity, record_id: UUID, *, before: Mark | None = None, limit: int = MOST
) -> list[Attached]:
    """Files of a record, the newest first; `before` is (moment, id) of the one under which to go on."""
    await about.seen(uow, entity, record_id)
    f, u = _files, _users
    query = (
        sa.select(
            f.c.id, f.c.name, f.c.kind, f.c.size, f.c.sha256, f.c.created_at, f.c.created_by_id,
            sa.func.coalesce(u.c.name, "").label("by_name"),
        )
        .outerjoin(u, sa.and_(u.c.tenant_id == f.c.tenant_id, u.c.id == f.c.created_by_id))
        .where(f.c.about == entity.name, f.c.about_id == record_id, f.c.deleted_at.is_(None))
        .order_by(f.c.created_at.desc(), f.c.id.desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        query = query.where(sa.tuple_(f.c.created_at, f.c.id) < sa.tuple_(*map(sa.literal, before)))
    return [
        Attached(
            r.id, r.name, of_name(r.kind), r.size, r.sha256, r.created_at, r.created_by_id, r.by_name,
            _may_remove(uow, entity, r.created_by_id),
        )
        for r in await uow.rows(query)
    ]  # fmt: skip


async def count(uow: UnitOfWork, entity: Entity, record_id: UUID) -> int:
    await about.seen(uow, entity, record_id)
    mine = (_files.c.about == entity.name, _files.c.about_id == record_id, _files.c.deleted_at.is_(None))
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(_files).where(*mine)))


def may_attach(uow: UnitOfWork, entity: Entity) -> bool:
    """Whoever may change records of this kind may attach to those that they see."""
    return uow.actor.can(f"{entity.name}.update")


async def allow(uow: UnitOfWork, entity: Entity, record_id: UUID, *, size: int = 0) -> None:
    """Nothing, when the actor may attach `size` bytes to the record. Forbidden, NotFound, or Invalid at `file` when the
    workspace has no room for them."""
    uow.require(f"{entity.name}.update")
    await about.seen(uow, entity, record_id, to_write=True)
    most = settings().file_most_mb * _MB
    if size > most:
        raise Invalid(file=f"is larger than {settings().file_most_mb} MB")
    used = int(await uow.scalar(sa.select(sa.func.coalesce(sa.func.sum(_files.c.size), 0))))
    if used + size > settings().files_most_gb * _GB:
        raise Invalid(
            file=f"does not fit: the {settings().files_most_gb} GB of this workspace are used up."
            " Delete files that nobody needs, or ask an admin for more room"
        )


async def add(
    uow: UnitOfWork, entity: Entity, record_id: UUID, file_id: UUID, *, name: str, kind: str, size: int, sha256: str
) -> Attachment:
    """Write down that a file lies under `file_id`."""
    await allow(uow, entity, record_id, size=size)
    attachment = Attachment(
        id=file_id, about=entity.name, about_id=record_id, name=clip(name, 200), kind=kind, size=size, sha256=sha256,
        created_at=uow.now, created_by_id=uow.actor.user_id,
    )  # fmt: skip
    uow.add(attachment)
    await uow.flush()
    uow.changed(TOPIC, record_id, 1, "created")
    return attachment


async def find(uow: UnitOfWork, attachment_id: UUID, *, in_trash: bool = False) -> Attachment:
    """The file, if the actor sees the record that it hangs on; else NotFound."""
    found: Attachment | None = await uow.scalar(sa.select(Attachment).where(_files.c.id == attachment_id))
    if found is None or (found.deleted_at is not None and not in_trash):
        raise NotFound("This file does not exist, or you may not see it.")
    await about.seen_behind(uow, found.about, found.about_id, "file")
    return found


async def remove(uow: UnitOfWork, attachment_id: UUID) -> Attachment:
    """Into the trash; `put_back` brings it back, for 30 days."""
    attachment = await find(uow, attachment_id)
    _require_remove(uow, attachment)
    attachment.deleted_at, attachment.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    uow.changed(TOPIC, attachment.about_id, 1, "deleted")
    return attachment


async def put_back(uow: UnitOfWork, attachment_id: UUID) -> Attachment:
    """Out of the trash."""
    attachment = await find(uow, attachment_id, in_trash=True)
    _require_remove(uow, attachment)
    if attachment.deleted_at is None:
        raise Conflict("This file is not in the trash.")
    attachment.deleted_at = attachment.deleted_by_id = None
    await uow.flush()
    uow.changed(TOPIC, attachment.about_id, 1, "created")
    return attachment


def _may_remove(uow: UnitOfWork, entity: Entity, by_id: UUID | None) -> bool:
    is_own = by_id is not None and by_id == uow.actor.user_id
    return uow.actor.can(f"{entity.name}.update" if is_own else f"{entity.name}.delete")


def _require_remove(uow: UnitOfWork, attachment: Attachment) -> None:
    if not _may_remove(uow, registry.get(attachment.about), attachment.created_by_id):
        raise Forbidden("Somebody else attached this file. They can delete it, or a colleague who may delete records.")


async def purge(uow: UnitOfWork, *, limit: int = 500) -> Sequence[UUID]:
    """Forget files that were long enough in the trash, and those whose record is gone for good; returns their ids, so
    that their content is deleted after this transaction."""
    gone = [_files.c.deleted_at < uow.now - timedelta(days=KEPT_DAYS)]
    for (name,) in await uow.rows(sa.select(_files.c.about).distinct()):
        if (entity := registry.find(name)) is not None:
            there = sa.exists().where(entity.table.c.id == _files.c.about_id)
            gone.append(sa.and_(_files.c.about == name, ~there))
    some = sa.select(_files.c.id).where(sa.or_(*gone)).limit(limit)
    return [r.id for r in await uow.rows(sa.delete(_files).where(_files.c.id.in_(some)).returning(_files.c.id))]


async def unknown(uow: UnitOfWork, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the ids that no row names, not even in the trash."""
    known = {r.id for r in await uow.rows(sa.select(_files.c.id).where(_files.c.id.in_(ids)))}
    return [i for i in ids if i not in known]
