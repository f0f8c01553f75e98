"""Why somebody sees a record or may change it, and why not: asked of the code that decides, told ground by ground."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.errors import NotFound
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.people.users import Role, User
from crm_app.models.platform.shares import RecordShare
from crm_app.services.people import actors
from crm_app.services.platform.schema import blind_spots, entity_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import Ground, grounds

_shares, _users, _roles = table_of(RecordShare), table_of(User), table_of(Role)
_VERBS = {"read": "see", "update": "change", "delete": "delete", "export": "export"}
_SCOPES = {
    Scope.own: "their own records",
    Scope.team: "records of their team and of teams they lead",
    Scope.territory: "records of their team and in their territories",
    Scope.all: "all records",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was asked, its answer, and the answer in a sentence."""

    about: str
    is_yes: bool
    text: str


@dataclass(frozen=True)
class Access:
    """What a person may do with one record, and why."""

    name: str
    sees: bool
    changes: bool
    deletes: bool
    reasons: list[Reason]


async def explain(uow: UnitOfWork, entity: Entity, record_id: UUID, *, user_id: UUID | None = None) -> Access:
    """Of oneself, or of another person for those who may look at roles. NotFound when the one who asks does not see the
    record: a reason would tell that it is there."""
    uow.require(f"{entity.name}.read")
    record = await uow.get(entity.model, record_id)
    who = uow.actor
    if user_id is not None and user_id != who.user_id:
        uow.require("role.read")
        try:
            who = await actors.load(uow, user_id)
        except NotFound:
            person = await uow.get(User, user_id)
            closed = Reason("Coming in", False, f"{person.name} cannot come in: disabled, or invited only.")
            return Access(person.name, False, False, False, [closed])
    role = await _role_of(uow, who)
    seen, seen_why = await _reach(uow, entity, record, who, to_write=False)
    written, written_why = await _reach(uow, entity, record, who, to_write=True)
    rights = [_right(who, entity, verb, role) for verb in _VERBS]
    reads, updates, deletes = (who.can(f"{entity.name}.{v}") for v in ("read", "update", "delete"))
    reasons = [*rights, _scope(who, entity, role), *seen_why]
    if seen and not written:
        reasons += written_why
    reasons += await _fields(uow, entity, who)
    return Access(who.name, reads and seen, reads and updates and written, reads and deletes and written, reasons)


async def _role_of(uow: UnitOfWork, who: Actor) -> str:
    query = sa.select(_roles.c.name).join(
        _users, sa.and_(_users.c.tenant_id == _roles.c.tenant_id, _users.c.role_id == _roles.c.id)
    )
    return str(await uow.scalar(query.where(_users.c.id == who.user_id)) or "")


def _right(who: Actor, entity: Entity, verb: str, role: str) -> Reason:
    may = who.can(f"{entity.name}.{verb}")
    what = f"{_VERBS[verb]} {entity.plural.lower()}"
    text = f"The role {role} lets {who.name} {what}." if may else f"The role {role} does not let {who.name} {what}."
    return Reason(f"Right to {_VERBS[verb]}", may, text)


def _scope(who: Actor, entity: Entity, role: str) -> Reason:
    if entity.visibility == "all":
        return Reason("Which records", True, f"Everybody who may see {entity.plural.lower()} sees all of them.")
    return Reason("Which records", who.scope is Scope.all, f"The role {role} sees {_SCOPES[who.scope]}.")


async def _reach(
    uow: UnitOfWork, entity: Entity, record: Any, who: Actor, *, to_write: bool
) -> tuple[bool, list[Reason]]:
    """Whether one of the grounds holds for this record, and each of them."""
    ways = grounds(entity, who, to_write=to_write)
    if not ways:
        return True, []
    asked = sa.select(*(condition.label(ground.value) for ground, condition in ways.items()))
    row = (await uow.execute(asked.where(entity.table.c.id == record.id))).mappings().one()
    if to_write:
        return any(row.values()), [
            Reason("To change it", False, f"It is shown to {who.name} to read. Its owner can share it to be changed.")
        ]
    owner = await uow.scalar(sa.select(_users.c.name).where(_users.c.id == record.owner_id)) or "nobody"
    told = [_ground(ground, bool(row[ground.value]), who, owner) for ground in ways]
    if Ground.share not in ways:
        told.append(_ground(Ground.share, False, who, owner))
    return any(row.values()), told


def _ground(ground: Ground, holds: bool, who: Actor, owner: str) -> Reason:
    if ground is Ground.nobody:
        return Reason(
            "No owner", holds, "It belongs to nobody, so to everybody." if holds else f"It belongs to {owner}."
        )
    if ground is Ground.territory:
        where = "lies" if holds else "does not lie"
        return Reason("Territory", holds, f"Its account {where} in a territory of {who.name}.")
    if ground is Ground.share:
        shared = "is" if holds else "is not"
        return Reason("Share", holds, f"It {shared} shared with {who.name}.")
    if who.scope is Scope.own:
        return Reason("Owner", holds, f"It belongs to {owner}.")
    within = "in" if holds else "not in"
    return Reason("Team", holds, f"It belongs to {owner}, who is {within} the team of {who.name}, or one below.")


async def _fields(uow: UnitOfWork, entity: Entity, who: Actor) -> list[Reason]:
    """Named by those alone whom the one who asks sees."""
    mine = await entity_of(uow, entity.name)
    hidden, masked = blind_spots(who, entity.name)
    fixed = {n.partition(".")[2] for n in who.fixed_fields if n.startswith(f"{entity.name}.")}
    told = []
    for names, what in ((hidden, "hidden from"), (masked, "masked for"), (fixed, "read only for")):
        if names:
            labels = sorted(mine.fields[n].label for n in names if n in mine.fields)
            some = f": {', '.join(labels)}" if len(labels) == len(names) else ""
            count = "1 field is" if len(names) == 1 else f"{len(names)} fields are"
            told.append(Reason("Fields", False, f"{count} {what} {who.name}'s role{some}."))
    return told
