"""Views that people keep: whose they are, who changes them, and what an address makes of them."""

from uuid import uuid4

import pytest

from crm_app.core.conditions import Clause
from crm_app.core.errors import Forbidden, Invalid, NotFound
from crm_app.core.views import View
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.platform.saved_views import ViewKind
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import saved_views
from crm_app.store.uow import unit_of_work

LINZ = View(filter=Clause("city", "eq", "Linz"), sort="city", descending=True, columns=("name", "city"))


async def kept(actor, name="Linz", view=LINZ, entity=ACCOUNT, **more):
    async with unit_of_work(actor) as uow:
        return await saved_views.create(uow, entity, view, name=name, **more)


async def seen(actor, entity=ACCOUNT):
    async with unit_of_work(actor) as uow:
        return [v.name for v in await saved_views.of(uow, entity)]


async def opens(actor, asked, entity=ACCOUNT):
    async with unit_of_work(actor) as uow:
        return await saved_views.named(uow, entity, asked)


async def do(actor, verb, *values):
    async with unit_of_work(actor) as uow:
        return await getattr(saved_views, verb)(uow, *values)


async def test_a_view_comes_back_as_it_was_kept(alice):
    saved = await kept(alice)
    found = await opens(alice, str(saved.id))
    assert (found.view, found.name, found.may_change) == (LINZ, "Linz", True)
    await do(alice, "change", saved.id, View(query="kes"))
    assert (await opens(alice, str(saved.id))).view == View(query="kes")
    mine = await opens(alice, "mine")
    assert mine.view.filter.field == "owner_id" and not mine.may_change
    for asked in (str(uuid4()), "nonsense", ""):
        assert (await opens(alice, asked)).view == View()
    assert (await opens(alice, str(saved.id), CONTACT)).is_gone


async def test_a_private_one_is_its_owners_alone(alice, bob, manager, mallory):
    saved = await kept(alice)
    for other in (bob, manager, mallory):
        assert await seen(other) == [] and (await opens(other, str(saved.id))).is_gone
        for verb, *values in (("change", View()), ("rename", "x"), ("share", True), ("pin", False), ("delete",)):
            with pytest.raises(NotFound):
                await do(other, verb, saved.id, *values)
    assert await seen(alice) == ["Linz"]


async def test_a_shared_one_is_changed_by_its_owner_and_by_managers(alice, bob, manager, admin, reader, mallory):
    saved = await kept(alice, is_shared=True)
    assert await seen(bob) == await seen(reader) == ["Linz"] and await seen(mallory) == []
    assert not (await opens(bob, str(saved.id))).may_change
    for verb, *values in (
        ("change", View()),
        ("rename", "x"),
        ("share", False),
        ("pin", False),
        ("move", 1),
        ("delete",),
    ):
        with pytest.raises(Forbidden):
            await do(bob, verb, saved.id, *values)
        with pytest.raises(NotFound):
            await do(mallory, verb, saved.id, *values)
    await do(manager, "rename", saved.id, "Linz and around")
    await do(admin, "share", saved.id, False)
    assert await seen(alice) == ["Linz and around"] and await seen(manager) == []


async def test_it_is_deleted_and_brought_back(alice, bob):
    saved = await kept(alice, is_shared=True)
    await do(alice, "delete", saved.id)
    assert await seen(alice) == [] and (await opens(alice, str(saved.id))).is_gone
    with pytest.raises(Forbidden):
        await do(bob, "restore", saved.id)
    await do(alice, "restore", saved.id)
    assert await seen(bob) == ["Linz"]


async def test_tabs_have_an_order_of_their_own(alice, bob):
    shared = await kept(bob, "Shared", is_shared=True)
    a, b, c = [await kept(alice, n) for n in "ABC"]
    await kept(alice, "Rest", is_pinned=False)
    assert await seen(alice) == ["Shared", "A", "B", "C", "Rest"]
    await do(alice, "move", c.id, -1)
    await do(alice, "move", a.id, 1)
    assert await seen(alice) == ["Shared", "C", "A", "B", "Rest"]
    await do(alice, "move", c.id, -1)
    await do(alice, "pin", b.id, False)
    assert await seen(alice) == ["C", "Shared", "A", "B", "Rest"]
    await do(bob, "move", shared.id, 1)
    assert await seen(bob) == ["Shared"]


async def test_names_are_checked_and_one_s_own(alice, bob):
    await kept(alice)
    await kept(bob)
    for name in ("linz", " ", "x" * 61):
        with pytest.raises(Invalid):
            await kept(alice, name)
    await kept(alice, "Linz", entity=CONTACT, view=View())


async def test_what_cannot_run_is_not_kept(alice, workspace):
    with pytest.raises(Invalid):
        await kept(alice, view=View(filter=Clause("nonsense", "eq", "x")))
    saved = await kept(alice)
    with pytest.raises(Invalid):
        await do(alice, "change", saved.id, View(filter=Clause("city", "gt", "x")))
    assert (await opens(alice, str(saved.id))).view == LINZ


async def test_views_of_a_board_stand_beside_those_of_the_list(alice, bob):
    """Own names, own order, and neither opens in the other's place."""
    pilots = View(filter=Clause("tags", "has", "pilot"))
    table = await kept(alice, "Pilots", pilots, OPPORTUNITY, is_shared=True)
    board = await kept(alice, "Pilots", pilots, OPPORTUNITY, kind=ViewKind.board, is_shared=True)
    assert (table.place, board.place) == (0, 0)
    with pytest.raises(Invalid, match="of this board"):
        await kept(alice, "pilots", pilots, OPPORTUNITY, kind=ViewKind.board)
    async with unit_of_work(bob) as uow:
        for kind, own, other in ((ViewKind.table, table, board), (ViewKind.board, board, table)):
            assert [v.id for v in await saved_views.of(uow, OPPORTUNITY, kind)] == [own.id]
            assert (await saved_views.named(uow, OPPORTUNITY, str(own.id), kind)).view == pilots
            assert (await saved_views.named(uow, OPPORTUNITY, str(other.id), kind)).is_gone
    with pytest.raises(Forbidden):
        await do(bob, "change", board.id, View())
