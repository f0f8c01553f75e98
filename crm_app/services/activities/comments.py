"""Comments on any record: plain words, with colleagues mentioned in them; one's own can be changed and deleted."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.notices import declare_notice
from crm_app.core.registry import Entity
from crm_app.core.text import clip
from crm_app.models.activities.comments import Comment
from crm_app.models.base import new_id, table_of
from crm_app.models.people.users import User
from crm_app.services.people import onlookers
from crm_app.services.platform import about, notifications, trash_rules
from crm_app.services.platform.history import Mark
from crm_app.store.uow import UnitOfWork

MENTION = declare_notice(
    "mention", label="Somebody mentions you", sentence="{by} mentioned you on", icon="comment", mail=True
)
COMMENTED = declare_notice(
    "commented", label="Somebody comments on a record of yours", sentence="{by} commented on", icon="comment"
)
TOPIC = "comment"  # in the live feed; the record id is that of the record
LONGEST = 10_000
MOST_MENTIONS = 20
KEPT_DAYS = 30
_TOKEN = re.compile(r"@\{([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}")
_comments, _users = table_of(Comment), table_of(User)


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody picked while typing: the words "@<name>" mean this person."""

    user_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a comment: words, or the name of a colleague."""

    text: str
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as a timeline shows it."""

    id: UUID
    happens_at: datetime
    by_id: UUID | None
    by_name: str
    parts: tuple[Part, ...]
    is_edited: bool
    may_edit: bool
    may_remove: bool

    @property
    def plain(self) -> str:
        return "".join(f"@{p.text}" if p.user_id else p.text for p in self.parts)


async def listed(
    uow: UnitOfWork, entity: Entity, record_id: UUID, *, before: Mark | None = None, limit: int = 30
) -> list[Said]:
    """Comments on a record, the newest first; `before` is (moment, id) of the one under which to go on."""
    await about.seen(uow, entity, record_id)
    return await _listed(uow, entity, record_id, before, limit)


async def page(
    uow: UnitOfWork, entity: Entity, record_id: UUID, *, before: Mark | None = None, limit: int = 30
) -> tuple[int, list[Said]]:
    """How many there are, and those of `listed`."""
    await about.seen(uow, entity, record_id)
    query = sa.select(sa.func.count()).select_from(_comments).where(*_of(entity, record_id))
    total = int(await uow.scalar(query))
    return total, await _listed(uow, entity, record_id, before, limit) if total else []


async def read(uow: UnitOfWork, comment_id: UUID) -> tuple[Entity, UUID, Said]:
    """A comment, and the record that it is on. NotFound when the actor does not see that."""
    query = sa.select(_comments.c.about, _comments.c.about_id).where(
        _comments.c.id == comment_id, _comments.c.deleted_at.is_(None)
    )
    found = await uow.rows(query)
    if not found:
        raise NotFound("This comment does not exist, or you may not see it.")
    entity = await about.seen_behind(uow, found[0].about, found[0].about_id, "comment")
    (said,) = await _told(uow, await uow.rows(_query().where(_comments.c.id == comment_id)))
    return entity, found[0].about_id, said


def _query() -> sa.Select[Any]:
    c, u = _comments, _users
    return sa.select(c.c.id, c.c.text, c.c.created_at, c.c.created_by_id, c.c.edited_at, u.c.name).outerjoin(
        u, sa.and_(u.c.tenant_id == c.c.tenant_id, u.c.id == c.c.created_by_id)
    )


async def _listed(uow: UnitOfWork, entity: Entity, record_id: UUID, before: Mark | None, limit: int) -> list[Said]:
    c = _comments
    query = _query().where(*_of(entity, record_id))
    if before is not None:
        query = query.where(sa.tuple_(c.c.created_at, c.c.id) < sa.tuple_(*map(sa.literal, before)))
    return await _told(uow, await uow.rows(query.order_by(c.c.created_at.desc(), c.c.id.desc()).limit(limit)))


async def _told(uow: UnitOfWork, rows: Sequence[Any]) -> list[Said]:
    names = await _names(uow, {UUID(i) for r in rows for i in _TOKEN.findall(r.text)})
    found = []
    for r in rows:
        is_own = r.created_by_id is not None and r.created_by_id == uow.actor.user_id
        found.append(
            Said(
                id=r.id, happens_at=r.created_at, by_id=r.created_by_id, by_name=r.name or "System",
                parts=_parts(r.text, names), is_edited=r.edited_at is not None,
                may_edit=is_own and uow.actor.can("comment.create"),
                may_remove=is_own or uow.actor.can("comment.manage"),
            )
        )  # fmt: skip
    return found


