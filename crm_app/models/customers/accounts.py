"""Accounts: the companies sold to."""

from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.addresses import domain_of
from crm_app.core.matching import Like, Trait, match
from crm_app.core.registry import Section, declare
from crm_app.core.related import arrange
from crm_app.core.text import digits, name_key, sort_key
from crm_app.models.base import (
    Derived,
    Record,
    full_index,
    json_list,
    link,
    live_index,
    money,
    searchable,
    tenant_fk,
    trash_index,
    typed,
)


class Account(Record, table=True):
    """The keys find the company under another spelling; `sort_key` orders names: the database knows bytes only."""

    __tablename__ = "account"
    __table_args__ = (
        trash_index("account"),
        tenant_fk("owner_id", "crm_user"),
        tenant_fk("parent_id", "account"),
        live_index("ix_account_name", "sort_key", "id"),
        live_index("ix_account_key", "name_key"),
        live_index("ix_account_domain", "domain_key"),
        live_index("ix_account_phone", "phone_key", include=("id", "owner_id")),  # read without the rows
        live_index("ix_account_owner", "owner_id", "sort_key"),
        full_index("ix_account_parent", "parent_id"),
        sa.Index("ix_account_search", "search_text", postgresql_using="gin"),
    )

    derived: ClassVar[Derived] = {
        "sort_key": lambda r: sort_key(r["name"]),
        "name_key": lambda r: name_key(r["name"]),
        "domain_key": lambda r: domain_of(r.get("website") or "", r.get("email") or ""),
        "phone_key": lambda r: digits(r.get("phone") or ""),
    }

    name: str = Field(max_length=200)
    owner_id: UUID = link("user")
    industry: str = Field(default="", max_length=80)
    website: str = typed("url", default="", max_length=300)
    phone: str = typed("phone", default="", max_length=40)
    email: str = typed("email", default="", max_length=254)
    employees: int | None = Field(default=None, ge=0)
    annual_revenue_minor: int | None = money(default=None, ge=0)
    currency: str = Field(default="USD", max_length=3)
    founded_year: int | None = Field(default=None, ge=1000, le=2200)
    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=20)
    city: str = Field(default="", max_length=100)
    region: str = Field(default="", max_length=100)
    country: str = Field(default="", max_length=100)
    parent_id: UUID | None = link("account", default=None)
    description: str = typed("long_text", default="")
    tags: list[str] = json_list()
    name_key: str = Field(default="", max_length=200)
    domain_key: str = Field(default="", max_length=253, sa_column_kwargs={"server_default": ""})
    phone_key: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    sort_key: str = Field(default="", max_length=200)
    search_text: str | None = searchable("name", "website", "city")


ACCOUNT = declare(
    Account,
    label="Account",
    plural="Accounts",
    title="name",
    icon="building",
    columns=("name", "owner_id", "industry", "country", "employees", "annual_revenue_minor", "updated_at"),
    form=(
        Section("Account", ("name", "owner_id", "industry", "parent_id", "tags")),
        Section("Reach", ("website", "phone", "email")),
        Section("Address", ("street", "postal_code", "city", "region", "country")),
        Section("Company", ("employees", "annual_revenue_minor", "currency", "founded_year", "description")),
    ),
    search=("name", "website", "city"),
    import_key="name",
    hidden=("name_key", "domain_key", "phone_key"),
    labels={"parent_id": "Parent account"},
)
arrange("account", "accounts", title="Daughter companies", brief=("name", "city", "country"), place=60)
ACCOUNT_MATCH = match(
    "account",
    Trait("same name", Like.name, ("name",), 50, against=-10, keys=("name_key",)),
    Trait("same web domain", Like.domain, ("website", "email"), 50, against=-15, keys=("domain_key",), tells=True),
    Trait("same phone", Like.phone, ("phone",), 25, keys=("phone_key",)),
    Trait("same city", Like.text, ("city",), 10, against=-10),
    near=(("name_key", 5),),
)
