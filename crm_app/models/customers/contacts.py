"""Contacts: the people at accounts."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.matching import Like, Trait, match
from crm_app.core.registry import Section, declare
from crm_app.core.related import arrange
from crm_app.core.text import digits, fold, name_key, sort_key
from crm_app.models.base import (
    Derived,
    Record,
    full_index,
    json_list,
    link,
    live_index,
    searchable,
    tenant_fk,
    trash_index,
    typed,
)


def full_name(row: Mapping[str, Any]) -> str:
    return " ".join(p for p in (row.get("first_name"), row["last_name"]) if p)


class Contact(Record, table=True):
    """`name` is the full name, kept by the service from first and last name; the keys find duplicates."""

    __tablename__ = "contact"
    __table_args__ = (
        trash_index("contact"),
        tenant_fk("owner_id", "crm_user"),
        tenant_fk("account_id", "account"),
        live_index("ix_contact_name", "sort_key", "id", include=("owner_id",)),
        live_index("ix_contact_mail", "email", "id", include=("owner_id",)),
        live_index("ix_contact_title", "title", "id"),
        live_index("ix_contact_called", "phone", "id"),
        live_index("ix_contact_changed", "updated_at", "id"),
        full_index("ix_contact_account", "account_id", "id"),
        live_index("ix_contact_owner", "owner_id", "sort_key", include=("id",)),
        live_index("ix_contact_email", "email_key"),
        live_index("ix_contact_phone", "phone_key", include=("id", "owner_id")),  # read without the rows
        live_index("ix_contact_mobile", "mobile_key", include=("id", "owner_id")),  # read without the rows
        live_index("ix_contact_key", "name_key"),
        sa.Index("ix_contact_search", "search_text", postgresql_using="gin"),
    )

    derived: ClassVar[Derived] = {
        "name": full_name,
        "sort_key": lambda r: sort_key(f"{r['last_name']} {r.get('first_name') or ''}"),
        "name_key": lambda r: name_key(full_name(r)),
        "email_key": lambda r: fold(r.get("email") or ""),
        "phone_key": lambda r: digits(r.get("phone") or ""),
        "mobile_key": lambda r: digits(r.get("mobile") or ""),
    }

    name: str = Field(default="", max_length=200)
    first_name: str = Field(default="", max_length=100)
    last_name: str = Field(max_length=100)
    account_id: UUID | None = link("account", default=None)
    owner_id: UUID = link("user")
    title: str = Field(default="", max_length=120)
    department: str = Field(default="", max_length=120)
    email: str = typed("email", default="", max_length=254)
    phone: str = typed("phone", default="", max_length=40)
    mobile: str = typed("phone", default="", max_length=40)
    city: str = Field(default="", max_length=100)
    country: str = Field(default="", max_length=100)
    lead_source: str = Field(default="", max_length=50)
    description: str = typed("long_text", default="")
    tags: list[str] = json_list()
    email_key: str = Field(default="", max_length=254)
    phone_key: str = Field(default="", max_length=40)
    mobile_key: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    name_key: str = Field(default="", max_length=200)
    sort_key: str = Field(default="", max_length=200)
    search_text: str | None = searchable("name", "email", "title")


CONTACT = declare(
    Contact,
    label="Contact",
    plural="Contacts",
    title="name",
    icon="people",
    columns=("name", "account_id", "title", "email", "phone", "owner_id", "updated_at"),
    form=(
        Section("Person", ("first_name", "last_name", "account_id", "title", "department", "owner_id", "tags")),
        Section("Reach", ("email", "phone", "mobile", "city", "country")),
        Section("More", ("lead_source", "description")),
    ),
    search=("name", "email", "title"),
    import_key="email",
    readonly=frozenset({"name"}),
    hidden=("email_key", "phone_key", "mobile_key", "name_key"),
)
arrange(
    "account", "contacts", title="People", columns=("name", "title", "email", "phone", "owner_id"), is_tab=True,
    brief=("name", "title", "phone"), place=20,
)  # fmt: skip
CONTACT_MATCH = match(
    "contact",
    Trait("same e-mail", Like.email, ("email",), 60, against=-10, keys=("email_key",), tells=True),
    Trait("same phone", Like.phone, ("phone", "mobile"), 35, keys=("phone_key", "mobile_key")),
    Trait("same name", Like.name, ("first_name", "last_name"), 45, against=-15, keys=("name_key",)),
    Trait("same company", Like.same, ("account_id",), 25, against=-15),
    near=(("account_id", 0), ("sort_key", 8)),
)
