"""An import on its way: changed, checked, paused, gone on with after a crash, cancelled, and nobody else's."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crm_app.core.clock import utcnow
from crm_app.core.errors import Conflict, Forbidden, Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import ACCOUNT, Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.platform.imports import ImportBatch, JobStatus
from crm_app.services.platform import notifications, records
from crm_app.services.platform.imports import jobs, matching, outline, presets, running, writing
from crm_app.store.uow import unit_of_work
from tests.services.imports.wizard import wizard_of
from tests.work import work_off

PEOPLE = "First name,Last name,E-mail,Phone\n" + "".join(
    f"Ann{n},Berg{n},ann{n}@example.com,+49 30 {100_000 + n}\n" for n in range(25)
)


@pytest.fixture(autouse=True)
def small_bits(monkeypatch):
    monkeypatch.setattr(running, "BIT", 10)


async def count(actor, model):
    async with unit_of_work(actor) as uow:
        return await uow.scalar(sa.select(sa.func.count()).where(table_of(model).c.deleted_at.is_(None)))


async def ready(actor, text=PEOPLE, name="people.csv"):
    wizard = await wizard_of(actor)
    await wizard.add(name, text)
    job = await wizard.check()
    assert job.status is JobStatus.checked, job.error
    return wizard


async def bits(wizard, number):
    """As many bits as a worker would write before it dies."""
    async with unit_of_work(wizard.actor) as uow:
        await jobs.run(uow, wizard.job_id)
    run = running.Run(wizard.job_id, jobs.folder_of(wizard.actor, wizard.job_id))
    begun = None
    for _ in range(number):
        async with unit_of_work(writing.importer(wizard.actor), silent=True, now=begun) as uow:
            begun = begun or uow.now
            await run.write_next(uow)


async def test_a_file_is_recognised_checked_and_written(admin):
    wizard = await ready(admin)
    one = await wizard.source()
    assert one["entity"] == "contact" and set(outline.filled(one)) == {"first_name", "last_name", "email", "phone"}
    assert await count(admin, Contact) == 0
    job = await wizard.run()
    assert job.status is JobStatus.done and job.report["counted"] == 25
    assert job.progress["done"] == job.progress["total"] == 25
    assert await count(admin, Contact) == 25
    async with unit_of_work(admin) as uow:  # who has gone elsewhere meanwhile is told
        (line,) = await notifications.listed(uow)
    assert line.sentence.endswith("is imported") and line.href == "/import"


async def test_the_next_import_puts_the_result_of_the_last_one_away(admin):
    wizard = await ready(admin)
    await wizard.run()
    async with unit_of_work(admin) as uow:
        following = await jobs.start(uow)
        await jobs.cancel(uow, following.id)
    async with unit_of_work(admin) as uow:
        assert await jobs.open_one(uow) is None


async def test_a_run_that_died_goes_on_where_it_was(admin):
    wizard = await ready(admin)
    await bits(wizard, 2)
    assert await count(admin, Contact) == 20
    await work_off()  # the job is still in the queue, as after a crash
    assert (await wizard.job()).status is JobStatus.done
    assert await count(admin, Contact) == 25


async def test_pause_resume_and_cancel(admin, dump):
    before = await dump(admin)
    wizard = await ready(admin)
    await bits(wizard, 1)
    async with unit_of_work(admin) as uow:
        await jobs.pause(uow, wizard.job_id)
    await work_off()
    assert (await wizard.job()).status is JobStatus.paused and await count(admin, Contact) == 10
    with pytest.raises(Conflict):
        await wizard.edit(lambda one: one)
    async with unit_of_work(admin) as uow:
        await jobs.resume(uow, wizard.job_id)
        await jobs.cancel(uow, wizard.job_id)
    await work_off()
    assert (await wizard.job()).status is JobStatus.closed and await count(admin, Contact) == 0
    after = await dump(admin)
    assert {t for t, r in after.items() if r != before.get(t)} <= {"import_job"}
    async with unit_of_work(admin) as uow:
        status = await uow.scalar(sa.select(table_of(ImportBatch).c.status))
    assert status.value == "reverted"


async def test_cells_are_mended_and_rows_left_out_and_all_is_checked_again(admin):
    wizard = await wizard_of(admin)
    await wizard.add("c.csv", "Name,Employees,Country\nAcme,many,Sweden\nBeta,3,Swedn\n,4,Swedn\n", entity="account")
    job = await wizard.check()
    step = job.report["steps"][0]
    assert (step["new"], step["rejected"]) == (1, 2)
    assert {(g["column"], g["count"]) for g in step["groups"]} == {("Employees", 1), ("Name", 1)}
    await wizard.edit(lambda one: outline.fix(one, 2, "Employees", "12"))
    await wizard.edit(lambda one: outline.leave_out(one, [4]))
    await wizard.edit(lambda one: outline.set_value(one, "country", "Swedn", "Sweden"))
    assert not (await wizard.job()).is_checked
    with pytest.raises(Conflict):
        await wizard.run()
    job = await wizard.check()
    assert [(s["new"], s["rejected"], s["skipped"]) for s in job.report["steps"]] == [(2, 0, 1)]
    await wizard.run()
    async with unit_of_work(admin) as uow:
        found = await uow.rows(
            sa.select(table_of(Account).c.name, table_of(Account).c.employees, table_of(Account).c.country)
        )
    assert sorted(map(tuple, found)) == [("Acme", 12, "Sweden"), ("Beta", 3, "Sweden")]


async def test_doubles_come_in_two_bands(admin):
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Kessler", "website": "kessler.example", "city": "Linz"})
        await records.create(uow, ACCOUNT, {"name": "Nordwind AG"})
    text = (
        "Name,Website,City\nKessler,,Graz\nKeßler GmbH,www.kessler.example,Linz\nNordwind,,Kiel\n"
        "Beta,beta.example,Rom\nBeta,,Rom\n"
    )
    wizard = await wizard_of(admin)
    await wizard.add("accounts.csv", text)
    step = (await wizard.check()).report["steps"][0]
    assert step["bands"] == {"sure": 3, "check": 1}, step
    assert (step["new"], step["duplicates"]) == (2, 3)
    await wizard.edit(lambda one: outline.decide(one, "sure", "update"))
    await wizard.edit(lambda one: outline.decide_row(one, 4, "skip"))
    await wizard.edit(lambda one: outline.decide_row(one, 3, "create"))
    step = (await wizard.check()).report["steps"][0]
    assert (step["new"], step["updated"], step["duplicates"]) == (2, 1, 2), step
    await wizard.run()
    async with unit_of_work(admin) as uow:
        found = await uow.rows(sa.select(table_of(Account).c.name, table_of(Account).c.city))
    assert sorted(map(tuple, found)) == [
        ("Beta", "Rom"), ("Kessler", "Graz"), ("Keßler GmbH", "Linz"), ("Nordwind AG", ""),
    ]  # fmt: skip


async def test_what_changed_since_the_check_is_not_written_over(admin):
    wizard = await ready(admin, "Name\nAcme\n", "accounts.csv")
    async with unit_of_work(admin) as uow:
        await records.create(uow, ACCOUNT, {"name": "Acme"})
    job = await wizard.run()
    assert job.status is JobStatus.draft and not job.is_checked and "Check all rows again" in job.error
    assert await count(admin, Account) == 1


async def test_a_matching_is_kept_for_the_next_file(admin):
    wizard = await wizard_of(admin)
    await wizard.add("c.csv", "Foo,Bar\nAcme,Linz\n", entity="account")
    await wizard.edit(lambda one: outline.set_field(one, "Foo", "name"))
    await wizard.edit(lambda one: outline.set_field(one, "Bar", "city"))
    async with unit_of_work(admin) as uow:
        await presets.save(uow, await wizard.source(), "Our list")
    again = await wizard_of(admin)
    await again.add("d.csv", "Foo,Bar\nBeta,Graz\n", entity="account")
    assert outline.filled(await again.source()) == {"name": "Foo", "city": "Bar"}
    async with unit_of_work(admin) as uow:
        (kept,) = await presets.listed(uow, "account")
        await presets.remove(uow, kept.id)
        assert await presets.listed(uow, "account") == []


async def test_people_and_stages_are_matched_where_it_is_plain(admin, alice):
    head = "Deal,Account,Amount,Close date,Stage,Owner\n"
    text = head + f"A,Acme,1,2030-01-01,Qualification,{alice.name}\nB,Acme,1,2030-01-01,Odd,x\n"
    wizard = await wizard_of(admin)
    await wizard.add("deals.csv", text)
    one = await wizard.source()
    assert one["entity"] == "opportunity" and one["values"]["stage_id"] == {"Qualification": "Qualify"}
    async with unit_of_work(admin) as uow:
        found = {m.field: m for m in await matching.matched(uow, one)}
    assert found["stage_id"].open == 1 and "Qualify" in [o.label for o in found["stage_id"].options]
    step = (await wizard.check()).report["steps"][-1]
    assert step["rejected"] == 1


async def test_it_is_the_senders_alone(admin, manager, alice, mallory):
    wizard = await ready(manager)
    for other in (admin, mallory):
        for act in (jobs.read, jobs.check, jobs.run, jobs.pause, jobs.resume, jobs.cancel):
            with pytest.raises(NotFound):
                async with unit_of_work(other) as uow:
                    await act(uow, wizard.job_id)
        async with unit_of_work(other) as uow:
            assert await jobs.open_one(uow) is None
    with pytest.raises(Forbidden):
        async with unit_of_work(alice) as uow:
            await jobs.start(uow)
    with pytest.raises(Forbidden):  # a right that was lost meanwhile
        async with unit_of_work(replace(manager, permissions=manager.permissions - {"contact.import"})) as uow:
            await wizard_check(uow, wizard)


async def wizard_check(uow, wizard):
    await jobs.change(uow, wizard.job_id, lambda d: d)
    await jobs.check(uow, wizard.job_id)


async def test_what_is_no_table_is_said(admin):
    wizard = await wizard_of(admin)
    with pytest.raises(Invalid):
        await wizard.add("broken.xlsx", b"PK\x00\x01 nonsense")
    with pytest.raises(Invalid):
        async with unit_of_work(admin) as uow:
            await jobs.check(uow, wizard.job_id)
    assert (await wizard.job()).document["sources"] == []


async def test_what_was_chosen_is_forgotten_after_a_month(admin):
    wizard = await ready(admin)
    async with unit_of_work(admin) as uow:
        await jobs.sweep(uow)
    assert await wizard.job()
    async with unit_of_work(admin, now=utcnow() + timedelta(days=31)) as uow:
        await jobs.sweep(uow)
    with pytest.raises(NotFound):
        await wizard.job()
