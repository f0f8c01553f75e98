"""What a dry run finds wrong, row by row, and what a run then does."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.errors import Conflict, Forbidden, Invalid
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.sales.opportunities import Opportunity
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.services.imports.conftest import Importing, told

ACCOUNTS = """
steps:
  - file: a.csv
    entity: account
    key: name
    columns: {Name: name, City: city, Staff: employees, Mail: email}
"""
DEALS = """
currency: EUR
steps:
  - file: deals.csv
    entity: opportunity
    columns:
      {Deal: name, Account: account, Stage: stage, Value: amount, Close: expected_close, Closed: actual_close,
       Owner: owner}
    links: {account: {match: folded, create_missing: true}}
"""
UNKNOWN = "correct the name, or create what is missing with `create_missing: true`"
_accounts, _deals = table_of(Account), table_of(Opportunity)


async def _names(uow: UnitOfWork) -> list[str]:
    return sorted(r.name for r in await uow.rows(sa.select(_accounts.c.name).where(_accounts.c.deleted_at.is_(None))))


async def test_every_cell_that_does_not_fit_is_told_with_its_row(admin: Actor, importing: Importing) -> None:
    mapping = importing.mapping(
        ACCOUNTS,
        {
            "a.csv": f"Name,City,Staff,Mail\nAcme,Bonn,12,\n,Bonn,,\nGlobex,{'x' * 101},many,nobody\n"
            "acme,Wien,3,\nInitech,a,b,c,d\nHooli,,-1,\n"
        },
    )
    plan = await importing.plan(admin, mapping)
    report = plan.report.steps[0]
    assert (report.rows, report.new, report.duplicates, report.rejected) == (6, 1, 1, 4)
    assert told(report) == [
        "row 3: Name: is required (fill it in the file, or say what to take under `if_empty`)",
        f'row 4: City: "{"x" * 101}" is too long: 101 characters, at most 100 (shorten it in the file)',
        'row 4: Staff: "many" is no number (write digits only, like 1250 or 12.5)',
        'row 4: Mail: "nobody" is no e-mail address (write it like name@example.com, or leave it empty)',
        'row 5: Name: "acme" is in the file twice; the first row counts',
        "row 6: has 5 cells under 4 headings (a separator inside a cell needs quotation marks around the cell)",
        'row 7: Staff: "-1" must be at least 0 (correct it in the file, or map it to another value)',
    ]
    outcome = await importing.run(admin, plan)
    assert outcome.created == 1


@pytest.mark.parametrize(
    ("mode", "numbers"), [("create", (1, 0, 0, 2, 0)), ("update", (0, 1, 1, 0, 1)), ("upsert", (1, 1, 1, 0, 0))]
)
async def test_known_and_unknown_keys(admin: Actor, importing: Importing, mode: str, numbers: tuple[int, ...]) -> None:
    async with unit_of_work(admin) as uow:
        for name, city in (("Acme", "Bonn"), ("Globex", "Wien")):
            await records.create(uow, ACCOUNT, {"name": name, "city": city})
    text = f"steps: [{{file: a.csv, entity: account, key: name, mode: {mode}, columns: {{Name: name, City: city}}}}]"
    plan = await importing.plan(
        admin, importing.mapping(text, {"a.csv": "Name,City\nACME,Köln\nGlobex,Wien\nHooli,Graz\n"})
    )
    r = plan.report.steps[0]
    assert (r.new, r.updated, r.unchanged, r.duplicates, r.rejected) == numbers
    await importing.run(admin, plan)
    async with unit_of_work(admin) as uow:
        assert len(await _names(uow)) == 2 + r.new
        city = await uow.scalar(sa.select(_accounts.c.city).where(sa.func.lower(_accounts.c.name) == "acme"))
        assert city == ("Bonn" if mode == "create" else "Köln")


async def test_an_empty_cell_leaves_a_known_record_alone(admin: Actor, importing: Importing) -> None:
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Acme", "city": "Bonn", "employees": 5})
    text = ACCOUNTS + "    if_empty: {city: Unknown}\n"
    await importing.bring_in(admin, text, {"a.csv": "Name,City,Staff,Mail\nAcme,,7,\nHooli,,,\n"})
    async with unit_of_work(admin) as uow:
        found = {
            r.name: (r.city, r.employees)
            for r in await uow.rows(sa.select(_accounts.c.name, _accounts.c.city, _accounts.c.employees))
        }
    assert found == {"Acme": ("Bonn", 7), "Hooli": ("Unknown", None)}


async def test_deals_find_what_they_belong_to_or_have_it_created(
    admin: Actor, alice: Actor, importing: Importing
) -> None:
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Acme Corp."})
    rows = (
        "Deal,Account,Stage,Value,Close,Closed,Owner\n"
        "One,ACME,Proposal,1500,2031-05-01,,Alice\n"
        "Two,Globex GmbH,Won,900,,2024-05-01,Alice\n"
        "Three,globex,Lost,50,2024-04-01,2024-04-02,\n"
        "Four,Acme,Nowhere,10,2031-05-01,,Alice\n"
        "Five,Acme,Won,10,2031-05-01,,Alice\n"
        "Six,Acme,Qualify,0,2031-05-01,,Alise\n"
        "Seven,Acme,Won,10,,2999-01-01,\n"
    )
    plan = await importing.plan(admin, importing.mapping(DEALS, {"deals.csv": rows}))
    accounts, deals = plan.report.steps
    assert (accounts.new, deals.new, deals.rejected) == (1, 3, 4)
    assert told(deals) == [
        f'row 5: Stage: "Nowhere" is no stage here ({UNKNOWN})',
        "row 6: Closed: is missing on a closed deal (map the day it was closed, or say what to take under `if_empty`)",
        'row 7: Value: "0" must be more than zero (correct it in the file, or map it to another value)',
        'row 8: Closed: "2999-01-01" lies in the future (correct the day)',
    ]
    await importing.run(admin, plan)
    async with unit_of_work(admin) as uow:
        found = {r["name"]: r for r in (await uow.execute(sa.select(_deals))).mappings()}
        assert {n: (d["status"].value, d["probability"], d["owner_id"]) for n, d in found.items()} == {
            "One": ("open", 50, alice.user_id), "Two": ("won", 100, alice.user_id), "Three": ("lost", 0, admin.user_id),
        }  # fmt: skip
        assert found["Two"]["account_id"] == found["Three"]["account_id"]
        year = uow.today.year
        assert sorted(d["number"] for d in found.values()) == [f"OPP-{year}-000{i}" for i in (1, 2, 3)]
        assert await _names(uow) == ["Acme Corp.", "Globex GmbH"]


async def test_names_that_fit_nobody_come_with_advice(admin: Actor, importing: Importing) -> None:
    async with unit_of_work(admin) as uow:
        for name in ("GTX Pro", "Twin", "twin"):
            await records.create(uow, ACCOUNT, {"name": name})
    text = "steps: [{file: c.csv, entity: contact, columns: {Last: last_name, Account: account}}]"
    plan = await importing.plan(
        admin, importing.mapping(text, {"c.csv": "Last,Account\nA,GTXPro\nB,Twin\nC,GTX Prom\n"})
    )
    assert told(plan.report.steps[0]) == [
        'row 2: Account: "GTXPro" is no account here (`match: folded` under links joins it to "GTX Pro")',
        'row 3: Account: "Twin" is the name of several accounts (tell them apart by another field under `by`)',
        'row 4: Account: "GTX Prom" is no account here (did you mean "GTX Pro"?)',
    ]


async def test_what_must_be_unique_is_checked_before(admin: Actor, importing: Importing) -> None:
    text = "steps: [{file: p.csv, entity: product, columns: {Name: name, Sku: sku, Price: price}}]"
    await importing.bring_in(admin, text, {"p.csv": "Name,Sku,Price\nOne,A-1,5\nTwo,,6\nThree,,7\n"})
    plan = await importing.plan(
        admin, importing.mapping(text, {"p.csv": "Name,Sku,Price\nFour,A-1,5\nFive,B-1,6\nSix,B-1,7\n"})
    )
    assert [str(p)[:26] for p in plan.report.steps[0].problems] == [
        'row 2: Sku: "A-1" is alrea',
        'row 4: Sku: "B-1" is alrea',
    ]


async def test_keys_that_follow_are_kept(admin: Actor, importing: Importing) -> None:
    columns = "{F: first_name, L: last_name, E: email, P: phone}"
    text = f"steps: [{{file: c.csv, entity: contact, key: email, columns: {columns}}}]"
    await importing.bring_in(admin, text, {"c.csv": "F,L,E,P\nAnna,Køhler,Anna@Example.com,+49 170 1234567\n"})
    contacts = table_of(Contact)
    async with unit_of_work(admin) as uow:
        found = (await uow.execute(sa.select(contacts))).mappings().one()
        assert (found["name"], found["name_key"], found["email_key"], found["phone_key"], found["sort_key"]) == (
            "Anna Køhler", "annakohler", "anna@example.com", "1701234567", "kohler anna",
        )  # fmt: skip
    await importing.bring_in(admin, text, {"c.csv": "F,L,E,P\nAnna,Smith,anna@example.com,\n"})
    async with unit_of_work(admin) as uow:
        found = (await uow.execute(sa.select(contacts))).mappings().one()
        assert (found["name"], found["sort_key"], found["phone_key"], found["version"]) == (
            "Anna Smith",
            "smith anna",
            "1701234567",
            2,
        )


async def test_a_row_can_be_left_out_and_words_translated(admin: Actor, importing: Importing) -> None:
    text = (
        "steps: [{file: a.csv, entity: account, columns: {Name: name, Branch: industry},"
        " values: {industry: {TECHNOLGY: technology, n/a: ''}}, skip: [{column: Name, is: [Total, '']}]}]"
    )
    plan = await importing.plan(
        admin, importing.mapping(text, {"a.csv": "Name,Branch\nAcme,technolgy\nHooli,n/a\nTOTAL,2\n,x\n"})
    )
    report = plan.report.steps[0]
    assert (report.new, report.skipped, report.rejected) == (2, 2, 0)
    assert plan.steps[0].creates["industry"].to_list() == ["technology", ""]
    assert dict(report.notes) == {'Branch "n/a" counts as empty': 1}


async def test_a_column_that_is_not_there_is_named(admin: Actor, importing: Importing) -> None:
    with pytest.raises(Invalid, match="It has Name, City, Staff"):
        await importing.plan(admin, importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff\nAcme,,\n"}))


async def test_formulas_and_scripts_are_only_text(admin: Actor, importing: Importing) -> None:
    nasty = '=HYPERLINK(""http://x""),<script>alert(1)</script>,\'; DROP TABLE account; --,\\N'
    content = "Name\n" + "\n".join(f'"{n}"' for n in nasty.split(",")) + "\n"
    text = "steps: [{file: a.csv, entity: account, columns: {Name: name}}]"
    outcome = await importing.bring_in(admin, text, {"a.csv": content})
    assert outcome.created == 4
    async with unit_of_work(admin) as uow:
        assert await _names(uow) == sorted(n.replace('""', '"') for n in nasty.split(","))


async def test_a_change_between_dry_run_and_run_is_noticed(admin: Actor, importing: Importing) -> None:
    mapping = importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nAcme,Bonn,12,\n"})
    plan = await importing.plan(admin, mapping)
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Unrelated"})
    assert (await importing.run(admin, plan)).created == 1  # the same numbers: as announced
    plan = await importing.plan(admin, importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nHooli,Bonn,12,\n"}))
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Hooli"})
    with pytest.raises(Conflict, match="The data changed since the dry run"):
        await importing.run(admin, plan)


async def test_one_import_at_a_time(admin: Actor, importing: Importing) -> None:
    plan = await importing.plan(admin, importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nAcme,Bonn,12,\n"}))
    async with unit_of_work(admin) as uow:
        await uow.scalar(
            sa.text("SELECT pg_try_advisory_xact_lock(7270002, hashtext(:t))"), {"t": str(admin.tenant_id)}
        )
        with pytest.raises(Conflict, match="Another import is running"):
            await importing.run(admin, plan)


async def test_many_rows_go_in_whole(admin: Actor, importing: Importing) -> None:
    rows = 12_345
    content = "Deal,Account,Stage,Value,Close,Closed,Owner\n" + "".join(
        f"Deal {i},Account {i % 50},Proposal,{i + 1},2031-05-01,,\n" for i in range(rows)
    )
    outcome = await importing.bring_in(admin, DEALS, {"deals.csv": content})
    assert outcome.created == rows + 50
    async with unit_of_work(admin) as uow:
        count, total, numbers, places = (
            await uow.rows(
                sa.select(
                    sa.func.count(),
                    sa.func.sum(_deals.c.amount_minor),
                    sa.func.count(_deals.c.number.distinct()),
                    sa.func.count(_deals.c.position.distinct()),
                )
            )
        )[0]
    assert (count, total, numbers, places) == (rows, 100 * sum(range(1, rows + 1)), rows, rows)


# -- Who may ---------------------------------------------------------------------------------------------------------


async def test_importing_needs_its_permission(alice: Actor, reader: Actor, importing: Importing) -> None:
    mapping = importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nAcme,,,\n"})
    for actor in (alice, reader):
        with pytest.raises(Forbidden, match="import account"):
            await importing.plan(actor, mapping)


async def test_a_hidden_field_cannot_be_imported(admin: Actor, importing: Importing) -> None:
    actor = replace(admin, hidden_fields=frozenset({"account.employees"}))
    with pytest.raises(Forbidden, match="does not show you Employees"):
        await importing.plan(actor, importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nAcme,,,\n"}))


async def test_a_manager_imports_for_the_own_team_only(
    manager: Actor, alice: Actor, carol: Actor, importing: Importing
) -> None:
    assert manager.scope is Scope.team
    text = "steps: [{file: a.csv, entity: account, columns: {Name: name, Owner: owner}}]"
    plan = await importing.plan(manager, importing.mapping(text, {"a.csv": "Name,Owner\nAcme,Alice\nGlobex,Carol\n"}))
    report = plan.report.steps[0]
    assert (report.new, told(report)) == (
        1,
        ["row 3: Owner: is somebody whose records you do not see (ask an admin to import these)"],
    )


async def test_records_one_does_not_see_are_neither_changed_nor_found(
    manager: Actor, carol: Actor, importing: Importing
) -> None:
    async with unit_of_work(carol) as uow:
        await records.create(uow, ACCOUNT, {"name": "Acme", "city": "Bonn"})
    plan = await importing.plan(manager, importing.mapping(ACCOUNTS, {"a.csv": "Name,City,Staff,Mail\nAcme,Köln,,\n"}))
    assert (plan.report.writes, plan.report.rejected) == (0, 1)
    text = "steps: [{file: c.csv, entity: contact, columns: {Last: last_name, Account: account}}]"
    plan = await importing.plan(manager, importing.mapping(text, {"c.csv": "Last,Account\nA,Acme\n"}))
    assert told(plan.report.steps[0]) == [f'row 2: Account: "Acme" is no account that you may use ({UNKNOWN})']


async def test_another_tenant_is_never_found(admin: Actor, mallory: Actor, importing: Importing) -> None:
    async with unit_of_work(mallory) as uow:
        theirs = await records.create(uow, ACCOUNT, {"name": "Mallory Ltd", "city": "Elsewhere"})
    files = {
        "a.csv": "Name,City,Staff,Mail\nMallory Ltd,Bonn,,\n",
        "c.csv": f"Last,Account\nA,{theirs.id}\nB,Mallory Ltd\n",
    }
    columns = "{Last: last_name, Account: account}"
    by_id = f"steps: [{{file: c.csv, entity: contact, columns: {columns}, links: {{account: {{by: id}}}}}}]"
    plan = await importing.plan(admin, importing.mapping(by_id, files))
    assert (plan.report.writes, plan.report.rejected) == (0, 2)
    await importing.bring_in(admin, ACCOUNTS, files)
    async with unit_of_work(mallory) as uow:
        assert await uow.scalar(sa.select(_accounts.c.city)) == "Elsewhere"
    async with unit_of_work(admin) as uow:
        assert await uow.scalar(sa.select(_accounts.c.city)) == "Bonn"
