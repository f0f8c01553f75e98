"""Importing people: they are invited and cannot come in yet; nobody is written to."""

from __future__ import annotations

import sqlalchemy as sa

from crm_app.core.errors import Forbidden
from crm_app.models.base import table_of
from crm_app.models.people.users import Role, UserStatus
from crm_app.services.people.roles import SYSTEM_ROLES, expand, require_fields, require_reach
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.rows import Rows
from crm_app.services.platform.imports.rules import ImportRules, register
from crm_app.store.uow import UnitOfWork


class UserRules(ImportRules):
    permission = "user.manage"
    keeps_guards = True

    async def complete(self, uow: UnitOfWork, rows: Rows) -> None:
        """New people are sales reps unless the file says otherwise; nobody is given a role above one's own."""
        roles = table_of(Role)
        found = await uow.rows(
            sa.select(roles.c.id, roles.c.name, roles.c.permissions, roles.c.scope, roles.c.field_rights).where(
                roles.c.deleted_at.is_(None)
            )
        )
        usual = next((str(r.id) for r in found if r.name == SYSTEM_ROLES["rep"][0]), None)
        rows.fill("role_id", _if_new(rows, "role_id", usual))
        rows.put("status", _if_new(rows, "status", UserStatus.invited.value))
        for role in found:
            try:
                require_reach(uow.actor, expand(tuple(role.permissions)), role.scope)
                require_fields(uow.actor, role.field_rights)
            except Forbidden:
                given = rows.frame["role_id"] == str(role.id)
                rows.reject(
                    given,
                    "role_id",
                    f"{role.name} may do more than you",
                    "ask an admin to import these",
                    values=_if_new(rows, "", ""),
                )


def _if_new(rows: Rows, name: str, value: str | None) -> pl.Series:
    everywhere = pl.Series(name, [value], dtype=pl.String).new_from_index(0, len(rows))
    nowhere = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(rows))
    return everywhere.zip_with(rows.is_new, nowhere)


register("user", UserRules())
