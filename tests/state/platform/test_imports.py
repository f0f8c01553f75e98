"""The import page, step by step, without a browser: a file, its columns, check, import, back again."""

import pytest
import sqlalchemy as sa

from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.platform import records
from crm_app.services.platform.imports import guided
from crm_app.state.base import AppState
from crm_app.state.platform.imports import ImportState
from crm_app.state.platform.imports_made import ImportsMade
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.tabs import tab_of

DEALS = """Deal name;Company;Value;Expected close date;Stage
Roll-out;Kessler;12.500,00;31.12.2027;Proposal
Renewal;Kessler;800,50;30.11.2027;Propsal
Sensors;Nordwind;;30.11.2027;
"""


async def send(tab, actor, text, name="deals.csv"):
    async def body():
        yield text.encode()

    kept = await uploads.spool(actor, name, body(), endings=guided.ENDINGS)
    assert [e.fn.__name__ for e in await tab.run(ImportState.received, str(kept.id), kept.path.name, kept.size)] == [
        "read"
    ]
    await tab.run(ImportState.read)
    return kept


async def opened(actor):
    tab = await tab_of(actor, "/import")
    await tab.run(ImportState.load)
    await tab.run(ImportsMade.load)
    return tab


def tiles(tab):
    return {t["label"]: t["count"] for t in tab[ImportState].report["tiles"]}


async def count(actor, model):
    table = table_of(model)
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).where(table.c.deleted_at.is_(None)))


async def test_the_page_offers_what_the_role_may_import(manager):
    state = (await opened(manager))[ImportState]
    assert [e["label"] for e in state.entities] == ["Deals", "Accounts"]
    assert state.entity == "opportunity" and state.pipelines == [{"value": "New business", "label": "New business"}]
    assert [s["label"] for s in state.stages][:2] == ["Qualify", "Discovery"]
    assert {"value": "amount_minor", "label": "Amount *"} in state.fields


async def test_who_may_not_import_is_told(alice):
    tab = await opened(alice)
    assert "does not let you import" in tab[ImportState].refused
    assert tab[ImportState].entities == []


