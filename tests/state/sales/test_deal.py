"""The page of a deal without a browser: what it shows, saves, refuses and tells."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from crm_app.core.clock import utcnow
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.models.sales.pipelines import STAGE
from crm_app.services.activities import activities
from crm_app.services.platform import records
from crm_app.state.lists import RecordList
from crm_app.state.presence import look
from crm_app.state.record_delete import RecordDelete
from crm_app.state.sales.board_answers import BoardAnswers
from crm_app.state.sales.deal import DealState
from crm_app.state.sales.deal_dialog import DealDialog
from crm_app.state.sales.deal_parts import DealParts
from crm_app.state.timeline import Timeline
from crm_app.store.live import hub
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal, stage_ids
from tests.state.tabs import tab_of
from tests.state.test_records import opened as records_opened


async def until(is_so, seconds=5.0):
    for _ in range(int(seconds / 0.02)):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")


@asynccontextmanager
async def opened(actor, address):
    """The tab with its page watched, as while it is open."""
    tab = await tab_of(actor, address)
    await tab.run(DealState.load)
    watch = asyncio.create_task(tab.run(DealState.watch))
    state = tab[DealState]
    try:
        await until(lambda: state.is_loaded or state.is_missing or watch.done())
        yield tab
    finally:
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


@asynccontextmanager
async def listening():
    """The live feed of this process."""
    task = asyncio.create_task(hub.listen())
    await hub.is_listening.wait()
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hub.is_listening.clear()


@pytest.fixture
async def deal(alice):
    return await a_deal(alice, "Roll-out")


def field(tab, name):
    return next(f for s in tab[DealState].sections for f in s.fields if f.name == name)


async def test_it_shows_the_deal(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        state = tab[DealState]
        assert (state.head.name, state.head.account, state.head.owner) == ("Roll-out", "Kessler", "Alice")
        assert [(s.name, s.look, s.days) for s in state.steps][:2] == [
            ("Qualify", "s1 now", "0 of 14\u00a0d"),
            ("Discovery", "s3", ""),
        ]
        assert state.action.title == "No next step: plan one"
        assert [e.title for g in tab[Timeline].groups for e in g.rows] == ["Created in Qualify"]


async def test_who_may_not_see_it_is_not_told_that_it_exists(carol, mallory, deal):
    for stranger in (carol, mallory):
        async with opened(stranger, f"/opportunities/{deal.id}") as tab:
            assert tab[DealState].is_missing
            await tab.run(DealState.save, "name", "Mine now", "Roll-out")
            assert "Roll-out" not in tab.sent() and "Kessler" not in tab.sent()


async def test_an_address_that_is_no_id_is_not_here(alice):
    async with opened(alice, "/opportunities/nonsense") as tab:
        assert tab[DealState].is_missing


async def test_a_field_is_saved_as_it_was_typed(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(DealState.save, "amount_minor", "1.5k", field(tab, "amount_minor").value)
        assert tab[DealState].statuses["amount_minor"]["state"] == "saved"
        assert field(tab, "amount_minor").shown == "€\u00a01\u202f500"
    assert (await read_deal(alice, deal.id))["amount_minor"] == 150_000


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("amount_minor", "a lot", "is not an amount"),
        ("expected_close_on", "2020-01-01", "Close date lies in the past; choose today or later."),
        ("name", "", "Name is needed."),
        ("probability", "500", "at most 100"),
    ],
)
async def test_what_cannot_be_saved_says_why_at_its_field(alice, deal, name, text, message):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        before = field(tab, name)
        await tab.run(DealState.save, name, text, before.value)
        status = tab[DealState].statuses[name]
        assert status["state"] == "error" and message in status["message"]
        assert field(tab, name) == before


async def test_two_answers_in_a_row_can_be_told_apart(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(DealState.save, "name", "", "Roll-out")
        first = tab[DealState].statuses["name"]["at"]
        await tab.run(DealState.save, "name", "", "Roll-out")
        assert tab[DealState].statuses["name"]["at"] != first


async def test_who_was_faster_is_told_and_nothing_is_overwritten(alice, bob, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        async with unit_of_work(bob) as uow:
            await records.update(uow, OPPORTUNITY, deal.id, {"next_step": "Bob's"})
        await tab.run(DealState.save, "next_step", "Alice's", "")
        status = tab[DealState].statuses["next_step"]
        assert (status["state"], status["value"], status["shown"]) == ("conflict", "Bob's", "Bob's")
        assert status["who"] == "Bob" and status["when"].startswith("Today")
        assert status["message"] == "Bob changed this in the meantime."
        assert (await read_deal(alice, deal.id))["next_step"] == "Bob's"
        await tab.run(DealState.save, "next_step", "Alice's", status["value"])  # keep mine
        assert tab[DealState].statuses["next_step"]["state"] == "saved"
    assert (await read_deal(alice, deal.id))["next_step"] == "Alice's"


async def test_changes_of_other_fields_merge(alice, bob, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        async with unit_of_work(bob) as uow:
            await records.update(uow, OPPORTUNITY, deal.id, {"campaign": "Spring"})
        await tab.run(DealState.save, "next_step", "Alice's", "")
        assert tab[DealState].statuses["next_step"]["state"] == "saved"
        assert field(tab, "campaign").shown == "Spring"


async def test_a_reader_sees_plain_values_and_cannot_save(reader, deal):
    async with opened(reader, f"/opportunities/{deal.id}") as tab:
        assert all(f.locked for s in tab[DealState].sections for f in s.fields)
        assert not tab[Timeline].may_log
        await tab.run(DealState.save, "next_step", "Mine", "")
        assert tab[DealState].statuses["next_step"]["state"] == "error"
    assert (await read_deal(reader, deal.id))["next_step"] == ""


async def test_a_field_that_is_no_part_of_the_page_cannot_be_written(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        for name in ("status", "stage_id", "score", "tenant_id", "position"):
            await tab.run(DealState.save, name, "99", "0")
            assert tab[DealState].statuses[name]["state"] == "error"


async def test_a_stage_of_the_bar_moves_the_deal_and_undo_takes_it_back(alice, deal):
    stages = await stage_ids(alice)
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        await tab.run(DealState.go_to, str(stages["Proposal"]))
        state = tab[DealState]
        assert state.head.stage == "Proposal" and state.steps[0].done
        notice = state.notices[-1]
        assert notice["text"] == "Roll-out moved to Proposal" and notice["action"] == "Undo"
        (undo,) = await tab.run(DealState.act, notice["id"], "Undo", notice["payload"])
        await tab.run(undo.handler, notice["payload"].partition(":")[2])
    assert (await read_deal(alice, deal.id))["stage_id"] == stages["Qualify"]


async def test_what_a_stage_wants_is_asked_for_and_then_it_moves(admin, alice, deal):
    stages = await stage_ids(alice)
    async with unit_of_work(admin) as uow:
        await records.update(uow, STAGE, stages["Discovery"], {"required_fields": ["next_step"]})
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        assert (tab[DealState].gate.title, tab[DealState].gate.done) == ("Before Discovery", "0 of 1")
        await tab.run(DealState.go_to, str(stages["Discovery"]))
        dialog = tab[DealDialog]
        assert dialog.is_open and [f["label"] for f in dialog.fields] == ["Next step"]
        assert (await read_deal(alice, deal.id))["stage_id"] == stages["Qualify"]
        await tab.run(BoardAnswers.submit, {"next_step": "Send prices"})
        assert not dialog.is_open
    row = await read_deal(alice, deal.id)
    assert (row["stage_id"], row["next_step"]) == (stages["Discovery"], "Send prices")


async def test_a_closed_deal_can_be_opened_again_and_that_undone(alice, deal):
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        (ask,) = await tab.run(DealState.go_to, next(s.id for s in tab[DealState].steps if s.name == "Won"))
        await tab.run(ask.handler, str(deal.id), "Roll-out", "won")
        await tab.run(BoardAnswers.submit, {"actual_close_on": str(utcnow().date())})
        assert (await read_deal(alice, deal.id))["status"] == "won"
        await tab.run(DealState.load)
        await tab.run(DealState.reopen)
        assert (await read_deal(alice, deal.id))["status"] == "open"
        notice = tab[DealState].notices[-1]
        (undo,) = await tab.run(DealState.act, notice["id"], "Undo", notice["payload"])
        await tab.run(undo.handler, notice["payload"].partition(":")[2])
    assert (await read_deal(alice, deal.id))["status"] == "won"


async def test_a_deleted_deal_says_why_and_comes_back(admin, deal):
    async with opened(admin, f"/opportunities/{deal.id}") as tab:
        await tab.run(RecordDelete.ask, "opportunity", str(deal.id), "/pipeline")
        (there,) = await tab.run(RecordDelete.throw_away, {"reason": "Entered twice"})
        assert "/pipeline" in str(there)
        row = await read_deal(admin, deal.id)
        assert row["deleted_at"] and row["delete_reason"] == "Entered twice"
        notice = tab[DealState].notices[-1]
        (restore,) = await tab.run(DealState.act, notice["id"], "Undo", notice["payload"])
        await tab.run(restore.handler, notice["payload"].partition(":")[2])
    assert (await read_deal(admin, deal.id))["deleted_at"] is None


async def test_the_history_of_a_field_is_read_when_it_is_asked_for(alice, bob, deal):
    async with unit_of_work(bob) as uow:
        await records.update(uow, OPPORTUNITY, deal.id, {"amount_minor": 300_00})
    async with opened(alice, f"/opportunities/{deal.id}") as tab:
        assert tab[DealState].histories == {}
        await tab.run(DealState.ask_history, "amount_minor")
        rows = tab[DealState].histories["amount_minor"]
        assert [(r["who"], r["old"], r["new"]) for r in rows] == [
            ("Bob", "€\u00a010\u202f000", "€\u00a0300"),
            ("Alice", "", "€\u00a010\u202f000"),
        ]
        assert "Was €\u00a010\u202f000, changed by Bob" in tab[DealState].hints["amount_minor"]


class TestLog:
    async def test_it_is_written_and_told_and_a_refusal_keeps_the_words(self, alice, deal):
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            line = tab[Timeline]
            told = {"store": line.store, "operation": str(uuid4())}
            await tab.run(Timeline.log, {**told, "kind": "note", "text": " "})
            assert line.answered["state"] == "error" and "write what was said" in line.answered["message"]
            await tab.run(Timeline.log, {**told, "kind": "call", "text": "Fine", "minutes": "many"})
            assert line.answered["state"] == "error"
            call = {**told, "kind": "call", "text": "Budget is fine", "minutes": "14", "outcome": "Reached"}
            for _ in range(2):  # the answer was lost, and the browser asks once more
                await tab.run(Timeline.log, call)
                assert line.answered["state"] == "saved"
            await tab.run(Timeline.show, "all")
            entry, created = line.groups[0].rows
            assert created.title == "Created in Qualify"
            assert (entry.title, entry.text) == ("Call, 14\u00a0min", "Budget is fine\nReached")

    async def test_a_planned_one_is_done_or_put_off(self, alice, deal):
        async with unit_of_work(alice) as uow:
            late = await activities.plan(
                uow, kind="task", subject="Send prices", due_at=uow.now - timedelta(days=1), opportunity_id=deal.id
            )
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            state, line = tab[DealState], tab[Timeline]
            assert (state.action.title, state.action.is_overdue) == ("Send prices", True)
            assert (line.groups[0].title, line.groups[0].rows[0].when) == ("Planned", "Overdue 1\u00a0d")
            await tab.run(Timeline.put_off, str(late.id))
            await tab.run(Timeline.show, "all")
            assert not line.groups[0].rows[0].late
            await tab.run(Timeline.done, str(late.id))
            await tab.run(Timeline.show, "all")
            assert "Planned" not in [g.title for g in line.groups]

    async def test_done_and_put_off_can_be_taken_back(self, alice, deal):
        async with unit_of_work(alice) as uow:
            due = uow.now - timedelta(days=1)
            late = await activities.plan(uow, kind="task", subject="Prices", due_at=due, opportunity_id=deal.id)
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            for act in (Timeline.done, Timeline.put_off):
                await tab.run(act, str(late.id))
                notice = tab[Timeline].notices[-1]
                (undo,) = await tab.run(Timeline.act, notice["id"], "Undo", notice["payload"])
                await tab.run(undo.handler, notice["payload"].partition(":")[2])
                await tab.run(Timeline.show, "all")
                assert (tab[Timeline].groups[0].title, tab[Timeline].groups[0].rows[0].when) == (
                    "Planned", "Overdue 1\u00a0d",
                )  # fmt: skip

    async def test_older_ones_join_below_and_stay_when_something_changes(self, alice, deal):
        for n in range(70):
            async with unit_of_work(alice) as uow:
                await activities.log(uow, kind="note", subject=f"Note {n}", opportunity_id=deal.id)
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            line = tab[Timeline]

            def titles():
                return [e.title for g in line.groups for e in g.rows]

            newest = [f"Note {n}" for n in reversed(range(70))]
            assert titles() == newest[:30] and line.has_more
            await tab.run(DealState.save, "next_step", "x", "")
            assert titles() == newest[:30]
            await tab.run(Timeline.older)
            assert titles() == newest[:60]
            await tab.run(DealState.save, "next_step", "y", "x")
            assert titles() == newest[:60] and line.has_more
            await tab.run(Timeline.older)
            assert titles() == [*newest, "Created in Qualify"] and not line.has_more

    async def test_a_reader_cannot_log(self, reader, deal):
        async with opened(reader, f"/opportunities/{deal.id}") as tab:
            given = {"kind": "note", "text": "Hello", "store": tab[Timeline].store, "operation": str(uuid4())}
            await tab.run(Timeline.log, given)
            assert tab[Timeline].answered["state"] == "error"

    async def test_nobody_logs_where_they_cannot_look(self, alice, carol, mallory, deal):
        for stranger in (carol, mallory):
            tab = await tab_of(stranger, f"/opportunities/{deal.id}")
            for store in (f"draft:opportunity_id:{deal.id}", f"draft:account_id:{deal.account_id}", "draft:id:1", ""):
                given = {"kind": "note", "text": "Hello", "store": store, "operation": str(uuid4())}
                await tab.run(Timeline.log, given)
                assert tab[Timeline].answered["state"] == "error"
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            assert "Hello" not in tab.sent()


class TestParts:
    async def test_people_come_and_go(self, alice, deal):
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            parts = tab[DealParts]
            await tab.run(DealParts.ask_person)
            await tab.run(DealParts.add_person, {"contact_id": "", "contact_id_text": "", "role": "decides"})
            assert parts.is_adding_person and "Person" in parts.errors["contact_id"]
            await tab.run(DealParts.add_person, {"contact_id": "", "contact_id_text": "Ida Berg", "role": "decides"})
            assert not parts.is_adding_person
            await tab.run(DealState.save, "next_step", "x", "")
            (ida,) = parts.people
            assert (ida.name, ida.role_label, ida.tone) == ("Ida Berg", "Decides", "good")
            await tab.run(DealParts.remove_person, ida.part_id, ida.name)
            await tab.run(DealParts.put_person_back, ida.part_id)

    async def test_products_are_read_as_people_type_them(self, alice, deal):
        async with opened(alice, f"/opportunities/{deal.id}") as tab:
            parts = tab[DealParts]
            await tab.run(DealParts.ask_line, "")
            given = {"product_id": "", "product_id_text": "Robots", "quantity": "2,5", "unit_price_minor": "1.000,40",
                     "discount_percent": "10"}  # fmt: skip
            await tab.run(DealParts.save_line, {**given, "quantity": "many"})
            assert "is not a number" in parts.errors["quantity"] and parts.is_editing_line
            await tab.run(DealParts.save_line, given)
            assert not parts.is_editing_line
            await tab.run(DealParts.set_amount)
        assert (await read_deal(alice, deal.id))["amount_minor"] == 225_090


async def test_others_work_shows_up_by_itself(alice, bob, deal):
    async with listening(), opened(alice, f"/opportunities/{deal.id}") as tab:
        async with unit_of_work(bob) as uow:
            await records.update(uow, OPPORTUNITY, deal.id, {"next_step": "Bob's"})
        await until(lambda: field(tab, "next_step").shown == "Bob's")
        async with unit_of_work(bob) as uow:
            await activities.log(uow, kind="note", subject="Note", body="From Bob", opportunity_id=deal.id)
        await until(lambda: any(e.text == "From Bob" for g in tab[Timeline].groups for e in g.rows))
        await look(bob, "his tab", f"deal:{deal.id}")
        await until(lambda: [v["n"] for v in tab[DealState].viewers] == ["Bob"])
        await look(bob, "his tab", "")
        await until(lambda: tab[DealState].viewers == [])


async def test_neighbours_follow_the_filters_one_came_with(alice):
    deals = [await a_deal(alice, f"Deal {n}", amount_minor=n * 100_00) for n in (1, 2, 3)]
    async with opened(alice, f"/opportunities/{deals[1].id}?list=board&min=150") as tab:
        state = tab[DealState]
        assert (state.place, state.after_href) == ("2 of 2", "")
        assert state.before_href == f"/opportunities/{deals[2].id}?list=board&min=150"


async def test_neighbours_follow_the_list_one_came_from(alice):
    deals = [await a_deal(alice, f"Deal {n}", amount_minor=n * 100_00) for n in (1, 2, 3)]
    async with records_opened(alice, "/opportunities?sort=-amount_minor&q=deal", RecordList) as tab:
        tail = tab[RecordList].tail
    assert tail == "?list=1&q=deal&sort=-amount_minor"
    async with opened(alice, f"/opportunities/{deals[1].id}{tail}") as tab:
        state = tab[DealState]
        assert state.place == "2 of 3"
        assert state.before_href == f"/opportunities/{deals[2].id}{tail}"
        assert state.after_href == f"/opportunities/{deals[0].id}{tail}"
