"""A few words become an activity."""

from datetime import timedelta

import pytest

from crm_app.core.errors import Invalid, NotFound
from crm_app.models.activities.activities import ActivityStatus
from crm_app.services.activities import quick_log
from crm_app.services.activities.activities import With
from crm_app.services.activities.quick_log import headline
from crm_app.store.uow import unit_of_work


@pytest.mark.parametrize(
    ("kind", "text", "name", "is_planned", "said"),
    [
        ("call", "Budget is fine", "Ruben", False, ("Call with Ruben", "Budget is fine")),
        ("call", "", "Ruben", False, ("Call with Ruben", "")),
        ("call", "Budget is fine", "", False, ("Call", "Budget is fine")),
        ("call", "Ask for the budget", "Ruben", True, ("Ask for the budget", "")),
        ("meeting", "", "Ruben", True, ("Meeting with Ruben", "")),
        ("email", "Quote v3\nto all", "Ruben", False, ("Quote v3", "to all")),
        ("note", "Wants it by May", "", False, ("Note", "Wants it by May")),
        ("task", "Send prices\n8 %", "", True, ("Send prices", "8 %")),
        ("demo", "Showed the robots", "", False, ("Showed the robots", "")),
    ],
)
def test_what_it_is_called(kind, text, name, is_planned, said):
    assert headline(kind, text, name, is_planned=is_planned) == said


def test_a_long_first_line_is_kept_whole_below():
    subject, body = headline("task", "x" * 300, "", is_planned=True)
    assert len(subject) == 200 and body == "x" * 300


@pytest.mark.parametrize(("kind", "is_planned"), [("note", False), ("comment", False), ("task", True), ("call", False)])
def test_nothing_is_not_logged(kind, is_planned):
    with pytest.raises(Invalid):
        headline(kind, "  ", "", is_planned=is_planned)


@pytest.fixture
async def account(alice):
    from crm_app.models.customers.accounts import ACCOUNT
    from crm_app.services.platform import records

    async with unit_of_work(alice) as uow:
        return await records.create(uow, ACCOUNT, {"name": "Kessler"})


async def test_the_time_decides_whether_it_is_done_or_planned(alice, account):
    whose = With(account_id=account.id)
    async with unit_of_work(alice) as uow:
        now = await quick_log.write(uow, whose, kind="call", text="a", outcome="Reached", duration_minutes=14)
        past = await quick_log.write(uow, whose, kind="call", text="b", happens_at=uow.now - timedelta(days=1))
        future = await quick_log.write(uow, whose, kind="call", text="c", happens_at=uow.now + timedelta(days=1))
        late = await quick_log.write(uow, whose, kind="task", text="d", happens_at=uow.now - timedelta(days=1))
    assert [a.status for a in (now, past, future, late)] == [
        ActivityStatus.done, ActivityStatus.done, ActivityStatus.planned, ActivityStatus.planned,
    ]  # fmt: skip
    assert (now.outcome, now.duration_minutes, future.owner_id) == ("Reached", 14, alice.user_id)


async def test_a_task_has_a_day(alice, account):
    with pytest.raises(Invalid, match="day"):
        async with unit_of_work(alice) as uow:
            await quick_log.write(uow, With(account_id=account.id), kind="task", text="d")


async def test_a_contact_of_another_tenant_cannot_be_named(alice, mallory, account):
    from crm_app.models.customers.contacts import CONTACT
    from crm_app.services.platform import records

    async with unit_of_work(mallory) as uow:
        theirs = await records.create(uow, CONTACT, {"last_name": "Foreign"})
    with pytest.raises(NotFound):
        async with unit_of_work(alice) as uow:
            await quick_log.write(uow, With(account_id=account.id), kind="call", text="d", contact_id=theirs.id)