async def test_columns_are_matched_and_can_be_changed(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    state = tab[ImportState]
    assert state.phase == "match" and state.file["about"] == "3 rows"
    assert [(c["heading"], c["field"], c["sure"]) for c in state.columns] == [
        ("Deal name", "name", "exact"),
        ("Company", "account_id", "exact"),
        ("Value", "amount_minor", "exact"),
        ("Expected close date", "expected_close_on", "exact"),
        ("Stage", "stage_id", "exact"),
    ]
    await tab.run(ImportState.set_field, 4, "")
    await tab.run(ImportState.set_field, 99, "name")
    assert state.columns[4]["field"] == "" and len(state.columns) == 5


async def test_check_then_import_then_take_back(manager):
    tab = await opened(manager)
    kept = await send(tab, manager, DEALS)
    await tab.run(ImportState.check)
    state = tab[ImportState]
    assert state.phase == "checked" and tiles(tab) == {"New": "1", "To mend": "2"}
    assert state.report["button"] == "Import 1 row" and "2 accounts that" in state.report["lines"][0]
    problems = [(p["row"], p["column"], p["value"]) for p in state.report["problems"]]
    assert problems == [("3", "Stage", "Propsal"), ("4", "Value", "")]
    assert state.report["problems"][0]["remedy"] == 'Did you mean "Proposal"?'
    assert not any("`" in p["remedy"] for p in state.report["problems"])
    assert "Propsal" in uploads.beside(uploads.find(manager, kept.id), guided.MENDED).read_text("utf-8-sig")
    assert await count(manager, Opportunity) == 0

    assert [e.fn.__name__ for e in await tab.run(ImportState.run)] == ["load"]
    await tab.run(ImportsMade.load)
    assert state.phase == "done" and state.result["title"] == "1 deal imported"
    assert await count(manager, Opportunity) == 1 and await count(manager, Account) == 2
    assert not kept.path.exists()

    made = tab[ImportsMade]
    assert [(b["name"], b["what"], b["status"]) for b in made.batches] == [("deals.csv", "3 new", "Imported")]
    await tab.run(ImportsMade.ask, made.batches[0]["id"])
    assert made.asked["name"] == "deals.csv"
    await tab.run(ImportsMade.revert)
    assert made.outcome["lines"] == ["1 deal removed", "2 accounts removed"] and made.busy == ""
    assert made.batches[0]["status"] == "Taken back" and not made.batches[0]["is_there"]
    assert await count(manager, Opportunity) == 0 and await count(manager, Account) == 0


async def test_what_was_worked_on_since_is_kept_and_listed(manager):
    tab = await opened(manager)
    await tab.run(ImportState.choose_entity, "account")
    await send(tab, manager, "Company,City\nKessler,Linz\nNordwind,Kiel\n", "accounts.csv")
    await tab.run(ImportState.check)
    await tab.run(ImportState.run)
    async with unit_of_work(manager) as uow:
        kessler = (await records.find(uow, ACCOUNT, columns=("name",))).rows[0]
        await records.update(uow, ACCOUNT, kessler["id"], {"city": "Wien"})
    await tab.run(ImportsMade.load)
    await tab.run(ImportsMade.ask, tab[ImportsMade].batches[0]["id"])
    await tab.run(ImportsMade.revert)
    outcome = tab[ImportsMade].outcome
    assert outcome["lines"] == ["1 account removed"] and outcome["kept_count"] == 1
    assert outcome["kept"][0] | {"why": ""} == {
        "title": "Kessler", "why": "", "kind": "Account", "href": f"/accounts/{kessler['id']}",
    }  # fmt: skip
    assert tab[ImportsMade].batches[0]["status"] == "Taken back, 1 kept"


async def test_options_reach_the_import(manager, admin):
    tab = await opened(manager)
    await send(tab, manager, "Name,Account,Amount,Close by\nA,Kessler,100,03/04/2027\n")
    await tab.run(ImportState.check)
    assert "may be two different days" in tab[ImportState].report["problems"][0]["said"]
    assert tab[ImportState].report["problems"][0]["remedy"].startswith("Choose at the left")
    await tab.run(ImportState.set_option, "dates", "day")
    assert tab[ImportState].phase == "match" and tab[ImportState].report["tiles"] == []
    await tab.run(ImportState.set_option, "stage_id", "Proposal")
    await tab.run(ImportState.check)
    await tab.run(ImportState.run)
    deals = table_of(Opportunity)
    async with unit_of_work(manager) as uow:
        row = (await uow.rows(sa.select(deals.c.expected_close_on, deals.c.probability)))[0]
    assert (row.expected_close_on.isoformat(), row.probability) == ("2027-04-03", 50)


async def test_without_making_accounts_unknown_ones_are_problems(manager):
    await a_deal(manager, account="Kessler")
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    await tab.run(ImportState.set_option, "create_missing", "false")
    await tab.run(ImportState.check)
    assert ("4", "Company") in [(p["row"], p["column"]) for p in tab[ImportState].report["problems"]]
    await tab.run(ImportState.set_option, "nonsense", "x")
    assert "nonsense" not in tab[ImportState].options


async def test_people_may_be_named_by_e_mail(manager, alice):
    async with unit_of_work(manager) as uow:
        email = await uow.scalar(sa.text("SELECT email FROM crm_user WHERE id = :id"), {"id": alice.user_id})
    tab = await opened(manager)
    await tab.run(ImportState.choose_entity, "account")
    await send(tab, manager, f"Company,Account owner\nKessler,{email}\n", "a.csv")
    await tab.run(ImportState.check)
    assert tiles(tab) == {"New": "1", "To mend": "0"}


async def test_a_choice_that_cannot_work_is_explained(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    await tab.run(ImportState.set_option, "update", "true")
    await tab.run(ImportState.check)
    assert tab[ImportState].phase == "match"
    assert (
        tab[ImportState].error
        == "The columns need one that goes to Number, to tell which opportunities are already here."
    )


async def test_data_that_changed_since_the_check_is_checked_again(manager):
    tab = await opened(manager)
    await tab.run(ImportState.choose_entity, "account")
    await send(tab, manager, "Company\nKessler\nNordwind\n", "a.csv")
    await tab.run(ImportState.check)
    async with unit_of_work(manager) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler"})
    await tab.run(ImportState.run)
    assert tab[ImportState].phase == "match" and "Check all rows again" in tab[ImportState].error
    assert await count(manager, Account) == 1


@pytest.mark.parametrize(
    ("text", "name"), [("", "empty.csv"), ("PK\x00\x01nonsense", "broken.xlsx"), ("\x00\x01", "b.csv")]
)
async def test_a_file_that_is_no_table_is_explained(text, name, manager):
    tab = await opened(manager)
    await send(tab, manager, text, name)
    assert tab[ImportState].phase == "file" and tab[ImportState].error and tab[ImportState].file["id"] == ""


async def test_another_file_takes_the_place_of_the_first(manager):
    tab = await opened(manager)
    first = await send(tab, manager, DEALS)
    await send(tab, manager, "Name\nX\n", "b.csv")
    assert not first.path.exists() and tab[ImportState].file["name"] == "b.csv"
    await tab.run(ImportState.cancel)
    assert tab[ImportState].phase == "file" and tab[ImportState].columns == []


async def test_a_file_of_somebody_else_is_not_read(manager, admin, mallory):
    mine = await opened(manager)
    kept = await send(mine, manager, DEALS)
    for actor in (admin, mallory):
        tab = await opened(actor)
        await tab.run(ImportState.received, str(kept.id), "deals.csv", 1)
        await tab.run(ImportState.read)
        assert tab[ImportState].phase == "file" and "Kessler" not in tab.sent()
    tab = await opened(admin)
    for nonsense in ("", "x", str(new_id())):
        await tab.run(ImportState.received, nonsense, "deals.csv", 1)
        await tab.run(ImportState.read)
        assert tab[ImportState].phase == "file"


async def test_a_right_that_was_taken_away_midway_stops_the_import(workspace, admin):
    person = await workspace.person("Marc", role="manager")
    tab = await opened(person)
    await send(tab, person, DEALS)
    await tab.run(ImportState.check)
    async with unit_of_work(admin) as uow:
        await uow.execute(
            sa.text("UPDATE crm_user SET role_id = :role WHERE id = :id"),
            {"role": workspace.roles["read_only"], "id": person.user_id},
        )
    await tab.run(ImportState.run)
    assert tab[ImportState].phase == "match" and "role" in tab[ImportState].error
    assert await count(admin, Opportunity) == 0


async def test_reps_see_no_imports_of_others_and_take_none_back(manager, alice, mallory):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    await tab.run(ImportState.check)
    await tab.run(ImportState.run)
    await tab.run(ImportsMade.load)
    batch_id = tab[ImportsMade].batches[0]["id"]
    for actor in (alice, mallory):
        other = await opened(actor)
        assert other[ImportsMade].batches == []
        await other.run(ImportsMade.ask, batch_id)
        assert other[ImportsMade].asked["id"] == ""
        other[ImportsMade].asked = {"id": batch_id, "name": "x", "what": ""}
        await other.run(ImportsMade.revert)
        assert other[AppState].notices[-1]["kind"] == "error"
    assert await count(manager, Opportunity) == 1


async def test_work_whose_process_died_does_not_lock_the_page(manager):
    tab = await opened(manager)
    await send(tab, manager, DEALS)
    tab[ImportState].phase, tab[ImportState]._beat = "checking", 0.0
    await tab.run(ImportState.load)
    assert tab[ImportState].phase == "match"
