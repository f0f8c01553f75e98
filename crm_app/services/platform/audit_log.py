"""The audit log of the whole workspace: narrowed by who, what, when and source, and a value put back out of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.changes import value_of
from crm_app.core.context import Source
from crm_app.core.errors import Conflict, Invalid, NotFound
from crm_app.core.registry import Entity, FieldSpec, Kind
from crm_app.core.text import label_of
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.platform import history, records
from crm_app.services.platform.history import FieldChange, Mark
from crm_app.services.platform.schema import blind_spots, entities_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

PAGE = 50
MASKED = "***"
ACTIONS = {
    "create": "Created",
    "update": "Changed",
    "delete": "Deleted",
    "restore": "Out of the trash",
    "purge": "Gone for good",
    "share": "Shared",
    "unshare": "Shared no more",
    "view": "Looked as another person",
    "view_end": "Looked as oneself again",
    "export": "Exported",
    "retry": "Ran again",
    "dismiss": "Put aside",
}
SOURCES = {
    Source.ui.value: "By hand",
    Source.api.value: "API",
    Source.import_.value: "Import",
    Source.cli.value: "Command line",
    Source.workflow.value: "Workflow",
    Source.job.value: "Background job",
    Source.seed.value: "Demo data",
    "sql": "Database",
}
NOBODY = "Nobody in person"
_log, _users = table_of(AuditEntry), table_of(User)
_MACHINERY = frozenset({"deleted_by_id"})  # says nothing that the entry itself does not


@dataclass(frozen=True, slots=True)
class Asked:
    """What the log is narrowed to; nothing is everything. `until` is the first moment that is not wanted any more."""

    user_id: UUID | None = None
    is_system: bool = False  # what nobody in person did
    entity: str = ""
    record_id: UUID | None = None
    action: str = ""
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One act on one record. `title` is empty where the record is gone for good or has no name; `changes` hold typed
    values where the entity is declared, else what the log has."""

    id: UUID
    at: datetime
    user_id: UUID | None
    user_name: str
    source: str
    entity: str
    record_id: UUID
    title: str
    is_there: bool
    currency: str  # of the record's amounts; empty where it has none
    action: str
    ip: str
    user_agent: str
    request_id: str
    changes: tuple[FieldChange, ...]

    @property
    def mark(self) -> Mark:
        return (self.at, self.id)


@dataclass(frozen=True)
class LogPage:
    """Latest first; `after` is where the page below begins, None at the end. `names` of the records that values link
    to."""

    entries: Sequence[Entry]
    names: Mapping[UUID, str]
    after: Mark | None


@dataclass(frozen=True, slots=True)
class Restorable:
    """A value that can be put back: what it was and what stands there now."""

    entity: Entity
    record_id: UUID
    title: str
    spec: FieldSpec
    old: Any
    now: Any
    currency: str
    names: Mapping[UUID, str]


async def listed(
    uow: UnitOfWork, asked: Asked | None = None, *, before: Mark | None = None, limit: int = PAGE
) -> LogPage:
    """A page of the log, as far as the actor may read the records it tells of."""
    uow.require("audit.read")
    query = _query().where(*_narrowed(asked or Asked()), *_seen(uow))
    if before is not None:
        query = query.where(sa.tuple_(_log.c.at, _log.c.id) < sa.tuple_(*map(sa.literal, before)))
    size = max(1, min(limit, 500))
    query = query.order_by(_log.c.at.desc(), _log.c.id.desc()).limit(size + 1)
    rows = (await uow.execute(query)).mappings().all()
    entries = await _entries(uow, rows[:size])
    names = await history.names_of(uow, [c for e in entries for c in e.changes])
    return LogPage(entries, names, entries[-1].mark if len(rows) > size else None)


async def count(uow: UnitOfWork, asked: Asked) -> int:
    """How many entries fit, of those that the actor may see."""
    uow.require("audit.read")
    query = sa.select(sa.func.count()).select_from(_log).where(*_narrowed(asked), *_seen(uow))
    return int(await uow.scalar(query))


def _query() -> sa.Select[Any]:
    return sa.select(
        _log.c.id, _log.c.at, _log.c.user_id, _log.c.source, _log.c.entity, _log.c.record_id, _log.c.action,
        _log.c.changes, _log.c.ip, _log.c.user_agent, _log.c.request_id,
        sa.func.coalesce(_users.c.name, "").label("user_name"),
    ).outerjoin(_users, sa.and_(_users.c.tenant_id == _log.c.tenant_id, _users.c.id == _log.c.user_id))  # fmt: skip


def _narrowed(asked: Asked) -> list[sa.ColumnElement[bool]]:
    same = ("user_id", "entity", "record_id", "action", "source")
    parts: list[sa.ColumnElement[bool]] = [_log.c[n] == v for n in same if (v := getattr(asked, n))]
    if asked.is_system:
        parts.append(_log.c.user_id.is_(None))
    if asked.since is not None:
        parts.append(_log.c.at >= asked.since)
    if asked.until is not None:
        parts.append(_log.c.at < asked.until)
    return parts


