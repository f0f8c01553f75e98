"""What the timeline of a deal tells."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_app.core.errors import NotFound
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities, quick_log
from crm_app.services.activities.activities import With
from crm_app.services.people import actors
from crm_app.services.platform import history, records, sharing
from crm_app.services.sales import deal_timeline, opportunities, stakeholders
from crm_app.services.sales.deal_timeline import Edit, Entry, StageChange
from crm_app.store.uow import unit_of_work


async def told(actor, deal, **options):
    async with unit_of_work(actor) as uow:
        return await deal_timeline.timeline(uow, deal.id, **options)


def lines_of(found):
    def line(e):
        if isinstance(e, Entry):
            return e.subject
        if isinstance(e, StageChange):
            return f"{e.from_name} > {e.to_name}"
        return ", ".join(c.spec.name for c in e.changes)

    return [line(e) for e in found.past]


@pytest.fixture
async def story(alice, bob, deal, stages):
    """A deal some things happened with, a day apart."""
    start = deal.created_at

    async def day(n, actor, act):
        async with unit_of_work(actor, now=start + timedelta(days=n)) as uow:
            await act(uow)

    def log(kind, text):
        return lambda uow: quick_log.write(uow, With(opportunity_id=deal.id), kind=kind, text=text)

    await day(1, alice, log("call", "Rang, nobody there"))
    await day(2, alice, log("email", "Price list\nwith all sites"))
    await day(3, bob, lambda uow: opportunities.move(uow, [deal.id], to_stage_id=stages["Proposal"]))
    await day(4, bob, log("note", "Wants it by May"))
    return deal


async def test_activities_and_stages_stand_in_one_row_latest_first(alice, story):
    found = await told(alice, story)
    assert lines_of(found) == ["Note", "Qualify > Proposal", "Price list", "Call", " > Qualify"]
    assert found.past[1].user_name == "Bob"
    assert found.after is None


@pytest.mark.parametrize(("shown", "lines"), [("talks", ["Call"]), ("mail", ["Price list"])])
async def test_it_can_be_narrowed(alice, story, shown, lines):
    assert lines_of(await told(alice, story, shown=shown)) == lines


async def test_changes_are_stages_and_fields_with_old_and_new(alice, bob, story):
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, story.id, {"next_step": "Send prices", "amount_minor": 200_00})
    found = await told(alice, story, shown="changes")
    edit = next(e for e in found.past if isinstance(e, Edit))
    assert edit.user_name == "Bob" and edit.source == "ui"
    assert {(c.spec.name, c.old, c.new) for c in edit.changes} == {
        ("amount_minor", 18_450_000, 200_00),
        ("next_step", "", "Send prices"),
    }
    assert [line for line in lines_of(found) if ">" in line] == ["Qualify > Proposal", " > Qualify"]


@pytest.mark.parametrize("shown", ["all", "changes"])
async def test_pages_join_without_a_gap(alice, story, shown):
    for n in range(7):
        async with unit_of_work(alice) as uow:
            await records.update(uow, OPPORTUNITY, story.id, {"next_step": f"Step {n}"})
            await quick_log.write(uow, With(opportunity_id=story.id), kind="note", text=f"Note {n}")
    whole = await told(alice, story, shown=shown, limit=100)
    found, before = [], None
    while True:
        page = await told(alice, story, shown=shown, limit=3, before=before)
        assert len(page.past) <= 3
        found += [e.id for e in page.past]
        before = page.after
        if before is None:
            break
    assert found == [e.id for e in whole.past]
    assert len(found) == len(set(found)) == (12 if shown == "all" else 9)


async def test_planned_ones_stand_apart_the_most_urgent_first(alice, deal):
    async with unit_of_work(alice) as uow:
        for days in (5, -1, 2):
            due = uow.now + timedelta(days=days)
            await activities.plan(uow, kind="task", subject=f"In {days}", due_at=due, opportunity_id=deal.id)
    found = await told(alice, deal)
    assert [p.subject for p in found.planned] == ["In -1", "In 2", "In 5"]
    assert (await told(alice, deal, shown="changes")).planned == ()


async def test_strangers_cannot_tell_that_there_is_a_timeline(carol, mallory, deal):
    for stranger in (carol, mallory):
        with pytest.raises(NotFound):
            await told(stranger, deal)


async def of_customer(actor, entity, record_id, **options):
    async with unit_of_work(actor) as uow:
        return await deal_timeline.of_customer(uow, entity, record_id, **options)


async def test_a_customer_has_the_stages_of_its_deals(alice, story, account, make):
    buyer = await make(alice, "contact", last_name="Wohlgemuth", account_id=account.id)
    found = await of_customer(alice, ACCOUNT, account.id)
    assert lines_of(found) == ["Note", "Qualify > Proposal", "Price list", "Call", " > Qualify"]
    assert {(e.deal_id, e.deal_name) for e in found.past if isinstance(e, StageChange)} == {(story.id, story.name)}
    assert (await of_customer(alice, CONTACT, buyer.id)).past == []
    async with unit_of_work(alice) as uow:
        part = await stakeholders.add(uow, story.id, buyer.id)
    assert lines_of(await of_customer(alice, CONTACT, buyer.id)) == ["Qualify > Proposal", " > Qualify"]
    async with unit_of_work(alice) as uow:
        await stakeholders.remove(uow, part.id)
    assert (await of_customer(alice, CONTACT, buyer.id)).past == []
    async with unit_of_work(alice) as uow:
        await records.update(uow, OPPORTUNITY, story.id, {"primary_contact_id": buyer.id})
    assert len((await of_customer(alice, CONTACT, buyer.id)).past) == 2
    blind = alice.with_field_rights({"opportunity.primary_contact_id": "hidden"})
    assert (await of_customer(blind, CONTACT, buyer.id)).past == []


async def test_the_pages_of_a_customer_join_without_a_gap(alice, story, account):
    whole, pieces, before = lines_of(await of_customer(alice, ACCOUNT, account.id)), [], None
    while len(pieces) < len(whole):
        page = await of_customer(alice, ACCOUNT, account.id, before=before, limit=2)
        pieces, before = [*pieces, *lines_of(page)], page.after
    assert (pieces, before) == (whole, None)


async def test_a_customer_tells_only_of_deals_that_one_sees(admin, alice, bob, carol, mallory, story, account):
    for stranger in (carol, mallory):
        with pytest.raises(NotFound):
            await of_customer(stranger, ACCOUNT, account.id)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, ACCOUNT, account.id, carol.user_id)
    shared = await actors.actor_for(carol.tenant_id, carol.user_id)

    async def stages_told(actor):
        return [e for e in (await of_customer(actor, ACCOUNT, account.id)).past if isinstance(e, StageChange)]

    assert await stages_told(shared) == []
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, OPPORTUNITY, story.id, carol.user_id)
    assert len(await stages_told(await actors.actor_for(carol.tenant_id, carol.user_id))) == 2
    assert len(await stages_told(bob)) == 2
    assert await stages_told(replace(bob, permissions=bob.permissions - {"opportunity.read"})) == []
    async with unit_of_work(admin) as uow:
        await records.delete(uow, OPPORTUNITY, story.id)
    assert await stages_told(alice) == []


async def test_the_history_of_a_field_names_who_and_what(alice, bob, deal, make, account):
    contact = await make(alice, "contact", last_name="Wohlgemuth", account_id=account.id)
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"primary_contact_id": contact.id})
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": 300_00})
    async with unit_of_work(alice) as uow:
        amounts = await history.of_field(uow, OPPORTUNITY, deal.id, "amount_minor")
        contacts = await history.of_field(uow, OPPORTUNITY, deal.id, "primary_contact_id")
    assert [(c.user_name, c.old, c.new) for c in amounts.changes] == [
        ("Bob", 18_450_000, 300_00),
        ("Alice", None, 18_450_000),
    ]
    (change,) = contacts.changes
    assert contacts.name_of(change.spec, change.new) == "Wohlgemuth"


async def test_the_history_of_a_field_is_only_for_those_who_see_the_record(carol, mallory, deal):
    for stranger in (carol, mallory):
        with pytest.raises(NotFound):
            async with unit_of_work(stranger) as uow:
                await history.of_field(uow, OPPORTUNITY, deal.id, "amount_minor")
