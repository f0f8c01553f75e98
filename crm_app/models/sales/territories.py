"""Territories: accounts of some countries and industries, with all that hangs on them, seen by their members."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from crm_app.core.registry import Section, declare
from crm_app.models.base import Record, TenantScoped, json_list, live_index, tenant_fk, typed


class Territory(Record, table=True):
    """Holds the accounts that have one of its countries and one of its industries; an empty list asks for nothing, two
    empty lists hold no account."""

    __tablename__ = "territory"
    __table_args__ = (live_index("uq_territory_name", "name", unique=True),)

    name: str = Field(max_length=80)
    description: str = typed("long_text", default="")
    countries: list[str] = json_list()
    industries: list[str] = json_list()


class TerritoryMember(TenantScoped, table=True):
    __tablename__ = "territory_member"
    __table_args__ = (
        tenant_fk("territory_id", "territory"),
        tenant_fk("user_id", "crm_user"),
        sa.Index("uq_territory_member", "tenant_id", "user_id", "territory_id", unique=True),
        sa.Index("ix_territory_member_territory", "tenant_id", "territory_id"),
    )

    territory_id: UUID
    user_id: UUID


class TerritoryAccount(SQLModel, table=True):
    """Which accounts a territory holds; kept by triggers of both tables, nobody else writes here."""

    __tablename__ = "territory_account"
    __table_args__ = (sa.Index("ix_territory_account_account", "tenant_id", "account_id"),)

    tenant_id: UUID = Field(primary_key=True)
    territory_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)


TERRITORY = declare(
    Territory,
    label="Territory",
    plural="Territories",
    title="name",
    columns=("name", "countries", "industries", "updated_at"),
    form=(Section("Territory", ("name", "description")), Section("Accounts", ("countries", "industries"))),
    search=("name",),
    visibility="all",
    icon="globe",
    import_key="name",
)
