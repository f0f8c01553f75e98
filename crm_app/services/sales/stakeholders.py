"""The people who have a part in a deal."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from crm_app.core.errors import Invalid, NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.contacts import Contact
from crm_app.models.sales.opportunities import Opportunity, OpportunityStakeholder, StakeholderRole
from crm_app.store.uow import UnitOfWork

_stakes = table_of(OpportunityStakeholder)
_LONGEST_NOTE = 300


async def add(
    uow: UnitOfWork,
    opportunity_id: UUID,
    contact_id: UUID,
    *,
    role: StakeholderRole = StakeholderRole.influences,
    note: str = "",
) -> OpportunityStakeholder:
    """Give a contact a part in a deal; the contact may be of any account. Invalid when they have one already."""
    uow.require("opportunity.update")
    deal = await uow.get(Opportunity, opportunity_id, to_write=True)
    await uow.get(Contact, contact_id)
    if await uow.scalar(sa.select(_stakes.c.id).where(_same(opportunity_id, contact_id))):
        raise _twice()
    part = OpportunityStakeholder(
        opportunity_id=opportunity_id, contact_id=contact_id, role=StakeholderRole(role), note=_note(note)
    )
    uow.add(part)
    try:
        await uow.flush()
    except IntegrityError as error:
        raise _twice() from error
    uow.changed("opportunity", deal.id, deal.version)
    return part


async def change(
    uow: UnitOfWork, stakeholder_id: UUID, *, role: StakeholderRole | None = None, note: str | None = None
) -> OpportunityStakeholder:
    """Another part, or another note about it."""
    part, deal = await _of_deal(uow, stakeholder_id)
    if role is not None:
        part.role = StakeholderRole(role)
    if note is not None:
        part.note = _note(note)
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return part


async def remove(uow: UnitOfWork, stakeholder_id: UUID) -> OpportunityStakeholder:
    """Out of the deal; the contact stays. `put_back` undoes it."""
    part, deal = await _of_deal(uow, stakeholder_id)
    part.deleted_at, part.deleted_by_id = uow.now, uow.actor.user_id
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return part


async def put_back(uow: UnitOfWork, stakeholder_id: UUID) -> OpportunityStakeholder:
    part, deal = await _of_deal(uow, stakeholder_id, in_trash=True)
    if await uow.scalar(sa.select(_stakes.c.id).where(_same(part.opportunity_id, part.contact_id))):
        raise _twice()
    part.deleted_at = part.deleted_by_id = None
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version)
    return part


def _same(opportunity_id: UUID, contact_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(
        _stakes.c.opportunity_id == opportunity_id, _stakes.c.contact_id == contact_id, _stakes.c.deleted_at.is_(None)
    )


async def _of_deal(
    uow: UnitOfWork, stakeholder_id: UUID, *, in_trash: bool = False
) -> tuple[OpportunityStakeholder, Opportunity]:
    """The part, locked, if the actor may see and change its deal."""
    uow.require("opportunity.update")
    try:
        part = await uow.get(OpportunityStakeholder, stakeholder_id, lock=True, in_trash=in_trash)
    except NotFound:
        raise NotFound("This person has no part in the deal any more.") from None
    return part, await uow.get(Opportunity, part.opportunity_id, to_write=True)


def _note(text: str) -> str:
    if len(text) > _LONGEST_NOTE:
        raise Invalid(note=f"is too long: {len(text)} characters, at most {_LONGEST_NOTE}")
    return text.strip()


def _twice() -> Invalid:
    return Invalid(contact_id="has a part in this deal already")
