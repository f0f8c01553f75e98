"""The import wizard, step by step, without a browser: files, their columns, check, import, back again."""

import pytest
import sqlalchemy as sa

from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.platform import records
from crm_app.services.platform.imports import guided, jobs
from crm_app.state.platform.import_grid import ImportGrid
from crm_app.state.platform.imports import ImportState
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work
from tests.state.tabs import tab_of
from tests.work import work_off

DEALS = """Deal name;Company;Value;Expected close date;Stage
Roll-out;Kessler;12.500,00;31.12.2027;Proposal
Renewal;Kessler;800,50;30.11.2027;Propsal
Sensors;Nordwind;;30.11.2027;
Anchor;Nordwind;5,00;30.11.2027;Odd
"""


async def send(tab, actor, text, name="deals.csv"):
    async def body():
        yield text.encode()

    kept = await uploads.spool(actor, name, body(), endings=guided.ENDINGS)
    (event,) = await tab.run(ImportState.received, str(kept.id), kept.path.name, kept.size)
    assert event.handler.fn.__name__ == "read"
    await tab.run(ImportState.read, str(kept.id))
    await done(tab)
    return kept


async def done(tab):
    """The work in the background, and what the page hears of it."""
    await work_off()
    await tab.run(ImportState.load)
    await tab.run(ImportGrid.refresh)


async def opened(actor):
    tab = await tab_of(actor, "/import")
    await tab.run(ImportState.load)
    await tab.run(ImportsMade.load)
    return tab


def counts(tab):
    return {t["value"]: t["count"] for t in tab[ImportState].report["tabs"]}


async def count(actor, model):
    table = table_of(model)
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).where(table.c.deleted_at.is_(None)))


async def test_the_page_offers_what_the_role_may_import(manager):
    state = (await opened(manager))[ImportState]
    assert [e["label"] for e in state.entities][:5] == ["Accounts", "Contacts", "Deals", "Activities", "Products"]
    assert state.phase == "file"


async def test_who_may_not_import_is_told(alice):
    tab = await opened(alice)
    assert "does not let you import" in tab[ImportState].refused
    assert tab[ImportState].entities == []