@trash_rules.hangs_on("comment")
async def count(uow: UnitOfWork, entity: Entity, record_id: UUID) -> int:
    await about.seen(uow, entity, record_id)
    query = sa.select(sa.func.count()).select_from(_comments).where(*_of(entity, record_id))
    return int(await uow.scalar(query))


async def add(
    uow: UnitOfWork, entity: Entity, record_id: UUID, text: str, *, mentions: Sequence[Mention] = ()
) -> Comment:
    """Say something to those who see the record; whoever is mentioned is told. Invalid when a person who is mentioned
    does not see it."""
    uow.require("comment.create")
    record = await about.seen(uow, entity, record_id)
    stored = _stored(text, mentions)
    mentioned = await _may_be_told(uow, entity, record_id, stored)
    comment = Comment(
        id=new_id(), about=entity.name, about_id=record_id, text=stored, created_at=uow.now,
        created_by_id=uow.actor.user_id,
    )  # fmt: skip
    uow.add(comment)
    await uow.flush()
    await _tell(uow, comment, mentioned, getattr(record, "owner_id", None))
    uow.changed(TOPIC, record_id, 1, "created")
    return comment


async def edit(uow: UnitOfWork, comment_id: UUID, text: str, *, mentions: Sequence[Mention] = ()) -> Comment:
    """Other words for one's own comment. Who is mentioned now is told, who is no more is not told any longer."""
    uow.require("comment.create")
    comment, entity, record = await _find(uow, comment_id)
    if comment.created_by_id is None or comment.created_by_id != uow.actor.user_id:
        raise Forbidden("Only who wrote a comment can change it.")
    stored = _stored(text, mentions)
    if stored == comment.text:
        return comment
    mentioned = await _may_be_told(uow, entity, comment.about_id, stored)
    comment.text, comment.edited_at = stored, uow.now
    await uow.flush()
    owner_id = getattr(record, "owner_id", None)
    still = {*mentioned, owner_id} if owner_id else set(mentioned)
    await notifications.withdraw(uow, comment.id, user_ids=still)
    await notifications.reword(uow, comment.id, await _excerpt(uow, comment))
    await _tell(uow, comment, mentioned, owner_id)
    uow.changed(TOPIC, comment.about_id, 1)
    return comment


async def remove(uow: UnitOfWork, comment_id: UUID) -> Comment:
    """Into the trash, with what was told of it; `put_back` brings both back."""
    comment, _, _ = await _find(uow, comment_id)
    _require_remove(uow, comment)
    comment.deleted_at, comment.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    await notifications.withdraw(uow, comment.id)
    uow.changed(TOPIC, comment.about_id, 1, "deleted")
    return comment


async def put_back(uow: UnitOfWork, comment_id: UUID) -> Comment:
    comment, entity, record = await _find(uow, comment_id, in_trash=True)
    _require_remove(uow, comment)
    if comment.deleted_at is None:
        raise Conflict("This comment is not in the trash.")
    comment.deleted_at = comment.deleted_by_id = None
    await uow.flush()
    if comment.created_by_id == uow.actor.user_id:
        mentioned = await _seeing(uow, entity, comment.about_id, comment.text)
        await _tell(uow, comment, mentioned, getattr(record, "owner_id", None))
    uow.changed(TOPIC, comment.about_id, 1, "created")
    return comment


async def tell_mentioned(
    uow: UnitOfWork, entity: Entity, record_id: UUID, text: str, *, mentions: Sequence[Mention], source_id: UUID
) -> None:
    """For words that are kept elsewhere, as those of a call: whoever is mentioned is told. Invalid as in `add`."""
    stored = _stored(text, mentions) if mentions else ""
    for user_id in await _may_be_told(uow, entity, record_id, stored):
        await notifications.notify(
            uow, user_id, MENTION, about=entity.name, about_id=record_id, source_id=source_id,
            by_id=uow.actor.user_id, text=clip(text, 300), key=f"mention:{source_id}",
        )  # fmt: skip


async def purge(uow: UnitOfWork) -> None:
    """Forget what was long enough in the trash, and what hung on records that are gone for good."""
    gone = [_comments.c.deleted_at < uow.now - timedelta(days=KEPT_DAYS)]
    for (name,) in await uow.rows(sa.select(_comments.c.about).distinct()):
        if (entity := registry.find(name)) is not None:
            there = sa.exists().where(entity.table.c.id == _comments.c.about_id)
            gone.append(sa.and_(_comments.c.about == name, ~there))
    await uow.execute(sa.delete(_comments).where(sa.or_(*gone)))


