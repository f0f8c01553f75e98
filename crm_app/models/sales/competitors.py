"""Competitors, and the reasons deals are won or lost for."""

from enum import StrEnum

from sqlmodel import Field

from crm_app.core.registry import Section, declare
from crm_app.models.base import Record, choice, live_index, typed


class Competitor(Record, table=True):
    __tablename__ = "competitor"
    __table_args__ = (live_index("uq_competitor_name", "name", unique=True),)

    name: str = Field(max_length=200)
    website: str = typed("url", default="", max_length=300)
    strengths: str = typed("long_text", default="")
    weaknesses: str = typed("long_text", default="")


class ReasonKind(StrEnum):
    won = "won"
    lost = "lost"


class WinLossReason(Record, table=True):
    __tablename__ = "win_loss_reason"
    __table_args__ = (live_index("uq_win_loss_reason", "kind", "name", unique=True),)

    name: str = Field(max_length=100)
    kind: ReasonKind = choice(ReasonKind)
    category: str = Field(default="", max_length=50)
    position: int = 0
    is_active: bool = True


COMPETITOR = declare(
    Competitor,
    label="Competitor",
    plural="Competitors",
    title="name",
    columns=("name", "website"),
    form=(Section("Competitor", ("name", "website", "strengths", "weaknesses")),),
    search=("name",),
    visibility="all",
    icon="flag",
    import_key="name",
)
WIN_LOSS_REASON = declare(
    WinLossReason,
    name="win_loss_reason",
    label="Win or loss reason",
    plural="Win and loss reasons",
    title="name",
    columns=("name", "kind", "category", "position"),
    form=(Section("Reason", ("name", "kind", "category", "position", "is_active")),),
    search=("name",),
    visibility="all",
    icon="tag",
    labels={"is_active": "Active"},
)
