"""Users, their roles and teams."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.context import Scope
from crm_app.core.registry import Section, declare
from crm_app.core.text import fold
from crm_app.models.base import TZ, Derived, Record, choice, link, live_index, tenant_fk, typed


class UserStatus(StrEnum):
    invited = "invited"
    active = "active"
    disabled = "disabled"


class Role(Record, table=True):
    """Named permissions ("opportunity.update"; "*" is all of them), whose rows they reach, and what the role may do
    with single fields: {"account.phone": "masked"}, all others it may read and write (core.context.FieldRight)."""

    __tablename__ = "role"
    __table_args__ = (live_index("uq_role_name", "name", unique=True),)

    name: str = Field(max_length=60)
    scope: Scope = choice(Scope, default=Scope.team)
    permissions: list[str] = Field(default_factory=list, sa_type=JSONB)
    field_rights: dict[str, str] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'{}'")}
    )
    is_system: bool = False


class Team(Record, table=True):
    __tablename__ = "team"
    __table_args__ = (
        live_index("uq_team_name", "name", unique=True),
        tenant_fk("parent_id", "team"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "manager_id"], ["crm_user.tenant_id", "crm_user.id"], name="fk_team_manager", use_alter=True
        ),
    )

    name: str = Field(max_length=80)
    manager_id: UUID | None = link("user", default=None)
    parent_id: UUID | None = link("team", default=None)
    region: str = Field(default="", max_length=80)


class User(Record, table=True):
    """A person who signs in. `email_key` is the folded address that sign-in looks up."""

    __tablename__ = "crm_user"
    __table_args__ = (
        live_index("uq_crm_user_email", "email_key", unique=True),
        tenant_fk("role_id", "role"),
        tenant_fk("team_id", "team"),
    )

    derived: ClassVar[Derived] = {"email_key": lambda r: fold(r["email"])}

    name: str = Field(max_length=120)
    email: str = typed("email", max_length=254)
    email_key: str = Field(default="", max_length=254)
    password_hash: str = Field(default="", max_length=255)
    status: UserStatus = choice(UserStatus, default=UserStatus.active)
    role_id: UUID = link("role")
    team_id: UUID | None = link("team", default=None)
    title: str = Field(default="", max_length=120)
    phone: str = typed("phone", default="", max_length=40)
    time_zone: str = Field(default="", max_length=64)  # empty: the workspace's
    preferences: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    last_seen_at: datetime | None = Field(default=None, sa_type=TZ)
    reset_asked_at: datetime | None = Field(default=None, sa_type=TZ)  # waits for an admin's help


ROLE = declare(
    Role,
    name="role",
    label="Role",
    plural="Roles",
    title="name",
    columns=("name", "scope"),
    form=(Section("Role", ("name", "scope")),),
    search=("name",),
    visibility="all",
    icon="shield",
    readonly=frozenset({"is_system", "permissions", "field_rights"}),
    is_managed=True,
)
TEAM = declare(
    Team,
    name="team",
    label="Team",
    plural="Teams",
    title="name",
    columns=("name", "manager_id", "parent_id", "region"),
    form=(Section("Team", ("name", "manager_id", "parent_id", "region")),),
    search=("name",),
    visibility="all",
    icon="people_team",
    import_key="name",
)
USER = declare(
    User,
    name="user",
    label="User",
    plural="Users",
    title="name",
    columns=("name", "email", "role_id", "team_id", "status", "last_seen_at"),
    form=(Section("User", ("name", "email", "title", "phone", "role_id", "team_id", "time_zone")),),
    search=("name", "email"),
    visibility="all",
    icon="person",
    import_key="email",
    hidden=("password_hash", "email_key", "preferences", "reset_asked_at"),
    readonly=frozenset({"status", "last_seen_at"}),
    is_managed=True,
)