def _of(entity: Entity, record_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    c = _comments.c
    return c.about_id == record_id, c.about == entity.name, c.deleted_at.is_(None)


async def _find(uow: UnitOfWork, comment_id: UUID, *, in_trash: bool = False) -> tuple[Comment, Entity, object]:
    """The comment with its record, if the actor sees that; else NotFound."""
    found: Comment | None = await uow.scalar(sa.select(Comment).where(_comments.c.id == comment_id).with_for_update())
    if found is None or (found.deleted_at is not None and not in_trash):
        raise NotFound("This comment does not exist, or you may not see it.")
    entity = await about.seen_behind(uow, found.about, found.about_id, "comment")
    return found, entity, await about.seen(uow, entity, found.about_id)


def _require_remove(uow: UnitOfWork, comment: Comment) -> None:
    if comment.created_by_id is None or comment.created_by_id != uow.actor.user_id:
        uow.require("comment.manage")


def _stored(text: str, mentions: Sequence[Mention]) -> str:
    """Clean words, with the picked names as tokens. Tokens that were typed are words."""
    clean = "".join(c for c in text.replace("\r\n", "\n").replace("\r", "\n") if c.isprintable() or c in "\n\t")
    clean = _TOKEN.sub(lambda m: f"@ {{{m[1]}}}", clean).strip()
    if not clean:
        raise Invalid(text="is needed: say something")
    if len(clean) > LONGEST:
        raise Invalid(text=f"is longer than {LONGEST:,} characters")
    for mention in sorted(mentions[:200], key=lambda m: -len(m.name)):
        if mention.name.strip():
            whole = re.compile(rf"@{re.escape(mention.name)}(?!\w)")
            clean = whole.sub(f"@{{{mention.user_id}}}", clean)
    if len(set(_TOKEN.findall(clean))) > MOST_MENTIONS:
        raise Invalid(text=f"mentions more than {MOST_MENTIONS} people")
    return clean


async def _may_be_told(uow: UnitOfWork, entity: Entity, record_id: UUID, stored: str) -> list[UUID]:
    """The people whom the words mention; Invalid when one of them does not see the record."""
    wanted = {UUID(i) for i in _TOKEN.findall(stored)}
    seeing = await _seeing(uow, entity, record_id, stored)
    if blind := wanted - set(seeing) - {uow.actor.user_id}:
        names = sorted((await _names(uow, blind)).values()) or ["Somebody"]
        raise Invalid(
            text=f"mentions {' and '.join(names)}, who may not see this {entity.label.lower()}."
            " Write the name without @, or share it first"
        )
    return seeing


async def _seeing(uow: UnitOfWork, entity: Entity, record_id: UUID, stored: str) -> list[UUID]:
    wanted = {UUID(i) for i in _TOKEN.findall(stored)}
    if not wanted:
        return []
    return [p.id for p in await onlookers.among(uow, entity, record_id, wanted)]


async def _tell(uow: UnitOfWork, comment: Comment, mentioned: Collection[UUID], owner_id: UUID | None) -> None:
    text = await _excerpt(uow, comment)
    told: dict[str, Any] = {"about": comment.about, "about_id": comment.about_id}
    for user_id in mentioned:
        await notifications.notify(
            uow, user_id, MENTION, source_id=comment.id, by_id=comment.created_by_id, text=text,
            key=f"mention:{comment.id}", **told,
        )  # fmt: skip
    if owner_id is not None and owner_id not in mentioned:
        await notifications.notify(
            uow, owner_id, COMMENTED, source_id=comment.id, by_id=comment.created_by_id, text=text,
            key=f"commented:{comment.id}", **told,
        )  # fmt: skip


async def _excerpt(uow: UnitOfWork, comment: Comment) -> str:
    names = await _names(uow, {UUID(i) for i in _TOKEN.findall(comment.text)})
    return clip("".join(f"@{p.text}" if p.user_id else p.text for p in _parts(comment.text, names)), 300)


async def _names(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, str]:
    """As they are called today."""
    if not ids:
        return {}
    query = sa.select(_users.c.id, _users.c.name).where(_users.c.id.in_(list(ids)))
    return {r.id: r.name for r in await uow.rows(query)}


def _parts(stored: str, names: Mapping[UUID, str]) -> tuple[Part, ...]:
    found, at = [], 0
    for token in _TOKEN.finditer(stored):
        if token.start() > at:
            found.append(Part(stored[at : token.start()]))
        user_id = UUID(token[1])
        found.append(Part(names.get(user_id, "somebody"), user_id))
        at = token.end()
    if at < len(stored):
        found.append(Part(stored[at:]))
    return tuple(found)
