"""What failed for good is seen by admins of its workspace, run again, or put aside; who did it is in the audit log."""

from typing import Any

import pytest
import sqlalchemy as sa

from crm_app.core.errors import Forbidden
from crm_app.core.events import StoredEvent
from crm_app.jobs import worker
from crm_app.jobs.delivery import MOST_ATTEMPTS
from crm_app.models.base import table_of
from crm_app.models.platform.audit import AuditEntry
from crm_app.services.platform import failures
from crm_app.store.engine import engine
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.jobs.conftest import ring
from tests.jobs.test_clock import tick as tick  # noqa: PLC0414  a fixture
from tests.jobs.test_delivery import let_time_pass
from tests.work import jobs, work_off

_log = table_of(AuditEntry)


async def listed(actor: Any) -> list[failures.Failure]:
    async with unit_of_work(actor) as uow:
        return await failures.listed(uow)


async def fail_for_good(actor: Any, hear: Any) -> list[bool]:
    """A handler that fails until its switch is emptied; the fact it gave up is parked."""
    broken = [True]

    async def write_letter(uow: UnitOfWork, fact: StoredEvent) -> None:
        if broken:
            raise ValueError("no address is known")

    hear(write_letter)
    await ring(actor)
    for _ in range(MOST_ATTEMPTS):
        await work_off()
        await let_time_pass()
    return broken


async def acts(actor: Any) -> list[tuple[str, Any, str]]:
    async with unit_of_work(actor) as uow:
        query = sa.select(_log.c.action, _log.c.user_id, _log.c.ip).where(_log.c.entity == failures.TOPIC)
        return [tuple(r) for r in await uow.rows(query.order_by(_log.c.at))]


async def test_a_parked_fact_is_listed_in_words_and_runs_again(admin, mallory, hear):
    broken = await fail_for_good(admin, hear)
    (failure,) = await listed(admin)
    assert (failure.what, failure.why) == ("Write letter", "after bell rang")
    assert (failure.error, failure.attempts) == ("no address is known", MOST_ATTEMPTS)
    assert await listed(mallory) == []
    broken.clear()
    async with unit_of_work(admin) as uow:
        assert await failures.retry(uow, [failure.id]) == 1
    await work_off()
    assert await listed(admin) == []
    assert await acts(admin) == [("retry", admin.user_id, admin.ip)]


async def test_put_aside_it_never_comes_back(admin, hear):
    await fail_for_good(admin, hear)
    async with unit_of_work(admin) as uow:
        assert await failures.dismiss(uow) == 1
    assert await listed(admin) == []
    async with unit_of_work(admin) as uow:
        assert await failures.retry(uow) == 0
    assert [a for a, *_ in await acts(admin)] == ["dismiss"]


async def test_a_job_of_the_clock_is_listed_once_until_it_succeeds(admin, mallory, tick):
    broken = {admin.tenant_id}

    async def of_a_test(uow: UnitOfWork) -> None:
        if uow.actor.tenant_id in broken:
            raise OSError("no space left on device")

    tick(of_a_test)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await worker.run_tick("of_a_test", "p")
    (failure,) = await listed(admin)
    assert (failure.what, failure.attempts, failure.error) == ("Of a test", 2, "no space left on device")
    assert await listed(mallory) == []
    async with unit_of_work(admin) as uow:
        assert await failures.retry(uow, [failure.id]) == 1
    await work_off()
    assert len(await listed(admin)) == 1  # still broken: it is back
    broken.clear()
    await worker.run_tick("of_a_test", "p")
    assert await listed(admin) == []


async def test_a_job_that_lost_its_worker_too_often(admin, mallory):
    """It stays in the queue as failed; nobody of another workspace sees or moves it."""
    async with engine().begin() as connection:
        await connection.execute(
            sa.text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, priority)"
                " VALUES ('default', 'deliver_events', CAST(:args AS jsonb), 'failed', 6, 0)"
            ),
            {"args": f'{{"tenant_id": "{admin.tenant_id}", "event_ids": []}}'},
        )
    (failure,) = await listed(admin)
    assert (failure.what, failure.attempts) == ("Deliver events", 6)
    async with unit_of_work(mallory) as uow:
        assert await failures.listed(uow) == []
        assert await failures.retry(uow, [failure.id]) == await failures.dismiss(uow, [failure.id]) == 0
    async with unit_of_work(admin) as uow:
        assert await failures.retry(uow, [failure.id]) == 1
    assert [j["status"] for j in await jobs()] == ["todo"]
    await work_off()
    assert await jobs() == []


async def test_only_who_manages_the_settings_decides(alice, manager):
    for actor in (alice, manager):
        for act in (failures.listed, failures.retry, failures.dismiss):
            with pytest.raises(Forbidden):
                async with unit_of_work(actor) as uow:
                    await act(uow)


async def test_the_log_takes_no_forged_change(admin):
    with pytest.raises(sa.exc.DBAPIError, match="crm_note does not write update"):
        async with unit_of_work(admin) as uow:
            await uow.rows(sa.text("SELECT crm_note('account', gen_random_uuid(), 'update', '{}')"))


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("ValueError: not yet", "not yet"),
        ("KeyError: 'x'", "A mistake in the program (KeyError 'x'). Report it; the server's log has the rest."),
        ("OperationalError: connection refused\nmore", "A service it needs did not answer: connection refused"),
        ("RuntimeError: ", "It gave no reason but RuntimeError."),
        ("", "It gave no reason. The server's log has the rest."),
    ],
)
def test_errors_in_words(stored, told):
    assert failures.in_words(stored) == told
