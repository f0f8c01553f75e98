"""What a role may not see of a record does not leave a service, whichever way it is asked for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_app.core import conditions
from crm_app.core.conditions import EvalContext
from crm_app.core.context import Actor
from crm_app.core.errors import CrmError, Forbidden, Invalid
from crm_app.core.fields import MASKED
from crm_app.models.activities.activities import ACTIVITY
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities
from crm_app.services.activities.activities import With
from crm_app.services.platform import audit, finding, history, records
from crm_app.services.platform.schema import entity_of
from crm_app.services.sales import board, deal_page, deal_timeline, lines, stakeholders
from crm_app.services.sales.board import Filters
from crm_app.store.uow import unit_of_work
from tests.services.imports.conftest import Importing

SECRET = "quokka"  # stands in every value that is to stay with the admin
AMOUNT = 4_711_234_00
HIDDEN = (
    "account.website", "account.description", "contact.email", "contact.title", "contact.phone",
    "opportunity.amount_minor", "opportunity.next_step", "opportunity.tags", "activity.body", "activity.outcome",
)  # fmt: skip


@pytest.fixture(params=["hidden", "masked"])
def blind(request: pytest.FixtureRequest, alice: Actor) -> Actor:
    """alice, in a role that does not show her these fields."""
    return alice.with_field_rights(dict.fromkeys(HIDDEN, request.param))


@pytest.fixture
async def world(alice: Actor) -> Mapping[str, Any]:
    """A company, a person, a deal and a call, each with a secret in it."""
    async with unit_of_work(alice) as uow:
        account = await records.create(
            uow, ACCOUNT, {"name": "Kessler", "website": f"https://{SECRET}.example", "description": SECRET}
        )
        person = {"last_name": "Wohlgemuth", "email": f"{SECRET}@example.com", "title": SECRET, "phone": "+4930901820"}
        contact = await records.create(uow, CONTACT, {**person, "account_id": account.id})
        deal = await records.create(
            uow,
            OPPORTUNITY,
            {
                "name": "Roll-out", "account_id": account.id, "amount_minor": AMOUNT, "next_step": SECRET,
                "tags": [SECRET], "expected_close_on": uow.today + timedelta(days=30),
            },
        )  # fmt: skip
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": AMOUNT + 100, "next_step": f"{SECRET} 2"})
        await records.update(uow, ACCOUNT, account.id, {"description": f"{SECRET} 2"})
        call = await activities.log(
            uow, kind="call", subject="Called", body=SECRET, outcome=SECRET, opportunity_id=deal.id
        )
        await stakeholders.add(uow, deal.id, contact.id)
        await lines.add(uow, deal.id, name="Robots", unit_price_minor=AMOUNT)
    return {"account": account.id, "contact": contact.id, "opportunity": deal.id, "activity": call.id}


def keeps(found: Any) -> None:
    """No secret stands in what was given out."""
    text = repr(found) if not isinstance(found, Mapping) else json.dumps(dict(found), default=repr)
    assert SECRET not in text
    assert "4711234" not in text.replace("\u202f", "")
    assert "30901820" not in text


ENTITIES = pytest.mark.parametrize("entity", [ACCOUNT, CONTACT, OPPORTUNITY, ACTIVITY], ids=lambda e: e.name)


@ENTITIES
async def test_reading_a_record(blind, world, entity):
    async with unit_of_work(blind) as uow:
        sight = await records.read(uow, entity, world[entity.name])
        keeps(sight)
        written = await uow.get(entity.model, world[entity.name])
        keeps(await records.as_seen(uow, entity, written))
    for full in (n for n in HIDDEN if n.startswith(f"{entity.name}.")):
        name = full.partition(".")[2]
        if full in blind.hidden_fields:
            assert name not in sight
            with pytest.raises(AttributeError):
                getattr(sight, name)
        else:
            assert getattr(sight, name) == MASKED


@ENTITIES
async def test_lists(blind, world, entity):
    async with unit_of_work(blind) as uow:
        page = await records.find(uow, entity, columns=tuple(entity.fields))
        keeps(page.rows)
        names = [n.partition(".")[2] for n in HIDDEN if n.startswith(f"{entity.name}.")]
        assert len(page.rows) == 1
        for name in names:
            assert page.rows[0].get(name) == (None if blind.hidden_fields else MASKED)


@pytest.mark.parametrize("full", [n for n in HIDDEN if n != "opportunity.tags"])
async def test_sorting_tells_an_order(blind, world, full):
    entity = {e.name: e for e in (ACCOUNT, CONTACT, OPPORTUNITY, ACTIVITY)}[full.partition(".")[0]]
    async with unit_of_work(blind) as uow:
        with pytest.raises(Invalid):
            await records.find(uow, entity, sort=full.partition(".")[2])


@pytest.mark.parametrize(
    "asked",
    [
        {"field": "amount_minor", "op": "gt", "value": 1},
        {"field": "amount_minor", "op": "is_filled"},
        {"field": "tags", "op": "has", "value": SECRET},
        {"related": "account", "some": {"field": "website", "op": "contains", "value": SECRET}},
        {"related": "activities", "some": {"field": "body", "op": "contains", "value": SECRET}},
        {"related": "account", "some": {"related": "contacts", "some": {"field": "email", "op": "is_filled"}}},
    ],
)
async def test_filters_guess(blind, world, asked):
    condition = conditions.parse(asked)
    async with unit_of_work(blind) as uow:
        entity = await entity_of(uow, "opportunity")
        context = EvalContext(uow.today, uow.now, blind.user_id, blind.time_zone)
        for refuses in (
            lambda: conditions.check(condition, entity),
            lambda: conditions.to_sql(condition, entity, context),
        ):
            with pytest.raises(Invalid):
                refuses()


async def test_searching_finds_by_what_is_seen_only(blind, alice, world):
    async with unit_of_work(alice) as uow:
        assert {h.kind for h in await finding.search(uow, SECRET)} == {
            "account", "contact", "opportunity",
        }  # fmt: skip
    async with unit_of_work(blind) as uow:
        assert await finding.search(uow, SECRET) == []
        assert (await finding.search_forgiving(uow, SECRET)).hits == ()
        hits = [h for word in ("Kessler", "Wohlgemuth", "Roll") for h in await finding.search(uow, word)]
        assert {h.kind for h in hits} == {"account", "contact", "opportunity"}
        keeps(hits)
        keeps(await finding.named(uow, [(h.kind, h.id) for h in hits]))
        keeps(await finding.choices(uow, CONTACT, "Wohl"))


@ENTITIES
async def test_history(blind, world, entity):
    async with unit_of_work(blind) as uow:
        keeps([dict(r) for r in await audit.history(uow, entity.name, world[entity.name])])
        keeps((await history.of_record(uow, entity, world[entity.name])).changes)
        for name in (n.partition(".")[2] for n in HIDDEN if n.startswith(f"{entity.name}.")):
            keeps((await history.of_field(uow, entity, world[entity.name], name)).changes)


async def test_the_board(blind, world):
    async with unit_of_work(blind) as uow:
        pipeline = (await board.pipelines(uow))[0]["id"]
        found = await board.board(uow, pipeline, with_ends=True)
        keeps([dict(c) for column in found.columns for c in column.cards])
        keeps([found.totals, found.won, found.lost])
        keeps([dict(c) for c in await board.cards(uow, [world["opportunity"]])])
        assert sum(t.deals for t in found.totals.values()) == 1
        for guess in (Filters(least_minor=1), Filters(most_minor=10**9), Filters(tag=SECRET)):
            for ask in (board.board(uow, pipeline, guess), board.stage_totals(uow, [], guess)):
                with pytest.raises(Invalid):
                    await ask


async def test_narrowing_by_a_hidden_owner_or_health(alice, world):
    for name, guess in (("health", Filters(health=("good",))),):
        half = alice.with_field_rights({f"opportunity.{name}": "hidden"})
        async with unit_of_work(half) as uow:
            with pytest.raises(Invalid):
                await board.stage_totals(uow, [], guess)


async def test_the_deal_page(blind, world):
    async with unit_of_work(blind) as uow:
        page = await deal_page.page(uow, world["opportunity"])
        keeps([page.values, page.people, page.lines])
        assert page.weighted_minor is None


async def test_timelines(blind, world):
    async with unit_of_work(blind) as uow:
        for shown in ("all", "talks", "changes"):
            found = await deal_timeline.timeline(uow, world["opportunity"], shown=shown)
            keeps([found.past, found.planned])
        keeps(await activities.done(uow, With(opportunity_id=world["opportunity"])))


@ENTITIES
async def test_writing_what_one_does_not_see(blind, world, entity):
    for name in (n.partition(".")[2] for n in HIDDEN if n.startswith(f"{entity.name}.")):
        with pytest.raises(Invalid) as refusal:
            async with unit_of_work(blind) as uow:
                await records.update(uow, entity, world[entity.name], {name: None}, expected={name: None})
        keeps([str(refusal.value), refusal.value.details])


async def test_importing_guesses(blind, world, tmp_path):
    importer = replace(blind, permissions=blind.permissions | {"account.import", "contact.import"})
    files = {"a.csv": f"Name,Web\nKessler,https://{SECRET}.example\n"}
    key = "steps: [{file: a.csv, entity: account, key: [website], mode: upsert, columns: {Name: name, Web: website}}]"
    link = (
        "steps: [{file: a.csv, entity: contact, columns: {Name: last_name, Web: account},"
        " links: {account: {by: website}}}]"
    )
    for text in (key, link):
        with pytest.raises(Forbidden, match="does not show you Website"):
            await Importing(tmp_path).plan(importer, Importing(tmp_path).mapping(text, files))


async def test_a_role_that_may_only_read_a_field(alice, world):
    fixed = alice.with_field_rights({"account.website": "read", "opportunity.amount_minor": "read"})
    async with unit_of_work(fixed) as uow:
        assert SECRET in (await records.read(uow, ACCOUNT, world["account"])).website
        entity = await entity_of(uow, "account")
        assert "website" in entity.readonly
        with pytest.raises(Invalid) as refusal:
            await records.update(uow, ACCOUNT, world["account"], {"website": "https://example.com"})
        assert "website" in refusal.value.fields
    with pytest.raises(Forbidden, match="Amount is needed"):
        async with unit_of_work(fixed) as uow:
            values = {"name": "New", "account_id": world["account"], "expected_close_on": uow.today}
            await records.create(uow, OPPORTUNITY, values)


async def test_nobody_is_without_the_name_of_a_record(alice, world):
    blind = alice.with_field_rights({"account.name": "hidden", "opportunity.stage_id": "hidden"})
    async with unit_of_work(blind) as uow:
        assert (await records.read(uow, ACCOUNT, world["account"])).name == "Kessler"
        assert (await records.read(uow, OPPORTUNITY, world["opportunity"])).stage_id


async def test_conditions_of_the_declaration_are_refused_no_less_by_matches(blind, world):
    async with unit_of_work(blind) as uow:
        entity = await entity_of(uow, "opportunity")
        deal = await uow.get(OPPORTUNITY.model, world["opportunity"])
        context = EvalContext(uow.today, uow.now, blind.user_id, blind.time_zone)
        clause = conditions.parse({"field": "amount_minor", "op": "gt", "value": 1})
        with pytest.raises(CrmError):
            conditions.matches(clause, deal, entity, context)
