"""The live feed tells each workspace of its own changes, tells the newest tab, and bears a slow one."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from crm_app.models.base import new_id
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.services.platform import records
from crm_app.store.engine import engine
from crm_app.store.live import Changed, LiveHub, Personal, Resync, Signal
from crm_app.store.uow import signal, unit_of_work

SECONDS = 5


@pytest.fixture
async def hub(app_database: None) -> AsyncIterator[LiveHub]:
    made = LiveHub()
    task = asyncio.create_task(made.listen())
    await asyncio.wait_for(made.is_listening.wait(), SECONDS)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def hear(queue) -> object:
    return await asyncio.wait_for(queue.get(), SECONDS)


async def test_a_stranger_hears_nothing_of_ours(admin, mallory, hub):
    with hub.subscribe(admin.tenant_id, "a") as ours, hub.subscribe(mallory.tenant_id, "m") as hers:
        async with unit_of_work(admin) as uow:
            account = await records.create(uow, ACCOUNT, {"name": "Ours"})
        await signal(admin, "presence", {"who": "Ada"})
        assert await hear(ours) == Changed("account", account.id, 1, "created", str(admin.user_id))
        assert await hear(ours) == Signal("presence", {"who": "Ada"})
        await signal(mallory, "hers", {})
        assert await hear(hers) == Signal("hers", {})
        assert hers.empty()
        assert ours.empty()


async def test_what_is_told_is_no_more_than_ids(admin, hub):
    """Texts are read anew under the viewer's own rights; the feed never carries them."""
    with hub.subscribe(admin.tenant_id, "a") as ours:
        async with unit_of_work(admin) as uow:
            await records.create(uow, ACCOUNT, {"name": "Geheimnis"})
        assert "Geheimnis" not in repr(await hear(ours))


async def test_a_change_taken_back_is_not_told(admin, hub):
    with hub.subscribe(admin.tenant_id, "a") as ours:
        with pytest.raises(KeyError):
            async with unit_of_work(admin) as uow:
                await records.create(uow, ACCOUNT, {"name": "Gone"})
                raise KeyError
        await signal(admin, "after", {})
        assert await hear(ours) == Signal("after", {})


async def test_many_changes_at_once_are_one_order_to_read_anew(admin, hub):
    with hub.subscribe(admin.tenant_id, "a") as ours:
        async with unit_of_work(admin) as uow:
            for i in range(60):
                uow.changed("account", new_id(), i)
        assert await hear(ours) == Resync(frozenset({"account"}))


async def test_the_newest_tab_of_a_key_is_told_and_the_older_one_released(admin, hub):
    with hub.subscribe(admin.tenant_id, "tab") as older, hub.subscribe(admin.tenant_id, "tab") as newer:
        assert await hear(older) is None
        await signal(admin, "x", {})
        assert await hear(newer) == Signal("x", {})
        assert older.empty()
    assert hub.count() == 0


async def test_a_screen_that_does_not_read_gets_one_order_instead_of_hundreds(admin, hub):
    with hub.subscribe(admin.tenant_id, "slow") as slow, hub.subscribe(admin.tenant_id, "quick") as quick:
        heard = 0
        for _ in range(16):
            async with unit_of_work(admin) as uow:
                for i in range(40):
                    uow.changed("account", new_id(), i)
            for _ in range(40):
                await hear(quick)
                heard += 1
        assert heard == 640
        assert slow.qsize() < 500
        waiting = [slow.get_nowait() for _ in range(slow.qsize())]
        assert Resync() in waiting


async def test_a_message_that_cannot_be_read_does_not_end_the_feed(admin, hub):
    with hub.subscribe(admin.tenant_id, "a") as ours:
        async with engine().begin() as connection:
            for payload in ("", "no json", "{}", '{"t": "nobody"}', f'{{"t": "{admin.tenant_id}", "c": [{{}}]}}'):
                await connection.execute(sa.text("SELECT pg_notify('crm_live', :p)"), {"p": payload})
        await signal(admin, "after", {})
        assert await hear(ours) == Signal("after", {})


async def test_news_for_one_person_reach_who_asks_for_them(admin, alice, mallory, hub):
    wanted = (Personal, Resync)
    with (
        hub.subscribe(admin.tenant_id, "bell", wanted) as bell,
        hub.subscribe(admin.tenant_id, "page") as page,
        hub.subscribe(mallory.tenant_id, "m", wanted) as hers,
    ):
        async with unit_of_work(admin) as uow:
            uow.tell_person(alice.user_id)
        heard = await hear(bell)
        assert heard.is_for(alice.user_id) and not heard.is_for(admin.user_id)
        async with unit_of_work(admin) as uow:
            for _ in range(60):
                uow.tell_person(new_id())
        assert (await hear(bell)).is_for(alice.user_id)  # too many to name them
        await signal(admin, "after", {})
        assert await hear(page) == Signal("after", {})
        assert hers.empty()


async def test_who_asks_about_one_kind_of_record_hears_of_no_other(admin, mallory, hub):
    views = frozenset({"saved_view"})
    with (
        hub.subscribe(admin.tenant_id, "tabs", (Changed, Resync), about=views) as ours,
        hub.subscribe(mallory.tenant_id, "tabs", (Changed, Resync), about=views) as hers,
    ):
        wanted = new_id()
        async with unit_of_work(admin) as uow:
            uow.changed("account", new_id(), 1)
            uow.changed("saved_view", wanted, 0)
        heard = await hear(ours)
        assert heard.record_id == wanted and ours.empty() and hers.empty()
