"""The import of one file as the page does it: matching, check, run, rows to mend; files that are kept meanwhile."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.platform import records
from crm_app.services.platform.imports import batches, guided, reverting, suggesting
from crm_app.services.platform.imports.guided import Choices
from crm_app.services.platform.imports.suggesting import Sureness
from crm_app.services.platform.imports.writing import importer
from crm_app.store import uploads
from crm_app.store.uow import unit_of_work

DEALS = """Deal name;Company;Value;Deal stage;Close date;Owner
Roll-out;Kessler;12.500,00;Proposal;31.12.2027;{owner}
Renewal;Kessler;800,50;Won;01.02.2026;{owner}
Sensors;Nordwind AG;-5;Qualify;31.12.2027;{owner}
Scanner;;9.000,00;Qualify;31.12.2027;{owner}
Pallets;Kessler;9.000,00;Nonsense;31.12.2027;Nobody
"""


@pytest.fixture
def folder(tmp_path):
    def write(text, name="deals.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def suggested(actor, entity_name, headings):
    entity = registry.get(entity_name)
    found = suggesting.suggest(entity, suggesting.fields_for(actor, entity), headings)
    return {h: s.field for h, s in found.items()}


def matched(actor, entity_name, path, **more):
    seen = guided.look(path)
    columns = {h: f for h, f in suggested(actor, entity_name, [c.heading for c in seen.columns]).items() if f}
    return guided.mapping_of(path.name, Choices(entity_name, columns, **more))


async def checked(actor, mapping, folder):
    async with unit_of_work(actor) as uow:
        return await guided.check(uow, mapping, folder)


async def imported(actor, mapping, folder, announced):
    async with unit_of_work(importer(actor), silent=True) as uow:
        return await guided.run(uow, mapping, folder, announced)


async def count(actor, model):
    async with unit_of_work(actor) as uow:
        table = table_of(model)
        return await uow.scalar(sa.select(sa.func.count()).where(table.c.deleted_at.is_(None)))


async def test_headings_find_their_fields(admin):
    assert suggested(
        admin, "opportunity", ["opportunity_id", "Sales agent", "product", "Account", "deal_stage", "close_value", "x"]
    ) == {
        "opportunity_id": "number", "Sales agent": "owner_id", "product": "product_id", "Account": "account_id",
        "deal_stage": "stage_id", "close_value": "amount_minor", "x": "",
    }  # fmt: skip
    assert suggested(
        admin, "account", ["Firma", "Straße", "PLZ", "Ort", "Land", "Umsatz", "Kundenbetreuer", "E-Mail", "Bemerkung 2"]
    ) == {
        "Firma": "name", "Straße": "street", "PLZ": "postal_code", "Ort": "city", "Land": "country",
        "Umsatz": "annual_revenue_minor", "Kundenbetreuer": "owner_id", "E-Mail": "email", "Bemerkung 2": "description",
    }  # fmt: skip


async def test_a_field_is_suggested_once_and_exact_names_come_first(admin):
    found = suggested(admin, "account", ["Acount name", "Name", "Company"])
    assert found == {"Acount name": "", "Name": "name", "Company": ""}
    entity = registry.get("account")
    likely = suggesting.suggest(entity, suggesting.fields_for(admin, entity), ["Acount name", "Webiste"])
    assert likely["Acount name"].sureness is Sureness.alike and likely["Webiste"].field == "website"


async def test_hidden_fields_are_not_offered(admin):
    blind = replace(admin, hidden_fields=frozenset({"account.annual_revenue_minor"}))
    assert suggested(blind, "account", ["Revenue"]) == {"Revenue": ""}


async def test_a_file_is_looked_at_before_anything_is_chosen(folder):
    seen = guided.look(folder("Name;Ort\nKessler;Linz\nNordwind;\nKessler;Linz\n", "a.csv") / "a.csv")
    assert seen.rows == 3
    assert [(c.heading, c.samples, c.filled) for c in seen.columns] == [
        ("Name", ("Kessler", "Nordwind"), 3),
        ("Ort", ("Linz",), 2),
    ]


async def test_from_file_to_records_and_back(manager, folder):
    place = folder(DEALS.format(owner=manager.name))
    mapping = matched(manager, "opportunity", place / "deals.csv", create_missing=frozenset({"account_id"}))
    report = await checked(manager, mapping, place)
    deals = next(s for s in report.steps if not s.is_related)
    assert (deals.rows, deals.new, deals.rejected) == (5, 2, 3)
    assert {p.row for p in deals.problems} == {4, 5, 6}
    assert await count(manager, Opportunity) == 0 and await count(manager, Account) == 0
    outcome = await imported(manager, mapping, place, guided.fingerprint(report))
    assert outcome.created == 3  # two deals, and Kessler
    async with unit_of_work(manager) as uow:
        deals_table = table_of(Opportunity)
        rows = await uow.rows(
            sa.select(deals_table.c.name, deals_table.c.amount_minor, deals_table.c.status).order_by("name")
        )
    assert [(r.name, r.amount_minor, r.status.value) for r in rows] == [
        ("Renewal", 80_050, "won"),
        ("Roll-out", 1_250_000, "open"),
    ]
    async with unit_of_work(importer(manager), silent=True) as uow:
        back = await reverting.revert(uow, outcome.batch_id)
    assert back.removed == {"opportunity": 2, "account": 1} and back.kept_count == 0
    assert await count(manager, Opportunity) == 0 and await count(manager, Account) == 0


async def test_rows_to_mend_say_what_is_wrong_and_cannot_run_as_formulas(manager, folder):
    place = folder("Name,Website,Employees\n=2+2,kessler.example,12\n,nowhere.example,-3\n", "a.csv")
    mapping = matched(manager, "account", place / "a.csv")
    report = await checked(manager, mapping, place)
    text = guided.rows_to_mend(place / "a.csv", [p for s in report.steps for p in s.problems])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [r["Website"] for r in rows] == ["nowhere.example"]
    assert rows[0]["What is wrong"].startswith("Employees: must be at least 0") and rows[0]["Employees"] == "-3"
    hostile = guided.rows_to_mend(place / "a.csv", [replace(report.steps[0].problems[0], row=2)])
    assert "'=2+2" in hostile


async def test_known_accounts_are_updated_only_when_asked_for(manager, folder):
    async with unit_of_work(manager) as uow:
        kessler = await records.create(uow, ACCOUNT, {"name": "Kessler", "city": "Graz"})
    place = folder("Company,City\nKessler,Linz\nNordwind,Bremen\nNordwind,Kiel\n", "a.csv")
    columns = {"Company": "name", "City": "city"}
    keep = await checked(manager, guided.mapping_of("a.csv", Choices("account", columns)), place)
    assert (keep.steps[0].new, keep.steps[0].duplicates, keep.steps[0].updated) == (1, 2, 0)
    mapping = guided.mapping_of("a.csv", Choices("account", columns, update=True))
    report = await checked(manager, mapping, place)
    assert (report.steps[0].new, report.steps[0].updated, report.steps[0].duplicates) == (1, 1, 1)
    await imported(manager, mapping, place, guided.fingerprint(report))
    async with unit_of_work(manager) as uow:
        assert (await records.read(uow, ACCOUNT, kessler.id)).city == "Linz"


async def test_what_changed_since_the_check_is_not_imported_unseen(manager, folder):
    place = folder("Company\nKessler\nNordwind\n", "a.csv")
    mapping = matched(manager, "account", place / "a.csv")
    announced = guided.fingerprint(await checked(manager, mapping, place))
    async with unit_of_work(manager) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler"})
    with pytest.raises(Conflict, match="Check all rows again"):
        await imported(manager, mapping, place, announced)
    assert await count(manager, Account) == 1


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (Choices("account", {}), "not matched yet"),
        (Choices("account", {"A": "name", "B": "name"}), "two columns go to Name"),
        (Choices("account", {"A": "city"}, update=True), "goes to Name"),
        (Choices("opportunity", {"A": "name"}, update=True), "goes to Number"),
        (Choices("account", {"A": "tenant_id"}), "no field tenant_id"),
        (Choices("opportunity", {"A": "health"}), "set by the system"),
    ],
)
async def test_choices_that_do_not_fit_are_explained(choices, said):
    with pytest.raises(Invalid) as refusal:
        guided.mapping_of("a.csv", choices)
    assert said in str(refusal.value)


async def test_importing_needs_its_right(alice, reader, folder):
    place = folder("Company\nKessler\n", "a.csv")
    for actor in (alice, reader):
        with pytest.raises(Forbidden):
            await checked(actor, matched(actor, "account", place / "a.csv"), place)


async def test_another_tenant_neither_sees_nor_takes_back_an_import(manager, mallory, folder):
    place = folder("Company\nKessler\n", "a.csv")
    mapping = matched(manager, "account", place / "a.csv")
    report = await checked(manager, mapping, place)
    outcome = await imported(manager, mapping, place, guided.fingerprint(report))
    async with unit_of_work(mallory) as uow:
        assert await batches.listed(uow) == []
    with pytest.raises(NotFound):
        async with unit_of_work(importer(mallory), silent=True) as uow:
            await reverting.revert(uow, outcome.batch_id)


async def chunks(*parts):
    for part in parts:
        yield part


async def test_an_upload_is_its_senders_alone(alice, bob, mallory):
    kept = await uploads.spool(alice, "deals.csv", chunks(b"Name\n", b"Kessler\n"), endings=guided.ENDINGS)
    assert kept.size == 13 and uploads.find(alice, kept.id).path.read_bytes() == b"Name\nKessler\n"
    for actor in (bob, mallory):
        with pytest.raises(NotFound):
            uploads.find(actor, kept.id)
        uploads.discard(actor, kept.id)
    assert uploads.find(alice, kept.id).size == 13
    uploads.discard(alice, kept.id)
    with pytest.raises(NotFound):
        uploads.find(alice, kept.id)
    with pytest.raises(NotFound):
        uploads.find(alice, new_id())


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\deals.XLSX", "deals.XLSX"),
        ("a\x00b\n.csv", "a_b_.csv"),
        ("x" * 400 + ".csv", "x" * 120 + ".csv"),
        (".hidden.csv", "hidden.csv"),
    ],
)
async def test_names_lead_nowhere(name, safe, alice):
    kept = await uploads.spool(alice, name, chunks(b"x"), endings=guided.ENDINGS)
    assert kept.path.name == safe
    assert uploads.find(alice, kept.id).path == kept.path


@pytest.mark.parametrize("name", ["deals.exe", "deals", "", "csv", "...csv"])
async def test_other_kinds_of_files_are_refused(name, alice):
    with pytest.raises(Invalid, match="CSV"):
        await uploads.spool(alice, name, chunks(b"x"), endings=guided.ENDINGS)


async def test_a_file_that_is_too_large_leaves_nothing_behind(alice, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 10)
    with pytest.raises(Invalid, match="larger"):
        await uploads.spool(alice, "a.csv", chunks(b"12345", b"678901"), endings=guided.ENDINGS)
    home = uploads.home(alice)
    assert list(home.iterdir()) == []


async def test_what_nobody_came_back_for_is_swept(alice):
    kept = await uploads.spool(alice, "a.csv", chunks(b"x"), endings=guided.ENDINGS)
    now = datetime.now(UTC)
    uploads.sweep(now)
    assert uploads.find(alice, kept.id)
    assert uploads.sweep(now + timedelta(days=2)) >= 1
    with pytest.raises(NotFound):
        uploads.find(alice, kept.id)
