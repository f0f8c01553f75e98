"""Several records become one, with all that hangs on them, and can be parted again."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.customers.contacts import CONTACT, Contact
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.sales.opportunities import OPPORTUNITY, Opportunity, OpportunityStakeholder
from crm_app.services.activities import activities
from crm_app.services.platform import merges, records
from crm_app.services.platform.merge_links import PAST, pointers
from crm_app.services.sales import stakeholders
from crm_app.store.uow import retrying, unit_of_work
from tests.services.sales.deals import a_deal

_NOT_COMPARED = {"version", "updated_at", "updated_by_id"}
_STATE = ("account", "contact", "opportunity", "activity", "opportunity_stakeholder", "opportunity_line", "stage_total")


async def make(actor, entity, **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, entity, values)


async def change(actor, entity, record_id, **values):
    async with unit_of_work(actor) as uow:
        return await records.update(uow, entity, record_id, values)


async def join(actor, entity, survivor, others, picks=None, **more):
    async with unit_of_work(actor) as uow:
        return await merges.merge(uow, entity, survivor.id, [o.id for o in others], picks or {}, **more)


async def part(actor, merge):
    async with unit_of_work(actor) as uow:
        return await merges.unmerge(uow, merge.id)


async def row(actor, model, record_id):
    table = table_of(model)
    async with unit_of_work(actor) as uow:
        return (await uow.execute(sa.select(table).where(table.c.id == record_id))).mappings().one()


async def everything(actor):
    """All rows of the workspace that a merge may touch, without what every change leaves behind."""
    found = {}
    async with unit_of_work(actor) as uow:
        for name in _STATE:
            rows = await uow.rows(sa.text(f"SELECT to_jsonb(t) FROM {name} t"))
            found[name] = sorted(str({k: v for k, v in r[0].items() if k not in _NOT_COMPARED}) for r in rows)
    return found


@pytest.fixture
async def pair(alice):
    """Two accounts: one with a name, the other with everything else."""
    one = await make(alice, ACCOUNT, name="Acme", tags=["a", "b"], industry="Steel")
    values = {"website": "https://acme.com", "tags": ["b", "c"], "industry": "Metal", "employees": 12}
    two = await make(
        alice, ACCOUNT, name="ACME GmbH", annual_revenue_minor=5_000_00, currency="EUR", city="Köln", **values
    )
    return one, two


async def test_what_is_missing_is_taken_and_what_is_picked_wins(manager, pair):
    one, two = pair
    await join(manager, ACCOUNT, one, [two], {"name": two.id})
    got = await row(manager, Account, one.id)
    assert (got["name"], got["industry"], got["website"], got["employees"]) == (
        "ACME GmbH", "Steel", "https://acme.com", 12,
    )  # fmt: skip
    assert got["tags"] == ["a", "b", "c"]
    assert (got["annual_revenue_minor"], got["currency"]) == (5_000_00, "EUR")
    assert got["domain_key"] == "acme.com"
    assert got["owner_id"] == one.owner_id


async def test_custom_values_are_joined(admin, pair):
    one, two = pair
    async with unit_of_work(admin) as uow:
        for record, custom in ((one, {"a": 1, "t": ["x"]}), (two, {"a": 2, "b": 3, "t": ["y"]})):
            (await uow.get(Account, record.id)).custom = custom
    merged = await join(admin, ACCOUNT, one, [two])
    assert (await row(admin, Account, one.id))["custom"] == {"a": 1, "b": 3, "t": ["x", "y"]}
    await part(admin, merged)
    assert (await row(admin, Account, one.id))["custom"] == {"a": 1, "t": ["x"]}
    await join(admin, ACCOUNT, one, [two], {"custom.a": two.id})
    assert (await row(admin, Account, one.id))["custom"]["a"] == 2


async def test_all_that_pointed_to_the_loser_points_to_the_survivor(manager, alice, pair):
    one, two = pair
    person = await make(alice, CONTACT, last_name="Weber", account_id=two.id)
    daughter = await make(alice, ACCOUNT, name="Acme Süd", parent_id=two.id)
    deal = await a_deal(alice)
    await change(alice, OPPORTUNITY, deal.id, account_id=two.id)
    async with unit_of_work(alice) as uow:
        call = await activities.plan(uow, kind="call", subject="Ring", due_at=uow.now, account_id=two.id)
    merged = await join(manager, ACCOUNT, one, [two])
    assert (await row(manager, Contact, person.id))["account_id"] == one.id
    assert (await row(manager, Account, daughter.id))["parent_id"] == one.id
    assert (await row(manager, Opportunity, deal.id))["account_id"] == one.id
    table = registry.get("activity").table
    async with unit_of_work(manager) as uow:
        assert await uow.scalar(sa.select(table.c.account_id).where(table.c.id == call.id)) == one.id
    parted = await part(manager, merged)
    assert (parted.restored, parted.kept, parted.more) == ([two.id], [], 0)
    assert (await row(manager, Opportunity, deal.id))["account_id"] == two.id


def test_every_declared_relation_is_followed():
    for entity in (ACCOUNT, CONTACT):
        followed = {(p.table.name, p.link) for p in pointers(entity)}
        declared = {(registry.get(r.entity).table.name, r.link) for r in registry.relations(entity).values() if r.many}
        assert declared <= followed
        assert not {t for t, _ in followed} & PAST
    assert ("opportunity_stakeholder", "contact_id") in {(p.table.name, p.link) for p in pointers(CONTACT)}


async def test_one_part_in_a_deal_is_enough(manager, alice):
    one, two = [await make(alice, CONTACT, last_name=n) for n in ("Weber", "Wéber")]
    deal, other = await a_deal(alice), await a_deal(alice, "Another")
    async with unit_of_work(alice) as uow:
        mine = await stakeholders.add(uow, deal.id, one.id, note="kept")
        theirs = await stakeholders.add(uow, deal.id, two.id, note="doubled")
        alone = await stakeholders.add(uow, other.id, two.id)
    merged = await join(manager, CONTACT, one, [two])
    rows = {i: await row(manager, OpportunityStakeholder, i) for i in (mine.id, theirs.id, alone.id)}
    assert [r["contact_id"] for r in rows.values()] == [one.id, two.id, one.id]
    assert [r["deleted_at"] is None for r in rows.values()] == [True, False, True]
    await part(manager, merged)
    rows = {i: await row(manager, OpportunityStakeholder, i) for i in (mine.id, theirs.id, alone.id)}
    assert [(r["contact_id"], r["deleted_at"]) for r in rows.values()] == [
        (one.id, None), (two.id, None), (two.id, None),
    ]  # fmt: skip


async def test_no_account_becomes_its_own_parent(manager, alice):
    top = await make(alice, ACCOUNT, name="Top")
    middle = await make(alice, ACCOUNT, name="Middle", parent_id=top.id)
    low = await make(alice, ACCOUNT, name="Low", parent_id=middle.id)
    merged = await join(manager, ACCOUNT, low, [top])  # middle hangs below low now
    assert (await row(manager, Account, middle.id))["parent_id"] == low.id
    assert (await row(manager, Account, low.id))["parent_id"] is None
    await part(manager, merged)
    assert (await row(manager, Account, low.id))["parent_id"] == middle.id
    assert (await row(manager, Account, middle.id))["parent_id"] == top.id
    await join(manager, ACCOUNT, middle, [top])
    assert (await row(manager, Account, middle.id))["parent_id"] is None


async def test_a_loser_leads_to_the_survivor_over_several_merges(manager, carol, mallory, alice, pair):
    one, two = pair
    three = await make(alice, ACCOUNT, name="Acme AG")
    first = await join(manager, ACCOUNT, one, [two])
    second = await join(manager, ACCOUNT, three, [one])
    async with unit_of_work(manager) as uow:
        assert await merges.survivor_of(uow, ACCOUNT, two.id) == three.id
        assert await merges.survivor_of(uow, ACCOUNT, three.id) is None
    for stranger in (carol, mallory):
        async with unit_of_work(stranger) as uow:
            assert await merges.survivor_of(uow, ACCOUNT, two.id) is None
    with pytest.raises(Conflict, match="Acme itself was merged into Acme AG since"):
        await part(manager, first)
    await part(manager, second)
    await part(manager, first)
    async with unit_of_work(manager) as uow:
        assert await merges.survivor_of(uow, ACCOUNT, two.id) is None


async def test_what_was_changed_since_stays_and_is_listed(manager, alice, bob, pair):
    one, two = pair
    moved = await make(alice, CONTACT, last_name="Weber", account_id=two.id)
    edited = await make(alice, CONTACT, last_name="Krause", account_id=two.id)
    merged = await join(manager, ACCOUNT, one, [two])
    third = await make(alice, ACCOUNT, name="Third")
    await change(alice, CONTACT, moved.id, account_id=third.id)
    await change(alice, CONTACT, edited.id, title="CEO")
    await change(alice, ACCOUNT, one.id, city="Bonn")
    parted = await part(manager, merged)
    assert [(k.entity, k.id, k.title) for k in parted.kept] == [("contact", moved.id, "Weber")]
    assert parted.fields == ["City"]
    got = await row(manager, Account, one.id)
    assert (got["city"], got["website"], got["tags"]) == ("Bonn", "", ["a", "b"])
    assert (await row(manager, Contact, moved.id))["account_id"] == third.id
    edited_now = await row(manager, Contact, edited.id)
    assert (edited_now["account_id"], edited_now["title"]) == (two.id, "CEO")


async def test_thirty_days_and_once(manager, pair):
    merged = await join(manager, ACCOUNT, *[pair[0], pair[1:]])
    with pytest.raises(Conflict, match="30 days"):
        async with unit_of_work(manager, now=merged.created_at + timedelta(days=31)) as uow:
            await merges.unmerge(uow, merged.id)
    async with unit_of_work(manager) as uow:
        (line,) = await merges.lately(uow, ACCOUNT)
        assert (line.id, line.title, line.count) == (merged.id, "Acme", 1)
    await part(manager, merged)
    with pytest.raises(Conflict, match="already"):
        await part(manager, merged)
    async with unit_of_work(manager) as uow:
        assert await merges.lately(uow, ACCOUNT) == []


async def test_it_is_one_operation_in_the_audit_log(manager, pair):
    one, two = pair
    acting = replace(manager, request_id="merge-1")
    merged = await join(acting, ACCOUNT, one, [two])
    log = table_of(AuditEntry)
    async with unit_of_work(manager) as uow:
        rows = (await uow.execute(sa.select(log).where(log.c.request_id == "merge-1"))).mappings().all()
    told = {(r["entity"], r["action"]): r for r in rows}
    assert {("record_merge", "create"), ("account", "delete"), ("account", "update")} == set(told)
    whole = told["record_merge", "create"]
    assert whole["record_id"] == merged.id
    assert whole["changes"]["survivor_id"] == [None, str(one.id)]
    assert whole["changes"]["loser_ids"] == [None, [str(two.id)]]


async def test_a_changed_record_is_not_merged_unseen(manager, pair):
    one, two = pair
    seen = {one.id: one.version, two.id: two.version}
    await change(manager, ACCOUNT, two.id, city="Bonn")
    with pytest.raises(Conflict, match="ACME GmbH was changed"):
        await join(manager, ACCOUNT, one, [two], versions=seen)


async def test_two_merges_at_once_end_in_one(manager, alice, pair):
    one, two = pair
    three = await make(alice, ACCOUNT, name="Acme AG")
    for n in range(6):
        await make(alice, CONTACT, last_name=f"P{n}", account_id=(one, two, three)[n % 3].id)

    def of(survivor, other):
        return retrying(manager, lambda uow: merges.merge(uow, ACCOUNT, survivor.id, [other.id], {}))

    pairs = [(one, two), (two, one), (two, three), (three, one), (one, three), (three, two)]
    ended = await asyncio.gather(*(of(a, b) for a, b in pairs), return_exceptions=True)
    assert {type(e) for e in ended} <= {Conflict, merges.RecordMerge}
    accounts, people = ACCOUNT.table, CONTACT.table
    async with unit_of_work(manager) as uow:
        alive = [r.id for r in await uow.rows(sa.select(accounts.c.id).where(accounts.c.deleted_at.is_(None)))]
        owners = {r.account_id for r in await uow.rows(sa.select(people.c.account_id))}
    done = [e for e in ended if isinstance(e, merges.RecordMerge)]
    assert len(alive) == 3 - len(done)
    assert len(done) == 2
    assert owners == set(alive)
    for merged in sorted(done, key=lambda m: m.survivor_id not in alive):  # the last one first
        await part(manager, merged)
    async with unit_of_work(manager) as uow:
        assert len(await uow.rows(sa.select(accounts.c.id).where(accounts.c.deleted_at.is_(None)))) == 3


async def test_wrong_choices_are_refused(manager, alice, pair):
    one, two = pair
    three = await make(alice, ACCOUNT, name="Third")
    for others, picks in (
        ([], {}),
        ([one], {}),
        ([two], {"name": three.id}),
        ([two], {"version": two.id}),
        ([two], {"name_key": two.id}),
        ([two], {"nonsense": two.id}),
        ([two], {"custom.x": two.id}),
    ):
        with pytest.raises(Invalid):
            await join(manager, ACCOUNT, one, others, picks)
    deal = await a_deal(alice)
    with pytest.raises((Invalid, Forbidden)):
        await join(replace(manager, permissions=frozenset({"*"})), OPPORTUNITY, deal, [deal])


@pytest.mark.parametrize("lacking", ["merge", "update", "delete"])
async def test_it_needs_every_right(manager, pair, lacking):
    one, two = pair
    poor = replace(manager, permissions=manager.permissions - {f"account.{lacking}"})
    with pytest.raises(Forbidden) as refusal:
        await join(poor, ACCOUNT, one, [two])
    assert refusal.value.permission == f"account.{lacking}"
    merged = await join(manager, ACCOUNT, one, [two])
    with pytest.raises(Forbidden):
        await part(poor, merged)


async def test_a_rep_may_not_and_strangers_know_nothing(manager, alice, carol, mallory, pair):
    one, two = pair
    with pytest.raises(Forbidden):
        await join(alice, ACCOUNT, one, [two])
    mighty = replace(carol, permissions=frozenset({"*"}))
    for stranger in (mallory, mighty):
        with pytest.raises(NotFound):
            await join(stranger, ACCOUNT, one, [two])
    hers = await make(mighty, ACCOUNT, name="Carol's")
    with pytest.raises(NotFound):
        await join(mighty, ACCOUNT, hers, [two])
    merged = await join(manager, ACCOUNT, one, [two])
    for stranger in (mallory, mighty):
        with pytest.raises(NotFound):
            await part(stranger, merged)


async def test_hidden_fields_are_not_picked_but_not_lost(manager, pair):
    one, two = pair
    blind = replace(manager, hidden_fields=frozenset({"account.website"}))
    with pytest.raises(Invalid):
        await join(blind, ACCOUNT, one, [two], {"website": two.id})
    await join(blind, ACCOUNT, one, [two])
    assert (await row(manager, Account, one.id))["website"] == "https://acme.com"


async def test_an_owner_is_given_only_with_the_right_to(manager, bob, pair):
    one, _ = pair
    other = await make(bob, ACCOUNT, name="Bob's Acme")
    poor = replace(manager, permissions=manager.permissions - {"account.assign"})
    with pytest.raises(Forbidden):
        await join(poor, ACCOUNT, one, [other], {"owner_id": other.id})
    await join(manager, ACCOUNT, one, [other], {"owner_id": other.id})
    assert (await row(manager, Account, one.id))["owner_id"] == bob.user_id


@pytest.mark.parametrize("seed", range(8))
async def test_merging_and_parting_leaves_everything_as_it_was(admin, seed):
    dice = random.Random(seed)
    companies = [
        await make(
            admin, ACCOUNT, name=f"Company {n}", tags=dice.sample(["a", "b", "c"], dice.randint(0, 3)),
            city=dice.choice(["", "Bonn", "Köln"]), employees=dice.choice([None, 5, 9]),
            annual_revenue_minor=dice.choice([None, 100]), currency=dice.choice(["EUR", "USD"]),
        )
        for n in range(5)
    ]  # fmt: skip
    for company in companies:
        if (parent := dice.choice([None, *companies])) is not None and parent is not company:
            await change(admin, ACCOUNT, company.id, parent_id=parent.id)
    people = [
        await make(
            admin, CONTACT, last_name=f"Person {n}", account_id=dice.choice([None, dice.choice(companies).id]),
            email=dice.choice(["", f"p{n}@x.com"]), mobile=dice.choice(["", "+4917012345"]),
        )
        for n in range(6)
    ]  # fmt: skip
    for n in range(4):
        deal = await a_deal(admin, f"Deal {n}", account=f"Of {n}", primary_contact_id=dice.choice(people).id)
        await change(admin, OPPORTUNITY, deal.id, account_id=dice.choice(companies).id)
        async with unit_of_work(admin) as uow:
            for person in dice.sample(people, 3):
                await stakeholders.add(uow, deal.id, person.id)
            which = {"account_id": dice.choice(companies).id, "contact_id": dice.choice(people).id}
            await activities.plan(uow, kind="call", subject="Ring", due_at=uow.now + timedelta(days=1), **which)
    if dice.random() < 0.5:
        async with unit_of_work(admin) as uow:
            await records.delete(uow, CONTACT, people[-1].id)
        people.pop()
    before = await everything(admin)
    done = []
    for _ in range(dice.randint(1, 3)):
        entity, pool = dice.choice([(ACCOUNT, companies), (CONTACT, people)])
        chosen = dice.sample(pool, min(len(pool), dice.randint(2, 3)))
        if len(chosen) < 2:
            continue
        names = ["name", "city", "tags", "parent_id"] if entity is ACCOUNT else ["last_name", "email", "account_id"]
        picks = {n: dice.choice(chosen).id for n in names if dice.random() < 0.5}
        done.append(await join(admin, entity, chosen[0], chosen[1:], picks))
        for loser in chosen[1:]:
            pool.remove(loser)
    assert await everything(admin) != before
    for merged in reversed(done):
        parted = await part(admin, merged)
        assert (parted.kept, parted.more, parted.fields) == ([], 0, [])
    assert await everything(admin) == before
