"""Statements compiled once: typed both ways, several on one way, errors as the session's."""

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from psycopg.errors import QueryCanceled
from sqlalchemy.exc import DBAPIError, IntegrityError

from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.sales.opportunities import Health, Opportunity
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.services.platform import records
from crm_app.services.platform.bulk import ready_update, values_of
from crm_app.store.inserts import insert
from crm_app.store.ready import Ready, one_of
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal, read_deal

_accounts, _deals, _stages = table_of(Account), table_of(Opportunity), table_of(Stage)
_NAMED = Ready(sa.select(_accounts.c.id, _accounts.c.name).where(_accounts.c.name == sa.bindparam("name")))
_KINDS = Ready(sa.select(_stages.c.kind, _stages.c.required_fields).where(one_of(_stages.c.kind, "kinds")))


async def test_what_goes_in_and_out_is_typed(alice):
    async with unit_of_work(alice) as uow:
        made = await records.create(uow, ACCOUNT, {"name": "100% Kessler"})
        (found,) = await uow.ready(_NAMED, name="100% Kessler")
        ends = await uow.ready(_KINDS, kinds=[StageKind.won, StageKind.lost])
    assert found == {"id": made.id, "name": "100% Kessler"}
    assert {e["kind"] for e in ends} == {StageKind.won, StageKind.lost}
    assert all(isinstance(e["kind"], StageKind) and e["required_fields"] == [] for e in ends)


async def test_values_must_be_those_it_asks_for(alice):
    async with unit_of_work(alice) as uow:
        for wrong in ({}, {"name": "a", "other": 1}, {"nam": "a"}):
            with pytest.raises(TypeError, match="asks for"):
                await uow.ready(_NAMED, **wrong)


async def test_several_on_one_way_see_what_those_before_them_did(alice):
    rename = ready_update(_accounts, ("name",), several=False)
    async with unit_of_work(alice) as uow:
        made = await records.create(uow, ACCOUNT, {"name": "Kessler"})
        before, nothing, after, other = await uow.together(
            (_NAMED, {"name": "Kessler"}), (rename, {"row_id": made.id, "name": "Huber"}), (_NAMED, {"name": "Huber"}),
            (_NAMED, {"name": "Kessler"}),
        )  # fmt: skip
    assert ([r["id"] for r in before], nothing, [r["id"] for r in after], other) == ([made.id], [], [made.id], [])


async def test_what_is_for_the_end_is_sent_with_it_or_not_at_all(alice):
    rename = ready_update(_accounts, ("name",), several=False)
    async with unit_of_work(alice) as uow:
        made = await records.create(uow, ACCOUNT, {"name": "Kessler"})
    with pytest.raises(RuntimeError):
        async with unit_of_work(alice) as uow:
            uow.at_end(rename, row_id=made.id, name="Huber")
            raise RuntimeError
    async with unit_of_work(alice) as uow:
        uow.at_end(rename, row_id=made.id, name="Meier")
        assert await uow.ready(_NAMED, name="Meier") == []
    async with unit_of_work(alice) as uow:
        assert len(await uow.ready(_NAMED, name="Meier")) == 1


async def test_rows_of_many_are_changed_each_by_its_own(alice):
    deals = [await a_deal(alice, n) for n in "ABC"]
    now = datetime(2030, 1, 2, tzinfo=UTC)
    names = ("health", "health_changes_at", "position", "win_loss_details")
    rows = [
        {"id": d.id, "health": h, "health_changes_at": t, "position": p, "win_loss_details": "x, {y} \"z\" 'q'"}
        for d, h, t, p in zip(deals, Health, (None, now, None), (1.5, 2.0, -3.0), strict=True)
    ]
    async with unit_of_work(alice) as uow:
        await uow.ready(ready_update(_deals, names, several=True), **values_of(rows, names))
    for row in rows:
        kept = await read_deal(alice, row["id"])
        assert {n: kept[n] for n in row} == row


async def test_nothing_of_another_workspace_is_found_or_changed(alice, mallory):
    async with unit_of_work(alice) as uow:
        made = await records.create(uow, ACCOUNT, {"name": "Kessler"})
    async with unit_of_work(mallory) as uow:
        assert await uow.ready(_NAMED, name="Kessler") == []
        await uow.ready(ready_update(_accounts, ("name",), several=False), row_id=made.id, name="Mine")
    async with unit_of_work(alice) as uow:
        assert len(await uow.ready(_NAMED, name="Kessler")) == 1


async def test_errors_are_those_of_the_session_and_the_connection_lives_on(alice):
    async with unit_of_work(alice) as uow:
        first = await a_deal(alice)
    with pytest.raises(IntegrityError) as refusal:
        async with unit_of_work(alice) as uow:
            await uow.together(
                (_NAMED, {"name": "a"}),
                (ready_update(_deals, ("amount_minor",), several=False), {"row_id": first.id, "amount_minor": 0}),
                (_NAMED, {"name": "b"}),
            )
    assert refusal.value.orig.diag.constraint_name == "ck_opportunity_amount"
    with pytest.raises(DBAPIError) as late:
        async with unit_of_work(alice) as uow:
            await uow.execute(sa.text("SET LOCAL statement_timeout = 20"))
            await uow.ready(Ready(sa.text("SELECT pg_sleep(:s)")), s=5)
    assert isinstance(late.value.orig, QueryCanceled)
    for _ in range(12):
        async with unit_of_work(alice) as uow:
            assert await uow.ready(_NAMED, name="nobody") == []


async def test_one_who_goes_away_in_the_middle_leaves_a_clean_connection(alice, mallory):
    async def impatient(actor) -> None:
        async with unit_of_work(actor) as uow:
            await uow.together((_NAMED, {"name": "a"}), (_NAMED, {"name": "b"}))
            await uow.ready(Ready(sa.text("SELECT pg_sleep(:s)")), s=5)

    async with unit_of_work(alice) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler"})
    for number in range(30):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(impatient((alice, mallory)[number % 2]), 0.002 + number * 0.001)
    for actor, count in ((alice, 1), (mallory, 0)) * 15:
        async with unit_of_work(actor) as uow:
            assert len(await uow.ready(_NAMED, name="Kessler")) == count


async def test_a_record_inserted_by_one_statement_is_as_one_of_the_session(alice, bob):
    async with unit_of_work(alice) as uow:
        quick = await insert(uow, Account, {"name": "Öl & Gas", "tags": ["a"], "owner_id": alice.user_id})
        plain = Account(name="Öl & Gas", tags=["a"], owner_id=alice.user_id)
        uow.add(plain)
        await uow.flush()
        assert quick in uow.session and not uow.session.dirty
        quick.city = "Ulm"
        await uow.flush()
        assert quick.version == 2
    query = sa.select(_accounts).where(_accounts.c.id.in_([quick.id, plain.id])).order_by(_accounts.c.version)
    async with unit_of_work(bob) as uow:
        one, other = [dict(r) for r in (await uow.execute(query)).mappings()]
    assert {n for n in one if one[n] != other[n]} <= {"id", "version", "city", "search_text"}
    assert type(plain).model_fields.keys() - {"search_text"} <= quick.__dict__.keys()


async def test_ids_of_others_waiting_in_the_session_are_written_first(alice):
    async with unit_of_work(alice) as uow:
        parent = Account(id=new_id(), name="Parent", owner_id=alice.user_id)
        uow.add(parent)
        child = await insert(uow, Account, {"name": "Child", "parent_id": parent.id, "owner_id": alice.user_id})
    assert child.parent_id == parent.id
