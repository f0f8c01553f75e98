"""What people do with contacts beyond the verbs of every record."""

from uuid import UUID

from crm_app.models.customers.contacts import CONTACT, Contact
from crm_app.services.platform import records
from crm_app.store.uow import UnitOfWork


def named(name: str) -> dict[str, str]:
    """First and last name: the last word is the last name."""
    first, _, last = " ".join(name.split()).rpartition(" ")
    return {"first_name": first, "last_name": last}


async def by_name(uow: UnitOfWork, name: str, *, account_id: UUID | None = None) -> Contact:
    """A new contact of whom only the name is known; the last word is the last name."""
    values = {**named(name), "account_id": account_id}
    contact: Contact = await records.create(uow, CONTACT, values)
    return contact
