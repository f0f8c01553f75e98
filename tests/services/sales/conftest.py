"""A pipeline with something to sell in it."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.clock import utcnow
from crm_app.core.context import Actor
from crm_app.models.sales.pipelines import Stage
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work

Make = Callable[..., Awaitable[Any]]


@pytest.fixture
def next_month() -> date:
    return (utcnow() + timedelta(days=30)).date()


@pytest.fixture
async def stages(admin: Actor) -> dict[str, UUID]:
    """The stages of the workspace's pipeline, by name."""
    async with unit_of_work(admin) as uow:
        return {s.name: s.id for s in (await uow.execute(sa.select(Stage))).scalars()}


@pytest.fixture
def make() -> Make:
    """`await make(actor, "account", name="Kessler")`: any record, by the name of its entity."""

    async def create(actor: Actor, entity: str, **values: Any) -> Any:
        async with unit_of_work(actor) as uow:
            return await records.create(uow, registry.get(entity), values)

    return create


@pytest.fixture
async def account(make: Make, alice: Actor) -> Any:
    return await make(alice, "account", name="Kessler & Wohlgemuth")


@pytest.fixture
async def deal(make: Make, alice: Actor, account: Any, next_month: date) -> Any:
    """Alice's deal of 184 500.00 in the first stage."""
    return await make(
        alice, "opportunity", name="Warehouse roll-out", account_id=account.id, amount_minor=18_450_000,
        expected_close_on=next_month,
    )  # fmt: skip
