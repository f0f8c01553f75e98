"""The cast of the tests: a fresh workspace each, and the people in it as actors.

`admin`, `manager` and the reps `alice` and `bob` are of one team, `carol` sells in another one, `reader` may only look;
`mallory` is the admin of another tenant.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

import pytest

from crm_app import parts
from crm_app.core.context import Actor, Source
from crm_app.models.base import new_id
from crm_app.services.people import actors, passwords, teams, users
from crm_app.services.people.workspaces import Founded
from crm_app.services.sales import workspaces
from crm_app.store.engine import close_engine
from crm_app.store.uow import unit_of_work

PASSWORD = "a sentence of tests"
parts.load("models", "services", "handlers")  # the rules hold in every test, whatever it imports


@dataclass(frozen=True)
class TestWorkspace:
    """A tenant with its defaults; `roles` by key (admin, manager, rep, read_only)."""

    __test__ = False
    tenant_id: UUID
    admin: Actor
    manager_id: UUID
    team_id: UUID
    other_team_id: UUID
    roles: dict[str, UUID]

    async def person(
        self, name: str, *, role: str = "rep", team_id: UUID | None = None, email: str = "", role_id: UUID | None = None
    ) -> Actor:
        """One more user, as an actor; signs in with PASSWORD."""
        async with unit_of_work(self.admin) as uow:
            user = await users.add(
                uow,
                name=name,
                email=email or f"{name.lower()}.{self.tenant_id.hex[-12:]}@example.com",
                role_id=role_id or self.roles[role],
                team_id=team_id or self.team_id,
                password_hash=_hashed(),
            )
        return await self.acting(user.id)

    async def acting(self, user_id: UUID) -> Actor:
        """The user as an actor, as of now."""
        actor = await actors.actor_for(self.tenant_id, user_id, source=Source.ui)
        return replace(actor, ip="203.0.113.7", user_agent="Tests/1.0")


@cache
def _hashed() -> str:
    return str(passwords._context.hash(PASSWORD))


async def found(name: str = "Northwind", currency: str = "EUR") -> Founded:
    mark = new_id().hex[-12:]
    return await workspaces.found(
        workspace=f"{name} {mark}", name="Ada Admin", email=f"ada.{mark}@example.com", password=PASSWORD,
        currency=currency, time_zone="Europe/Berlin",
    )  # fmt: skip


@pytest.fixture(scope="session")
async def app_database(database: object) -> AsyncIterator[None]:
    """The migrated database of this process, with the pool closed at the end."""
    yield
    await close_engine()


@pytest.fixture
async def workspace(app_database: None) -> TestWorkspace:
    founded = await found()
    admin = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    admin = replace(admin, ip="203.0.113.7", user_agent="Tests/1.0")
    async with unit_of_work(admin) as uow:
        other = await teams.create(uow, name="Another team")
    made = TestWorkspace(founded.tenant_id, admin, founded.admin_id, founded.team_id, other.id, founded.roles)
    maria = await made.person("Maria", role="manager")
    async with unit_of_work(admin) as uow:
        await teams.change(uow, founded.team_id, name="Sales", manager_id=maria.user_id, parent_id=None)
    return replace(made, manager_id=maria.user_id)


@pytest.fixture
async def admin(workspace: TestWorkspace) -> Actor:
    return workspace.admin


@pytest.fixture
async def manager(workspace: TestWorkspace, team: dict[str, Actor]) -> Actor:
    """The manager of alice and bob's team."""
    return await workspace.acting(workspace.manager_id)


@pytest.fixture
async def team(workspace: TestWorkspace) -> dict[str, Actor]:
    """alice and bob as of now, so that each knows the other is on the team."""
    people = {name: await workspace.person(name.capitalize()) for name in ("alice", "bob")}
    return {name: await workspace.acting(actor.user_id) for name, actor in people.items()}


@pytest.fixture
async def alice(team: dict[str, Actor]) -> Actor:
    return team["alice"]


@pytest.fixture
async def bob(team: dict[str, Actor]) -> Actor:
    return team["bob"]


@pytest.fixture
async def carol(workspace: TestWorkspace) -> Actor:
    return await workspace.person("Carol", team_id=workspace.other_team_id)


@pytest.fixture
async def reader(workspace: TestWorkspace) -> Actor:
    return await workspace.person("Rita", role="read_only")


@pytest.fixture
async def mallory(app_database: None) -> Actor:
    """May do everything, in a workspace of her own."""
    founded = await found("Mallory Ltd")
    actor = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    return replace(actor, ip="198.51.100.66", user_agent="Tests/6.6")
