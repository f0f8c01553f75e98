"""Activities: what was done with a customer, and what is planned."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.registry import Section, declare
from crm_app.core.related import elsewhere
from crm_app.models.base import (
    Record,
    choice,
    full_index,
    json_list,
    link,
    live_index,
    searchable,
    tenant_fk,
    trash_index,
    typed,
    when,
)


class ActivityStatus(StrEnum):
    planned = "planned"
    done = "done"
    cancelled = "cancelled"


class ActivityType(Record, table=True):
    """A kind of activity. `key` is what `Activity.kind` holds; a workspace adds its own beside the built-in ones."""

    __tablename__ = "activity_type"
    __table_args__ = (live_index("uq_activity_type_key", "key", unique=True),)

    key: str = Field(max_length=40)
    name: str = Field(max_length=60)
    icon: str = Field(default="calendar_ltr", max_length=40)
    position: int = 0
    is_system: bool = False


class Activity(Record, table=True):
    """`happens_at` is when it took place, or for a planned one when it is due."""

    __tablename__ = "activity"
    __table_args__ = (
        trash_index("activity"),
        tenant_fk("owner_id", "crm_user"),
        tenant_fk("opportunity_id", "opportunity"),
        tenant_fk("account_id", "account"),
        tenant_fk("contact_id", "contact"),
        full_index("ix_activity_opportunity", "opportunity_id", "happens_at DESC"),
        full_index("ix_activity_account", "account_id", "happens_at DESC"),
        full_index("ix_activity_contact", "contact_id", "happens_at DESC"),
        live_index("ix_activity_planned", "owner_id", "happens_at", where="deleted_at IS NULL AND status = 'planned'"),
        live_index("ix_activity_list", "happens_at DESC", "id"),
        sa.Index("ix_activity_search", "search_text", postgresql_using="gin"),
        sa.CheckConstraint("duration_minutes >= 0", name="duration"),
    )

    kind: str = Field(max_length=40)
    subject: str = Field(max_length=200)
    body: str = typed("long_text", default="")
    status: ActivityStatus = choice(ActivityStatus, default=ActivityStatus.done)
    happens_at: datetime = when()
    duration_minutes: int | None = Field(default=None, ge=0, le=10080)
    outcome: str = Field(default="", max_length=100)
    location: str = Field(default="", max_length=200)
    next_steps: str = Field(default="", max_length=500)
    owner_id: UUID = link("user")
    opportunity_id: UUID | None = link("opportunity", on_delete="along", default=None)
    account_id: UUID | None = link("account", default=None)
    contact_id: UUID | None = link("contact", default=None)
    completed_at: datetime | None = when(default=None)
    tags: list[str] = json_list()
    search_text: str | None = searchable("subject")


ACTIVITY_TYPE = declare(
    ActivityType,
    name="activity_type",
    label="Activity type",
    plural="Activity types",
    title="name",
    columns=("name", "key", "icon"),
    form=(Section("Type", ("name", "key", "icon", "position")),),
    search=("name",),
    visibility="all",
    icon="settings",
    readonly=frozenset({"is_system"}),
)
ACTIVITY = declare(
    Activity,
    label="Activity",
    plural="Activities",
    title="subject",
    icon="task_list_square_ltr",
    columns=("subject", "happens_at", "kind", "status", "outcome", "owner_id", "opportunity_id", "account_id"),
    form=(
        Section("Activity", ("kind", "subject", "body", "status", "happens_at", "duration_minutes", "outcome")),
        Section("With", ("opportunity_id", "account_id", "contact_id", "owner_id", "location", "next_steps", "tags")),
    ),
    search=("subject",),
    always=frozenset({"kind", "status", "happens_at", "owner_id"}),  # timelines are made of them
    readonly=frozenset({"completed_at"}),
    labels={"happens_at": "When", "body": "Notes", "duration_minutes": "Minutes", "opportunity_id": "Deal"},
    order="-happens_at",
)
for _whose in ("account", "contact", "opportunity"):
    elsewhere(_whose, "activities")  # they are the timeline
