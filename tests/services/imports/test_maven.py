"""The sample of docs/how-to/import-maven.md: a small one with the same traps, and the real one where it is at hand."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.models.base import table_of
from crm_app.models.catalog.products import Product
from crm_app.models.customers.accounts import Account
from crm_app.models.people.users import Team, User, UserStatus
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.events import Event
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import Opportunity, OpportunityLine, OpportunityStatus
from crm_app.models.sales.pipelines import Pipeline
from crm_app.services.platform.imports.mapping import ImportMapping
from crm_app.services.sales import board
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.services.imports.conftest import ROOT, Dump, Importing, step_named

SMALL = Path(__file__).parent / "maven"
_PLACES = [parent / "shared" / "data" / "maven-crm" for parent in ROOT.parents]
REAL = next((p for p in _PLACES if p.is_dir()), _PLACES[0])
_deals, _accounts, _lines = table_of(Opportunity), table_of(Account), table_of(OpportunityLine)


async def _one(uow: UnitOfWork, number: str) -> Any:
    return (await uow.execute(sa.select(_deals).where(_deals.c.number == number))).mappings().one()


async def _count(uow: UnitOfWork, model: Any, *where: Any) -> int:
    return int(await uow.scalar(sa.select(sa.func.count()).select_from(table_of(model)).where(*where)))


async def test_the_dry_run_announces_and_writes_nothing(
    admin: Actor, importing: Importing, maven: ImportMapping, dump: Dump
) -> None:
    before = await dump(admin)
    plan = await importing.plan(admin, maven, SMALL)
    assert await dump(admin) == before
    numbers = {s.name: (s.new, s.repeats, s.rejected) for s in plan.report.steps}
    assert numbers == {
        "Managers": (2, 2, 0),
        "Teams": (2, 2, 0),
        "Sales people": (4, 0, 0),
        "Products": (3, 0, 0),
        "Accounts": (3, 0, 0),
        "Pipeline": (1, 0, 0),
        "Stages": (2, 0, 0),
        "Accounts named under account": (1, 0, 0),
        "Opportunities": (7, 0, 0),
    }
    deals = step_named(plan, "Opportunities")
    assert deals.children == {"opportunity_line": 7}
    assert deals.sums == {"USD": 105400 + 451400 + 5500 + 55000 + 482100 + 5500 + 482100}
    assert dict(deals.notes) == {
        'close_value "0" counts as empty': 1,
        "Accounts that will be created for account": 1,
        'account is empty: "(No account)" is taken': 2,
        "close_value is empty: the list price of the product is taken": 5,
        "engage_date is empty: today is taken": 2,
        "expected_close_on is empty: close_date is taken": 3,
        "expected_close_on is empty: 90 days from today are taken": 4,
    }


async def test_the_run_does_what_was_announced(admin: Actor, importing: Importing, maven: ImportMapping) -> None:
    plan = await importing.plan(admin, maven, SMALL)
    outcome = await importing.run(admin, plan)
    assert (outcome.created, outcome.updated) == (25, 0)
    async with unit_of_work(admin) as uow:
        won = await _one(uow, "Z063OYW0")
        assert (won["status"], won["amount_minor"], won["currency"]) == (OpportunityStatus.won, 451400, "USD")
        assert str(won["actual_close_on"]) == str(won["expected_close_on"]) == "2017-03-11"
        assert (won["probability"], str(won["created_at"])[:10], str(won["stage_entered_at"])[:10]) == (
            100,
            "2016-10-25",
            "2017-03-11",
        )
        line = (await uow.execute(sa.select(_lines).where(_lines.c.opportunity_id == won["id"]))).mappings().one()
        assert (line["name"], line["amount_minor"]) == ("GTX Pro", 451400)
        lost = await _one(uow, "EC4QE1BX")
        assert (lost["status"], lost["amount_minor"]) == (OpportunityStatus.lost, 5500)
        empty = await _one(uow, "PE84CX4O")
        assert empty["amount_minor"] == 482100
        assert empty["created_at"].date() == uow.now.date()
        assert (empty["expected_close_on"] - uow.today).days == 90
        account = (
            (await uow.execute(sa.select(_accounts).where(_accounts.c.id == empty["account_id"]))).mappings().one()
        )
        assert account["name"] == "(No account)"
        bluth = (await uow.execute(sa.select(_accounts).where(_accounts.c.name == "Bluth Company"))).mappings().one()
        acme = (await uow.execute(sa.select(_accounts).where(_accounts.c.name == "Acme Corporation"))).mappings().one()
        assert (bluth["parent_id"], bluth["industry"], bluth["annual_revenue_minor"]) == (
            acme["id"],
            "technology",
            124_232_000_000,
        )
        people = table_of(User)
        ida = (await uow.execute(sa.select(people).where(people.c.name == "Ida Brandt"))).mappings().one()
        assert (ida["status"], ida["email"], ida["password_hash"]) == (
            UserStatus.invited,
            "ida.brandt@maven.example",
            "",
        )
        team = (
            (await uow.execute(sa.select(table_of(Team)).where(table_of(Team).c.id == ida["team_id"]))).mappings().one()
        )
        assert team["name"] == "North: Olga Weiss"
        olga = await uow.scalar(sa.select(people.c.name).where(people.c.id == team["manager_id"]))
        assert olga == "Olga Weiss"
        pipeline_id = await uow.scalar(
            sa.select(table_of(Pipeline).c.id).where(table_of(Pipeline).c.name == "Maven sales")
        )
        shown = await board.board(uow, pipeline_id)
        assert shown.won.sums[0].amount_minor == 105400 + 451400
        assert {c.stage["name"]: c.totals.deals for c in shown.columns} == {"Prospecting": 2, "Engaging": 2}
        assert await _count(uow, StageHistory) == 7


async def test_an_import_is_told_to_the_audit_log_and_to_no_handler(
    admin: Actor, importing: Importing, maven: ImportMapping
) -> None:
    async with unit_of_work(admin) as uow:
        events = await _count(uow, Event)
    await importing.run(admin, await importing.plan(admin, maven, SMALL))
    audit = table_of(AuditEntry)
    async with unit_of_work(admin) as uow:
        assert await _count(uow, Event) == events
        assert await _count(uow, AuditEntry, audit.c.source == "import", audit.c.entity == "opportunity") == 7


async def test_a_second_import_of_the_same_files_changes_nothing(
    admin: Actor, importing: Importing, maven: ImportMapping, dump: Dump
) -> None:
    await importing.run(admin, await importing.plan(admin, maven, SMALL))
    before = await dump(admin)
    plan = await importing.plan(admin, maven, SMALL)
    assert plan.report.writes == 0
    assert step_named(plan, "Opportunities").unchanged == 7
    await importing.run(admin, plan)
    assert await dump(admin) == before


async def test_reverting_leaves_the_workspace_as_it_was(
    admin: Actor, importing: Importing, maven: ImportMapping, dump: Dump
) -> None:
    before = await dump(admin)
    outcome = await importing.run(admin, await importing.plan(admin, maven, SMALL))
    assert await dump(admin) != before
    done = await importing.revert(admin, outcome)
    assert (done.kept_count, sum(done.removed.values())) == (0, outcome.created)
    assert await dump(admin) == before


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the Maven files are not at hand (../shared/data/maven-crm)")
async def test_the_real_files(admin: Actor, importing: Importing, maven: ImportMapping, dump: Dump) -> None:
    before = await dump(admin)
    plan = await importing.plan(admin, maven, REAL)
    new = {s.name: s.new for s in plan.report.steps}
    assert (new["Opportunities"], new["Accounts"], new["Accounts named under account"]) == (8800, 85, 1)
    assert (new["Products"], new["Sales people"], new["Managers"], new["Teams"]) == (7, 35, 6, 6)
    assert plan.report.problems == 0
    notes = dict(step_named(plan, "Opportunities").notes)
    assert notes['account is empty: "(No account)" is taken'] == 1425
    assert notes["engage_date is empty: today is taken"] == 500
    assert notes['close_value "0" counts as empty'] == 2473
    assert notes["close_value is empty: the list price of the product is taken"] == 2089 + 2473
    outcome = await importing.run(admin, plan)
    async with unit_of_work(admin) as uow:
        assert await _count(uow, Opportunity) == 8800
        assert await _count(uow, Account, _accounts.c.name != "(No account)") == 85
        assert await _count(uow, Product) == 7
        pipeline_id = await uow.scalar(
            sa.select(table_of(Pipeline).c.id).where(table_of(Pipeline).c.name == "Maven sales")
        )
        shown = await board.board(uow, pipeline_id)
        assert [(s.currency, s.amount_minor, s.deals) for s in shown.won.sums] == [("USD", 1_000_553_400, 4238)]
        assert {c.stage["name"]: c.totals.deals for c in shown.columns} == {"Prospecting": 500, "Engaging": 1589}
    done = await importing.revert(admin, outcome)
    assert done.kept_count == 0
    assert await dump(admin) == before
