"""Roles and the names of all permissions.

A role stores permission names, "*" for all of them, or a bundle ("@rep"). A bundle is worked out here from the
registry, so the roles every workspace starts with also cover entities that are added later.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from crm_app import models
from crm_app.core import registry
from crm_app.core.context import Actor, FieldRight, Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid
from crm_app.core.registry import Entity
from crm_app.models.people.users import Role, User, UserStatus
from crm_app.services.people.checks import required_text
from crm_app.store.uow import UnitOfWork

VERBS = {
    "read": "See",
    "create": "Add",
    "update": "Change",
    "delete": "Delete",
    "export": "Export",
    "import": "Import",
}
# Rights beyond the verbs. Names are kept for good: roles in databases hold them.
ACTS = {
    "account.assign": "Give accounts to another owner",
    "contact.assign": "Give contacts to another owner",
    "account.merge": "Merge accounts into one, and part them again",
    "contact.merge": "Merge contacts into one, and part them again",
    "activity.assign": "Plan activities for another person",
    "opportunity.assign": "Give opportunities to another owner",
    "opportunity.move": "Move opportunities between stages",
    "opportunity.close": "Close opportunities as won or lost, and reopen them",
    "opportunity.override_probability": "Set a probability below that of the stage",
    "trash.purge": "Delete for good what lies in the trash",
    "import.revert": "Take back an import",
    "view.manage": "Change and delete views that others share",
    "user.manage": "Invite people, change their role and team, disable them, help them back in",
    "user.view_as": "Look at the workspace as another person sees it, changing nothing",
    "role.manage": "Make and change roles",
    "settings.manage": "Change the settings of the workspace",
    "comment.create": "Write comments on records that they see",
    "comment.manage": "Delete comments of others",
    "audit.read": "Read the audit log",
    "audit.export": "Export what they read of the audit log",
    "api_key.create": "Make API keys of one's own",
    "api_key.manage": "See and revoke everybody's API keys",
}
# How the workspace is arranged: read by all, written by admins.
SETUP = frozenset({"user", "role", "team", "territory", "pipeline", "stage", "activity_type", "win_loss_reason"})
_FIELD_WIDTH = {FieldRight.hidden: 0, FieldRight.masked: 1, FieldRight.read: 2, FieldRight.write: 3}
_SCOPE_WIDTH = {Scope.own: 0, Scope.team: 1, Scope.territory: 2, Scope.all: 3}


@cache
def catalogue() -> dict[str, str]:
    """Every permission that a role may hold, with what it allows, in the order people read them."""
    models.load_all()
    names: dict[str, str] = {}
    for entity in registry.all_entities():
        verbs = ("read", "export") if entity.is_managed else tuple(VERBS)
        names |= {f"{entity.name}.{verb}": f"{VERBS[verb]} {entity.plural.lower()}" for verb in verbs}
    return names | ACTS


def _of(verbs: Iterable[str], wanted: Callable[[Entity], bool]) -> set[str]:
    models.load_all()
    return {f"{e.name}.{verb}" for e in registry.all_entities() if wanted(e) for verb in verbs} & set(catalogue())


def _is_work(entity: Entity) -> bool:
    return entity.name not in SETUP


def _manager() -> set[str]:
    about = ("account", "contact", "activity", "opportunity", "import", "view", "comment")
    acts = {a for a in ACTS if a.partition(".")[0] in about}
    return _of(VERBS, _is_work) | _of(("read", "export"), lambda e: not _is_work(e)) | acts


def _rep() -> set[str]:
    writes = _of(("create", "update"), lambda e: _is_work(e) and e.name != "product")
    return writes | _read_only() | {"opportunity.move", "opportunity.close", "comment.create"}


def _read_only() -> set[str]:
    return _of(("read",), lambda _: True)


BUNDLES: dict[str, Callable[[], set[str]]] = {"@manager": _manager, "@rep": _rep, "@read_only": _read_only}
# The roles of a new workspace: key -> (name, scope, what is stored).
SYSTEM_ROLES: dict[str, tuple[str, Scope, list[str]]] = {
    "admin": ("Admin", Scope.all, ["*"]),
    "manager": ("Manager", Scope.team, ["@manager"]),
    "rep": ("Sales rep", Scope.team, ["@rep"]),
    "read_only": ("Read only", Scope.all, ["@read_only"]),
}


@lru_cache(maxsize=512)
def expand(stored: tuple[str, ...]) -> frozenset[str]:
    """Stored names with the bundles worked out; "*" stays, for `Actor.can` knows it."""
    found: set[str] = set()
    for name in stored:
        found |= BUNDLES[name]() if name in BUNDLES else {name}
    return frozenset(found)


def require_reach(actor: Actor, permissions: Iterable[str], scope: Scope) -> None:
    """Forbidden when a role reaches further than the actor's own: nobody gives, or takes over, more than they have."""
    more = [] if "*" in actor.permissions else sorted(set(permissions) - actor.permissions)
    if more or _SCOPE_WIDTH[scope] > _SCOPE_WIDTH[actor.scope]:
        raise Forbidden(
            "This role may do more than yours. Ask an admin to do this.", permission=more[0] if more else "role.manage"
        )


