"""What lists are sorted by: linked titles, places of choices, custom fields; page by page both ways."""

from uuid import uuid4

import pytest

from crm_app.core.errors import Invalid
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import Role
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import records
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal


async def walked(actor, entity, sort, *, descending=False, size=3):
    """The titles in order, read page by page down, and once more up from the end."""
    down, after, last = [], None, None
    async with unit_of_work(actor) as uow:
        while True:
            page = await records.find(uow, entity, sort=sort, descending=descending, after=after, limit=size)
            down += [r[entity.title] for r in page.rows]
            last = page.last or last
            if page.after is None:
                break
            after = page.after
        up, before = [], last
        while True:
            page = await records.find(uow, entity, sort=sort, descending=descending, before=before, limit=size)
            if not page.rows:
                break
            up = [r[entity.title] for r in page.rows] + up
            before = page.first
    assert [*up, down[-1]] == down
    return down


@pytest.fixture
async def people(alice):
    async with unit_of_work(alice) as uow:
        ids = {n: (await records.create(uow, ACCOUNT, {"name": n})).id for n in ("Zeta", "ábaco", "Kessler", "Gone")}
        for n, name in enumerate(("Zeta", "Kessler", "ábaco", "Kessler", None, "Gone", None, "Zeta")):
            await records.create(uow, CONTACT, {"last_name": f"P{n}", "account_id": ids.get(name)})
    return ids


async def test_a_link_sorts_by_what_it_points_to_and_none_comes_last(alice, people):
    assert await walked(alice, CONTACT, "account_id") == ["P2", "P5", "P1", "P3", "P0", "P7", "P4", "P6"]
    assert await walked(alice, CONTACT, "account_id", descending=True) == [
        "P7",
        "P0",
        "P3",
        "P1",
        "P5",
        "P2",
        "P6",
        "P4",
    ]


async def test_what_lies_in_the_trash_is_none(alice, people, admin):
    async with unit_of_work(admin) as uow:
        gone = await uow.get(ACCOUNT.model, people["Gone"])
        gone.deleted_at = uow.now
    assert (await walked(alice, CONTACT, "account_id"))[-3:] == ["P4", "P5", "P6"]


async def test_a_person_sorts_by_name(alice, bob):
    async with unit_of_work(bob) as uow:
        await records.create(uow, ACCOUNT, {"name": "Of Bob"})
    async with unit_of_work(alice) as uow:
        await records.create(uow, ACCOUNT, {"name": "Of Alice"})
    assert await walked(alice, ACCOUNT, "owner_id") == ["Of Alice", "Of Bob"]
    assert await walked(alice, ACCOUNT, "owner_id", descending=True) == ["Of Bob", "Of Alice"]


async def test_a_choice_sorts_by_its_place_among_the_choices(alice):
    given = ("high", "low", "high", "medium", "low")
    places = [c.value for c in OPPORTUNITY.fields["priority"].choices]
    for n, priority in enumerate(given):
        await a_deal(alice, f"D{n}", account=f"A{n}", priority=priority)
    order = sorted(range(len(given)), key=lambda n: (places.index(given[n]), n))
    assert await walked(alice, OPPORTUNITY, "priority") == [f"D{n}" for n in order]


async def test_nobody_learns_the_order_of_what_is_hidden(alice, people, workspace):
    async with unit_of_work(workspace.admin) as uow:
        role = await uow.get(Role, workspace.roles["rep"])
        role.field_rights = {"contact.account_id": "hidden"}
    blind = await workspace.acting(alice.user_id)
    async with unit_of_work(blind) as uow:
        for sort in ("account_id", "tags", "nonsense"):
            with pytest.raises(Invalid):
                await records.find(uow, CONTACT, sort=sort)


async def test_a_mark_from_elsewhere_finds_its_place(alice, people):
    async with unit_of_work(alice) as uow:
        page = await records.find(uow, CONTACT, sort="account_id", after=("m", uuid4()), limit=50)
    assert [r["name"] for r in page.rows] == ["P0", "P7", "P4", "P6"]
