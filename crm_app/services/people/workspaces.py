"""A new workspace with its roles, its first person and a first team."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from crm_app.core.context import Actor, Scope, Source
from crm_app.core.errors import Invalid
from crm_app.models.base import new_id
from crm_app.models.people.users import Team, User
from crm_app.models.platform.workspaces import Workspace
from crm_app.services.people import checks, passwords, roles
from crm_app.services.platform import audit
from crm_app.settings import settings
from crm_app.store import identity
from crm_app.store.uow import UnitOfWork


class AddressTaken(Invalid):
    """Somebody signs in with this address already."""

    code = "taken"


@dataclass(frozen=True, slots=True)
class Founder:
    """What a person gives to start a workspace, checked. `password_hash` is ready to be stored."""

    workspace: str
    name: str
    email: str
    password_hash: str
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Founded:
    """Ids of what a workspace starts with. `roles` by key: admin, manager, rep, read_only."""

    tenant_id: UUID
    admin_id: UUID
    team_id: UUID
    roles: dict[str, UUID]


async def check(
    *, workspace: str, name: str, email: str, password: str, currency: str = "USD", time_zone: str = "UTC"
) -> Founder:
    """Clean and check what was typed. Invalid by field; `email` also when somebody signs in with it already."""
    address = checks.email_address(email)
    passwords.check_new(password, address)
    founder = Founder(
        workspace=checks.required_text("workspace", workspace, 120),
        name=checks.required_text("name", name, 120),
        email=address,
        password_hash=await passwords.hash_password(password),
        currency=checks.currency(currency),
        time_zone=checks.time_zone(time_zone),
    )
    if await identity.sign_in_candidates(checks.email_key(address)):
        raise AddressTaken(email="is already used to sign in; sign in instead, or reset the password")
    return founder


async def read(uow: UnitOfWork) -> Workspace:
    """The actor's own workspace."""
    query = sa.select(Workspace).where(col(Workspace.id) == uow.actor.tenant_id)
    found: Workspace = (await uow.execute(query)).scalar_one()
    return found


async def change(uow: UnitOfWork, *, name: str, time_zone: str) -> None:
    """Name and time zone. The currency stays: sums of years stand in it."""
    uow.require("settings.manage")
    workspace = await read(uow)
    workspace.name = checks.required_text("name", name, 120)
    workspace.time_zone = checks.time_zone(time_zone)


async def history(uow: UnitOfWork, *, limit: int = 50) -> Sequence[Mapping[Any, Any]]:
    """Who changed the workspace's own settings, latest first: entries as `audit.history` gives them."""
    uow.require("settings.manage")
    return await audit.entries(uow, "workspace", uow.actor.tenant_id, actions=("update",), limit=limit)


async def may_found() -> bool:
    """Whether anybody may found a workspace: as the settings say, and always where there is none yet."""
    return settings().open_sign_up or not await identity.has_workspaces()


def founding_actor(founder: Founder, *, source: Source = Source.ui, ip: str = "", user_agent: str = "") -> Actor:
    """The admin to be, in a tenant to be: under this actor's unit of work the workspace is written."""
    return Actor(
        tenant_id=new_id(),
        user_id=new_id(),
        name=founder.name,
        permissions=frozenset({"*"}),
        scope=Scope.all,
        time_zone=founder.time_zone,
        currency=founder.currency,
        ip=ip,
        user_agent=user_agent,
        source=source,
    )


async def sign_up(uow: UnitOfWork, founder: Founder, *, is_demo: bool = False) -> Founded:
    """Write workspace, roles, admin and the team "Sales". `uow` runs as `founding_actor`.

    The whole of a new workspace, pipelines included, is services.sales.workspaces.found.
    """
    actor = uow.actor
    assert actor.user_id is not None
    uow.add(
        Workspace(
            id=actor.tenant_id,
            name=founder.workspace,
            currency=founder.currency,
            time_zone=founder.time_zone,
            is_demo=is_demo,
            created_at=uow.now,
        )
    )
    made = await roles.install(uow)
    admin = User(
        id=actor.user_id,
        name=founder.name,
        email=founder.email,
        password_hash=founder.password_hash,
        role_id=made["admin"].id,
    )
    uow.add(admin)
    await uow.flush()
    team = Team(name="Sales", manager_id=admin.id)
    uow.add(team)
    await uow.flush()
    admin.team_id = team.id
    await uow.flush()
    return Founded(actor.tenant_id, admin.id, team.id, {key: role.id for key, role in made.items()})