def _seen(uow: UnitOfWork) -> list[sa.ColumnElement[bool]]:
    """The log opens no record that its reader may not see. Who does not see all records reads of those with an owner
    that they do see, and of what is everybody's; the rest is told to those who see all."""
    actor = uow.actor
    every = list(registry.all_entities())
    readable = [e for e in every if actor.can(f"{e.name}.read")]
    owned = [(e, condition) for e in readable if (condition := visible(e, actor)) is not None]
    if not owned:
        closed = [e.name for e in every if e not in readable]
        return [_log.c.entity.not_in(closed)] if closed else []
    plain = [e.name for e in readable if e not in [o for o, _ in owned]]
    mine = [
        sa.and_(_log.c.entity == e.name, _log.c.record_id.in_(sa.select(e.table.c.id).where(condition)))
        for e, condition in owned
    ]
    return [sa.or_(_log.c.entity.in_(plain), *mine)]


async def _entries(uow: UnitOfWork, rows: Sequence[sa.RowMapping]) -> list[Entry]:
    titles, seen = await _titles(uow, rows), await entities_of(uow)
    made = []
    for r in rows:
        known = titles.get(r["record_id"], {"title": "", "is_there": False, "currency": ""})
        plain = {n: r[n] for n in Entry.__slots__ if n in r and n != "changes"}
        made.append(Entry(**plain, **known, changes=tuple(_changes(uow, seen, r))))
    return made


async def _titles(uow: UnitOfWork, rows: Sequence[sa.RowMapping]) -> dict[UUID, dict[str, Any]]:
    """Names of the records, those in the trash too, and whether they are there; one query a kind."""
    found: dict[UUID, dict[str, Any]] = {}
    for name in {r["entity"] for r in rows}:
        entity = registry.find(name)
        if entity is None:
            continue
        table = entity.table
        ids = {r["record_id"] for r in rows if r["entity"] == name}
        currency = table.c.currency if "currency" in table.c else sa.literal("")
        query = sa.select(
            table.c.id, table.c[entity.title].label("title"), table.c.deleted_at.is_(None).label("is_there"),
            currency.label("currency"),
        )  # fmt: skip
        for row in await uow.rows(query.where(table.c.id.in_(ids))):
            found[row.id] = {"title": row.title, "is_there": row.is_there, "currency": row.currency}
    return found


def _changes(uow: UnitOfWork, entities: Mapping[str, Entity], row: sa.RowMapping) -> list[FieldChange]:
    entity = entities.get(row["entity"])
    hidden, masked = blind_spots(uow.actor, row["entity"])
    told = []
    for name, pair in sorted(row["changes"].items()):
        if name in _MACHINERY or name in hidden:
            continue
        is_pair = isinstance(pair, list) and len(pair) == 2
        old, new = pair if is_pair else (None, pair)
        if name in masked:
            old, new = (MASKED if v not in (None, "", []) else v for v in (old, new))
        spec = entity.fields.get(name) if entity else None
        if spec is not None and is_pair:
            old, new = history.typed(spec, old), history.typed(spec, new)
        told.append(_change(row, spec or FieldSpec(name, label_of(name.removesuffix("_id")), Kind.json), old, new))
    return told


def _change(row: sa.RowMapping, spec: FieldSpec, old: Any, new: Any) -> FieldChange:
    return FieldChange(
        row["id"], row["at"], row["action"], row["source"], row["user_id"], row["user_name"], spec, old, new
    )


async def people(uow: UnitOfWork) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Everybody whose acts the log may hold, those who left too: (id, name)."""
    uow.require("audit.read")
    return await uow.rows(sa.select(_users.c.id, _users.c.name).order_by(sa.func.crm_fold(_users.c.name), _users.c.id))


async def restorable(uow: UnitOfWork, mark: Mark, field: str) -> Restorable:
    """What putting a value back would change. Invalid or Conflict says why it cannot be put back."""
    uow.require("audit.read")
    query = _query().where(_log.c.at == mark[0], _log.c.id == mark[1], *_seen(uow))
    rows = (await uow.execute(query)).mappings().all()
    if not rows:
        raise NotFound("This entry is not in the log, or not for you to see.")
    row = rows[0]
    seen = await entities_of(uow)
    entity = seen.get(row["entity"])
    change = next((c for c in _changes(uow, seen, row) if c.spec.name == field), None)
    if entity is None or change is None or row["action"] != "update":
        raise Invalid(f"There is no former value of {label_of(field)} in this entry.")
    if entity.is_managed or field in entity.readonly or field not in entity.fields or change.old == MASKED:
        raise Invalid(f"{change.spec.label} is not put back from here: it is set in another way.")
    uow.require(f"{entity.name}.update")
    record = await uow.get(entity.model, row["record_id"])
    now = value_of(entity, record, field)
    names = await history.names_of(uow, [change, replace(change, new=now)])
    return Restorable(
        entity, row["record_id"], str(getattr(record, entity.title)), change.spec, change.old, now,
        getattr(record, "currency", ""), names,
    )  # fmt: skip


async def restore(uow: UnitOfWork, mark: Mark, field: str, *, seen: str) -> Restorable:
    """Put the value back that the field had before this entry, as any change: rules hold, and the log has it.

    `seen` is `stands(...)` of what the person was shown; when somebody changed it since, that is a Conflict.
    """
    found = await restorable(uow, mark, field)
    if stands(found.now) != seen:
        raise Conflict(f"{found.spec.label} was changed in the meantime. Look again what stands there now.")
    await records.update(uow, found.entity, found.record_id, {field: found.old}, expected={field: found.now})
    return found


def stands(value: Any) -> str:
    """A short text that stands for a value: what a browser sends back to say what it showed."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def in_words(value: Any) -> str:
    """A value of no declared kind, such as the details of an act."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {in_words(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return "" if value is None else str(value)
