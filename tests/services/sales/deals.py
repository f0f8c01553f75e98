"""Deals and what they need, for tests of the sales services."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity
from crm_app.models.sales.pipelines import Pipeline, Stage
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work


async def stage_ids(actor: Actor) -> dict[str, UUID]:
    """The stages of the first pipeline by name."""
    stages, pipelines = table_of(Stage), table_of(Pipeline)
    first = sa.select(pipelines.c.id).order_by(pipelines.c.position).limit(1).scalar_subquery()
    async with unit_of_work(actor) as uow:
        rows = await uow.rows(
            sa.select(stages.c.name, stages.c.id)
            .where(stages.c.pipeline_id == first, stages.c.deleted_at.is_(None))
            .order_by(stages.c.position)
        )
    return {row.name: row.id for row in rows}


async def a_deal(actor: Actor, name: str = "Roll-out", *, account: str = "Kessler", **values: Any) -> Opportunity:
    """A deal of the actor's own, in the first stage unless told otherwise."""
    async with unit_of_work(actor) as uow:
        company = await records.create(uow, ACCOUNT, {"name": account})
        given = {
            "name": name,
            "account_id": company.id,
            "amount_minor": 1_000_000,
            "expected_close_on": uow.today + timedelta(days=30),
        }
        deal: Opportunity = await records.create(uow, OPPORTUNITY, given | values)
    return deal


async def read_deal(actor: Actor, deal_id: UUID) -> sa.RowMapping:
    """The row as the database has it."""
    deals = table_of(Opportunity)
    async with unit_of_work(actor) as uow:
        return (await uow.execute(sa.select(deals).where(deals.c.id == deal_id))).mappings().one()
