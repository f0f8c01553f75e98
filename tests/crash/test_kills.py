"""Killed in the middle, whatever is killed: what was acknowledged is there, what was not is not there by half."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.jobs import worker as hands
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.platform.audit import AuditEntry
from crm_app.models.platform.events import Event
from crm_app.services.platform import audit, records
from crm_app.settings import ROOT
from crm_app.store.live import Changed, LiveHub, Resync
from crm_app.store.queue import defer, open_queue, queue
from crm_app.store.uow import unit_of_work
from tests.crash.conftest import Installation, wait_for
from tests.crash.worker import take_a_nap
from tests.services.sales.pulse import assert_sound
from tests.work import jobs, work_off

pytestmark = pytest.mark.slow
_log, _events = table_of(AuditEntry), table_of(Event)


async def words_in(actor: Actor) -> tuple[set[str], set[str], set[str]]:
    """Words of committed transactions: by their deals, by their activities, by their facts."""
    step = _log.c.changes["next_step"][1].astext
    note = _log.c.changes["subject"][1].astext
    async with unit_of_work(actor) as uow:
        deals = set(
            (await uow.execute(sa.select(step).where(_log.c.entity == "opportunity", step.like("w%")))).scalars()
        )
        notes = set((await uow.execute(sa.select(note).where(_log.c.entity == "activity"))).scalars())
        told = _events.c.payload["diff"]["subject"][1].astext
        facts = set((await uow.execute(sa.select(told).where(_events.c.name == "activity.created"))).scalars())
    return deals, notes, facts


async def assert_whole(actor: Actor, acknowledged: set[str]) -> None:
    deals, notes, facts = await words_in(actor)
    assert acknowledged - deals == set()
    assert deals == notes == facts  # no transaction is there by half
    await assert_sound(actor)
    async with unit_of_work(actor) as uow:
        assert await audit.broken_seals(uow) == []


async def test_the_application_is_killed_again_and_again(installation: Installation) -> None:
    dice = random.Random(11)
    acknowledged: set[str] = set()
    for _ in range(3):
        writer = installation.writer()
        writer.until(10)
        await asyncio.sleep(dice.random() * 0.5)
        writer.kill()
        acknowledged |= writer.done
    assert len(acknowledged) >= 30
    await assert_whole(installation.actor, acknowledged)
    await work_off()  # and the jobs of what was committed are all there
    assert await jobs() == []
    async with unit_of_work(installation.actor) as uow:
        waiting = sa.text(
            "SELECT count(*) FROM event e WHERE name = 'activity.created' AND NOT EXISTS"
            " (SELECT FROM event_delivery d WHERE d.event_id = e.id AND d.done_at IS NOT NULL)"
        )
        assert await uow.scalar(waiting) == 0
    await assert_sound(installation.actor)


@pytest.mark.parametrize("victim", ["postmaster", "a backend", "everything"])
async def test_the_database_is_killed_under_writers_that_go_on(installation: Installation, victim: str) -> None:
    """The application is not restarted: its pool finds the server again, its feed tells everybody to read anew."""
    hub = LiveHub()
    listening = asyncio.create_task(hub.listen())
    await asyncio.wait_for(hub.is_listening.wait(), 10)
    with hub.subscribe(installation.actor.tenant_id, "screen") as screen:
        writer = installation.writer()
        await asyncio.to_thread(writer.until, 20)
        kill(installation, victim)
        if victim != "a backend":
            assert await asyncio.to_thread(installation.restart)
        before = len(writer.done)
        await asyncio.to_thread(writer.until, before + 40)
        assert any(line.startswith("lost") for line in writer.said)
        writer.kill()
        await assert_whole(installation.actor, writer.done)
        await hears_again(hub, screen, installation.actor)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


def kill(installation: Installation, victim: str) -> None:
    postmaster = installation.postmaster
    children = [int(c) for c in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    targets = {"postmaster": [postmaster], "everything": [postmaster, *children]}.get(victim)
    for target in targets or [backend(children)]:
        try:
            os.kill(target, signal.SIGKILL)
        except ProcessLookupError:  # it went by itself
            continue


def backend(children: list[int]) -> int:
    """One that serves the writer."""
    for child in children:
        line = Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
        if "crm_app" in line and "LISTEN" not in line and "idle in transaction" in line:
            return child
    return next(
        c for c in children if "crm_app crm" in Path(f"/proc/{c}/cmdline").read_bytes().decode(errors="replace")
    )


async def hears_again(hub: LiveHub, screen: "asyncio.Queue[object]", actor: Actor) -> None:
    """After the break there was an order to read anew, and what happens now is told again."""
    await asyncio.wait_for(hub.is_listening.wait(), 30)
    seen = []
    while Resync() not in seen:
        seen.append(await asyncio.wait_for(screen.get(), 30))
    while not screen.empty():
        screen.get_nowait()
    async with unit_of_work(actor) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "After the break"})
    while True:
        message = await asyncio.wait_for(screen.get(), 10)
        if isinstance(message, Changed) and message.record_id == account.id:
            return


async def test_the_pool_of_this_process_finds_the_server_again(installation: Installation) -> None:
    actor = installation.actor
    async with unit_of_work(actor) as uow:
        account = await records.create(uow, ACCOUNT, {"name": "Before"})
    os.kill(installation.postmaster, signal.SIGKILL)
    await asyncio.to_thread(installation.restart)

    async def read() -> str:
        async with unit_of_work(actor) as uow:
            return str((await records.read(uow, ACCOUNT, account.id)).name)

    assert set(await asyncio.gather(*(read() for _ in range(20)))) == {"Before"}


async def test_a_job_whose_worker_was_killed_is_run_again(installation, tmp_path: Path, monkeypatch) -> None:
    notes = tmp_path / "notes"
    async with open_queue():
        await take_a_nap.defer_async(file=str(notes))
    process = subprocess.Popen([sys.executable, "-m", "tests.crash.worker"], cwd=ROOT)
    await asyncio.to_thread(wait_for, notes.exists)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert notes.read_text() == "begun\n"
    assert [j["status"] for j in await jobs("take_a_nap")] == ["doing"]
    monkeypatch.setattr(hands, "_STALLED_SECONDS", 1)
    await asyncio.sleep(1.5)
    async with open_queue():
        await queue.configure_task("rescue_jobs", queueing_lock="rescue_jobs").defer_async(period="now")
    await work_off()
    assert notes.read_text() == "begun\nbegun\nended\n"
    assert await jobs() == []


async def test_the_worker_of_this_process_outlives_the_database(installation: Installation, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with open_queue() as app:
        working = asyncio.create_task(hands.run_worker(app, in_process=True))
        await asyncio.sleep(0.5)
        os.kill(installation.postmaster, signal.SIGKILL)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(installation.restart)
        await asyncio.sleep(0.5)
        async with unit_of_work(installation.actor) as uow:
            await defer(await uow.driver(), "take_a_nap", file=str(notes))
        await asyncio.to_thread(wait_for, lambda: notes.exists() and "ended" in notes.read_text(), 30)
        assert not working.done()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
