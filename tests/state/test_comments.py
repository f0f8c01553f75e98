"""Comments in a timeline: written in the quick log, mixed with what else happened, changed, deleted, and live."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from crm_app.models.catalog.products import PRODUCT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.activities import activities, comments
from crm_app.services.platform import notifications, records
from crm_app.state.base import AppState
from crm_app.state.record import RecordState
from crm_app.state.timeline import Timeline
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.state.sales.test_deal import listening, opened, until
from tests.state.tabs import tab_of


@pytest.fixture
async def deal(alice):
    return await a_deal(alice, "Roll-out")


@asynccontextmanager
async def record_opened(actor, address):
    tab = await tab_of(actor, address)
    await tab.run(RecordState.load)
    watch = asyncio.create_task(tab.run(RecordState.watch))
    try:
        await until(lambda: tab[RecordState].is_loaded or watch.done())
        yield tab
    finally:
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


def titles(tab) -> list[str]:
    return [i.text or i.title for g in tab[Timeline].groups for i in g.rows]


def comment(tab, text):
    return next(i for g in tab[Timeline].groups for i in g.rows if i.text == text)


def given(tab, text, *mentioned, kind="comment"):
    names = [{"id": str(m.user_id), "name": m.name} for m in mentioned]
    return {"kind": kind, "text": text, "mentions": names, "store": tab[Timeline].store, "operation": str(uuid4())}


async def told(actor) -> list[str]:
    async with unit_of_work(actor) as uow:
        return [t.text for t in await notifications.listed(uow)]


async def test_written_in_the_quick_log_and_seen_by_everybody_there(alice, bob, deal):
    address, words = f"/opportunities/{deal.id}", "@Bob please look\n<script>alert(1)</script>"
    async with listening(), opened(alice, address) as hers, opened(bob, address) as his:
        await hers.run(Timeline.log, given(hers, words, bob))
        assert hers[Timeline].answered["state"] == "saved"
        for tab in (hers, his):
            await until(lambda tab=tab: words in titles(tab))
        item = comment(his, words)
        assert item.parts[0] == {"text": "@Bob", "href": f"/users/{bob.user_id}", "kind": "name"}
        assert (item.title, item.may_edit, comment(hers, words).may_edit) == ("Alice", False, True)
    assert await told(bob) == [words]


async def test_sent_twice_said_once(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        sent = given(tab, "Once")
        await tab.run(Timeline.log, sent)
        await tab.run(Timeline.log, sent)
    async with unit_of_work(alice) as uow:
        assert await comments.count(uow, OPPORTUNITY, deal.id) == 1


async def test_a_mention_in_a_call_is_told_too(alice, bob, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(Timeline.log, given(tab, "They want 8 %, @Bob", bob, kind="note"))
        assert tab[Timeline].answered["state"] == "saved"
    assert await told(bob) == ["They want 8 %, @Bob"]


async def test_who_may_not_see_the_deal_is_refused_with_a_reason(alice, carol, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        for kind in ("comment", "note"):
            await tab.run(Timeline.log, given(tab, "@Carol look", carol, kind=kind))
            assert tab[Timeline].answered["state"] == "error"
            assert "Carol, who may not see" in tab[Timeline].answered["message"]
        await tab.run(Timeline.search_people, "car")
        assert tab[Timeline].mentionable == []
        await tab.run(Timeline.search_people, "mar")
        assert [p["label"] for p in tab[Timeline].mentionable] == ["Maria"]
    assert await told(carol) == []
    async with unit_of_work(alice) as uow:
        assert await activities.count(uow, activities.With(opportunity_id=deal.id)) == 0


async def test_changed_deleted_and_brought_back(alice, deal):
    async with listening(), opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(Timeline.log, given(tab, "First"))
        await until(lambda: "First" in titles(tab))
        item = comment(tab, "First")
        await tab.run(Timeline.edit_comment, item.id, "  ", [])
        assert tab[Timeline].remark_answer["state"] == "error" and tab[Timeline].remark_answer["id"] == item.id
        await tab.run(Timeline.edit_comment, item.id, "Second", [])
        assert tab[Timeline].remark_answer["state"] == "saved" and comment(tab, "Second").edited
        await tab.run(Timeline.remove_comment, item.id)
        await until(lambda: "Second" not in titles(tab))
        assert tab[AppState].notices[-1]["payload"] == f"comment-back:{item.id}"
        await tab.run(Timeline.put_comment_back, item.id)
        await until(lambda: "Second" in titles(tab))


async def test_mixed_with_what_else_happened_page_by_page(alice, deal):
    """Nothing is left out and nothing is told twice, wherever a page ends."""
    async with unit_of_work(alice) as uow:
        start = uow.now - timedelta(days=3)
    for n in range(45):
        async with unit_of_work(alice, now=start + timedelta(hours=n)) as uow:
            if n % 3:
                await comments.add(uow, OPPORTUNITY, deal.id, f"c{n}")
            else:
                await activities.log(uow, kind="note", subject=f"a{n}", opportunity_id=deal.id)
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        assert tab[Timeline].count == 45
        while tab[Timeline].has_more:
            await tab.run(Timeline.older)
        found = [t for t in titles(tab) if t[0] in "ac" and t[1:].isdigit()]
        assert found == [f"{'c' if n % 3 else 'a'}{n}" for n in reversed(range(45))]
        await tab.run(Timeline.show, "comments")
        assert {t[0] for t in titles(tab)} == {"c"}


async def test_a_product_has_comments_alone(manager, bob):
    async with unit_of_work(manager) as uow:
        product = await records.create(uow, PRODUCT, {"name": "Robot", "currency": "EUR"})
    async with listening(), record_opened(manager, f"/products/{product.id}") as tab:
        assert [k["value"] for k in tab[Timeline].kinds] == ["comment"] and tab[Timeline].may_log
        await tab.run(Timeline.log, given(tab, "@Bob is it in stock?", bob))
        await until(lambda: "@Bob is it in stock?" in titles(tab))
        assert tab[Timeline].count == 1
    assert await told(bob) == ["@Bob is it in stock?"]


async def test_a_reader_reads(reader, alice, deal):
    async with unit_of_work(alice) as uow:
        await comments.add(uow, OPPORTUNITY, deal.id, "For all")
    async with opened(reader, f"/opportunities/{deal.id}") as tab:
        assert "For all" in titles(tab) and not tab[Timeline].may_log
        item = comment(tab, "For all")
        assert (item.may_edit, item.may_remove) == (False, False)
