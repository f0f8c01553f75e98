"""Files that other systems export: recognised, joined by the ids they have there, taken back whole."""

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.models.activities.activities import Activity
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.platform.imports import JobStatus
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.platform.imports import outline, profiles, reverting
from crm_app.services.platform.imports.writing import importer
from crm_app.store.uow import unit_of_work
from tests.services.imports.wizard import wizard_of

DATA = next((d for p in Path(__file__).parents if (d := p / "shared" / "data").is_dir()), Path("/nowhere"))
SALESFORCE = DATA / "salesforce-workshop"
HUBSPOT = DATA / "hubspot" / "hubspot-crm-exports-all-customers-2025-04-08.csv"
OBJECTS = ("Task", "Lead", "Opportunity", "Contact", "Account")  # chosen in any order
needs_data = pytest.mark.skipif(not SALESFORCE.is_dir(), reason="the exports are not at hand (../shared/data)")


def rows_of(name: str) -> list[dict[str, str]]:
    with (SALESFORCE / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def rows(actor, model, *columns):
    table = table_of(model)
    async with unit_of_work(actor) as uow:
        return await uow.rows(sa.select(*(table.c[c] for c in columns)).where(table.c.deleted_at.is_(None)))


@needs_data
async def test_five_objects_of_salesforce_in_one_batch(admin, dump):
    before = await dump(admin)
    wizard = await wizard_of(admin)
    for name in OBJECTS:
        await wizard.add_path(SALESFORCE / f"{name}.csv")
    sources = (await wizard.job()).document["sources"]
    assert [s["system"] for s in sources] == [
        "Tasks from Salesforce", "Leads from Salesforce", "Opportunities from Salesforce", "Contacts from Salesforce",
        "Accounts from Salesforce",
    ]  # fmt: skip
    job = await wizard.check()
    assert job.status is JobStatus.checked, job.error
    counts = {s["name"]: (s["rows"], s["new"], s["rejected"], s["duplicates"]) for s in job.report["steps"]}
    assert counts["Account.csv"] == (22, 22, 0, 0) and counts["Lead.csv"] == (60, 60, 0, 0)
    assert counts["Contact.csv"] == (102, 102, 0, 0)
    groups = {s["name"]: s["groups"] for s in job.report["steps"]}
    assert counts["Opportunity.csv"] == (50, 50, 0, 0), groups
    assert counts["Task.csv"] == (75, 75, 0, 0), groups["Task.csv"]
    job = await wizard.run()
    assert job.status is JobStatus.done, job.error
    assert job.report["counted"] == 22 + 102 + 60 + 50 + 75

    names = {r.id: r.name for r in await rows(admin, Account, "id", "name")}
    theirs = {r["Id"]: r["Name"] for r in rows_of("Account")}
    deals = {r.name: names[r.account_id] for r in await rows(admin, Opportunity, "name", "account_id")}
    assert deals == {r["Name"]: theirs[r["AccountId"]] for r in rows_of("Opportunity")}
    people = {r.email: names.get(r.account_id) for r in await rows(admin, Contact, "email", "account_id")}
    assert people == {r["Email"]: theirs.get(r["AccountId"]) for r in rows_of("Contact")} | {
        r["Email"]: theirs[r["Company"]] for r in rows_of("Lead")
    }
    mails = {r.id: r.email for r in await rows(admin, Contact, "id", "email")}
    who = {r["Id"]: r["Email"] for r in (*rows_of("Contact"), *rows_of("Lead"))}
    tasks = await rows(admin, Activity, "subject", "contact_id", "account_id", "kind", "status")
    assert sorted((t.subject, mails[t.contact_id], names.get(t.account_id, "")) for t in tasks) == sorted(
        (r["Subject"], who[r["WhoId"]], theirs.get(r["AccountId"], "")) for r in rows_of("Task")
    )
    assert {t.status.value for t in tasks} == {"planned"} and {t.kind for t in tasks} <= {
        "call",
        "email",
        "meeting",
        "task",
    }
    won = [r for r in await rows(admin, Opportunity, "status", "amount_minor") if r.status.value == "won"]
    assert len(won) == 12
    total = sum(r.amount_minor for r in await rows(admin, Opportunity, "amount_minor"))
    assert total == sum(round(float(r["Amount"]) * 100) for r in rows_of("Opportunity"))

    async with unit_of_work(importer(admin), silent=True) as uow:
        done = await reverting.revert(uow, wizard.job_id)
    assert done.kept_count == 0
    after = await dump(admin)
    assert {t: r for t, r in after.items() if r != before.get(t)}.keys() <= {
        "import_job",
        "notification",  # that it is done
        "number_series",
    }


@needs_data
async def test_an_export_of_hubspot_needs_no_matching(admin):
    wizard = await wizard_of(admin)
    await wizard.add_path(HUBSPOT)
    one = await wizard.source()
    assert one["system"] == "Contacts from HubSpot" and one["entity"] == "contact"
    assert outline.filled(one) == {
        "first_name": "First Name", "last_name": "Last Name", "email": "Email", "phone": "Phone Number",
    }  # fmt: skip
    job = await wizard.check()
    assert [s["new"] for s in job.report["steps"]] == [6], job.report
    assert (await wizard.run()).status is JobStatus.done
    found = await rows(admin, Contact, "first_name", "last_name", "email", "phone")
    assert ("Ayu", "Lestari", "ayu@cafeharian.com", "82112345678") in [tuple(r) for r in found] and len(found) == 6


HEADERS = DATA / "headers" / "crm_export_headers.json"
EXPECTED = {
    "hubspot_contacts": ("HubSpot", "contact", {"first_name", "last_name", "email", "account_id", "owner_id", "title"}),
    "hubspot_companies": ("HubSpot", "account", {"name", "owner_id", "industry", "annual_revenue_minor", "employees"}),
    "hubspot_deals": ("HubSpot", "opportunity", {"name", "stage_id", "amount_minor", "account_id", "actual_close_on"}),
    "pipedrive_deals": ("Pipedrive", "opportunity", {"name", "amount_minor", "stage_id", "account_id", "owner_id"}),
    "pipedrive_people": ("Pipedrive", "contact", {"first_name", "last_name", "email", "phone", "account_id"}),
    "pipedrive_organizations": ("Pipedrive", "account", {"name", "street", "employees", "owner_id"}),
}


@needs_data
@pytest.mark.parametrize("export", EXPECTED)
def test_headings_of_exports_are_recognised(export):
    headings = json.loads(HEADERS.read_text())[export]["headers"]
    system, entity, fields = EXPECTED[export]
    profile = profiles.recognise(headings)
    assert profile is not None and (profile.system, profile.entity) == (system, entity)
    assert fields <= set(profiles.fields_of(profile, headings).values())
    known = {n for n in profile.columns.values() if n not in outline.fields_of(registry.get(entity))}
    assert known == set()  # every field it names is one that a file may fill
    assert profiles.id_heading(profile, headings)


async def test_a_deal_that_pipedrive_calls_won_stands_in_won(admin):
    head = "Deal - ID,Deal - Title,Deal - Value,Deal - Organization,Deal - Stage,Deal - Status,Deal - Deal closed on"
    more = "Deal - Expected close date"
    text = f"{head},{more}\n1,A,100,Acme,Proposal,Won,2024-01-02,\n2,B,50,Acme,Proposal,Open,,2031-01-02\n"
    wizard = await wizard_of(admin)
    await wizard.add("deals.csv", text)
    job = await wizard.check()
    assert job.report["steps"][-1]["new"] == 2, job.report["steps"][-1]["groups"]
    await wizard.run()
    assert sorted((r.name, r.status.value) for r in await rows(admin, Opportunity, "name", "status")) == [
        ("A", "won"), ("B", "open"),
    ]  # fmt: skip
