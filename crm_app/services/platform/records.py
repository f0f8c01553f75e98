"""What every entity can do, driven by its declaration: list, read, create, update, delete, restore."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm_app.core import registry
from crm_app.core.changes import Draft, RecordChanged, diff_of, guards_of, value_of
from crm_app.core.conditions import stored
from crm_app.core.errors import Conflict, Forbidden, Invalid
from crm_app.core.registry import CUSTOM, Entity, Kind
from crm_app.services.platform import notifications
from crm_app.services.platform.paging import Mark, Walk, all_rows, rows_from
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.sight import Seen, all_shown, order_of
from crm_app.services.platform.trash_rules import bring_back, follow
from crm_app.services.platform.validation import check_links, check_values
from crm_app.store.inserts import insert
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import visible

_MOST = 500
_PIECE = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` hold values by field name, and for each link `<field>__title`. `after` continues where the page ends,
    None at the end; `first` and `last` are the marks of its outermost rows."""

    rows: Sequence[Mapping[str, Any]]
    after: Mark | None
    first: Mark | None = None
    last: Mark | None = None


async def find(
    uow: UnitOfWork,
    entity: Entity,
    *,
    columns: Sequence[str] = (),
    where: sa.ColumnElement[bool] | None = None,
    sort: str = "",
    descending: bool = False,
    after: Mark | None = None,
    before: Mark | None = None,
    limit: int = 50,
    offset: int = 0,
    titles: bool = True,
    gathers: bool = False,
) -> Page:
    """A page of what the actor may see, by keyset: `after` or `before` is a mark of a page read earlier; `offset` skips
    rows from there, which costs more the further it leads. Without `titles` links are ids alone. Default sort: the
    title; empty values come last either way. `gathers` looks up all that match before they are put in order: for a
    `where` whose matches are hard to foresee, such as one on related records."""
    uow.require(f"{entity.name}.read")
    entity = await entity_of(uow, entity.name)
    names = [n for n in (columns or entity.columns) if n in entity.fields]
    walk = Walk(entity, order_of(uow, entity, sort), descending, where, visible(entity, uow.actor), gathers)
    size = max(1, min(limit, _MOST))
    found = await rows_from(
        uow, walk, names, after=after, before=before, offset=max(0, offset), limit=size + 1, titles=titles
    )
    rows = all_shown(uow, entity, names, found[:size])
    if before is not None:
        rows.reverse()
    marks = [(r["sort__key"], r["id"]) for r in (rows[0], rows[-1])] if rows else [None, None]
    return Page(rows, marks[1] if len(found) > size and before is None else None, *marks)


async def stream(
    uow: UnitOfWork,
    entity: Entity,
    *,
    columns: Sequence[str],
    where: sa.ColumnElement[bool] | None = None,
    sort: str = "",
    descending: bool = False,
    titles: bool = True,
) -> AsyncIterator[list[dict[str, Any]]]:
    """All rows that `find` would give page by page, a thousand at a time out of one cursor: as they were at one moment,
    and never all of them in memory."""
    uow.require(f"{entity.name}.read")
    entity = await entity_of(uow, entity.name)
    names = [n for n in columns if n in entity.fields]
    walk = Walk(entity, order_of(uow, entity, sort), descending, where, visible(entity, uow.actor))
    query = all_rows(walk, names, titles=titles)
    found = await uow.session.stream(query.execution_options(yield_per=_PIECE))
    columns = tuple(found.keys())
    async for piece in found.partitions(_PIECE):
        yield all_shown(uow, entity, names, (dict(zip(columns, row, strict=True)) for row in piece))


async def count(uow: UnitOfWork, entity: Entity, *, where: sa.ColumnElement[bool] | None = None) -> int:
    """How many records there are of those the actor may see."""
    uow.require(f"{entity.name}.read")
    table = entity.table
    query = sa.select(sa.func.count()).select_from(table).where(table.c.deleted_at.is_(None))
    if (seen := visible(entity, uow.actor)) is not None:
        query = query.where(seen)
    return int(await uow.scalar(query if where is None else query.where(where)))


async def read(uow: UnitOfWork, entity: Entity, record_id: UUID) -> Seen:
    """The record as this actor sees it, or NotFound."""
    uow.require(f"{entity.name}.read")
    return Seen(uow, await entity_of(uow, entity.name), await uow.get(entity.model, record_id))


async def as_seen(uow: UnitOfWork, entity: Entity, record: Any) -> Seen:
    """What the actor may see of a record that a service gave back: for answers to people and programs."""
    uow.require(f"{entity.name}.read")
    return Seen(uow, await entity_of(uow, entity.name), record)


