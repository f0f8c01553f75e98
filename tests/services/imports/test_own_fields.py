"""A mapping file and the workspace's own fields: filled, found by, taken from."""

from datetime import date

import pytest

from crm_app.core.context import Actor
from crm_app.core.errors import Invalid
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import custom_fields, records, schema
from crm_app.store.uow import unit_of_work
from tests.services.imports.conftest import Importing, told

ACCOUNTS = """
steps:
  - file: a.csv
    entity: account
    key: custom.erp_no
    columns: {No: custom.erp_no, Name: name, Tier: customer tier, Since: since, Value: worth}
    values: {custom.tier: {A: Gold}}
    if_empty: {custom.tier: Silver}
  - file: c.csv
    entity: contact
    columns: {Last: last_name, Company: account, Since: birthday}
    links: {account: {by: erp_no}}
    if_empty: {custom.birthday: {related: account.custom.since}}
"""
FILES = {
    "a.csv": "No,Name,Tier,Since,Value\n007,Kessler,A,2026-03-01,1250.50\n8,Nordwind,,,\n9,Beta,Bronze,soon,\n",
    "c.csv": "Last,Company,Since\nBerg,007,\nTal,8,2001-01-01\nUfer,10,\n",
}


@pytest.fixture
async def entities(admin: Actor):
    async with unit_of_work(admin) as uow:
        for label, kind, more in (
            ("ERP no", "text", {}),
            ("Tier", "choice", {"choices": ({"label": "Gold", "color": ""}, {"label": "Silver", "color": ""})}),
            ("Since", "date", {}),
            ("Worth", "money", {}),
        ):
            await custom_fields.create(uow, "account", label=label, kind=kind, **more)
        await custom_fields.create(uow, "contact", label="Birthday", kind="date")
    async with unit_of_work(admin) as uow:
        return await schema.entities_of(uow)


async def values(actor, name, *columns):
    async with unit_of_work(actor) as uow:
        entity = await schema.entity_of(uow, name)
        names = [c.removesuffix("__title") for c in columns]
        page = await records.find(uow, entity, columns=names, limit=50)
    return [tuple(r[c] for c in columns) for r in page.rows]


async def test_own_fields_are_filled_found_by_and_taken_from(admin, importing: Importing, entities):
    text = ACCOUNTS.replace("customer tier", "tier")
    plan = await importing.plan(admin, importing.mapping(text, FILES, entities))
    accounts, contacts = plan.report.steps
    assert told(accounts) == [
        'row 4: Tier: "Bronze" is none of Gold, Silver (map the file\'s value to one of these under `values`)',
        'row 4: Since: "soon" is no date (write it like 2026-03-31)',
    ]
    assert (accounts.new, contacts.new, contacts.rejected) == (2, 2, 1)
    outcome = await importing.run(admin, plan)
    names = ("name", "custom.erp_no", "custom.tier", "custom.since", "custom.worth")
    assert await values(admin, "account", *names) == [
        ("Kessler", "007", "gold", date(2026, 3, 1), 125_050), ("Nordwind", "8", "silver", None, None),
    ]  # fmt: skip
    assert await values(admin, "contact", "last_name", "account_id__title", "custom.birthday") == [
        ("Berg", "Kessler", date(2026, 3, 1)), ("Tal", "Nordwind", date(2001, 1, 1)),
    ]  # fmt: skip
    again = importing.mapping(text, {**FILES, "a.csv": "No,Name,Tier,Since,Value\n007,Kessler AG,,,\n"}, entities)
    step = (await importing.plan(admin, again)).report.steps[0]
    assert (step.new, step.updated) == (0, 1)
    await importing.revert(admin, outcome)
    assert await values(admin, "account", "name") == []


async def test_what_is_taken_from_a_record_that_is_here(admin, importing: Importing, entities):
    async with unit_of_work(admin) as uow:
        own = {"custom.erp_no": "11", "custom.since": date(2020, 1, 1)}
        await records.create(uow, ACCOUNT, {"name": "Beta", **own})
    text = ACCOUNTS.partition("  - file: c.csv")
    mapping = importing.mapping(
        "steps:\n  - file: c.csv" + text[2], {"c.csv": "Last,Company,Since\nUfer,11,\n"}, entities
    )
    await importing.run(admin, await importing.plan(admin, mapping))
    assert await values(admin, "contact", "last_name", "custom.birthday") == [("Ufer", date(2020, 1, 1))]


async def test_a_field_that_is_not_there_or_not_shown_is_named(admin, importing: Importing, entities):
    with pytest.raises(Invalid, match="Account has no field customer tier"):
        importing.mapping(ACCOUNTS, FILES, entities)
    with pytest.raises(Invalid, match=r"Account has no field custom\.erp_no"):
        importing.mapping(ACCOUNTS, FILES)
    async with unit_of_work(admin.with_field_rights({"account.custom.erp_no": "hidden"})) as uow:
        blind = await schema.entities_of(uow)
    with pytest.raises(Invalid, match=r"Account has no field custom\.erp_no"):
        importing.mapping(ACCOUNTS.replace("customer tier", "tier"), FILES, blind)
