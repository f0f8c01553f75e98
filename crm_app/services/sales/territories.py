"""Territories: which accounts they hold follows from their countries and industries; people are put into them here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.changes import Draft, guards
from crm_app.core.context import Scope
from crm_app.core.errors import Forbidden, Invalid
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.people.users import User
from crm_app.models.sales.territories import TERRITORY, Territory, TerritoryAccount, TerritoryMember
from crm_app.services.people import checks
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork

_territories, _members, _held = table_of(Territory), table_of(TerritoryMember), table_of(TerritoryAccount)
_users, _accounts = table_of(User), table_of(Account)
_MOST = 200  # countries or industries


@dataclass(frozen=True, slots=True)
class TerritoryRow:
    """`accounts` counts those it holds; `members` are (id, name)."""

    id: UUID
    name: str
    description: str
    countries: tuple[str, ...]
    industries: tuple[str, ...]
    accounts: int
    members: tuple[tuple[UUID, str], ...]


async def listed(uow: UnitOfWork) -> list[TerritoryRow]:
    uow.require("territory.read")
    held = (
        sa.select(sa.func.count())
        .where(_held.c.tenant_id == _territories.c.tenant_id, _held.c.territory_id == _territories.c.id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            _territories.c.id, _territories.c.name, _territories.c.description, _territories.c.countries,
            _territories.c.industries, held.label("accounts"),
        )
        .where(_territories.c.deleted_at.is_(None))
        .order_by(sa.func.crm_fold(_territories.c.name), _territories.c.id)
    )  # fmt: skip
    people = (
        sa.select(_members.c.territory_id, _users.c.id, _users.c.name)
        .join(_users, sa.and_(_users.c.tenant_id == _members.c.tenant_id, _users.c.id == _members.c.user_id))
        .where(_users.c.deleted_at.is_(None))
        .order_by(sa.func.crm_fold(_users.c.name), _users.c.id)
    )
    inside: dict[UUID, list[tuple[UUID, str]]] = {}
    for row in await uow.rows(people):
        inside.setdefault(row.territory_id, []).append((row.id, row.name))
    return [
        TerritoryRow(
            r.id, r.name, r.description, tuple(r.countries), tuple(r.industries), r.accounts,
            tuple(inside.get(r.id, ())),
        )
        for r in await uow.rows(query)
    ]  # fmt: skip


async def create(
    uow: UnitOfWork,
    *,
    name: str,
    countries: Sequence[str] = (),
    industries: Sequence[str] = (),
    description: str = "",
    member_ids: Iterable[UUID] = (),
) -> Territory:
    values = {
        "name": name, "description": description, "countries": _given(countries), "industries": _given(industries)
    }  # fmt: skip
    territory: Territory = await records.create(uow, TERRITORY, values)
    await set_members(uow, territory.id, member_ids)
    return territory


async def change(
    uow: UnitOfWork,
    territory_id: UUID,
    *,
    name: str,
    countries: Sequence[str],
    industries: Sequence[str],
    description: str = "",
    member_ids: Iterable[UUID] = (),
) -> Territory:
    values = {
        "name": name, "description": description, "countries": _given(countries), "industries": _given(industries)
    }  # fmt: skip
    territory: Territory = await records.update(uow, TERRITORY, territory_id, values)
    await set_members(uow, territory_id, member_ids)
    return territory


async def delete(uow: UnitOfWork, territory_id: UUID) -> None:
    """Its members no longer see what it held; they stay in it, should it come back."""
    await records.delete(uow, TERRITORY, territory_id)


async def set_members(uow: UnitOfWork, territory_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Exactly these people. Counts from their next click on, for those whose role sees territories."""
    uow.require("territory.update")
    _require_all(uow)
    territory = await uow.get(Territory, territory_id, lock=True)
    wanted = set(user_ids)
    for user_id in wanted:
        await uow.get(User, user_id)
    mine = _members.c.territory_id == territory_id
    there = {r.user_id for r in await uow.rows(sa.select(_members.c.user_id).where(mine))}
    if there == wanted:
        return
    await uow.execute(sa.delete(_members).where(mine, _members.c.user_id.in_(there - wanted)))
    for user_id in sorted(wanted - there):
        uow.add(TerritoryMember(id=new_id(), territory_id=territory_id, user_id=user_id))
    await uow.flush()
    uow.changed("territory", territory.id, territory.version)
    uow.changed_many("territory_member")


async def known(uow: UnitOfWork) -> tuple[list[str], list[str]]:
    """Countries and industries that accounts of the workspace have, to choose from."""
    uow.require("territory.update")
    found = []
    for column in (_accounts.c.country, _accounts.c.industry):
        query = sa.select(column).where(column != "", _accounts.c.deleted_at.is_(None)).distinct().order_by(column)
        found.append([r[0] for r in await uow.rows(query.limit(_MOST))])
    return found[0], found[1]


@guards("territory")
async def _keep_rules(uow: UnitOfWork, draft: Draft) -> None:
    """A clean name nobody else has, clean lists; drawn by those who see what they give to see."""
    _require_all(uow)
    if draft.touches("name"):
        name = draft.values["name"] = checks.required_text("name", draft.values["name"], 80)
        same = sa.select(_territories.c.id).where(
            sa.func.lower(_territories.c.name) == name.lower(), _territories.c.deleted_at.is_(None),
            _territories.c.id != (draft.before.id if draft.before else None),
        )  # fmt: skip
        if await uow.scalar(same):
            raise Invalid(name="another territory has this name")
    for field in ("countries", "industries"):
        if draft.touches(field):
            draft.values[field] = _clean(field, draft.values[field])


def _require_all(uow: UnitOfWork) -> None:
    if uow.actor.scope is not Scope.all and "*" not in uow.actor.permissions:
        raise Forbidden(
            "Territories are drawn by people who see all records. Ask an admin.", permission="territory.update"
        )


def _given(texts: Iterable[str]) -> list[str]:
    return [t for t in texts if t.strip()]


def _clean(field: str, given: Any) -> list[str]:
    """Each once, whatever its case."""
    found: dict[str, str] = {}
    for text in given or ():
        clean = checks.optional_text(field, str(text), 100)
        if clean:
            found.setdefault(clean.lower(), clean)
    if len(found) > _MOST:
        raise Invalid(**{field: f"are {len(found)}; {_MOST} is the most"})
    return list(found.values())
