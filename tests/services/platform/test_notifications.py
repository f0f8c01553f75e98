"""Telling people: once, where they chose, and nothing that they may not see."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core.context import Scope, Source
from crm_app.core.errors import Forbidden, Invalid
from crm_app.core.notices import declare_notice
from crm_app.integrations import smtp
from crm_app.integrations.smtp import KeptMail, MailRefused
from crm_app.jobs.delivery import system_actor
from crm_app.jobs.notifications import mail_notification
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.platform.notifications import Notification
from crm_app.services.people import roles, users
from crm_app.services.platform import notifications, records
from crm_app.services.platform.notifications import ASSIGNED, JOB_DONE, notify
from crm_app.store.uow import unit_of_work

_rows = table_of(Notification)


async def told(actor):
    async with unit_of_work(actor) as uow:
        return await notifications.listed(uow)


async def unread(actor) -> int:
    async with unit_of_work(actor) as uow:
        return await notifications.unread(uow)


async def tell(actor, user_id, kind=JOB_DONE, **more):
    async with unit_of_work(actor) as uow:
        await notify(uow, user_id, kind, **more)


async def give(actor, to, name="Kessler") -> UUID:
    async with unit_of_work(actor) as uow:
        return (await records.create(uow, ACCOUNT, {"name": name, "owner_id": to.user_id})).id


@contextmanager
def mail_leaves(**how):
    kept = KeptMail(**how)
    smtp.use(kept)
    try:
        yield kept
    finally:
        smtp.use(None)


async def letters_due(actor) -> list[str]:
    """Ids of the notifications for which a letter waits."""
    async with unit_of_work(actor) as uow:
        query = (
            "SELECT args->>'notification_id' FROM procrastinate_jobs WHERE task_name = :t AND args->>'tenant_id' = :a"
        )
        return [r[0] for r in await uow.rows(sa.text(query), {"t": notifications.MAIL, "a": str(actor.tenant_id)})]


async def test_who_is_given_a_record_is_told(manager, alice, bob):
    record_id = await give(manager, alice)
    (line,) = await told(alice)
    assert (line.sentence, line.record, line.href) == ("Maria gave you", "Kessler", f"/accounts/{record_id}")
    assert (line.is_read, line.kind, await unread(alice)) == (False, ASSIGNED, 1)
    async with unit_of_work(manager) as uow:
        await records.update(uow, ACCOUNT, record_id, {"owner_id": bob.user_id})
        await records.update(uow, ACCOUNT, record_id, {"city": "Graz"})
    assert (await unread(bob), await unread(alice), await unread(manager)) == (1, 1, 0)


async def test_nobody_is_told_of_what_they_do_themselves(alice, manager):
    await give(alice, alice)
    assert await told(alice) == []
    await tell(manager, alice.user_id, by_id=alice.user_id)
    assert await told(alice) == []


async def test_imports_and_samples_tell_nobody_of_single_records(manager, alice):
    async with unit_of_work(replace(manager, source=Source.import_), silent=True) as uow:
        await records.create(uow, ACCOUNT, {"name": "One", "owner_id": alice.user_id})
    async with unit_of_work(replace(manager, source=Source.seed)) as uow:
        await records.create(uow, ACCOUNT, {"name": "Two", "owner_id": alice.user_id})
    assert await told(alice) == []


async def test_one_cause_tells_once(admin, alice):
    for _ in range(2):
        await tell(admin, alice.user_id, key="import:1", title="Deals.csv is in")
    await tell(admin, alice.user_id, key="import:2", title="Again")
    assert [t.sentence for t in await told(alice)] == ["Again", "Deals.csv is in"]


async def test_what_is_no_longer_seen_says_no_more(workspace, manager, alice, carol):
    record_id = await give(manager, alice)
    await tell(manager, alice.user_id, about="account", about_id=record_id, title="Secret", text="A secret of Kessler")
    async with unit_of_work(manager) as uow:  # it goes to another team
        await records.update(uow, ACCOUNT, record_id, {"owner_id": carol.user_id})
    for line in await told(alice):
        assert (line.record, line.text, line.href) == ("", "", "")
        assert "Secret" not in line.sentence


async def test_a_role_that_may_read_no_accounts_is_told_no_name(workspace, admin):
    async with unit_of_work(admin) as uow:
        role = await roles.create(uow, name="Blind", scope=Scope.all, permissions=["product.read"])
        account = await records.create(uow, ACCOUNT, {"name": "Kessler"})
    eve = await workspace.person("Eve", role_id=role.id)
    await tell(admin, eve.user_id, ASSIGNED, about="account", about_id=account.id, by_id=admin.user_id, text="words")
    (line,) = await told(eve)
    assert (line.sentence, line.record, line.text, line.href) == ("Ada Admin gave you", "", "", "")


async def test_everybody_marks_their_own_only(admin, alice, bob, mallory):
    for n in range(3):
        await tell(admin, alice.user_id, title=str(n))
    lines = await told(alice)
    for stranger in (bob, mallory):
        async with unit_of_work(stranger) as uow:
            await notifications.mark(uow, [t.id for t in lines], read=True)
            await notifications.mark_all_read(uow)
        assert await told(stranger) == []
    assert await unread(alice) == 3
    async with unit_of_work(alice) as uow:
        await notifications.mark(uow, [lines[0].id], read=True)
    assert await unread(alice) == 2
    async with unit_of_work(alice) as uow:
        await notifications.mark(uow, [lines[0].id], read=False)
    assert await unread(alice) == 3
    async with unit_of_work(alice) as uow:
        await notifications.mark_all_read(uow)
    assert await unread(alice) == 0 and all(t.is_read for t in await told(alice))


async def test_opening_the_record_reads_what_was_told_of_it(manager, alice):
    record_id = await give(manager, alice)
    await give(manager, alice, "Other")
    async with unit_of_work(alice) as uow:
        await notifications.read_about(uow, ACCOUNT, record_id)
    assert await unread(alice) == 1


async def test_page_by_page(admin, alice):
    for n in range(7):
        await tell(admin, alice.user_id, title=str(n))
    async with unit_of_work(alice) as uow:
        first = await notifications.listed(uow, limit=4)
        rest = await notifications.listed(uow, before=(first[-1].created_at, first[-1].id), limit=4)
    assert [t.sentence for t in (*first, *rest)] == ["6", "5", "4", "3", "2", "1", "0"]


async def test_counting_ends_at_a_hundred(admin, alice):
    async with unit_of_work(admin) as uow:
        for _ in range(notifications.MOST_UNREAD + 20):
            await notify(uow, alice.user_id, JOB_DONE)
    assert await unread(alice) == notifications.MOST_UNREAD


async def test_a_choice_for_each_kind(manager, alice):
    async with unit_of_work(alice) as uow:
        assert {c.kind.name: (c.in_app, c.by_mail) for c in await notifications.choices(uow)}["assigned"] == (
            True,
            True,
        )
        await notifications.choose(uow, "assigned", in_app=False, by_mail=False)
    await give(manager, alice)
    assert (await told(alice), await letters_due(alice)) == ([], [])
    async with unit_of_work(alice) as uow:
        await notifications.choose(uow, "assigned", in_app=True, by_mail=False)
        with pytest.raises(Invalid):
            await notifications.choose(uow, "no such kind", in_app=True, by_mail=True)
    await give(manager, alice)
    assert len(await told(alice)) == 1
    async with unit_of_work(system_actor(alice.tenant_id)) as uow:
        with pytest.raises(Forbidden):
            await notifications.choices(uow)


async def test_a_letter_leaves_once(manager, alice):
    with mail_leaves() as post:
        record_id = await give(manager, alice, "Kessler\r\nBcc: all@example.com")
        (due,) = await letters_due(alice)
        await mail_notification(str(alice.tenant_id), due)
        await mail_notification(str(alice.tenant_id), due)
    (mail,) = post.sent
    assert mail.subject == "Maria gave you Kessler Bcc: all@example.com" and mail.to.startswith("alice.")
    assert f"http://localhost:8000/accounts/{record_id}" in mail.text


async def test_no_letter_for_what_was_read_or_is_out_of_sight(manager, alice, carol):
    with mail_leaves() as post:
        read, moved = [await give(manager, alice, name) for name in ("Read", "Moved")]
        async with unit_of_work(alice) as uow:
            await notifications.read_about(uow, ACCOUNT, read)
        async with unit_of_work(manager) as uow:
            await records.update(uow, ACCOUNT, moved, {"owner_id": carol.user_id})
        for due in await letters_due(alice):
            await mail_notification(str(alice.tenant_id), due)
        assert [m.to.partition(".")[0] for m in post.sent] == ["carol"]


async def test_a_letter_that_did_not_leave_is_tried_again(manager, alice):
    with mail_leaves(refuses=True):
        await give(manager, alice)
        (due,) = await letters_due(alice)
        with pytest.raises(MailRefused):
            await mail_notification(str(alice.tenant_id), due)
    with mail_leaves() as post:
        await mail_notification(str(alice.tenant_id), due)
        assert len(post.sent) == 1


async def test_only_by_mail(manager, alice):
    async with unit_of_work(alice) as uow:
        await notifications.choose(uow, "assigned", in_app=False, by_mail=True)
    with mail_leaves() as post:
        await give(manager, alice)
        assert (await told(alice), await unread(alice)) == ([], 0)
        await mail_notification(str(alice.tenant_id), (await letters_due(alice))[0])
        assert len(post.sent) == 1


async def test_without_a_mail_server_no_letter_waits(manager, alice):
    await give(manager, alice)
    assert await letters_due(alice) == []


async def test_disabled_and_foreign_people_are_told_nothing(workspace, admin, alice, mallory):
    async with unit_of_work(admin) as uow:
        await users.disable(uow, alice.user_id)
    for nobody in (alice.user_id, mallory.user_id, new_id()):
        await tell(admin, nobody)
    async with unit_of_work(admin) as uow:
        assert await uow.scalar(sa.select(sa.func.count()).select_from(_rows)) == 0


@pytest.mark.parametrize("href", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_notice_leads_nowhere_else(admin, alice, href):
    await tell(admin, alice.user_id, href=href)
    assert (await told(alice))[0].href == ""


async def test_a_withdrawn_cause_is_told_no_more(admin, alice, bob):
    cause = new_id()
    for who in (alice, bob):
        await tell(admin, who.user_id, source_id=cause, text="first")
    async with unit_of_work(admin) as uow:
        await notifications.reword(uow, cause, "second")
        await notifications.withdraw(uow, cause, user_ids=[alice.user_id])
    assert ([t.text for t in await told(alice)], await told(bob)) == (["second"], [])


async def test_old_ones_are_forgotten(admin, alice):
    for n in range(3):
        await tell(admin, alice.user_id, title=str(n))
    read, old, _ = [t.id for t in await told(alice)]
    async with unit_of_work(system_actor(alice.tenant_id)) as uow:
        await uow.execute(sa.update(_rows).where(_rows.c.id == read).values(read_at=uow.now - timedelta(days=91)))
        await uow.execute(sa.update(_rows).where(_rows.c.id == old).values(created_at=uow.now - timedelta(days=181)))
        await notifications.purge(uow)
    assert [t.sentence for t in await told(alice)] == ["0"]


def test_a_kind_is_declared_once():
    with pytest.raises(ValueError, match="two kinds"):
        declare_notice("assigned", label="Another", sentence="x")
    assert declare_notice("assigned", label=ASSIGNED.label, sentence=ASSIGNED.sentence, icon="person", mail=True)
