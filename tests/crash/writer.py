"""A process that writes as the application does and says so after each commit; it is killed while it runs.

    python -m tests.crash.writer TENANT USER TASKS

Each write is one transaction with three parts: a deal moves, its next step becomes a new word, and an activity of that
word is logged. The word is printed when the transaction is committed.
"""

import asyncio
import random
import sys
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError

from crm_app import parts
from crm_app.core.context import Actor, Source
from crm_app.core.errors import CrmError
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.services.activities import activities
from crm_app.services.people import actors
from crm_app.services.platform import records
from crm_app.services.sales import opportunities
from crm_app.store.uow import UnitOfWork, retrying, unit_of_work

LOST = (DBAPIError, InterfaceError, OSError)
DEALS = 6


async def main(tenant: str, user: str, tasks: int) -> None:
    parts.load()
    actor = await actors.actor_for(UUID(tenant), UUID(user), source=Source.ui)
    async with unit_of_work(actor) as uow:
        stages = table_of(Stage)
        open_stages = list((await uow.execute(sa.select(stages.c.id).where(stages.c.kind == StageKind.open))).scalars())
        company = await records.create(uow, ACCOUNT, {"name": "Kessler"})
        day = uow.today + timedelta(days=30)
        new = {"account_id": company.id, "amount_minor": 100, "expected_close_on": day}
        deals = [(await records.create(uow, OPPORTUNITY, {"name": f"D{i}", **new})).id for i in range(DEALS)]
    say("ready")
    await asyncio.gather(*(keep_writing(actor, deals, open_stages) for _ in range(tasks)))


async def keep_writing(actor: Actor, deals: list[UUID], stages: list[UUID]) -> None:
    dice = random.Random()
    while True:
        word, deal, stage = f"w{new_id().hex}", dice.choice(deals), dice.choice(stages)

        async def write(uow: UnitOfWork, word: str = word, deal: UUID = deal, stage: UUID = stage) -> None:
            await opportunities.move(uow, [deal], to_stage_id=stage)
            changes = {"next_step": word, "amount_minor": dice.randrange(1, 10**9)}
            await records.update(uow, OPPORTUNITY, deal, changes)
            await activities.log(uow, kind="note", subject=word, opportunity_id=deal)

        try:
            await retrying(actor, write)
        except LOST as error:
            say("lost", type(error).__name__)
            await asyncio.sleep(0.05)
        except CrmError as error:
            say("refused", str(error))
            raise
        else:
            say("done", word)


def say(*words: str) -> None:
    print(*words, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
