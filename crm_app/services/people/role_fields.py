"""What a role may do with single fields: hidden, masked, read or written. A role stores all but "write"."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from crm_app.core.context import FieldRight
from crm_app.core.errors import Invalid, NotFound
from crm_app.core.registry import Entity
from crm_app.models.people.users import Role
from crm_app.services.people import roles
from crm_app.services.platform.schema import entities_of, unhideable
from crm_app.store.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field and what the role may do with it; `choices` are what it could be given."""

    name: str
    label: str
    right: FieldRight
    choices: tuple[FieldRight, ...]


async def listed(uow: UnitOfWork, role_id: UUID, entity_name: str) -> list[FieldLine]:
    """Every field of these records, the workspace's own included."""
    uow.require("role.read")
    role = await uow.get(Role, role_id)
    entity = (await entities_of(uow)).get(entity_name)
    if entity is None:
        raise NotFound("There are no such records.")
    found = []
    for name, spec in entity.fields.items():
        choices = _choices(entity, name)
        stored = role.field_rights.get(f"{entity.name}.{name}")
        right = FieldRight(stored) if stored else choices[-1]
        found.append(FieldLine(name, spec.label, right if right in choices else choices[-1], choices))
    return found


async def change(uow: UnitOfWork, role_id: UUID, entity_name: str, rights: Mapping[str, str]) -> Role:
    """What the role may do with these fields from everybody's next click on; fields that are not named stay."""
    uow.require("role.manage")
    role = await roles.own_role(uow, role_id)
    roles.require_role(uow.actor, role)
    entity = (await entities_of(uow)).get(entity_name)
    if entity is None:
        raise NotFound("There are no such records.")
    kept = dict(role.field_rights)
    wrong: dict[str, str] = {}
    for name, given in rights.items():
        if name not in entity.fields or given not in _choices(entity, name):
            wrong[name[:80]] = "cannot be given this right"
        elif given == _choices(entity, name)[-1]:
            kept.pop(f"{entity.name}.{name}", None)
        else:
            kept[f"{entity.name}.{name}"] = str(given)
    if wrong:
        raise Invalid(**wrong)
    roles.require_fields(uow.actor, kept)
    role.field_rights = kept
    await uow.flush()
    uow.changed("role", role.id, role.version)
    return role


def _choices(entity: Entity, name: str) -> tuple[FieldRight, ...]:
    """From the least to the most that a role can have of a field."""
    least = () if name in unhideable(entity) else (FieldRight.hidden, FieldRight.masked)
    most = () if name in entity.readonly else (FieldRight.write,)
    return (*least, FieldRight.read, *most)