async def test_a_file_is_recognised_and_checked_at_once(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    state, grid = tab[ImportState], tab[ImportGrid]
    assert state.phase == "match" and state.sources[0]["label"] == "Deals"
    assert [(c["heading"], c["field"]) for c in state.columns] == [
        ("Deal name", "name"), ("Company", "account_id"), ("Value", "amount_minor"),
        ("Expected close date", "expected_close_on"), ("Stage", "stage_id"),
    ]  # fmt: skip
    assert state.columns[4]["open"] == 1  # Propsal is Proposal, Odd is nothing
    assert counts(tab) == {"all": "4", "ready": "2", "fix": "2", "double": "0"}
    assert state.job["button"] == "Import 2 rows" and "2 accounts that" in " ".join(state.report["lines"])
    assert [r["kind"] for r in grid.rows] == ["ready", "ready", "fix", "fix"]
    wrong = [(r["row"], c["heading"], c["text"]) for r in grid.rows for c in r["cells"] if c["wrong"]]
    assert wrong == [("4", "Value", ""), ("5", "Stage", "Odd")]
    assert await count(manager, Opportunity) == 0


async def test_mended_matched_imported_and_taken_back(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    await tab.run(ImportGrid.open_texts, "stage_id")
    assert {t["text"]: t["to"] for t in tab[ImportGrid].matched["texts"]} == {
        "Proposal": "Proposal", "Propsal": "Proposal", "Odd": "",
    }  # fmt: skip
    await tab.run(ImportGrid.set_text, "Odd", "Qualify")
    await tab.run(ImportGrid.close_texts)
    await tab.run(ImportGrid.fix, "4", "Value", "1.000,00")
    assert not tab[ImportState].job["is_checked"]
    await done(tab)
    assert counts(tab) == {"all": "4", "ready": "4", "fix": "0", "double": "0"}
    await tab.run(ImportState.run)
    assert tab[ImportState].phase == "run"
    await done(tab)
    state = tab[ImportState]
    assert state.phase == "done" and state.result["title"] == "4 deals imported"
    assert await count(manager, Opportunity) == 4 and await count(manager, Account) == 2

    made = tab[ImportsMade]
    await tab.run(ImportsMade.load)
    assert [(b["name"], b["what"], b["status"]) for b in made.batches] == [("deals.csv", "6 new", "Imported")]
    await tab.run(ImportsMade.ask, made.batches[0]["id"])
    await tab.run(ImportsMade.revert)
    assert made.outcome["lines"] == ["4 deals removed", "2 accounts removed"] and made.busy == ""
    assert await count(manager, Opportunity) == 0 and await count(manager, Account) == 0
    await tab.run(ImportState.close)
    assert state.phase == "file"


async def test_another_tab_shows_the_same_import(manager):
    await send(await opened(manager), manager, DEALS)
    again = await opened(manager)
    assert again[ImportState].phase == "match" and counts(again)["all"] == "4"


async def test_what_was_worked_on_since_is_kept_and_listed(manager):
    tab = await opened(manager)
    await send(tab, manager, "Company,City\nKessler,Linz\nNordwind,Kiel\n", "accounts.csv")
    assert tab[ImportState].sources[0]["entity"] == "account"
    await tab.run(ImportState.run)
    await done(tab)
    async with unit_of_work(manager) as uow:
        kessler = (await records.find(uow, ACCOUNT, columns=("name",))).rows[0]
        await records.update(uow, ACCOUNT, kessler["id"], {"city": "Wien"})
    await tab.run(ImportsMade.load)
    await tab.run(ImportsMade.ask, tab[ImportsMade].batches[0]["id"])
    await tab.run(ImportsMade.revert)
    outcome = tab[ImportsMade].outcome
    assert outcome["lines"] == ["1 account removed"] and outcome["kept_count"] == 1
    assert tab[ImportsMade].batches[0]["status"] == "Taken back, 1 kept"


async def test_options_reach_the_import(manager):
    tab = await opened(manager)
    await send(tab, manager, "Name,Account,Amount,Close by\nA,Kessler,100,03/04/2027\n")
    assert "may be two different days" in tab[ImportState].report["groups"][0]["said"]
    await tab.run(ImportState.set_option, "dates", "day")
    await tab.run(ImportState.set_option, "stage_id", "Proposal")
    await done(tab)
    await tab.run(ImportState.run)
    await done(tab)
    deals = table_of(Opportunity)
    async with unit_of_work(manager) as uow:
        row = (await uow.rows(sa.select(deals.c.expected_close_on, deals.c.probability)))[0]
    assert (row.expected_close_on.isoformat(), row.probability) == ("2027-04-03", 50)


async def test_doubles_are_decided_band_by_band_and_row_by_row(manager):
    async with unit_of_work(manager) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler"})
    tab = await opened(manager)
    await send(tab, manager, "Company,City\nKessler,Linz\nBeta,Rom\n", "accounts.csv")
    assert counts(tab) == {"all": "2", "ready": "1", "fix": "0", "double": "1"} and tab[ImportState].report["sure"] == 1
    await tab.run(ImportGrid.show_tab, "double")
    assert [(r["title"], r["act"]) for r in tab[ImportGrid].rows] == [("Kessler", "skip")]
    await tab.run(ImportGrid.decide_row, "2", "update")
    await done(tab)
    assert "1 row will be updated" in tab[ImportState].report["lines"]


async def test_a_choice_that_cannot_work_is_explained(manager):
    tab = await opened(manager)
    await send(tab, manager, "Foo,Bar\n1,2\n", "x.csv")
    assert "are not matched yet" in tab[ImportState].error
    await tab.run(ImportGrid.choose_field, "Foo", "name")
    assert tab[ImportState].error == ""
    await tab.run(ImportGrid.choose_field, "Foo", "password")
    assert tab[ImportState].columns[0]["field"] == "name"


async def test_a_field_is_made_for_a_column_that_has_none(admin):
    tab = await opened(admin)
    await send(tab, admin, "Company,Tier,Seats\nKessler,Gold,3\nNordwind,Silver,\n", "accounts.csv")
    await tab.run(ImportGrid.choose_field, "Tier", "+")
    assert tab[ImportGrid].new_field["heading"] == "Tier"
    await tab.run(ImportGrid.make_field, {"field-label": "Tier", "field-kind": "choice"})
    await tab.run(ImportGrid.choose_field, "Seats", "+")
    await tab.run(ImportGrid.make_field, {"field-label": "", "field-kind": "number"})
    assert tab[ImportGrid].new_field["error"]
    await tab.run(ImportGrid.make_field, {"field-label": "Seats", "field-kind": "number"})
    assert [c["field"] for c in tab[ImportState].columns] == ["name", "custom.tier", "custom.seats"]
    await done(tab)
    await tab.run(ImportState.run)
    await done(tab)
    assert tab[ImportState].phase == "done", tab[ImportState].error
    table = table_of(Account)
    async with unit_of_work(admin) as uow:
        found = {r.name: r.custom for r in await uow.rows(sa.select(table.c.name, table.c.custom))}
    assert found == {"Kessler": {"tier": "gold", "seats": 3}, "Nordwind": {"tier": "silver"}}


@pytest.mark.parametrize(
    ("text", "name"), [("", "empty.csv"), ("PK\x00\x01nonsense", "broken.xlsx"), ("\x00\x01", "b.csv")]
)
async def test_what_is_no_table_is_told(manager, text, name):
    tab = await opened(manager)
    await send(tab, manager, text, name)
    state = tab[ImportState]
    assert state.phase == "file" and state.error and state.reading == ""


async def test_cancel_puts_it_away(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    await tab.run(ImportState.cancel)
    assert tab[ImportState].phase == "file"
    async with unit_of_work(manager) as uow:
        assert await jobs.open_one(uow) is None
