"""Records that deals point to and that are known by a typed name only."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Invalid
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.sales.competitors import COMPETITOR
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.customers import contacts
from crm_app.services.platform import records
from crm_app.services.platform.finding import Hit
from crm_app.store.uow import UnitOfWork

MAKES = frozenset({ACCOUNT.name, CONTACT.name, COMPETITOR.name})


async def by_name(uow: UnitOfWork, target: str, name: str, *, opportunity_ids: Sequence[UUID] = ()) -> UUID:
    """A new account, a new person of the account of these deals, or the competitor of that name, new if need be."""
    uow.require(f"{target}.create")
    if target == ACCOUNT.name:
        return UUID(str((await records.create(uow, ACCOUNT, {"name": name})).id))
    if target == CONTACT.name:
        accounts = await _accounts(uow, opportunity_ids)
        return (await contacts.by_name(uow, name, account_id=accounts[0] if len(accounts) == 1 else None)).id
    if target == COMPETITOR.name:
        same = sa.func.lower(COMPETITOR.table.c.name) == name.lower()
        known = await records.find(uow, COMPETITOR, columns=("name",), where=same, limit=1)
        if known.rows:
            return UUID(str(known.rows[0]["id"]))
        return UUID(str((await records.create(uow, COMPETITOR, {"name": name})).id))
    raise Invalid(name=f"“{name}” is none of those that can be chosen")


async def people(uow: UnitOfWork, opportunity_ids: Sequence[UUID], *, limit: int = 20) -> list[Hit]:
    """Whom the accounts of these deals know, as choices."""
    accounts = await _accounts(uow, opportunity_ids)
    if not accounts or not uow.actor.can("contact.read"):
        return []
    where = CONTACT.table.c.account_id.in_(accounts)
    page = await records.find(uow, CONTACT, columns=("name",), where=where, limit=limit)
    return [Hit(CONTACT.name, r["id"], r["name"], "") for r in page.rows]


async def _accounts(uow: UnitOfWork, opportunity_ids: Sequence[UUID]) -> list[UUID]:
    if not opportunity_ids:
        return []
    where = OPPORTUNITY.table.c.id.in_(opportunity_ids)
    page = await records.find(uow, OPPORTUNITY, columns=("account_id",), where=where, limit=len(opportunity_ids))
    return sorted({r["account_id"] for r in page.rows if r["account_id"]})
