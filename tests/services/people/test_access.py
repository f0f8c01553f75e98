"""Why somebody sees a record, and why not: the answer is always the one that the services give."""

from dataclasses import replace

import pytest

from crm_app.core.context import Scope
from crm_app.core.errors import CrmError, Forbidden, NotFound
from crm_app.core.registry import get
from crm_app.services.people import access, actors, users
from crm_app.services.platform import records, sharing
from crm_app.store.uow import unit_of_work
from tests.services.sales.deals import a_deal

DEAL, PRODUCT = get("opportunity"), get("product")


async def explain(asker, deal, person=None, entity=DEAL):
    async with unit_of_work(asker) as uow:
        return await access.explain(uow, entity, deal.id, user_id=person.user_id if person else None)


async def does(actor, act) -> bool:
    try:
        async with unit_of_work(actor) as uow:
            await act(uow)
            raise _Done
    except _Done:
        return True
    except CrmError:
        return False


class _Done(Exception):
    pass


async def test_it_says_what_the_services_do(admin, manager, alice, bob, carol, reader, workspace):
    deal = await a_deal(alice, "Roll-out")
    dave = await workspace.person("Dave", team_id=workspace.other_team_id)
    erin = await workspace.person("Erin", team_id=workspace.other_team_id)
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, dave.user_id)
        await sharing.share(uow, DEAL, deal.id, erin.user_id, can_write=True)
    for person in (admin, manager, alice, bob, carol, reader, dave, erin):
        now = await actors.actor_for(person.tenant_id, person.user_id)
        told = await explain(admin, deal, person)
        assert told.sees == await does(now, lambda uow: records.read(uow, DEAL, deal.id)), person.name
        assert told.changes == await does(now, lambda uow: records.update(uow, DEAL, deal.id, {"name": "x"})), (
            person.name
        )
        assert told.deletes == await does(now, lambda uow: records.delete(uow, DEAL, deal.id)), person.name
        assert told.reasons and told.name == person.name


async def test_the_grounds_are_named(admin, alice, bob, carol):
    deal = await a_deal(alice, "Roll-out")
    team = {r.about: r for r in (await explain(admin, deal, bob)).reasons}
    assert team["Team"].is_yes and "Alice" in team["Team"].text and not team["Share"].is_yes
    away = {r.about: r for r in (await explain(admin, deal, carol)).reasons}
    assert not away["Team"].is_yes and not away["Share"].is_yes
    async with unit_of_work(alice) as uow:
        await sharing.share(uow, DEAL, deal.id, carol.user_id)
    shared = {r.about: r for r in (await explain(admin, deal, carol)).reasons}
    assert shared["Share"].is_yes and "to read" in shared["To change it"].text
    own = await explain(replace(alice, scope=Scope.own), deal)
    assert any(r.about == "Owner" and r.is_yes for r in own.reasons)


async def test_fields_are_told_without_names_that_the_asker_does_not_see(admin, alice):
    deal = await a_deal(alice, "Roll-out")
    half = replace(alice, hidden_fields=frozenset({"opportunity.next_step"}))
    assert "Next step" not in repr(await explain(half, deal)) and "1 field is" in repr(await explain(half, deal))


async def test_who_does_not_see_it_is_told_nothing(alice, carol, mallory, admin):
    deal = await a_deal(alice, "Roll-out")
    for asker in (carol, mallory):
        with pytest.raises(NotFound):
            await explain(asker, deal, alice)
    blind = replace(alice, permissions=alice.permissions - {"role.read"})
    with pytest.raises(Forbidden):
        await explain(blind, deal, carol)
    with pytest.raises(NotFound):
        await explain(admin, deal, mallory)


async def test_a_disabled_person_and_what_everybody_sees(admin, bob, alice):
    deal = await a_deal(alice, "Roll-out")
    async with unit_of_work(admin) as uow:
        product = await records.create(uow, PRODUCT, {"name": "Robots", "currency": "EUR"})
        await users.disable(uow, bob.user_id)
    assert (await explain(admin, deal, bob)).sees is False
    assert (await explain(alice, product, entity=PRODUCT)).sees is True
