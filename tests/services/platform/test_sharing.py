"""A record shown to somebody who would not see it: to read or to change, by its own people alone, taken back."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_app.core.context import Scope
from crm_app.core.errors import Conflict, CrmError, Forbidden, Invalid, NotFound
from crm_app.core.registry import get
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.events import Event
from crm_app.services.activities import activities
from crm_app.services.people import actors, users
from crm_app.services.platform import bulk_rows, finding, records, sharing
from crm_app.services.sales import board, deal_page, drops, lines, opportunities, stakeholders
from crm_app.store.uow import unit_of_work
from crm_app.store.visibility import visible
from tests.services.sales.deals import a_deal, stage_ids

ACCOUNT, DEAL, PRODUCT = get("account"), get("opportunity"), get("product")


@pytest.fixture
async def deal(alice):
    return await a_deal(alice, "Secret roll-out", account="Kessler")


async def shared(actor, deal, person, **how):
    """The person, as they act from then on."""
    async with unit_of_work(actor) as uow:
        await sharing.share(uow, DEAL, deal.id, person.user_id, **how)
    return replace(await actors.actor_for(person.tenant_id, person.user_id), source=person.source)


async def sees(actor, deal) -> bool:
    """In every way at once; a difference between them fails."""
    async with unit_of_work(actor) as uow:
        ways = {
            "list": deal.id in {r["id"] for r in (await records.find(uow, DEAL, limit=500)).rows},
            "count": await records.count(uow, DEAL, where=DEAL.table.c.id == deal.id) == 1,
            "card": [c["id"] for c in await board.cards(uow, [deal.id])] == [deal.id],
            "column": deal.id in {c["id"] for c in (await board.more_cards(uow, deal.stage_id, None))[0]},
            "search": deal.id in {h.id for h in await finding.search(uow, "secret roll")},
            "named": len(await finding.named(uow, [("opportunity", deal.id)])) == 1,
        }
        whole = await board.board(uow, deal.pipeline_id)
        ways["board"] = deal.id in {c["id"] for column in whole.columns for c in column.cards}
        totals = await board.stage_totals(uow, [deal.stage_id])
        shown = sum(len(column.cards) for column in whole.columns if column.stage["id"] == deal.stage_id)
        assert (totals[deal.stage_id].deals if deal.stage_id in totals else 0) == shown
    for name, read in (("get", records.read), ("page", None)):
        try:
            async with unit_of_work(actor) as uow:
                await (read(uow, DEAL, deal.id) if read else deal_page.page(uow, deal.id))
            ways[name] = True
        except NotFound:
            ways[name] = False
    assert len(set(ways.values())) == 1, ways
    return ways["get"]


async def test_it_is_seen_everywhere_or_nowhere(alice, carol, deal):
    assert not await sees(carol, deal)
    carol = await shared(alice, deal, carol)
    assert carol.shared == {"opportunity"}
    assert await sees(carol, deal)
    async with unit_of_work(alice) as uow:
        await sharing.unshare(uow, DEAL, deal.id, carol.user_id)
    assert not await sees(carol, deal)  # who acts with what was known before sees nothing either
    assert (await actors.actor_for(carol.tenant_id, carol.user_id)).shared == frozenset()


async def test_others_beside_it_stay_hidden(alice, bob, carol, deal):
    other = await a_deal(bob, "Another secret roll-out")
    carol = await shared(alice, deal, carol)
    assert not await sees(carol, other)
    async with unit_of_work(carol) as uow:
        with pytest.raises(NotFound):
            await uow.get(ACCOUNT.model, deal.account_id)


WRITES = {
    "update": lambda uow, d, s: records.update(uow, DEAL, d.id, {"name": "Mine now"}),
    "delete": lambda uow, d, s: records.delete(uow, DEAL, d.id),
    "move": lambda uow, d, s: opportunities.move(uow, [d.id], to_stage_id=s["Proposal"]),
    "drop": lambda uow, d, s: drops.move(uow, new_id(), [d.id], to_stage_id=s["Proposal"]),
    "line": lambda uow, d, s: lines.add(uow, d.id, name="Robots"),
}


@pytest.mark.parametrize("name", WRITES)
async def test_to_read_is_not_to_change(admin, alice, carol, deal, name):
    stages = await stage_ids(admin)
    carol = await shared(alice, deal, carol)
    carol = replace(carol, permissions=carol.permissions | {"opportunity.delete"})
    with pytest.raises(Forbidden) as refusal:
        async with unit_of_work(carol) as uow:
            await WRITES[name](uow, deal, stages)
    assert "to read" in str(refusal.value)
    writer = replace(await shared(alice, deal, carol, can_write=True), permissions=carol.permissions)
    async with unit_of_work(writer) as uow:
        await WRITES[name](uow, deal, stages)


async def test_people_and_products_of_it_are_not_changed_either(alice, carol, deal):
    async with unit_of_work(alice) as uow:
        line = await lines.add(uow, deal.id, name="Robots")
        contact = await records.create(uow, get("contact"), {"last_name": "Berg", "account_id": deal.account_id})
        part = await stakeholders.add(uow, deal.id, contact.id)
    carol = await shared(alice, deal, carol)
    for act in (
        lambda uow: lines.remove(uow, line.id), lambda uow: stakeholders.remove(uow, part.id),
        lambda uow: stakeholders.add(uow, deal.id, contact.id),
    ):  # fmt: skip
        with pytest.raises((Forbidden, NotFound)):
            async with unit_of_work(carol) as uow:
                await act(uow)


async def test_what_was_done_about_it_comes_along_to_read(alice, carol, deal):
    async with unit_of_work(alice) as uow:
        call = await activities.plan(uow, kind="call", subject="Ask", due_at=uow.now, opportunity_id=deal.id)
        away = await activities.plan(uow, kind="call", subject="Else", due_at=uow.now, account_id=deal.account_id)
    carol = await shared(alice, deal, carol, can_write=True)
    async with unit_of_work(carol) as uow:
        found = {r["id"] for r in (await records.find(uow, get("activity"))).rows}
    assert call.id in found and away.id not in found
    with pytest.raises(Forbidden):
        async with unit_of_work(carol) as uow:
            await records.update(uow, get("activity"), call.id, {"subject": "x"})


async def test_only_its_own_people_pass_it_on(alice, bob, carol, reader, mallory, admin, deal, workspace):
    dave = await workspace.person("Dave", team_id=workspace.other_team_id)
    carol = await shared(alice, deal, carol, can_write=True)
    tries = [(carol, Forbidden), (dave, NotFound), (mallory, NotFound), (reader, Forbidden)]
    for actor, refusal in tries:
        with pytest.raises(refusal):
            async with unit_of_work(actor) as uow:
                await sharing.share(uow, DEAL, deal.id, dave.user_id)
        async with unit_of_work(actor) as uow:
            assert not await sharing.may_share(uow, DEAL, deal.id)
    for actor in (bob, admin):  # of alice's team, and one who sees all
        async with unit_of_work(actor) as uow:
            assert await sharing.may_share(uow, DEAL, deal.id)
            await sharing.share(uow, DEAL, deal.id, dave.user_id)


async def test_who_takes_it_back(alice, carol, mallory, deal, workspace):
    dave = await workspace.person("Dave", team_id=workspace.other_team_id)
    carol, dave = await shared(alice, deal, carol), await shared(alice, deal, dave)
    for actor in (carol, mallory):
        with pytest.raises((Forbidden, NotFound)):
            async with unit_of_work(actor) as uow:
                await sharing.unshare(uow, DEAL, deal.id, dave.user_id)
    async with unit_of_work(carol) as uow:  # gives her own back
        await sharing.unshare(uow, DEAL, deal.id, carol.user_id)
    assert not await sees(carol, deal) and await sees(dave, deal)
    with pytest.raises(NotFound):
        async with unit_of_work(alice) as uow:
            await sharing.unshare(uow, DEAL, deal.id, carol.user_id)


async def test_with_whom_it_makes_no_sense(admin, alice, bob, mallory, deal):
    async with unit_of_work(admin) as uow:
        await users.disable(uow, bob.user_id)
    for user_id, refusal in ((alice.user_id, Invalid), (bob.user_id, Conflict), (mallory.user_id, NotFound)):
        with pytest.raises(refusal):
            async with unit_of_work(alice) as uow:
                await sharing.share(uow, DEAL, deal.id, user_id)
    with pytest.raises(CrmError):
        async with unit_of_work(admin) as uow:
            product = await records.create(uow, PRODUCT, {"name": "Robots", "currency": "EUR"})
            await sharing.share(uow, PRODUCT, product.id, alice.user_id)


async def test_it_is_told_and_logged(alice, carol, deal):
    await shared(alice, deal, carol)
    await shared(alice, deal, carol)
    await shared(alice, deal, carol, can_write=True)
    async with unit_of_work(alice) as uow:
        (line,) = await sharing.listed(uow, DEAL, deal.id)
        events = table_of(Event)
        facts = await uow.rows(sa.select(events.c.payload).where(events.c.name == "opportunity.shared"))
        logged = await uow.scalar(sa.text("SELECT count(*) FROM audit_log WHERE action = 'share'"))
    assert (line.name, line.can_write, line.by) == ("Carol", True, "Alice")
    assert len(facts) == logged == 2
    async with unit_of_work(carol) as uow:
        told = await uow.rows(
            sa.text("SELECT kind, about_id FROM notification WHERE user_id = :me"), {"me": carol.user_id}
        )
    assert {(t.kind, t.about_id) for t in told} == {("shared", deal.id)}


async def test_a_share_without_the_right_to_read_opens_nothing(alice, carol, deal):
    carol = await shared(alice, deal, carol)
    blind = replace(carol, permissions=frozenset())
    with pytest.raises(Forbidden):
        async with unit_of_work(blind) as uow:
            await records.read(uow, DEAL, deal.id)


async def test_one_who_sees_all_or_nothing_beside_is_asked_for_the_owner_alone(admin, alice, carol, deal):
    """No cost where nothing is shared: the statement knows nothing of shares."""
    assert visible(DEAL, replace(admin, scope=Scope.all, shared=frozenset({"opportunity"}))) is None
    assert "record_share" not in str(visible(DEAL, carol))
    carol = await shared(alice, deal, carol)
    assert "record_share" in str(visible(DEAL, carol)) and "record_share" not in str(visible(ACCOUNT, carol))


async def test_many_at_once_leave_what_is_to_read(admin, alice, carol, deal):
    carol = await shared(alice, deal, carol)
    async with unit_of_work(carol) as uow:
        assert deal.id not in await bulk_rows.locked(uow, DEAL, [deal.id])
    carol = await shared(alice, deal, carol, can_write=True)
    async with unit_of_work(carol) as uow:
        assert deal.id in await bulk_rows.locked(uow, DEAL, [deal.id])
