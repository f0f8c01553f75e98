"""Taking an import back: what people worked on since stays, and is listed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.errors import Conflict, Forbidden, NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.platform.imports import ImportStatus
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity
from crm_app.services.activities import activities
from crm_app.services.platform import records
from crm_app.services.platform.imports import batches
from crm_app.services.platform.imports.mapping import ImportMapping
from crm_app.services.sales import activity_facts
from crm_app.store.uow import unit_of_work
from tests.services.imports.conftest import Dump, Importing
from tests.services.imports.test_maven import SMALL

COLUMNS = "{Name: name, City: city, Tags: tags, Since: founded_year}"
ACCOUNTS = f"steps: [{{file: a.csv, entity: account, key: name, columns: {COLUMNS}}}]"
_accounts, _deals = table_of(Account), table_of(Opportunity)


async def test_old_values_come_back(admin: Actor, importing: Importing) -> None:
    async with unit_of_work(admin) as uow:
        old = await records.create(
            uow, ACCOUNT, {"name": "Acme", "city": "Bonn", "tags": ["a", "b"], "founded_year": None}
        )
    outcome = await importing.bring_in(admin, ACCOUNTS, {"a.csv": "Name,City,Tags,Since\nACME,Köln,c,1999\nHooli,,,\n"})
    assert (outcome.created, outcome.updated) == (1, 1)
    done = await importing.revert(admin, outcome)
    assert (done.removed, done.restored, done.kept_count) == ({"account": 1}, {"account": 1}, 0)
    async with unit_of_work(admin) as uow:
        found = (await uow.execute(sa.select(_accounts))).mappings().one()
    assert {n: found[n] for n in ("id", "name", "city", "tags", "founded_year", "sort_key", "version")} == {
        "id": old.id, "name": "Acme", "city": "Bonn", "tags": ["a", "b"], "founded_year": None, "sort_key": "acme",
        "version": 3,
    }  # fmt: skip


async def test_what_was_edited_since_stays(admin: Actor, importing: Importing) -> None:
    outcome = await importing.bring_in(
        admin, ACCOUNTS, {"a.csv": "Name,City,Tags,Since\nAcme,Köln,,\nHooli,,,\nGlobex,,,\n"}
    )
    async with unit_of_work(admin) as uow:
        ids = {r.name: r.id for r in await uow.rows(sa.select(_accounts.c.name, _accounts.c.id))}
        await records.update(uow, ACCOUNT, ids["Acme"], {"city": "Trier"})
        await records.create(uow, CONTACT, {"last_name": "Newcomer", "account_id": ids["Hooli"]})
    done = await importing.revert(admin, outcome)
    assert done.removed == {"account": 1}
    assert [(k.title, k.why) for k in done.kept] == [("Acme", "edited since"), ("Hooli", "needed by later work")]
    async with unit_of_work(admin) as uow:
        assert [b.status for b in await batches.listed(uow)] == [ImportStatus.reverted]
    with pytest.raises(Conflict, match="reverted already"):
        await importing.revert(admin, outcome)


async def test_a_kept_deal_keeps_what_it_needs(admin: Actor, importing: Importing, maven: ImportMapping) -> None:
    outcome = await importing.run(admin, await importing.plan(admin, maven, SMALL))
    async with unit_of_work(admin) as uow:
        deal_id = await uow.scalar(sa.select(_deals.c.id).where(_deals.c.number == "9ME3374G"))
        await activities.log(uow, kind="call", subject="Talked after the import", opportunity_id=deal_id)
    done = await importing.revert(admin, outcome)
    kept = {(k.entity, k.title): k.why for k in done.kept}
    assert set(kept) == {
        ("opportunity", "GTX Pro, Bluth Company"), ("account", "Bluth Company"), ("account", "Acme Corporation"),
        ("product", "GTX Pro"), ("user", "Zoë Álvarez"), ("user", "Ravi Menon"), ("team", "South: Ravi Menon"),
        ("pipeline", "Maven sales"), ("stage", "Engaging"),
    }  # fmt: skip
    assert done.removed["opportunity"] == 6
    async with unit_of_work(admin) as uow:
        assert (await uow.get(Opportunity, deal_id)).name == "GTX Pro, Bluth Company"


async def test_the_clock_is_no_editor(admin: Actor, importing: Importing, maven: ImportMapping, dump: Dump) -> None:
    before = await dump(admin)
    outcome = await importing.run(admin, await importing.plan(admin, maven, SMALL))
    async with unit_of_work(admin) as uow:
        later = uow.now + timedelta(days=200)
    async with unit_of_work(admin, now=later, silent=True) as uow:
        assert await activity_facts.refresh_due(uow) > 0
    await importing.revert(admin, outcome)
    assert await dump(admin) == before


async def test_a_thrown_away_record_stays_in_the_trash(admin: Actor, importing: Importing) -> None:
    outcome = await importing.bring_in(admin, ACCOUNTS, {"a.csv": "Name,City,Tags,Since\nAcme,,,\n"})
    async with unit_of_work(admin) as uow:
        await records.delete(uow, ACCOUNT, await uow.scalar(sa.select(_accounts.c.id)))
    done = await importing.revert(admin, outcome)
    assert [(k.title, k.why) for k in done.kept] == [("Acme", "in the trash")]


async def test_who_may_take_back(admin: Actor, alice: Actor, mallory: Actor, importing: Importing) -> None:
    outcome = await importing.bring_in(admin, ACCOUNTS, {"a.csv": "Name,City,Tags,Since\nAcme,,,\n"})
    with pytest.raises(Forbidden):
        await importing.revert(alice, outcome)
    with pytest.raises(NotFound):
        await importing.revert(mallory, outcome)
    async with unit_of_work(alice) as uow:
        assert await batches.listed(uow) == []
    async with unit_of_work(mallory) as uow:
        assert await batches.listed(uow) == []
    async with unit_of_work(admin) as uow:
        assert [(b.name, b.created, b.user) for b in await batches.listed(uow)] == [("Import", 1, "Ada Admin")]


async def test_a_deal_of_somebody_else_in_an_imported_pipeline_keeps_it(
    admin: Actor, importing: Importing, maven: ImportMapping
) -> None:
    outcome = await importing.run(admin, await importing.plan(admin, maven, SMALL))
    async with unit_of_work(admin) as uow:
        stage_id = await uow.scalar(sa.select(_deals.c.stage_id).where(_deals.c.number == "PE84CX4O"))
        account = await records.create(uow, ACCOUNT, {"name": "Own"})
        values = {
            "name": "Own deal",
            "account_id": account.id,
            "amount_minor": 100,
            "expected_close_on": uow.today,
            "stage_id": stage_id,
        }
        await records.create(uow, OPPORTUNITY, values)
    done = await importing.revert(admin, outcome)
    assert {(k.entity, k.title) for k in done.kept} == {("pipeline", "Maven sales"), ("stage", "Prospecting")}
