"""Territories: which accounts they hold follows by itself; members see what hangs on them, everywhere or nowhere."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from crm_app.core.context import Scope
from crm_app.core.errors import Forbidden, Invalid, NotFound
from crm_app.core.registry import get
from crm_app.models.base import table_of
from crm_app.models.sales.territories import TerritoryAccount
from crm_app.services.people import actors, roles
from crm_app.services.people.roles import expand
from crm_app.services.platform import records
from crm_app.services.sales import territories
from crm_app.store.uow import unit_of_work
from tests.services.platform.test_sharing import sees
from tests.services.sales.deals import a_deal

ACCOUNT, CONTACT, DEAL = get("account"), get("contact"), get("opportunity")
_held = table_of(TerritoryAccount)


@pytest.fixture
async def tess(workspace, admin):
    """Sells in territories, in another team than alice."""
    async with unit_of_work(admin) as uow:
        rights = [p for p in expand(("@rep",)) if p in roles.catalogue()]
        role = await roles.create(uow, name="Territory rep", scope=Scope.territory, permissions=rights)
    return await workspace.person("Tess", role_id=role.id, team_id=workspace.other_team_id)


async def draw(admin, *members, name="DACH", countries=("Germany", "Austria"), industries=()):
    async with unit_of_work(admin) as uow:
        return await territories.create(
            uow, name=name, countries=countries, industries=industries, member_ids=[m.user_id for m in members]
        )


async def account(actor, name="Kessler", **values):
    async with unit_of_work(actor) as uow:
        return await records.create(uow, ACCOUNT, {"name": name, **values})


async def held(admin, territory) -> set:
    async with unit_of_work(admin) as uow:
        return {r[0] for r in await uow.rows(sa.select(_held.c.account_id).where(_held.c.territory_id == territory.id))}


async def now(person):
    return await actors.actor_for(person.tenant_id, person.user_id)


async def test_what_it_holds_follows_accounts_and_lists(admin, alice):
    here = await account(alice, "Here", country="germany", industry="Steel")
    away = await account(alice, "Away", country="France")
    dach = await draw(admin)
    assert await held(admin, dach) == {here.id}
    later = await account(alice, "Later", country="AUSTRIA")
    assert await held(admin, dach) == {here.id, later.id}
    for record, country in ((away, "Germany"), (here, "Spain")):
        async with unit_of_work(alice) as uow:
            await records.update(uow, ACCOUNT, record.id, {"country": country})
    assert await held(admin, dach) == {away.id, later.id}
    async with unit_of_work(admin) as uow:
        await territories.change(uow, dach.id, name="Iberia", countries=["Spain"], industries=["steel"])
    assert await held(admin, dach) == {here.id}
    async with unit_of_work(admin) as uow:
        await territories.change(uow, dach.id, name="Nothing", countries=[], industries=[])
    assert await held(admin, dach) == set()


async def test_many_accounts_by_one_statement(admin):
    dach = await draw(admin)
    async with unit_of_work(admin) as uow:
        for n in range(30):
            await records.create(uow, ACCOUNT, {"name": f"A{n}", "country": "Germany" if n % 2 else "Italy"})
    assert len(await held(admin, dach)) == 15
    async with unit_of_work(admin) as uow:
        await uow.execute(sa.update(ACCOUNT.table).values(country="Austria", version=ACCOUNT.table.c.version + 1))
    assert len(await held(admin, dach)) == 30


async def test_members_see_accounts_deals_and_contacts_of_it(admin, alice, tess):
    mine = await a_deal(alice, "Secret roll-out", account="Kessler")
    async with unit_of_work(alice) as uow:
        person = await records.create(uow, CONTACT, {"last_name": "Berg", "account_id": mine.account_id})
    dach = await draw(admin, tess)
    tess = await now(tess)
    assert tess.territory_ids == {dach.id} and not await sees(tess, mine)
    async with unit_of_work(alice) as uow:
        await records.update(uow, ACCOUNT, mine.account_id, {"country": "Germany"})
    assert await sees(tess, mine)
    async with unit_of_work(tess) as uow:
        assert (await uow.get(CONTACT.model, person.id)).last_name == "Berg"
        await records.update(uow, DEAL, mine.id, {"next_step": "Call"})  # to see by territory is to work there
    async with unit_of_work(admin) as uow:
        await territories.set_members(uow, dach.id, [])
    assert not await sees(await now(tess), mine)


async def test_other_scopes_gain_nothing_by_membership(admin, alice, carol):
    mine = await a_deal(alice, "Secret roll-out", account="Kessler")
    async with unit_of_work(alice) as uow:
        await records.update(uow, ACCOUNT, mine.account_id, {"country": "Germany"})
    await draw(admin, carol)
    carol = await now(carol)
    assert carol.territory_ids == frozenset() and not await sees(carol, mine)


async def test_who_draws_them(admin, alice, manager, mallory, tess):
    dach = await draw(admin, tess)
    drawer = replace(tess, permissions=tess.permissions | {"territory.create", "territory.update", "territory.delete"})
    for actor, refusal in ((alice, Forbidden), (manager, Forbidden), (drawer, Forbidden), (mallory, NotFound)):
        for act in (
            lambda uow: territories.set_members(uow, dach.id, [tess.user_id]),
            lambda uow: territories.change(uow, dach.id, name="x", countries=["France"], industries=[]),
            lambda uow: territories.delete(uow, dach.id),
        ):
            with pytest.raises(refusal):
                async with unit_of_work(actor) as uow:
                    await act(uow)
    for actor in (alice, drawer):
        with pytest.raises(Forbidden):
            await draw(actor, actor, name="Mine", countries=["Germany"])
    with pytest.raises(NotFound):
        await draw(admin, mallory, name="Theirs")


async def test_lists_are_cleaned_and_names_are_one_of_a_kind(admin):
    dach = await draw(admin, countries=[" Germany ", "germany", "", "Austria"])
    async with unit_of_work(admin) as uow:
        (row,) = await territories.listed(uow)
    assert row.countries == ("Germany", "Austria") and row.accounts == 0 and row.id == dach.id
    with pytest.raises(Invalid):
        await draw(admin, name="dach")


async def test_one_that_is_deleted_holds_nothing(admin, alice, tess):
    here = await account(alice, country="Germany")
    dach = await draw(admin, tess)
    async with unit_of_work(admin) as uow:
        await territories.delete(uow, dach.id)
    assert await held(admin, dach) == set()
    async with unit_of_work(await now(tess)) as uow:
        with pytest.raises(NotFound):
            await uow.get(ACCOUNT.model, here.id)