def require_fields(actor: Actor, stored: Mapping[str, str]) -> None:
    """Forbidden when a role sees or writes a field that the actor does not: nobody gives more than they have."""
    for right, names in (
        (FieldRight.hidden, actor.hidden_fields),
        (FieldRight.masked, actor.masked_fields),
        (FieldRight.read, actor.fixed_fields),
    ):
        for name in sorted(names):
            if _FIELD_WIDTH[FieldRight(stored.get(name, FieldRight.write))] > _FIELD_WIDTH[right]:
                raise Forbidden(
                    "This role may do more with fields than yours. Ask an admin to do this.", permission="role.manage"
                )


def require_role(actor: Actor, role: Role) -> None:
    """Forbidden when the role reaches further than the actor's own, in rights, records or fields."""
    require_reach(actor, expand(tuple(role.permissions)), role.scope)
    require_fields(actor, role.field_rights)


async def install(uow: UnitOfWork) -> dict[str, Role]:
    """The four roles of a new workspace, by key."""
    made = {
        key: Role(name=name, scope=scope, permissions=stored, is_system=True)
        for key, (name, scope, stored) in SYSTEM_ROLES.items()
    }
    for role in made.values():
        uow.add(role)
    await uow.flush()
    return made


async def listed(uow: UnitOfWork) -> list[Role]:
    """All roles, those every workspace has first."""
    uow.require("role.read")
    query = sa.select(Role).where(col(Role.deleted_at).is_(None))
    found = (await uow.execute(query)).scalars().all()
    order = [name for name, _, _ in SYSTEM_ROLES.values()]
    return sorted(found, key=lambda r: (not r.is_system, order.index(r.name) if r.name in order else 0, r.name))


async def create(
    uow: UnitOfWork, *, name: str, scope: Scope, permissions: Iterable[str], like_id: UUID | None = None
) -> Role:
    """A role of the workspace's own; with what the role `like_id` may do with fields."""
    uow.require("role.manage")
    rights = dict((await uow.get(Role, like_id)).field_rights) if like_id else {}
    require_fields(uow.actor, rights)
    role = Role(name="", scope=scope, permissions=[], field_rights=rights)
    await _fill(uow, role, name, scope, permissions)
    uow.add(role)
    await uow.flush()
    uow.changed("role", role.id, role.version, "created")
    return role


async def change(uow: UnitOfWork, role_id: UUID, *, name: str, scope: Scope, permissions: Iterable[str]) -> Role:
    """Applies to everybody who has the role from their next click on."""
    uow.require("role.manage")
    role = await own_role(uow, role_id)
    require_role(uow.actor, role)
    await _keep_oneself_in(uow, role, set(permissions := list(permissions)))
    await _fill(uow, role, name, scope, permissions)
    await uow.flush()
    uow.changed("role", role.id, role.version)
    return role


async def delete(uow: UnitOfWork, role_id: UUID) -> None:
    uow.require("role.manage")
    role = await own_role(uow, role_id)
    require_role(uow.actor, role)
    has_it = sa.and_(col(User.role_id) == role_id, col(User.deleted_at).is_(None))
    holders = sa.select(sa.func.count()).select_from(User).where(has_it)
    if count := await uow.scalar(holders):
        raise Conflict(f"{count} people have this role. Give them another one first.")
    role.deleted_at, role.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    uow.changed("role", role.id, role.version, "deleted")


async def holders(uow: UnitOfWork) -> dict[UUID, list[str]]:
    """Names of the people who have each role, those who may come in first."""
    uow.require("role.read")
    query = sa.select(col(User.role_id), col(User.name)).where(col(User.deleted_at).is_(None))
    found: dict[UUID, list[str]] = {}
    for row in await uow.rows(query.order_by(col(User.status) == UserStatus.disabled, col(User.name), col(User.id))):
        found.setdefault(row.role_id, []).append(row.name)
    return found


async def _keep_oneself_in(uow: UnitOfWork, role: Role, wanted: set[str]) -> None:
    """Who takes the right to manage roles from their own role could not give it back."""
    mine = await uow.scalar(sa.select(col(User.role_id)).where(col(User.id) == uow.actor.user_id))
    if mine == role.id and not {"role.manage", "role.read"} <= wanted:
        raise Conflict("This is your own role: without the right to manage roles you could not change it back.")


async def own_role(uow: UnitOfWork, role_id: UUID) -> Role:
    """The role, locked, if it is one that the workspace made."""
    role = await uow.get(Role, role_id, lock=True)
    if role.is_system:
        raise Conflict(f"{role.name} is a role that every workspace has. Copy it, and change the copy.")
    return role


async def _fill(uow: UnitOfWork, role: Role, name: str, scope: Scope, permissions: Iterable[str]) -> None:
    wanted = sorted(set(permissions))
    if unknown := [p for p in wanted if p not in catalogue()]:
        raise Invalid(permissions=f"there is no permission called {unknown[0]}")
    require_reach(uow.actor, wanted, scope)
    name = required_text("name", name, 60)
    taken = sa.select(col(Role.id)).where(
        sa.func.lower(col(Role.name)) == name.lower(), col(Role.id) != role.id, col(Role.deleted_at).is_(None)
    )
    if await uow.scalar(taken):
        raise Invalid(name="another role has this name")
    role.name, role.scope, role.permissions = name, scope, wanted
