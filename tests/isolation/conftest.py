"""Our workspace and hers, each with one of everything."""

from collections.abc import AsyncIterator

import pytest

from crm_app.core.context import Source
from crm_app.services.people import actors
from tests.isolation.world import World, build
from tests.people import found


@pytest.fixture(scope="module")
async def ours(app_database: None) -> AsyncIterator[World]:
    founded = await found()
    yield await build(await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui), "Geheimnis")


@pytest.fixture(scope="module")
async def hers(app_database: None) -> AsyncIterator[World]:
    founded = await found("Mallory Ltd")
    yield await build(await actors.actor_for(founded.tenant_id, founded.admin_id, source=Source.ui), "Mallorywares")
