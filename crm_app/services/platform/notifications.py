"""Telling people: `notify` is what every part of the product calls; the rest is the notification centre.

A person reads, marks and chooses for themselves only. What stands in a notice is shown as long as its record is seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from crm_app.core import registry
from crm_app.core.context import Source
from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.notices import NoticeKind, declare_notice, find_notice, notice_kinds
from crm_app.core.registry import Entity
from crm_app.core.text import clip
from crm_app.integrations import smtp
from crm_app.models.base import new_id, table_of
from crm_app.models.people.users import User, UserStatus
from crm_app.models.platform.notifications import Notification
from crm_app.store import queue
from crm_app.store.ready import Ready
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

ASSIGNED = declare_notice(
    "assigned", label="Somebody gives you a record", sentence="{by} gave you", icon="person", mail=True
)
JOB_DONE = declare_notice(
    "job_done", label="An import, export or change of many records is done", sentence="It is done", icon="arrow_sync"
)
MAIL = "mail_notification"
MAIL_AFTER = 120  # seconds: what was read meanwhile needs no letter
KEPT_READ, KEPT = timedelta(days=90), timedelta(days=180)
MOST_UNREAD = 100  # counted no further
_PREFERENCE = "notices"
_QUIET = frozenset({Source.seed, Source.import_})  # nobody is told of a thousand rows one by one
_rows, _users = table_of(Notification), table_of(User)
_some_unread = (
    sa.select(_rows.c.id)
    .where(_rows.c.user_id == sa.bindparam("user_id", type_=sa.Uuid()), _rows.c.read_at.is_(None), _rows.c.in_app)
    .limit(sa.literal_column(str(MOST_UNREAD)))
    .subquery()
)
_UNREAD = Ready(sa.select(sa.func.count().label("unread")).select_from(_some_unread))
Mark = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the centre. `record` is the title of what it is about, empty when there is none or it is not seen any
    more; then `text` is empty too."""

    id: UUID
    kind: NoticeKind
    sentence: str
    record: str
    text: str
    href: str
    by_name: str
    created_at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class Choice:
    kind: NoticeKind
    in_app: bool
    by_mail: bool


async def notify(
    uow: UnitOfWork,
    user_id: UUID,
    kind: NoticeKind,
    *,
    about: str = "",
    about_id: UUID | None = None,
    source_id: UUID | None = None,
    by_id: UUID | None = None,
    title: str = "",
    text: str = "",
    href: str = "",
    key: str = "",
) -> None:
    """Tell a person, where they chose to be told; nobody when they did it themselves (`by_id`) or are not active.

    `about` and `about_id` are the record that a click leads to, or `href` is an address of ours. Without a `title` the
    sentence of the kind is told. `key` names the cause: the second time with the same key nothing happens.
    """
    if user_id == by_id:
        return
    who = sa.select(_users.c.preferences).where(
        _users.c.id == user_id, _users.c.status == UserStatus.active, _users.c.deleted_at.is_(None)
    )
    found = await uow.rows(who)
    if not found:
        return
    choice = _choice(kind, found[0].preferences)
    if not (choice.in_app or choice.by_mail):
        return
    row = {
        "tenant_id": uow.actor.tenant_id, "id": new_id(), "user_id": user_id, "kind": kind.name,
        "key": key[:80] or new_id().hex, "about": about, "about_id": about_id, "source_id": source_id, "by_id": by_id,
        "title": clip(title, 200), "text": clip(text, 500), "href": _own(href), "in_app": choice.in_app,
        "created_at": uow.now,
    }  # fmt: skip
    made = await uow.scalar(insert(_rows).values(row).on_conflict_do_nothing().returning(_rows.c.id))
    if made is None:
        return
    if choice.in_app:
        uow.tell_person(user_id)
    if choice.by_mail and smtp.is_configured():
        args: dict[str, Any] = {"tenant_id": str(uow.actor.tenant_id), "notification_id": str(made)}
        await queue.defer(await uow.driver(), MAIL, delay=MAIL_AFTER, **args)


async def assigned(uow: UnitOfWork, entity: Entity, record: Any) -> None:
    """Tell the owner of a record that somebody else made it theirs."""
    owner_id = getattr(record, "owner_id", None)
    if owner_id is None or uow.is_silent or uow.actor.source in _QUIET:
        return
    await notify(uow, owner_id, ASSIGNED, about=entity.name, about_id=record.id, by_id=uow.actor.user_id)


