"""One workspace and one stranger for a whole module: the suite runs over every entity and leaves records behind."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from crm_app.core.context import Actor, Scope, Source
from crm_app.services.people import actors, teams
from crm_app.store.uow import unit_of_work
from tests.people import TestWorkspace, found


@dataclass(frozen=True)
class Cast:
    """`admin` sees all; `alice` and `bob` are of one team, `carol` of another; `reader` may only look; `mallory` is the
    admin of another tenant. alice, bob and carol may do everything, so that only visibility holds them."""

    space: TestWorkspace
    admin: Actor
    alice: Actor
    bob: Actor
    carol: Actor
    reader: Actor
    mallory: Actor

    def own(self, actor: Actor) -> Actor:
        """The same person with sight of their own records only."""
        return replace(actor, scope=Scope.own)


@pytest.fixture(scope="module")
async def cast(app_database: None) -> AsyncIterator[Cast]:
    founded, foreign = await found(), await found("Mallory Ltd")
    admin = await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui)
    admin = replace(admin, ip="203.0.113.7", user_agent="Tests/1.0", request_id="r-1")
    space = TestWorkspace(founded.tenant_id, admin, founded.admin_id, founded.team_id, founded.team_id, founded.roles)
    alice = await space.person("Alice")
    bob = await space.person("Bob")
    async with unit_of_work(admin) as uow:
        other = await teams.create(uow, name="Another team")
    carol = await space.person("Carol", team_id=other.id)
    reader = await space.person("Rita", role="read_only")
    alice = await space.acting(alice.user_id)  # as of now: she knows bob
    everything = frozenset({"*"})
    yield Cast(
        space,
        admin,
        *(replace(a, permissions=everything) for a in (alice, bob, carol)),
        reader,
        await actors.actor_for(foreign.tenant_id, foreign.admin_id, source=Source.ui),
    )
