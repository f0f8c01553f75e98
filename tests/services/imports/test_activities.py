"""Activities that come in files: the deals know of them, and forget them when the import is taken back."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.models.activities.activities import Activity
from crm_app.models.base import new_id, table_of
from crm_app.models.sales.opportunities import Health, Opportunity
from crm_app.services.activities import activities
from crm_app.services.sales import drops, undo
from crm_app.store.uow import unit_of_work
from tests.services.imports.conftest import Importing
from tests.services.sales.deals import a_deal, read_deal, stage_ids
from tests.services.sales.pulse import assert_sound
from tests.work import work_off

MAPPING = """
name: Calls
steps:
  - file: calls.csv
    entity: activity
    columns: {What: subject, Kind: kind, When: happens_at, State: status, Deal: opportunity_id}
"""
BY_SUBJECT = MAPPING.replace("    columns:", "    key: subject\n    columns:")
HEAD = "What,Kind,When,State,Deal\n"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def facts(actor: Actor, deal: Opportunity) -> tuple[object, ...]:
    row = await read_deal(actor, deal.id)
    return row["last_activity_at"], row["next_activity_at"], row["next_activity_subject"], row["health"]


def line(what: str, at: datetime, state: str, deal: Opportunity) -> str:
    return f"{what},call,{at.isoformat()},{state},{deal.name}\n"


async def test_deals_know_what_a_file_says_was_done_and_is_planned(
    admin: Actor, importing: Importing, now: datetime
) -> None:
    one, other, third = [await a_deal(admin, name) for name in ("One", "Other", "Third")]
    soon, ago = now + timedelta(days=3), now - timedelta(days=3)
    text = HEAD + line("Ring up", soon, "planned", one) + line("Rang", ago, "done", one)
    text += line("Rang before", ago - timedelta(days=1), "done", one) + line("Late", ago, "planned", other)
    outcome = await importing.bring_in(admin, MAPPING, {"calls.csv": text})
    assert outcome.created == 4
    assert await facts(admin, one) == (ago, soon, "Ring up", Health.good)
    assert await facts(admin, other) == (None, ago, "Late", Health.overdue)
    assert await facts(admin, third) == (None, None, "", Health.risk)
    assert (await read_deal(admin, third.id))["version"] == 1
    await assert_sound(admin)
    await importing.revert(admin, outcome)
    for deal in (one, other):
        assert await facts(admin, deal) == (None, None, "", Health.risk)
    await assert_sound(admin)


async def test_what_a_file_changes_moves_from_deal_to_deal_and_back(
    admin: Actor, importing: Importing, now: datetime
) -> None:
    one, other = await a_deal(admin, "One"), await a_deal(admin, "Other")
    soon = now + timedelta(days=3)
    async with unit_of_work(admin) as uow:
        for name in ("Ring up", "Visit"):
            await activities.plan(uow, kind="call", subject=name, due_at=soon, opportunity_id=one.id)
            soon += timedelta(days=1)
    await work_off()
    first = now + timedelta(days=3)
    later = now + timedelta(days=9)
    text = HEAD + line("Ring up", first, "planned", other) + line("Visit", later, "planned", one)
    outcome = await importing.bring_in(admin, BY_SUBJECT, {"calls.csv": text})
    assert outcome.updated == 2
    assert (await facts(admin, one))[1:3] == (later, "Visit")
    assert (await facts(admin, other))[1:3] == (first, "Ring up")
    await importing.revert(admin, outcome)
    assert (await facts(admin, one))[1:3] == (first, "Ring up")
    assert (await facts(admin, other))[1:3] == (None, "")


async def test_an_import_of_activities_does_not_stand_in_the_way_of_an_undo(
    admin: Actor, importing: Importing, now: datetime
) -> None:
    deal, stages = await a_deal(admin), await stage_ids(admin)
    operation = new_id()
    async with unit_of_work(admin) as uow:
        await drops.move(uow, operation, [deal.id], to_stage_id=stages["Proposal"])
    text = HEAD + line("Ring up", now + timedelta(days=3), "planned", deal)
    await importing.bring_in(admin, MAPPING, {"calls.csv": text})
    async with unit_of_work(admin) as uow:
        await undo.undo(uow, operation)
        count = sa.select(sa.func.count()).select_from(table_of(Activity))
        assert await uow.scalar(count) == 1
    row = await read_deal(admin, deal.id)
    assert (row["stage_id"], row["next_activity_subject"]) == (stages["Qualify"], "Ring up")