async def unread(uow: UnitOfWork) -> int:
    """How many lines the actor has not read; MOST_UNREAD stands for that many or more."""
    if uow.actor.user_id is None:
        return 0
    return int((await uow.ready(_UNREAD, user_id=uow.actor.user_id))[0]["unread"])


async def listed(
    uow: UnitOfWork, *, before: Mark | None = None, limit: int = 30, only_unread: bool = False
) -> list[Told]:
    """The actor's lines, the newest first; `before` is (created_at, id) of the line under which to go on."""
    n, u = _rows, _users
    known = [k.name for k in notice_kinds()]  # of no others one knows what to say
    query = (
        sa.select(n, sa.func.coalesce(u.c.name, "").label("by_name"))
        .outerjoin(u, sa.and_(u.c.tenant_id == n.c.tenant_id, u.c.id == n.c.by_id))
        .where(n.c.user_id == _me(uow), n.c.in_app, n.c.kind.in_(known))
    )
    if only_unread:
        query = query.where(n.c.read_at.is_(None))
    if before is not None:
        query = query.where(sa.tuple_(n.c.created_at, n.c.id) < sa.tuple_(*map(sa.literal, before)))
    rows = (await uow.execute(query.order_by(n.c.created_at.desc(), n.c.id.desc()).limit(limit))).mappings().all()
    titles = await _titles(uow, rows)
    return [told for r in rows if (told := _told(r, titles)) is not None]


def _told(row: Any, titles: dict[tuple[str, UUID], str]) -> Told | None:
    kind = find_notice(row["kind"])
    if kind is None:
        return None
    title = titles.get((row["about"], row["about_id"]), "")
    is_seen = not row["about"] or bool(title)
    entity = registry.find(row["about"])
    href = row["href"] or (f"/{entity.slug}/{row['about_id']}" if entity and is_seen else "")
    by = row["by_name"] or "Somebody"
    return Told(
        id=row["id"],
        kind=kind,
        sentence=(row["title"] if is_seen else "") or kind.sentence.format(by=by),
        record=title if is_seen else "",
        text=row["text"] if is_seen else "",
        href=href,
        by_name=row["by_name"],
        created_at=row["created_at"],
        is_read=row["read_at"] is not None,
    )


async def _titles(uow: UnitOfWork, rows: Sequence[Any]) -> dict[tuple[str, UUID], str]:
    """Names of the records that the actor sees now, by entity and id."""
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        if row["about"] and row["about_id"]:
            wanted.setdefault(row["about"], set()).add(row["about_id"])
    found: dict[tuple[str, UUID], str] = {}
    for name, ids in wanted.items():
        entity = registry.find(name)
        if entity is None or not uow.actor.can(f"{name}.read"):
            continue
        table = entity.table
        query = sa.select(table.c.id, table.c[entity.title].label("title"))
        query = query.where(table.c.id.in_(ids), table.c.deleted_at.is_(None))
        if (seen := visible(entity, uow.actor)) is not None:
            query = query.where(seen)
        found |= {(name, r.id): str(r.title or entity.label) for r in await uow.rows(query)}
    return found


async def mark(uow: UnitOfWork, notification_ids: Iterable[UUID], *, read: bool) -> int:
    """Read, or not after all; how many of them are the actor's."""
    mine = sa.and_(_rows.c.user_id == _me(uow), _rows.c.id.in_(list(notification_ids)))
    marked = sa.update(_rows).where(mine).values(read_at=uow.now if read else None).returning(_rows.c.id)
    count = len(await uow.rows(marked))
    uow.tell_person(_me(uow))
    return count


async def mark_all_read(uow: UnitOfWork) -> None:
    mine = sa.and_(_rows.c.user_id == _me(uow), _rows.c.read_at.is_(None))
    await uow.execute(sa.update(_rows).where(mine).values(read_at=uow.now))
    uow.tell_person(_me(uow))


async def read_about(uow: UnitOfWork, entity: Entity, record_id: UUID) -> None:
    """Whoever opens a record has seen what they were told of it."""
    if uow.actor.user_id is None:
        return
    mine = sa.and_(
        _rows.c.user_id == uow.actor.user_id, _rows.c.read_at.is_(None),
        _rows.c.about == entity.name, _rows.c.about_id == record_id,
    )  # fmt: skip
    if (await uow.rows(sa.update(_rows).where(mine).values(read_at=uow.now).returning(_rows.c.id))) != []:
        uow.tell_person(uow.actor.user_id)


