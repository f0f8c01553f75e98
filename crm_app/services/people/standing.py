"""From what the database says of a person to the actor who acts: made in one way for sessions, keys, apps and jobs."""

from collections.abc import Callable
from typing import Any

from crm_app.core.context import Actor, Scope
from crm_app.services.people.roles import catalogue, expand
from crm_app.store.identity import Standing

Held = Callable[[tuple[str, ...]], frozenset[str]]


def looking(permissions: tuple[str, ...]) -> frozenset[str]:
    """What is left of a role for somebody who looks as a person that has it: to see."""
    held = expand(permissions)
    return frozenset(p for p in (catalogue() if "*" in held else held) if p.endswith(".read"))


def actor_of(row: Standing, *, held: Held = expand, **edge: Any) -> Actor:
    """`held` makes permissions of what the role stores; `edge` is what the door knows: source, ip, user agent, ids."""
    actor = Actor(
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        name=row.name,
        permissions=held(tuple(row.permissions)),
        scope=Scope(row.scope),
        team_ids=frozenset(row.team_ids),
        territory_ids=frozenset(row.territory_ids),
        shared=frozenset(row.shared),
        time_zone=row.time_zone,
        currency=row.currency,
        **edge,
    )
    return actor.with_field_rights(row.field_rights)
