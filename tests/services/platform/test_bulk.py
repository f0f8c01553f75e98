"""Many records at once: under the rules of each, told truly, stopped, gone on with, undone."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core import registry
from crm_app.core.conditions import AllOf, Clause
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.core.views import View, taken_out, without
from crm_app.models.base import new_id, table_of
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.bulk import BulkChunk, BulkStatus
from crm_app.models.platform.events import Event
from crm_app.services.platform import bulk_chunks, bulk_operations, notifications, records, sharing
from crm_app.services.platform.bulk_operations import Change
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal
from tests.work import forget_jobs, work_off

CONTACT, ACCOUNT, DEAL = "contact", "account", "opportunity"
_log, _events = table_of(AuditEntry), table_of(Event)


async def people(actor, count, **values):
    async with unit_of_work(actor) as uow:
        made = [
            await records.create(uow, registry.get(CONTACT), {"last_name": f"Person {n:04}", **values})
            for n in range(count)
        ]
    return [m.id for m in made]


async def rows(actor, name, *columns):
    table = registry.get(name).table
    async with unit_of_work(actor) as uow:
        found = await uow.rows(sa.select(*(table.c[c] for c in columns)).order_by(table.c.id))
    return [tuple(r) if len(columns) > 1 else r[0] for r in found]


async def edit(actor, name, values, ids=(), view=None, **more):
    changes = [Change(n, v, **more) for n, v in values.items()]
    async with unit_of_work(actor) as uow:
        return await bulk_operations.edit(
            uow, registry.get(name), changes, operation_id=new_id(), record_ids=ids, view=view
        )


async def delete(actor, name, ids=(), view=None):
    async with unit_of_work(actor) as uow:
        return await bulk_operations.delete(uow, registry.get(name), operation_id=new_id(), record_ids=ids, view=view)


async def undo(actor, done):
    async with unit_of_work(actor) as uow:
        return await bulk_operations.undo(uow, done.id, operation_id=new_id())


async def reasons(actor, done):
    async with unit_of_work(actor) as uow:
        return {b.record_id: b.reason for b in await bulk_operations.blocked(uow, done.id)}


async def test_each_record_is_changed_with_its_history_and_one_fact(alice):
    ids = await people(alice, 3)
    done = await edit(alice, CONTACT, {"city": "Linz", "tags": ["vip"]}, ids)
    assert (done.status, done.changed, done.unchanged, done.blocked) == (BulkStatus.done, 3, 0, 0)
    assert (
        await rows(alice, CONTACT, "city", "tags", "version", "updated_by_id")
        == [("Linz", ["vip"], 2, alice.user_id)] * 3
    )
    async with unit_of_work(alice) as uow:
        log = await uow.rows(sa.select(_log).where(_log.c.action == "update", _log.c.entity == CONTACT))
        facts = await uow.rows(sa.select(_events).where(_events.c.name == "contact.updated"))
    assert {e.record_id for e in log} == set(ids)
    assert all(e.changes == {"city": ["", "Linz"], "tags": [[], ["vip"]]} for e in log)
    assert {(e.user_id, e.ip, e.source, e.request_id) for e in log} == {(alice.user_id, alice.ip, "ui", str(done.id))}
    assert {f.record_id for f in facts} == set(ids)
    assert all(f.payload == {"diff": {"city": ["", "Linz"], "tags": [[], ["vip"]]}} for f in facts)


async def test_what_follows_from_a_value_follows(alice):
    ids = await people(alice, 2, first_name="Ann", email="ann@example.com")
    await edit(alice, CONTACT, {"last_name": "Other", "email": "other@example.com"}, ids)
    assert (
        await rows(alice, CONTACT, "name", "sort_key", "email_key")
        == [("Ann Other", "other ann", "other@example.com")] * 2
    )


async def test_who_has_the_value_already_is_not_touched(alice):
    ids = await people(alice, 2, city="Linz") + await people(alice, 1)
    done = await edit(alice, CONTACT, {"city": "Linz"}, ids)
    assert (done.changed, done.unchanged) == (1, 2)
    assert await rows(alice, CONTACT, "version") == [1, 1, 2]


async def test_tags_are_added_and_taken_away(alice):
    ids = await people(alice, 1, tags=["old"]) + await people(alice, 1, tags=["old", "vip"])
    await edit(alice, CONTACT, {"tags": ["vip"]}, ids, mode="add")
    assert await rows(alice, CONTACT, "tags") == [["old", "vip"]] * 2
    await edit(alice, CONTACT, {"tags": ["old"]}, ids, mode="remove")
    assert await rows(alice, CONTACT, "tags") == [["vip"]] * 2


async def test_a_field_is_emptied(alice):
    ids = await people(alice, 2, city="Linz")
    await edit(alice, CONTACT, {"city": "", "account_id": None}, ids)
    assert await rows(alice, CONTACT, "city") == ["", ""]


async def test_rules_are_asked_record_by_record(alice, admin):
    low, high = await a_deal(alice, probability=90), await a_deal(alice)
    ids = [low.id, high.id]
    async with unit_of_work(admin) as uow:
        day = uow.today
        stages = registry.get("stage").table
        await uow.execute(sa.update(stages).where(stages.c.id == high.stage_id).values(probability=50))
    done = await edit(alice, DEAL, {"probability": 20, "expected_close_on": day + timedelta(days=9)}, ids)
    assert (done.changed, done.blocked) == (0, 2)
    assert all("ask a manager" in r for r in (await reasons(alice, done)).values())
    done = await edit(alice, DEAL, {"expected_close_on": day + timedelta(days=9)}, ids)
    assert done.changed == 2
    assert await rows(alice, DEAL, "expected_close_on") == [day + timedelta(days=9)] * 2
    with pytest.raises(Invalid, match="set by the system"):
        await edit(alice, DEAL, {"stage_id": low.stage_id}, ids)


async def test_the_new_owner_hears_of_it_once(manager, alice, bob):
    ids = await people(alice, 3)
    done = await edit(manager, CONTACT, {"owner_id": bob.user_id}, ids)
    assert done.changed == 3
    async with unit_of_work(bob) as uow:
        (notice,) = await notifications.listed(uow)
    assert "Maria gave you 3 contacts" in str(notice)


async def test_an_amount_is_not_read_in_another_currency(alice):
    euro, dollar = await a_deal(alice, currency="EUR"), await a_deal(alice, currency="USD")
    ids = [euro.id, dollar.id]
    done = await edit(alice, DEAL, {"amount_minor": 500}, ids, currency="EUR")
    assert (done.changed, list(await reasons(alice, done))) == (1, [dollar.id])


async def test_many_go_through_a_job_chunk_by_chunk(alice, monkeypatch):
    monkeypatch.setattr(bulk_operations, "CHUNK", 4)
    await forget_jobs()
    await people(alice, 10)
    view = View(filter=Clause("last_name", "contains", "Person"))
    begun = await edit(alice, CONTACT, {"last_name": "Smith"}, view=view)
    assert (begun.status, begun.total, begun.done) == (BulkStatus.running, 10, 0)
    await work_off()
    async with unit_of_work(alice) as uow:
        done = await bulk_operations.read(uow, begun.id)
    assert (done.status, done.changed) == (BulkStatus.done, 10)
    assert set(await rows(alice, CONTACT, "last_name")) == {"Smith"}


async def test_all_that_match_but_some(alice, monkeypatch):
    monkeypatch.setattr(bulk_operations, "CHUNK", 4)
    await forget_jobs()
    ids = await people(alice, 10)
    view = without(View(filter=Clause("last_name", "contains", "Person")), ids[3:5])
    begun = await edit(alice, CONTACT, {"city": "Linz"}, view=view)
    assert begun.total == 8
    later = await people(alice, 1)  # which fits the view: what is changed was fixed at the beginning
    await work_off()
    assert await rows(alice, CONTACT, "city") == [*["Linz"] * 3, "", "", *["Linz"] * 5, ""]
    async with unit_of_work(alice) as uow:
        done = await bulk_operations.undo(uow, begun.id, operation_id=new_id())
    await work_off()
    assert (done.total, set(await rows(alice, CONTACT, "city"))) == (8, {""})
    with pytest.raises(Invalid, match="no contacts to change"):
        await edit(alice, CONTACT, {"city": "Linz"}, view=without(View(), [*ids, *later]))


async def test_what_others_left_out_stays_theirs(alice, mallory):
    mine, hers = await people(alice, 2), await people(mallory, 2)
    done = await delete(mallory, CONTACT, view=without(View(), [mine[0], hers[0]]))
    assert (done.changed, done.blocked) == (1, 0)
    deleted = registry.get(CONTACT).table.c.deleted_at.is_not(None)
    async with unit_of_work(alice) as uow:
        assert await uow.scalar(sa.select(sa.func.count()).where(deleted)) == 0


def test_too_many_are_not_taken_out_one_by_one():
    ids = [new_id() for _ in range(1_001)]
    with pytest.raises(Invalid, match="1,000 can be: filter the list"):
        without(View(), ids)
    view = View(filter=Clause("city", "eq", "Linz"))
    assert taken_out(without(view, ids[:3])) == (replace(view, filter=AllOf((view.filter,))), 3)
    assert taken_out(view) == (view, 0)


async def test_begun_twice_it_is_done_once(alice):
    ids, operation = await people(alice, 1), new_id()
    for _ in range(2):
        async with unit_of_work(alice) as uow:
            done = await bulk_operations.edit(
                uow, registry.get(CONTACT), [Change("city", "Linz")], operation_id=operation, record_ids=ids
            )
    assert done.changed == 1
    assert await rows(alice, CONTACT, "version") == [2]


async def test_cancelled_between_chunks_it_says_where_it_stopped_and_goes_on(alice, monkeypatch):
    monkeypatch.setattr(bulk_operations, "CHUNK", 2)
    await forget_jobs()
    ids = await people(alice, 6)
    begun = await edit(alice, CONTACT, {"city": "Linz"}, ids)
    async with unit_of_work(alice) as uow:
        assert await bulk_chunks.step(uow, begun.id)
    async with unit_of_work(alice) as uow:
        await bulk_operations.cancel(uow, begun.id)
    await work_off()
    async with unit_of_work(alice) as uow:
        stopped = await bulk_operations.read(uow, begun.id)
        assert (stopped.status, stopped.changed, stopped.can_undo) == (BulkStatus.cancelled, 2, True)
        assert (await bulk_operations.latest(uow, registry.get(CONTACT))).id == begun.id
        await bulk_operations.resume(uow, begun.id)
    await work_off()
    async with unit_of_work(alice) as uow:
        whole = await bulk_operations.read(uow, begun.id)
    assert (whole.status, whole.changed) == (BulkStatus.done, 6)
    assert await rows(alice, CONTACT, "version") == [2] * 6


async def test_a_right_lost_on_the_way_stops_it(workspace, alice, admin, monkeypatch):
    monkeypatch.setattr(bulk_operations, "CHUNK", 2)
    await forget_jobs()
    ids = await people(alice, 4)
    begun = await edit(alice, CONTACT, {"city": "Linz"}, ids)
    async with unit_of_work(admin) as uow:
        users = registry.get("user").table
        mine = users.c.id == alice.user_id
        await uow.execute(sa.update(users).where(mine).values(role_id=workspace.roles["read_only"]))
    await work_off()
    async with unit_of_work(alice) as uow:
        stopped = await bulk_operations.read(uow, begun.id)
    assert (stopped.status, stopped.changed) == (BulkStatus.failed, 0)
    assert "does not let you update contact" in stopped.error
    assert set(await rows(admin, CONTACT, "city")) == {""}


async def test_what_breaks_in_the_middle_says_where_it_stopped_and_goes_on(alice, monkeypatch):
    monkeypatch.setattr(bulk_operations, "CHUNK", 2)
    await forget_jobs()
    begun = await edit(alice, CONTACT, {"city": "Linz"}, await people(alice, 6))
    whole, seen = bulk_chunks._keep, []

    async def breaks(*given):
        seen.append(given)
        await whole(*given)
        if len(seen) == 2:
            raise RuntimeError("a bug, after the chunk was written and before it was committed")

    with monkeypatch.context() as patch:
        patch.setattr(bulk_chunks, "_keep", breaks)
        await work_off()
    async with unit_of_work(alice) as uow:
        stopped = await bulk_operations.read(uow, begun.id)
        assert (stopped.status, stopped.changed) == (BulkStatus.failed, 2)
        assert "went wrong on our side" in stopped.error and "bug" not in stopped.error
        assert await rows(alice, CONTACT, "version") == [2, 2, 1, 1, 1, 1]
        await bulk_operations.resume(uow, begun.id)
    await work_off()
    async with unit_of_work(alice) as uow:
        done = await bulk_operations.read(uow, begun.id)
    assert (done.status, done.changed) == (BulkStatus.done, 6)
    assert await rows(alice, CONTACT, "version") == [2] * 6


async def test_undo_puts_back_what_nobody_touched_since(alice, bob):
    ids = await people(alice, 2, city="Graz", tags=["a"]) + await people(alice, 1)
    done = await edit(alice, CONTACT, {"city": "Linz", "tags": ["b"]}, ids)
    async with unit_of_work(bob) as uow:
        await records.update(uow, registry.get(CONTACT), ids[1], {"title": "Chief"})
    back = await undo(alice, done)
    assert (back.changed, back.blocked) == (2, 1)
    assert await reasons(alice, back) == {ids[1]: "Bob changed it since."}
    assert await rows(alice, CONTACT, "city", "tags", "title") == [
        ("Graz", ["a"], ""), ("Linz", ["b"], "Chief"), ("", [], ""),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="undone already"):
        await undo(alice, done)
    with pytest.raises(Conflict, match="cannot be undone"):
        await undo(alice, back)


async def test_undo_brings_back_dates_that_no_rule_would_take_anew(alice):
    made = await a_deal(alice)
    async with unit_of_work(alice) as uow:
        day = uow.today
        deals = registry.get(DEAL).table
        await uow.execute(sa.update(deals).values(expected_close_on=day - timedelta(days=5)))
    done = await edit(alice, DEAL, {"expected_close_on": day + timedelta(days=5)}, [made.id])
    assert (await undo(alice, done)).changed == 1
    assert await rows(alice, DEAL, "expected_close_on") == [day - timedelta(days=5)]


async def test_deleted_records_come_back_whole(manager, alice):
    async with unit_of_work(alice) as uow:
        acme = await records.create(uow, registry.get(ACCOUNT), {"name": "Acme"})
    ids = await people(alice, 2, account_id=acme.id)
    done = await delete(manager, CONTACT, ids)
    assert done.changed == 2
    assert all(await rows(alice, CONTACT, "deleted_at"))
    back = await undo(manager, done)
    assert back.changed == 2
    assert await rows(alice, CONTACT, "deleted_at", "account_id") == [(None, acme.id)] * 2


async def test_what_is_needed_elsewhere_is_not_deleted(manager, alice):
    async with unit_of_work(alice) as uow:
        free = await records.create(uow, registry.get(ACCOUNT), {"name": "Free"})
    held = (await a_deal(alice)).account_id
    done = await delete(manager, ACCOUNT, [free.id, held])
    assert (done.changed, done.blocked) == (1, 1)
    assert await reasons(manager, done) == {
        held: "1 opportunity still belongs to this account. Move or delete them first."
    }
    with pytest.raises(Forbidden):
        await delete(alice, ACCOUNT, [held])


async def test_what_came_in_between_stays(manager, alice):
    """Undo of a delete after the account went too, and after somebody took the record out of the trash."""
    made = await a_deal(alice)
    done = await delete(manager, DEAL, [made.id])
    gone = await delete(manager, ACCOUNT, [made.account_id])
    back = await undo(manager, done)
    assert await reasons(manager, back) == {made.id: "Its account is in the trash. Take that out first."}
    assert gone.changed == 1


async def test_a_value_that_may_be_there_once_blocks_that_record_alone(admin):
    async with unit_of_work(admin) as uow:
        types = registry.get("activity_type")
        made = [await records.create(uow, types, {"key": f"kind{n}", "name": f"Kind {n}"}) for n in range(3)]
    done = await edit(admin, "activity_type", {"key": "same"}, [m.id for m in made])
    assert (done.changed, done.blocked) == (1, 2)
    assert set((await reasons(admin, done)).values()) == {"Key is already used by another record."}


# -- Attacks ---------------------------------------------------------------------------------------------------------


async def test_ids_of_another_tenant_and_out_of_sight_are_blocked_and_not_told_apart(workspace, alice, carol, mallory):
    mine, hers = await people(alice, 1), await people(mallory, 1)
    own = replace(alice, scope="own")
    foreign = await people(carol, 1)
    done = await edit(own, CONTACT, {"city": "Linz"}, [*mine, *hers, *foreign, new_id()])
    assert (done.changed, done.blocked) == (1, 3)
    told = await reasons(own, done)
    assert set(told.values()) == {"This contact does not exist, or you may not see it."}
    async with unit_of_work(own) as uow:
        assert {b.title for b in await bulk_operations.blocked(uow, done.id)} == {""}
    assert await rows(mallory, CONTACT, "city") == [""]
    assert await rows(carol, CONTACT, "city") == ["Linz", ""]


async def test_what_one_may_only_look_at_is_told_so(workspace, alice, carol):
    contact = registry.get(CONTACT)
    (seen,) = await people(alice, 1)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, contact, seen, carol.user_id)
    done = await edit(await workspace.acting(carol.user_id), CONTACT, {"city": "Linz"}, [seen])
    assert await reasons(carol, done) == {seen: "You may look at this contact, not change it."}
    assert await rows(alice, CONTACT, "city") == [""]


async def test_nobody_else_reads_cancels_or_undoes_it(alice, admin, mallory):
    done = await edit(alice, CONTACT, {"city": "Linz"}, await people(alice, 1))
    for other in (admin, mallory):
        for act in (bulk_operations.read, bulk_operations.cancel, bulk_operations.resume, bulk_operations.blocked):
            async with unit_of_work(other) as uow:
                with pytest.raises(NotFound):
                    await act(uow, done.id)
        with pytest.raises(NotFound):
            await undo(other, done)


async def test_without_the_right_nothing_begins(alice, reader):
    ids = await people(alice, 1)
    with pytest.raises(Forbidden):
        await edit(reader, CONTACT, {"city": "Linz"}, ids)
    with pytest.raises(Forbidden, match="assign"):
        await edit(alice, CONTACT, {"owner_id": reader.user_id}, ids)
    with pytest.raises(Forbidden):
        await edit(replace(alice, permissions=frozenset({"*"})), "user", {"name": "x"}, [alice.user_id])


async def test_fields_that_the_role_may_not_see_cannot_be_written(alice):
    ids = await people(alice, 1)
    for right in ("hidden", "masked"):
        limited = alice.with_field_rights({"contact.city": right})
        with pytest.raises(Invalid):
            await edit(limited, CONTACT, {"city": "Linz"}, ids)
        with pytest.raises(Invalid):
            view = View(filter=Clause("city", "eq", "Linz"))
            await edit(limited, CONTACT, {"title": "x"}, view=view)


@pytest.mark.parametrize(
    "values",
    [{"id": new_id()}, {"version": 9}, {"tenant_id": "x"}, {"deleted_at": None}, {"no such": 1}, {"city": 7},
     {"city": "x" * 500}, {"city": "a\x00b"}, {"last_name": ""}, {"account_id": new_id()}],
    ids=["id", "version", "tenant", "trash", "unknown", "type", "length", "zero", "required", "link"],
)  # fmt: skip
async def test_values_that_no_record_may_have_are_refused_at_once(alice, values):
    with pytest.raises(Invalid):
        await edit(alice, CONTACT, values, await people(alice, 1))


async def test_an_empty_choice_and_too_many_ids_are_refused(alice):
    with pytest.raises(Invalid, match="no contacts"):
        await edit(alice, CONTACT, {"city": "x"}, [])
    with pytest.raises(Invalid, match="all that match"):
        await edit(alice, CONTACT, {"city": "x"}, [new_id() for _ in range(10_001)])


async def test_a_month_later_it_is_forgotten(alice, admin):
    done = await edit(alice, CONTACT, {"city": "Linz"}, await people(alice, 1))
    await undo(alice, done)
    async with unit_of_work(admin) as uow:
        await bulk_operations.sweep(uow)
        assert (await uow.scalar(sa.select(sa.func.count()).select_from(table_of(BulkChunk)))) == 2
        uow.now += timedelta(days=31)
        await bulk_operations.sweep(uow)
        assert (await uow.scalar(sa.select(sa.func.count()).select_from(table_of(BulkChunk)))) == 0