async def withdraw(uow: UnitOfWork, source_id: UUID, *, user_ids: Iterable[UUID] = ()) -> None:
    """Its cause is gone, or means only these people now: the others are told no more."""
    gone = sa.and_(_rows.c.source_id == source_id, _rows.c.user_id.not_in(list(user_ids)))
    for row in await uow.rows(sa.delete(_rows).where(gone).returning(_rows.c.user_id)):
        uow.tell_person(row.user_id)


async def reword(uow: UnitOfWork, source_id: UUID, text: str) -> None:
    """Its cause reads otherwise now."""
    same = _rows.c.source_id == source_id
    changed = sa.update(_rows).where(same).values(text=clip(text, 500)).returning(_rows.c.user_id)
    for row in await uow.rows(changed):
        uow.tell_person(row.user_id)


async def choices(uow: UnitOfWork) -> list[Choice]:
    """What the actor wants to be told of, and where."""
    kept = await uow.scalar(sa.select(_users.c.preferences).where(_users.c.id == _me(uow)))
    return [_choice(kind, kept) for kind in notice_kinds()]


async def choose(uow: UnitOfWork, name: str, *, in_app: bool, by_mail: bool) -> None:
    """For one kind, from now on."""
    if find_notice(name) is None:
        raise Invalid(name=f"there are no notices called {name}")
    mine = _users.c.id == _me(uow)
    kept = dict(await uow.scalar(sa.select(_users.c.preferences).where(mine).with_for_update()) or {})
    kept[_PREFERENCE] = dict(kept.get(_PREFERENCE) or {}) | {name: [in_app, by_mail]}
    await uow.execute(sa.update(_users).where(mine).values(preferences=kept))


def _choice(kind: NoticeKind, preferences: Any) -> Choice:
    kept = ((preferences or {}).get(_PREFERENCE) or {}).get(kind.name)
    in_app, by_mail = kept if isinstance(kept, list) and len(kept) == 2 else (True, kind.mail)
    return Choice(kind, bool(in_app), bool(by_mail))


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes by mail: to whom, and where a click leads."""

    notification_id: UUID
    to: str
    name: str
    told: Told


async def letter(uow: UnitOfWork, notification_id: UUID) -> UUID | None:
    """Whose letter it is; None when it was read, sent or withdrawn meanwhile."""
    query = sa.select(_rows.c.user_id).where(
        _rows.c.id == notification_id, _rows.c.mailed_at.is_(None), sa.or_(_rows.c.read_at.is_(None), ~_rows.c.in_app)
    )
    found: UUID | None = await uow.scalar(query)
    return found


async def written(uow: UnitOfWork, notification_id: UUID) -> Letter | None:
    """The letter to the actor, in words that they may see; None when they may not see what it is about any more."""
    n, u = _rows, _users
    query = sa.select(n, sa.func.coalesce(u.c.name, "").label("by_name")).outerjoin(
        u, sa.and_(u.c.tenant_id == n.c.tenant_id, u.c.id == n.c.by_id)
    )
    row = (
        await uow.execute(query.where(n.c.id == notification_id, n.c.user_id == _me(uow)))
    ).mappings().one_or_none()  # fmt: skip
    if row is None or (told := _told(row, await _titles(uow, [row]))) is None or (row["about"] and not told.record):
        return None
    me = (await uow.rows(sa.select(_users.c.email, _users.c.name).where(_users.c.id == _me(uow))))[0]
    return Letter(row["id"], me.email, me.name, told)


async def sent(uow: UnitOfWork, notification_id: UUID) -> None:
    """The letter has left."""
    mine = sa.and_(_rows.c.id == notification_id, _rows.c.user_id == _me(uow))
    await uow.execute(sa.update(_rows).where(mine).values(mailed_at=uow.now))


async def purge(uow: UnitOfWork) -> None:
    """Forget what was read long ago, and what nobody ever read."""
    read_long_ago = _rows.c.read_at < uow.now - KEPT_READ
    await uow.execute(sa.delete(_rows).where(sa.or_(read_long_ago, _rows.c.created_at < uow.now - KEPT)))


def _me(uow: UnitOfWork) -> UUID:
    if uow.actor.user_id is None:
        raise Forbidden("Only a person has notifications.")
    return uow.actor.user_id


def _own(href: str) -> str:
    """An address of ours, or nothing: a notice leads nowhere else."""
    return href[:300] if href.startswith("/") and not href.startswith(("//", "/\\")) else ""
