"""The cast is what it says: teams, roles and a stranger."""

import sqlalchemy as sa

from crm_app.core.context import Scope
from crm_app.models.people.users import Team
from crm_app.models.sales.pipelines import Stage
from crm_app.store.uow import unit_of_work


async def test_colleagues_see_each_other_and_nobody_of_another_team(alice, bob, carol, manager, admin):
    assert {alice.user_id, bob.user_id, manager.user_id} <= alice.team_ids
    assert carol.user_id not in alice.team_ids
    assert {alice.user_id, bob.user_id} <= manager.team_ids
    assert carol.team_ids == {carol.user_id}
    assert admin.scope is Scope.all


async def test_roles_give_what_their_names_promise(admin, manager, alice, reader):
    assert alice.can("opportunity.move") and alice.can("opportunity.close") and alice.can("account.create")
    assert not alice.can("opportunity.delete") and not alice.can("product.update") and not alice.can("user.manage")
    assert manager.can("opportunity.assign") and manager.can("opportunity.import") and manager.can("account.delete")
    assert not manager.can("user.manage") and not manager.can("settings.manage") and not manager.can("role.manage")
    assert reader.can("opportunity.read") and not reader.can("opportunity.update") and not reader.can("audit.read")
    assert admin.can("anything.at_all")


async def test_a_new_workspace_can_sell_at_once(admin, mallory):
    async with unit_of_work(admin) as uow:
        stages = (await uow.execute(sa.select(Stage).order_by(Stage.position))).scalars().all()
        teams = await uow.scalar(sa.select(sa.func.count()).select_from(Team))
    assert [(s.name, s.probability, s.rotting_days) for s in stages] == [
        ("Qualify", 10, 14),
        ("Discovery", 25, 14),
        ("Proposal", 50, 21),
        ("Negotiation", 70, 20),
        ("Contract", 90, 10),
        ("Won", 100, None),
        ("Lost", 0, None),
    ]
    assert teams == 2
