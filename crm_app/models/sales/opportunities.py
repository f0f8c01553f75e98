"""Opportunities: the deals, with their lines, people and competitors (blueprint, section 3.1)."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.conditions import Clause
from crm_app.core.money import MAX_MINOR
from crm_app.core.registry import Section, declare
from crm_app.core.related import arrange
from crm_app.core.text import sort_key
from crm_app.models.base import (
    Derived,
    Record,
    choice,
    full_index,
    json_list,
    link,
    live_index,
    money,
    percent,
    searchable,
    tenant_fk,
    trash_index,
    typed,
    when,
)


class OpportunityStatus(StrEnum):
    open = "open"
    won = "won"
    lost = "lost"


class Health(StrEnum):
    """`overdue`: a planned activity or the close date has passed; `risk`: nothing is planned."""

    good = "good"
    risk = "risk"
    overdue = "overdue"


class ApprovalStatus(StrEnum):
    pending = "pending"
    approved = "approved"
    rejected = "rejected"


class OpportunityType(StrEnum):
    new_business = "new_business"
    expansion = "expansion"
    renewal = "renewal"


class Priority(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"


class CompetitivePosition(StrEnum):
    leading = "leading"
    even = "even"
    behind = "behind"
    unknown = "unknown"


class Opportunity(Record, table=True):
    """`position` orders a stage's column (fractional: a move writes one row). `stage_entered_at`, `health` and the
    `next_activity_*` fields are kept by services; `health_changes_at` is when time alone will change the health."""

    __tablename__ = "opportunity"
    __table_args__ = (
        trash_index("opportunity"),
        tenant_fk("account_id", "account"),
        tenant_fk("primary_contact_id", "contact"),
        tenant_fk("owner_id", "crm_user"),
        tenant_fk("pipeline_id", "pipeline"),
        tenant_fk("stage_id", "stage"),
        tenant_fk("primary_competitor_id", "competitor"),
        tenant_fk("competitor_won_id", "competitor"),
        tenant_fk("win_loss_reason_id", "win_loss_reason"),
        live_index("uq_opportunity_number", "number", unique=True),
        live_index("ix_opportunity_board", "stage_id", "position", "id"),
        live_index("ix_opportunity_owner", "owner_id", "stage_id", "position", "id"),
        full_index("ix_opportunity_account", "account_id"),
        live_index(
            "ix_opportunity_contact",
            "primary_contact_id",
            where="deleted_at IS NULL AND primary_contact_id IS NOT NULL",
        ),
        live_index("ix_opportunity_list", "expected_close_on", "id"),
        live_index("ix_opportunity_amount", "amount_minor DESC", "id DESC"),
        live_index("ix_opportunity_updated", "updated_at DESC", "id DESC"),
        live_index("ix_opportunity_name", "sort_key", "id"),
        live_index(
            "ix_opportunity_clock",
            "health_changes_at",
            where="deleted_at IS NULL AND status = 'open' AND health_changes_at IS NOT NULL",
        ),
        sa.Index("ix_opportunity_search", "search_text", postgresql_using="gin"),
        sa.CheckConstraint(f"amount_minor > 0 AND amount_minor <= {MAX_MINOR}", name="amount"),
        sa.CheckConstraint("probability BETWEEN 0 AND 100", name="probability"),
        sa.CheckConstraint("number ~ '^[A-Za-z0-9-]+$'", name="number"),
        sa.CheckConstraint("(status = 'open') = (actual_close_on IS NULL)", name="closed"),
    )

    derived: ClassVar[Derived] = {"sort_key": lambda r: sort_key(r["name"])}

    number: str = Field(max_length=50)
    name: str = Field(max_length=200)
    description: str = typed("long_text", default="")
    account_id: UUID = link("account")
    primary_contact_id: UUID | None = link("contact", on_delete="unlink", default=None)
    owner_id: UUID = link("user")
    pipeline_id: UUID = link("pipeline")
    stage_id: UUID = link("stage")
    status: OpportunityStatus = choice(OpportunityStatus, default=OpportunityStatus.open)
    probability: int = percent(default=0)
    probability_is_manual: bool = False
    amount_minor: int = money(ge=1, le=MAX_MINOR)
    currency: str = Field(default="USD", max_length=3)
    expected_close_on: date
    actual_close_on: date | None = None
    opportunity_type: OpportunityType = choice(OpportunityType, default=OpportunityType.new_business)
    priority: Priority = choice(Priority, default=Priority.medium)
    lead_source: str = Field(default="", max_length=50)
    campaign: str = Field(default="", max_length=120)
    primary_competitor_id: UUID | None = link("competitor", default=None)
    competitive_position: CompetitivePosition = choice(CompetitivePosition, default=CompetitivePosition.unknown)
    competitor_analysis: str = typed("long_text", default="")
    services: list[str] = json_list()
    decision_timeline: list[dict[str, Any]] = Field(
        default_factory=list,
        sa_type=JSONB,
        sa_column_kwargs={"server_default": sa.text("'[]'"), "info": {"kind": "json"}},
    )
    buying_process: str = typed("long_text", default="")
    next_step: str = Field(default="", max_length=500)
    last_activity_at: datetime | None = when(default=None)
    next_activity_at: datetime | None = when(default=None)
    next_activity_kind: str = Field(default="", max_length=40)
    next_activity_subject: str = Field(default="", max_length=200)
    score: int = Field(default=0, ge=0, le=100)
    qualification_score: int = Field(default=0, ge=0, le=100)
    fit_score: int = Field(default=0, ge=0, le=100)
    requires_approval: bool = False
    approval_status: ApprovalStatus | None = choice(ApprovalStatus, default=None)
    discount_approval: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'{}'")}
    )
    win_loss_reason_id: UUID | None = link("win_loss_reason", default=None)
    win_loss_details: str = typed("long_text", default="")
    competitor_won_id: UUID | None = link("competitor", default=None)
    tags: list[str] = json_list()
    position: float = 0.0
    stage_entered_at: datetime = when()
    health: Health = choice(Health, default=Health.good)
    health_changes_at: datetime | None = when(default=None)
    delete_reason: str = Field(default="", max_length=200)
    sort_key: str = Field(default="", max_length=200)
    search_text: str | None = searchable("name", "number")


OPPORTUNITY = declare(
    Opportunity,
    label="Opportunity",
    plural="Opportunities",
    title="name",
    icon="board",
    columns=("name", "account_id", "owner_id", "stage_id", "amount_minor", "probability", "expected_close_on"),
    form=(
        Section(
            "Deal",
            (
                "name",
                "account_id",
                "primary_contact_id",
                "owner_id",
                "amount_minor",
                "currency",
                "expected_close_on",
                "probability",
            ),
        ),
        Section("Next", ("next_step", "priority", "opportunity_type", "lead_source", "campaign", "tags")),
        Section("Competition", ("primary_competitor_id", "competitive_position", "competitor_analysis")),
        Section("Buying", ("buying_process", "services", "description")),
    ),
    search=("name", "number"),
    always=frozenset(
        {"number", "account_id", "owner_id", "pipeline_id", "stage_id", "status", "stage_entered_at"}
    ),  # the board and the page are made of them
    import_key="number",
    hidden=("position", "health_changes_at", "probability_is_manual", "delete_reason"),
    labels={
        "expected_close_on": "Close date",
        "actual_close_on": "Closed on",
        "opportunity_type": "Type",
        "lead_source": "Source",
        "primary_competitor_id": "Competitor",
        "competitor_won_id": "Lost to",
        "competitive_position": "Our position",
        "win_loss_reason_id": "Reason",
        "win_loss_details": "What we learned",
    },
    readonly=frozenset(
        {
            "stage_id",
            "pipeline_id",
            "status",
            "stage_entered_at",
            "health",
            "last_activity_at",
            "next_activity_at",
            "next_activity_kind",
            "next_activity_subject",
            "approval_status",
            "requires_approval",
            "discount_approval",
            "score",
            "qualification_score",
            "fit_score",
            "actual_close_on",
            "win_loss_reason_id",
            "win_loss_details",
            "competitor_won_id",
        }
    ),  # moved by services.sales.opportunities only
    at_start=frozenset({"stage_id", "pipeline_id"}),
)

for _whose, _relation in (("account", "opportunities"), ("contact", "opportunities")):
    arrange(
        _whose, _relation, columns=("name", "stage_id", "amount_minor", "expected_close_on", "owner_id"), place=10,
        brief=("name", "stage_id", "expected_close_on", "amount_minor"), card="Open deals",
        order="-expected_close_on", card_order="expected_close_on",
        only=Clause("status", "eq", OpportunityStatus.open.value), is_tab=True,
    )  # fmt: skip


class OpportunityLine(Record, table=True):
    """A product on a deal. `amount_minor` = quantity x unit price less the discount, rounded half up."""

    __tablename__ = "opportunity_line"
    __table_args__ = (
        tenant_fk("opportunity_id", "opportunity"),
        tenant_fk("product_id", "product"),
        full_index("ix_opportunity_line_opportunity", "opportunity_id", "position"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
        sa.CheckConstraint("discount_percent BETWEEN 0 AND 100", name="discount"),
    )

    opportunity_id: UUID
    product_id: UUID | None = None
    name: str = Field(max_length=200)
    quantity: Decimal = Field(default=Decimal(1), sa_type=sa.Numeric(14, 3))
    unit_price_minor: int = Field(default=0, sa_type=sa.BigInteger)
    discount_percent: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric(5, 2))
    amount_minor: int = Field(default=0, sa_type=sa.BigInteger)
    position: int = 0


class StakeholderRole(StrEnum):
    decides = "decides"
    influences = "influences"
    champion = "champion"
    user = "user"
    blocks = "blocks"


class OpportunityStakeholder(Record, table=True):
    """A contact's part in a deal."""

    __tablename__ = "opportunity_stakeholder"
    __table_args__ = (
        tenant_fk("opportunity_id", "opportunity"),
        tenant_fk("contact_id", "contact"),
        live_index("uq_opportunity_stakeholder", "opportunity_id", "contact_id", unique=True),
        full_index("ix_opportunity_stakeholder_opportunity", "opportunity_id"),
        full_index("ix_opportunity_stakeholder_contact", "contact_id"),
    )

    opportunity_id: UUID
    contact_id: UUID
    role: StakeholderRole = choice(StakeholderRole, default=StakeholderRole.influences)
    note: str = Field(default="", max_length=300)
