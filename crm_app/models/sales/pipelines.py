"""Pipelines and their stages."""

from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from crm_app.core.registry import Section, declare
from crm_app.models.base import Record, choice, link, live_index, percent, tenant_fk, typed


class StageKind(StrEnum):
    open = "open"
    won = "won"
    lost = "lost"


class Pipeline(Record, table=True):
    __tablename__ = "pipeline"
    __table_args__ = (live_index("uq_pipeline_name", "name", unique=True),)

    name: str = Field(max_length=80)
    description: str = typed("long_text", default="")
    position: int = 0
    is_active: bool = True


class Stage(Record, table=True):
    """`color` is a step of the stage scale, 1 (blue) to 8 (green); 0 picks one by place.

    `rotting_days`: past that many days in the stage a deal is marked as stuck. `required_fields` are names of
    opportunity fields that must be filled before a deal enters the stage.
    """

    __tablename__ = "stage"
    __table_args__ = (
        tenant_fk("pipeline_id", "pipeline"),
        live_index("uq_stage_name", "pipeline_id", "name", unique=True),
        live_index("ix_stage_order", "pipeline_id", "position"),
        sa.CheckConstraint("probability BETWEEN 0 AND 100", name="probability"),
    )

    pipeline_id: UUID = link("pipeline")
    name: str = Field(max_length=100)
    code: str = Field(default="", max_length=20)
    kind: StageKind = choice(StageKind, default=StageKind.open)
    position: int = 0
    color: int = Field(default=0, ge=0, le=8)
    probability: int = percent(default=0)
    rotting_days: int | None = Field(default=None, ge=1, le=3650)
    description: str = typed("long_text", default="")
    required_fields: list[str] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": sa.text("'[]'")}
    )
    is_active: bool = True


PIPELINE = declare(
    Pipeline,
    label="Pipeline",
    plural="Pipelines",
    title="name",
    columns=("name", "description", "position", "is_active"),
    form=(Section("Pipeline", ("name", "description", "position", "is_active")),),
    search=("name",),
    visibility="all",
    icon="board",
    import_key="name",
    labels={"is_active": "Active"},
)
STAGE = declare(
    Stage,
    label="Stage",
    plural="Stages",
    title="name",
    columns=("name", "pipeline_id", "kind", "position", "probability", "rotting_days"),
    form=(
        Section("Stage", ("name", "pipeline_id", "kind", "position", "color", "description", "is_active")),
        Section("Rules", ("probability", "rotting_days", "required_fields")),
    ),
    search=("name",),
    visibility="all",
    icon="flow",
    labels={"is_active": "Active"},
)