async def create(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> Any:
    """A new record. The entity's guards fill in what follows (number, probability) and refuse what must not be.

    Values of custom fields come under their names ("custom.tier"). What is returned holds all fields, those too that
    the actor may not see: answer with `read` or `as_seen`.
    """
    permit(uow, entity, "create")
    entity = await entity_of(uow, entity.name)
    given = dict(values)
    check_values(entity, given, is_new=False, allowed=entity.at_start)
    given = _typed(entity, given)
    draft = Draft(entity, given)
    if "owner_id" in entity.fields and given.get("owner_id") is None and uow.actor.user_id:
        given["owner_id"] = uow.actor.user_id
    _require_assign(uow, draft)
    for guard in guards_of(entity.name):
        await guard(uow, draft)
    check_values(
        entity, {n: v for n, v in given.items() if n in entity.fields and n not in entity.readonly}, is_new=True
    )
    _refuse_unfilled(entity, given)
    await check_links(uow, entity, given)
    record = await _insert(uow, entity, as_columns(entity, given))
    _tell(uow, entity, record, "created", {n: [None, v] for n, v in given.items()})
    await notifications.assigned(uow, entity, record)
    return record


async def update(
    uow: UnitOfWork,
    entity: Entity,
    record_id: UUID,
    values: Mapping[str, Any],
    *,
    expected: Mapping[str, Any] | None = None,
) -> Any:
    """Change fields. `expected` are the values the person saw: a field that somebody changed since is a Conflict,
    changes of other fields merge."""
    permit(uow, entity, "update")
    entity = await entity_of(uow, entity.name)
    record = await uow.get(entity.model, record_id, lock=True)
    check_values(entity, dict(values), is_new=False)
    diff = await ruled(uow, entity, record, values, expected=expected)
    if not diff:
        return record
    await check_links(uow, entity, {n: v[1] for n, v in diff.items()})
    for name, value in as_columns(entity, {n: v for n, (_, v) in diff.items()}, record.custom).items():
        setattr(record, name, value)
    await _write(uow, entity)
    _tell(uow, entity, record, "updated", {n: d for n, d in diff.items() if n in entity.fields})
    if "owner_id" in diff:
        await notifications.assigned(uow, entity, record)
    return record


async def ruled(
    uow: UnitOfWork,
    entity: Entity,
    record: Any,
    values: Mapping[str, Any],
    *,
    expected: Mapping[str, Any] | None = None,
) -> dict[str, list[Any]]:
    """What these values, checked before, change of a locked record under its rules: {field: [old, new]}, with what
    follows from them. The refusal of the rule that is broken otherwise. Nothing is written."""
    draft = Draft(entity, _typed(entity, values), before=record)
    _require_assign(uow, draft)
    await _refuse_overtaken(uow, draft, expected or {})
    for guard in guards_of(entity.name):
        await guard(uow, draft)
    return diff_of({n: draft.was(n) for n in draft.values}, draft.values)


def as_columns(entity: Entity, values: Mapping[str, Any], custom: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Values as the columns hold them: custom ones together in `custom`, on top of those given, without empty ones."""
    own = {n: v for n, v in values.items() if not n.startswith(CUSTOM)}
    if len(own) == len(values):
        return own
    whole = dict(custom or {})
    for name in values.keys() - own.keys():
        key = entity.fields[name].key
        if values[name] in (None, "", []):
            whole.pop(key, None)
        else:
            whole[key] = stored.store(values[name])
    return {**own, "custom": whole}


def _refuse_unfilled(entity: Entity, given: Mapping[str, Any]) -> None:
    """What every record needs and this role may not give."""
    for spec in registry.get(entity.name).fields.values():
        is_mine = spec.name in entity.fields and spec.name not in entity.readonly
        if spec.required and not is_mine and given.get(spec.name) in (None, "") and spec.name != "id":
            raise Forbidden(
                f"{spec.label} is needed for a new {entity.label.lower()}, and your role may not fill it in."
                " Ask an admin to add it, or to change that under Settings, Fields.",
                permission=f"{entity.name}.create",
            )


def _typed(entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as the enum that the column holds: rules compare with it, and a record reads alike before and after it
    was stored."""
    given = dict(values)
    for name, value in values.items():
        enum = getattr(entity.table.c[name].type, "enum", None) if name in entity.table.c else None
        if enum is not None and value is not None:
            given[name] = enum(value)
    return given


def _require_assign(uow: UnitOfWork, draft: Draft) -> None:
    """To give a record to somebody else takes a right of its own; to keep or take one does not."""
    if draft.touches("owner_id") and draft.values["owner_id"] not in (None, uow.actor.user_id):
        uow.require(f"{draft.entity.name}.assign")


async def _refuse_overtaken(uow: UnitOfWork, draft: Draft, expected: Mapping[str, Any]) -> None:
    record = draft.before
    overtaken = {
        n: value_of(draft.entity, record, n)
        for n, old in expected.items()
        if n in draft.values and value_of(draft.entity, record, n) not in (old, draft.values[n])
    }
    if overtaken:
        users = registry.get("user").table
        who = await uow.scalar(sa.select(users.c.name).where(users.c.id == record.updated_by_id)) or "Somebody"
        raise Conflict(f"{who} changed this in the meantime.", current=overtaken)


async def delete(uow: UnitOfWork, entity: Entity, record_id: UUID) -> Any:
    """Into the trash, from where `restore` brings it back whole. Refused while records that need it are there; what
    becomes of the others, services.platform.trash_rules says."""
    permit(uow, entity, "delete")
    record = await uow.get(entity.model, record_id, lock=True)
    if refusal := (await needed(uow, entity, [record_id])).get(record_id):
        raise refusal
    for guard in guards_of(entity.name):
        await guard(uow, Draft(entity, {"deleted_at": uow.now}, before=record))
    record.deleted_at, record.deleted_by_id = uow.now, uow.actor.user_id
    await _write(uow, entity)
    await follow(uow, entity, [record_id])
    _tell(uow, entity, record, "deleted", {})
    return record


async def needed(uow: UnitOfWork, entity: Entity, record_ids: Sequence[UUID]) -> dict[UUID, Conflict]:
    """Blueprint 5.3: what is required elsewhere is protected. Why each of these cannot go, for those that cannot."""
    counts: dict[UUID, dict[str, int]] = {}
    for relation in registry.relations(registry.get(entity.name)).values():  # whatever the actor sees of them
        other = registry.get(relation.entity)
        if not relation.many or other.fields[relation.link].nullable:
            continue
        link = other.table.c[relation.link]
        there = sa.and_(
            link == sa.any_(sa.literal(list(record_ids), sa.ARRAY(sa.Uuid()))), other.table.c.deleted_at.is_(None)
        )
        for record_id, n in await uow.rows(sa.select(link, sa.func.count()).where(there).group_by(link)):
            counts.setdefault(record_id, {})[other.plural.lower() if n > 1 else other.label.lower()] = n
    return {record_id: _still_needed(entity, found) for record_id, found in counts.items()}


def _still_needed(entity: Entity, counts: Mapping[str, int]) -> Conflict:
    what = " and ".join(f"{n} {label}" for label, n in counts.items())
    belong = "belongs" if sum(counts.values()) == 1 else "belong"
    return Conflict(
        f"{what} still {belong} to this {entity.label.lower()}. Move or delete them first.", current=dict(counts)
    )


async def restore(uow: UnitOfWork, entity: Entity, record_id: UUID) -> Any:
    """Out of the trash. Conflict when it is not there, or when a record it needs is; Invalid when another one has taken
    its unique value meanwhile."""
    permit(uow, entity, "delete")
    record = await uow.get(entity.model, record_id, lock=True, in_trash=True)
    if record.deleted_at is None:
        raise Conflict(f"This {entity.label.lower()} is not in the trash.")
    needed = {s.name: getattr(record, s.name) for s in entity.fields.values() if s.kind is Kind.link and s.required}
    try:
        await check_links(uow, entity, needed, seen=False)
    except Invalid as missing:
        what = " and ".join(registry.get(entity.fields[n].target).label.lower() for n in missing.fields)
        raise Conflict(f"Its {what} is in the trash too. Take that out first.", current=missing.fields) from missing
    record.deleted_at = record.deleted_by_id = None
    await _write(uow, entity)
    await bring_back(uow, entity, [record_id])
    _tell(uow, entity, record, "restored", {})
    return record


async def _insert(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> Any:
    try:
        return await insert(uow, entity.model, values)
    except IntegrityError as error:
        raise explained(entity, error) from error


async def _write(uow: UnitOfWork, entity: Entity) -> None:
    try:
        await uow.flush()
    except IntegrityError as error:
        raise explained(entity, error) from error


def explained(entity: Entity, error: IntegrityError) -> Exception:
    """A broken unique or check constraint as a message at its field; anything else is a bug and stays one."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", "") or ""
    field = name.removeprefix(f"uq_{entity.table.name}_").removeprefix(f"ck_{entity.table.name}_")
    if name.startswith("uq_"):
        column = field if field in entity.fields else entity.import_key or entity.title
        return Invalid(**{column: "is already used by another record"})
    if name.startswith("ck_"):
        return Invalid(**{field if field in entity.fields else f"{field}_minor": "is out of its range"})
    return error


def permit(uow: UnitOfWork, entity: Entity, verb: str) -> None:
    """Forbidden unless the actor may do this to such records, and the generic writes are for them."""
    uow.require(f"{entity.name}.{verb}")
    if entity.is_managed:
        raise Forbidden(f"{entity.plural} are changed under Settings, by functions of their own.")


def _tell(uow: UnitOfWork, entity: Entity, record: Any, action: str, diff: dict[str, Any]) -> None:
    uow.emit(RecordChanged(record_id=record.id, name=f"{entity.name}.{action}", entity=entity.name, diff=diff))
    uow.changed(entity.name, record.id, record.version, action)
