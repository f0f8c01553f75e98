"""Row visibility: own, team, territory, all, and what is shared -> WHERE. `Actor.sees_owner` says so of the owner.

Most actors reach records by their owners only: for them nothing but the owner is asked, as if nobody shared anything.
Those to whom something is shown beside (`is_wide`) get further grounds, each by an index.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Scope
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.platform.shares import RecordShare
from crm_app.models.sales.opportunities import Opportunity
from crm_app.models.sales.territories import TerritoryAccount
from crm_app.store.ready import array, one_of

_shares, _held, _deals = table_of(RecordShare), table_of(TerritoryAccount), table_of(Opportunity)
_CARRIERS = {"opportunity_id": "opportunity", "account_id": "account", "contact_id": "contact"}
_ME = sa.bindparam("me", type_=sa.Uuid())


class Ground(StrEnum):
    """Why somebody sees a record."""

    owner = "owner"  # it is their own, or a team mate's
    nobody = "nobody"  # it belongs to nobody, so to everybody
    territory = "territory"
    share = "share"


def grounds(
    entity: Entity, actor: Actor, table: Any = None, *, to_write: bool = False
) -> dict[Ground, sa.ColumnElement[bool]]:
    """Each way in which this actor may see, or with `to_write` change, rows of `table` (default: the entity's). Empty
    when all are theirs: `visible` is any of them, and so is the answer to why somebody sees something."""
    if entity.visibility == "all" or actor.scope is Scope.all:
        return {}
    row = (table if table is not None else entity.table).c
    owners = visible_owners(actor) or []
    found = {Ground.owner: row.owner_id == owners[0] if len(owners) == 1 else row.owner_id.in_(owners)}
    if row.owner_id.nullable:
        found[Ground.nobody] = row.owner_id.is_(None)
    return found | beyond(entity, actor, table, to_write=to_write)


def beyond(
    entity: Entity, actor: Actor, table: Any = None, *, to_write: bool = False
) -> dict[Ground, sa.ColumnElement[bool]]:
    """The grounds that have nothing to do with the owner."""
    if entity.visibility == "all" or not is_wide(actor):
        return {}
    table = table if table is not None else entity.table
    found: dict[Ground, sa.ColumnElement[bool]] = {}
    account = _account_of(entity, table)
    if actor.territory_ids and account is not None:
        mine = _held.c.territory_id.in_(sorted(actor.territory_ids))
        found[Ground.territory] = _in_territory(table, account, mine)
    ways = [
        way for name, way in _shared_ways(entity, table, sa.literal(actor.user_id), to_write) if name in actor.shared
    ]
    if ways:
        found[Ground.share] = sa.or_(*ways)
    return found


def visible(
    entity: Entity, actor: Actor, table: Any = None, *, to_write: bool = False
) -> sa.ColumnElement[bool] | None:
    """The condition under which this actor sees, or with `to_write` may change, rows of `table` (default: the
    entity's), or None when all are seen."""
    found = grounds(entity, actor, table, to_write=to_write)
    return sa.or_(*found.values()) if found else None


def is_wide(actor: Actor) -> bool:
    """Whether the owner alone does not say what this actor sees."""
    return actor.scope is not Scope.all and bool(actor.territory_ids or actor.shared)


def _account_of(entity: Entity, table: Any) -> Any:
    return table.c.id if entity.name == "account" else table.c.get("account_id")


def _accounts_of(which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(_held.c.account_id).where(which)


def _in_territory(table: Any, account: Any, which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """By its account, or by that of the deal it is about."""
    found: sa.ColumnElement[bool] = account.in_(_accounts_of(which))
    if "opportunity_id" in table.c:
        there = sa.select(_deals.c.id).where(_deals.c.account_id.in_(_accounts_of(which)))
        found = sa.or_(found, table.c.opportunity_id.in_(there))
    return found


def _shared_ways(entity: Entity, table: Any, me: Any, to_write: bool) -> list[tuple[str, sa.ColumnElement[bool]]]:
    """A share shows the record itself, and what was done about it: activities come with what they are about, to read.
    Each way with the name of the entity that must be shared."""

    def shared(name: str) -> sa.Select[Any]:
        query = sa.select(_shares.c.record_id).where(_shares.c.user_id == me, _shares.c.entity == name)
        return query.where(_shares.c.can_write) if to_write else query

    ways = [(entity.name, table.c.id.in_(shared(entity.name)))]
    if entity.name == "activity" and not to_write:
        ways += [(name, table.c[link].in_(shared(name))) for link, name in _CARRIERS.items()]
    return ways


def owned_later(entity: Entity, *, wide: bool = False, to_write: bool = False) -> sa.ColumnElement[bool]:
    """As `visible` says of rows that have an owner, for a statement compiled once for all actors, or for all that are
    `wide`; `sight_of` has its values."""
    table = entity.table
    owner = table.c.owner_id
    ways = [sa.bindparam("sees_all", type_=sa.Boolean()), one_of(owner, "owners")]
    if owner.nullable:
        ways.append(owner.is_(None))
    if wide:
        ways += [way for _, way in _shared_ways(entity, table, _ME, to_write)]
        if (account := _account_of(entity, table)) is not None:
            ways.append(_in_territory(table, account, _held.c.territory_id == sa.any_(array("territories", sa.Uuid()))))
    return sa.or_(*ways)


def sight_of(entity: Entity, actor: Actor) -> dict[str, Any]:
    """The values that `owned_later` asks for (`wide` as the actor is); none where everybody sees all."""
    if entity.visibility == "all":
        return {}
    owners = visible_owners(actor)
    found = {"sees_all": owners is None, "owners": owners or []}
    if is_wide(actor):
        found["me"] = actor.user_id
        if _account_of(entity, entity.table) is not None:
            found["territories"] = sorted(actor.territory_ids)
    return found


def visible_owners(actor: Actor) -> list[Any] | None:
    """The owners whose records the actor sees for being theirs; None is everybody. See `is_wide` for the rest."""
    if actor.scope is Scope.all:
        return None
    return [actor.user_id] if actor.scope is Scope.own else sorted(actor.team_ids)


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything about an actor that decides what they may see: who has the same sight reads the same."""

    tenant_id: UUID
    owners: tuple[UUID, ...] | None  # whose records; None is everybody's
    permissions: frozenset[str]
    hidden_fields: frozenset[str]
    masked_fields: frozenset[str]
    alone: UUID | None = None  # one to whom more is shown than the owners say: nobody else reads the same
    territory_ids: frozenset[UUID] = frozenset()
    shared: frozenset[str] = frozenset()


def sight(actor: Actor) -> Sight:
    owners = visible_owners(actor)
    wide = is_wide(actor)
    return Sight(
        actor.tenant_id,
        None if owners is None else tuple(owners),
        actor.permissions,
        actor.hidden_fields,
        actor.masked_fields,
        actor.user_id if wide else None,
        actor.territory_ids if wide else frozenset(),
        actor.shared if wide else frozenset(),
    )
