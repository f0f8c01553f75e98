"""Teams: members, a manager, a team above. A manager with the scope "team" sees all of it, and of the teams below."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.errors import Invalid
from crm_app.models.base import table_of
from crm_app.models.people.users import TEAM, Team, User
from crm_app.services.people import checks
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork

_users: Any = table_of(User)
_teams: Any = table_of(Team)


@dataclass(frozen=True, slots=True)
class TeamRow:
    id: UUID
    name: str
    region: str
    manager_id: UUID | None
    manager: str
    parent_id: UUID | None
    parent: str
    members: int


async def listed(uow: UnitOfWork) -> list[TeamRow]:
    uow.require("team.read")
    boss, above = _users.alias("boss"), _teams.alias("above")
    members = (
        sa.select(sa.func.count())
        .where(_users.c.team_id == _teams.c.id, _users.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    query = (
        sa.select(
            _teams.c.id, _teams.c.name, _teams.c.region, _teams.c.manager_id, sa.func.coalesce(boss.c.name, ""),
            _teams.c.parent_id, sa.func.coalesce(above.c.name, ""), members,
        )
        .outerjoin(boss, sa.and_(boss.c.tenant_id == _teams.c.tenant_id, boss.c.id == _teams.c.manager_id))
        .outerjoin(above, sa.and_(above.c.tenant_id == _teams.c.tenant_id, above.c.id == _teams.c.parent_id))
        .where(_teams.c.deleted_at.is_(None))
        .order_by(sa.func.crm_fold(_teams.c.name), _teams.c.id)
    )  # fmt: skip
    return [TeamRow(*tuple(row)) for row in await uow.rows(query)]


async def create(
    uow: UnitOfWork, *, name: str, manager_id: UUID | None = None, parent_id: UUID | None = None, region: str = ""
) -> Team:
    values = {"name": name, "manager_id": manager_id, "parent_id": parent_id, "region": region}
    team: Team = await records.create(uow, TEAM, values)
    return team


async def change(
    uow: UnitOfWork, team_id: UUID, *, name: str, manager_id: UUID | None, parent_id: UUID | None, region: str = ""
) -> Team:
    values = {"name": name, "manager_id": manager_id, "parent_id": parent_id, "region": region}
    team: Team = await records.update(uow, TEAM, team_id, values)
    return team


async def delete(uow: UnitOfWork, team_id: UUID) -> None:
    """Its members and the teams below it stay, without a team: nobody sees another's records through it any more."""
    team: Team = await records.delete(uow, TEAM, team_id)
    stamps = {"updated_at": uow.now, "updated_by_id": uow.actor.user_id}
    for table, link in ((_users, "team_id"), (_teams, "parent_id")):
        followers = sa.update(table).where(table.c[link] == team.id, table.c.deleted_at.is_(None))
        await uow.execute(followers.values({link: None, "version": table.c.version + 1, **stamps}))


@guards("team")
async def _hold_the_tree(uow: UnitOfWork, draft: Draft) -> None:
    """A clean name nobody else has, and no team above itself."""
    if draft.touches("name"):
        name = draft.values["name"] = checks.required_text("name", draft.values["name"], 80)
        same = sa.select(_teams.c.id).where(
            sa.func.lower(_teams.c.name) == name.lower(), _teams.c.deleted_at.is_(None),
            _teams.c.id != (draft.before.id if draft.before else None),
        )  # fmt: skip
        if await uow.scalar(same):
            raise Invalid(name="another team has this name")
    parent_id = draft.get("parent_id")
    if draft.before is None or parent_id is None or not draft.touches("parent_id"):
        return
    up = sa.select(_teams.c.id, _teams.c.parent_id).where(_teams.c.id == parent_id).cte("up", recursive=True)
    up = up.union(sa.select(_teams.c.id, _teams.c.parent_id).join(up, _teams.c.id == up.c.parent_id))
    if await uow.scalar(sa.select(up.c.id).where(up.c.id == draft.before.id)):
        raise Invalid(parent_id="stands below this team itself")
