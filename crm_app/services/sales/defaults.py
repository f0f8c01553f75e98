"""What a new workspace can sell with at once: a pipeline, kinds of activities, reasons for winning and losing."""

from crm_app.models.activities.activities import ActivityType
from crm_app.models.sales.competitors import ReasonKind, WinLossReason
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.store.uow import UnitOfWork

# Name, probability, days after which a deal counts as stuck.
STAGES = (
    ("Qualify", 10, 14),
    ("Discovery", 25, 14),
    ("Proposal", 50, 21),
    ("Negotiation", 70, 20),
    ("Contract", 90, 10),
)
# Key, name, icon.
ACTIVITY_TYPES = (
    ("call", "Call", "call"),
    ("email", "E-mail", "mail"),
    ("meeting", "Meeting", "calendar_ltr"),
    ("note", "Note", "note"),
    ("task", "Task", "clipboard_task"),
    ("comment", "Comment", "comment"),
)
REASONS = {
    ReasonKind.won: (
        ("Best fit for the need", "Product"),
        ("Price", "Price"),
        ("Trust in us", "Relationship"),
        ("Service and support", "Service"),
        ("Speed of delivery", "Service"),
        ("Another reason", "Other"),
    ),
    ReasonKind.lost: (
        ("Too expensive", "Price"),
        ("Chose a competitor", "Competitor"),
        ("Something was missing", "Product"),
        ("No budget", "Budget"),
        ("Bad timing", "Timing"),
        ("Decided to do nothing", "Timing"),
        ("No answer any more", "Relationship"),
        ("Another reason", "Other"),
    ),
}


async def install(uow: UnitOfWork) -> Pipeline:
    """Write all of it; the pipeline."""
    pipeline = await add_pipeline(uow, "New business", STAGES)
    for place, (key, name, icon) in enumerate(ACTIVITY_TYPES):
        uow.add(ActivityType(key=key, name=name, icon=icon, position=place, is_system=True))
    for kind, reasons in REASONS.items():
        for place, (name, category) in enumerate(reasons):
            uow.add(WinLossReason(name=name, kind=kind, category=category, position=place))
    await uow.flush()
    return pipeline


async def add_pipeline(
    uow: UnitOfWork, name: str, stages: tuple[tuple[str, int, int | None], ...], *, position: int = 0
) -> Pipeline:
    """A pipeline of open stages (name, probability, rotting days) with the ends Won and Lost behind them."""
    pipeline = Pipeline(name=name, position=position)
    uow.add(pipeline)
    await uow.flush()
    await add_stages(uow, pipeline, stages)
    return pipeline


async def add_stages(uow: UnitOfWork, pipeline: Pipeline, stages: tuple[tuple[str, int, int | None], ...]) -> None:
    """The stages of a new pipeline: the open ones, then Won and Lost."""
    ends = (("Won", StageKind.won, 100), ("Lost", StageKind.lost, 0))
    for place, (stage, probability, rotting) in enumerate(stages):
        uow.add(
            Stage(pipeline_id=pipeline.id, name=stage, position=place, probability=probability, rotting_days=rotting)
        )
    for place, (stage, kind, probability) in enumerate(ends, start=len(stages)):
        uow.add(Stage(pipeline_id=pipeline.id, name=stage, kind=kind, position=place, probability=probability))
    await uow.flush()
