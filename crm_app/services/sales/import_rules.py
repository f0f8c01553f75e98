"""Importing pipelines, opportunities and what is done with them: what the services of both say, for all rows at once.

A file may tell of the past: a close date behind us is no mistake here, and a deal may come closed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa

from crm_app.core.registry import FieldSpec, Kind
from crm_app.models.base import new_id_texts, table_of
from crm_app.models.platform.workspaces import Workspace
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import Opportunity, OpportunityLine, OpportunityStatus
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.platform import numbers
from crm_app.services.platform.imports.frames import pl
from crm_app.services.platform.imports.rows import Rows, moments
from crm_app.services.platform.imports.rules import ImportRules, register
from crm_app.services.sales import activity_facts
from crm_app.services.sales.health import health_of
from crm_app.services.sales.opportunity_rules import NUMBER_FORM, POSITION_STEP
from crm_app.store.uow import UnitOfWork

_NOON = timedelta(hours=12)
# A column "Close date" is the actual one: for open deals the engine takes it as the expected one.
_HEADINGS = {
    "name": (
        "deal", "deal name", "deal title", "title", "subject", "project", "bezeichnung", "verkaufschance", "projekt",
    ),
    "number": ("id", "deal id", "opportunity id", "reference", "deal number", "no", "nr", "nummer"),
    "account_id": (
        "company", "company name", "customer", "customer name", "client", "organisation", "organization", "firma",
        "kunde", "unternehmen",
    ),
    "primary_contact_id": ("contact", "contact name", "contact person", "ansprechpartner"),
    "owner_id": (
        "deal owner", "sales rep", "rep", "sales agent", "salesperson", "agent", "assigned to", "responsible",
        "account manager", "verantwortlich", "vertrieb",
    ),
    "amount_minor": (
        "value", "deal value", "close value", "deal amount", "total", "price", "revenue", "volume", "wert", "betrag",
        "summe", "umsatz",
    ),
    "expected_close_on": ("expected close date", "expected closing date", "forecast date", "close by", "erwartet"),
    "actual_close_on": ("close date", "closing date", "closed", "closed on", "close", "abschlussdatum", "abschluss"),
    "created_at": ("created", "created on", "create date", "date created", "engage date", "opened", "erstellt"),
    "stage_id": ("deal stage", "sales stage", "status", "phase"),
    "pipeline_id": ("sales process", "process"),
    "probability": ("win probability", "chance", "likelihood", "wahrscheinlichkeit"),
    "lead_source": ("source", "quelle"),
    "next_step": ("next steps", "next action"),
    "description": ("notes", "note", "comments", "remark", "remarks", "bemerkung", "beschreibung"),
    "win_loss_reason_id": ("loss reason", "lost reason", "close reason", "reason"),
    "competitor_won_id": ("lost to",),
    "product_id": ("item", "produkt"),
    "tags": ("labels", "categories"),
    "currency": ("currency code", "iso currency", "wahrung"),
}  # fmt: skip
_CLOSED = [StageKind.won.value, StageKind.lost.value]


class PipelineRules(ImportRules):
    """A new pipeline has its ends from the start, as everywhere; its open stages are a step of their own."""

    parts = (Stage,)

    async def children(self, rows: Rows) -> dict[Any, pl.DataFrame]:
        new = rows.frame.filter(rows.is_new)["id"]
        ends = [("Won", StageKind.won.value, 100, 1000), ("Lost", StageKind.lost.value, 0, 1001)]
        columns = ("name", "kind", "probability", "position")
        frames = [
            pl.DataFrame({"id": new_id_texts(len(new)), "pipeline_id": new}).with_columns(
                pl.lit(v).alias(n) for n, v in zip(columns, end, strict=True)
            )
            for end in ends
        ]
        return {Stage: pl.concat(frames)}


class OpportunityRules(ImportRules):
    headings: ClassVar = _HEADINGS
    extra: ClassVar = (FieldSpec("product_id", "Product", Kind.link, nullable=True, target="product"),)
    writable: ClassVar = frozenset(
        {
            "stage_id", "pipeline_id", "stage_entered_at", "actual_close_on", "created_at", "win_loss_reason_id",
            "win_loss_details", "competitor_won_id",
        }
    )  # fmt: skip
    within: ClassVar = {"stage_id": "pipeline_id"}
    follows: ClassVar = {
        **dict.fromkeys(
            (
                "pipeline_id",
                "status",
                "probability",
                "probability_is_manual",
                "position",
                "stage_entered_at",
                "actual_close_on",
            ),
            ("stage_id",),
        ),
        "health": ("stage_id", "expected_close_on"),
        "health_changes_at": ("stage_id", "expected_close_on"),
    }
    keeps_guards = True
    late: ClassVar = frozenset({"number"})
    sum_of = "amount_minor"
    parts = (OpportunityLine,)
    shadows = (StageHistory,)

    async def complete(self, uow: UnitOfWork, rows: Rows) -> None:
        _check_numbers(rows)
        await _place(uow, rows)
        await _check_reasons(rows)
        kind = await rows.related("stage_id", "kind")
        rows.put("status", kind.cast(pl.String))  # a stage's kind is the status of what stands in it
        _close(uow, rows)
        await _set_probability(rows)
        _enter_stage(uow, rows)
        await _set_positions(uow, rows)
        _set_health(uow, rows)
        if rows.has("product_id"):
            rows.put("product_name", await rows.related("product_id", "name"))

    async def before_write(self, uow: UnitOfWork, frame: pl.DataFrame) -> pl.DataFrame:
        """Numbers for those that came without one, in the order of the file."""
        if "number" not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("number"))
        count = frame["number"].null_count()
        if not count:
            return frame
        prefix = f"{await uow.scalar(sa.select(table_of(Workspace).c.number_prefix)) or 'OPP'}-{uow.today.year}"
        first = await numbers.take(uow, prefix.replace("-", ":"), count)
        fresh = iter(range(first, first + count))
        filled = [n if n is not None else f"{prefix}-{next(fresh):04d}" for n in frame["number"].to_list()]
        return frame.with_columns(pl.Series("number", filled, dtype=pl.String))

    async def children(self, rows: Rows) -> dict[Any, pl.DataFrame]:
        """A line over the whole amount for the product a row names."""
        if not rows.has("product_id"):
            return {}
        sold = rows.frame.filter(rows.is_new & rows.frame["product_id"].is_not_null())
        lines = sold.select(
            pl.Series("id", new_id_texts(sold.height), dtype=pl.String),
            pl.col("id").alias("opportunity_id"),
            "product_id",
            pl.col("product_name").alias("name"),
            pl.col("amount_minor").alias("unit_price_minor"),
            "amount_minor",
        )
        return {OpportunityLine: lines}


def _check_numbers(rows: Rows) -> None:
    if rows.has("number"):
        wrong = ~rows.frame["number"].str.contains(f"^(?:{NUMBER_FORM.pattern})$")
        rows.reject(wrong, "number", "can only hold letters, digits and hyphens", "like OPP-2026-0412")


async def _place(uow: UnitOfWork, rows: Rows) -> None:
    """A stage for every new deal, and the pipeline that belongs to it."""
    lost = rows.col("stage_id").is_null() & rows.is_new
    if lost.any():
        first = await _first_stages(uow)
        pipelines = rows.col("pipeline_id")
        known = [first.get(p, None if p else next(iter(first.values()), None)) for p in pipelines.to_list()]
        rows.fill("stage_id", pl.Series("stage_id", known, dtype=pl.String).zip_with(lost, _empty(rows)))
    elif not rows.has("stage_id"):  # nothing is new, or every row was rejected before
        rows.put("stage_id", _empty(rows))
    rows.reject(
        rows.frame["stage_id"].is_null() & rows.is_new, "stage_id", "is missing",
        "map a column to the stage, or give one under `constants`", values=_empty(rows),
    )  # fmt: skip
    belongs = (await rows.related("stage_id", "pipeline_id")).cast(pl.String)
    other = rows.col("pipeline_id").is_not_null() & belongs.is_not_null() & (rows.col("pipeline_id") != belongs)
    rows.put("pipeline_id", belongs)
    rows.reject(
        other, "stage_id", "belongs to another pipeline", "correct the stage or the pipeline", values=_empty(rows)
    )


async def _first_stages(uow: UnitOfWork) -> dict[str, str]:
    """The stage in which a deal of each pipeline begins; the first pipeline first."""
    stages, pipelines = table_of(Stage), table_of(Pipeline)
    query = (
        sa.select(pipelines.c.id, stages.c.id)
        .join(pipelines, sa.and_(pipelines.c.tenant_id == stages.c.tenant_id, pipelines.c.id == stages.c.pipeline_id))
        .where(
            stages.c.kind == StageKind.open,
            stages.c.is_active,
            stages.c.deleted_at.is_(None),
            pipelines.c.deleted_at.is_(None),
        )
        .order_by(pipelines.c.position, stages.c.position)
    )
    found: dict[str, str] = {}
    for pipeline_id, stage_id in await uow.rows(query):
        found.setdefault(str(pipeline_id), str(stage_id))
    return found


async def _check_reasons(rows: Rows) -> None:
    if rows.has("win_loss_reason_id"):
        meant, kind = await rows.related("win_loss_reason_id", "kind"), await rows.related("stage_id", "kind")
        rows.reject(
            meant != kind,
            "win_loss_reason_id",
            "is no reason for how this deal ended",
            "correct the reason",
            values=_empty(rows),
        )


def _close(uow: UnitOfWork, rows: Rows) -> None:
    """Closed deals have the day they were closed on; open ones have none yet."""
    if rows.current is not None:
        reopens = rows.current["status"].is_in(_CLOSED) & (rows.frame["status"] == OpportunityStatus.open.value)
        rows.reject(
            reopens, "stage_id", "would open a closed deal again", "reopen it on its page first", values=_empty(rows)
        )
    closed = rows.frame["status"].is_in(_CLOSED).fill_null(value=False)
    expected = rows.col("expected_close_on")
    meant = closed & rows.value("actual_close_on").is_null() & (expected <= uow.today)
    rows.note("the close date of a closed deal is taken as the day it was closed", int(meant.sum()))
    rows.fill("actual_close_on", expected.zip_with(meant.fill_null(value=False), _empty(rows, pl.Date)))
    day = rows.value("actual_close_on")
    rows.reject(
        closed & day.is_null(), "actual_close_on", "is missing on a closed deal",
        "map the day it was closed, or say what to take under `if_empty`", values=_empty(rows),
    )  # fmt: skip
    future = rows.value("actual_close_on") > uow.today
    rows.reject(
        future & rows.frame["status"].is_in(_CLOSED), "actual_close_on", "lies in the future", "correct the day"
    )
    closed = rows.frame["status"].is_in(_CLOSED).fill_null(value=False)
    day = rows.col("actual_close_on")
    rows.note("the close date of an open deal is taken as the expected one", int((~closed & day.is_not_null()).sum()))
    rows.put("actual_close_on", day.zip_with(closed, _empty(rows, pl.Date)))
    rows.fill("expected_close_on", day.zip_with(rows.is_new, _empty(rows, pl.Date)))


async def _set_probability(rows: Rows) -> None:
    status, given = rows.frame["status"], rows.col("probability")
    usual = await rows.related("stage_id", "probability")
    is_open = status == OpportunityStatus.open.value
    rows.put(
        "probability_is_manual",
        (is_open & given.is_not_null() & (given != usual)).zip_with(status.is_not_null(), _empty(rows, pl.Boolean)),
    )
    ended = (
        pl.Series([100])
        .new_from_index(0, len(rows))
        .zip_with(status == OpportunityStatus.won.value, pl.Series([0]).new_from_index(0, len(rows)))
    )
    value = given.zip_with(given.is_not_null(), usual)
    rows.put("probability", value.zip_with(is_open.fill_null(value=True), ended))


def _enter_stage(uow: UnitOfWork, rows: Rows) -> None:
    """When the deal came into its stage: as the file says, else the day it closed, else the day it was created."""
    closed_at = (rows.value("actual_close_on").cast(pl.Datetime("us")) + _NOON).dt.replace_time_zone("UTC")
    begun = rows.col("created_at")
    now = pl.Series([uow.now], dtype=moments()).new_from_index(0, len(rows))
    later = begun.zip_with(begun.is_not_null() & rows.is_new, now)
    closed = rows.frame["status"].is_in(_CLOSED).fill_null(value=False)
    rows.fill("stage_entered_at", closed_at.zip_with(closed, later))


async def _set_positions(uow: UnitOfWork, rows: Rows) -> None:
    """Closed deals by their day, the latest on top; open ones above what is there, in the order of the file."""
    deals = table_of(Opportunity)
    query = (
        sa.select(deals.c.stage_id, sa.func.min(deals.c.position))
        .where(deals.c.deleted_at.is_(None))
        .group_by(deals.c.stage_id)
    )
    tops = {str(s): float(p) for s, p in await uow.rows(query)}
    stages = rows.value("stage_id")
    frame = pl.DataFrame({"stage": stages, "place": pl.Series([1.0]).new_from_index(0, len(rows))})
    frame = frame.with_columns(
        pl.col("place").cum_sum().over("stage").alias("nth"), pl.len().over("stage").alias("count"),
        pl.Series("top", [tops.get(s or "", 0.0) for s in stages.to_list()], dtype=pl.Float64),
    )  # fmt: skip
    open_place = frame.select(pl.col("top") - (pl.col("count") - pl.col("nth") + 1) * POSITION_STEP).to_series()
    closed_place = -(rows.value("actual_close_on").cast(pl.Datetime("us")) + _NOON).dt.epoch("s").cast(pl.Float64)
    closed = rows.frame["status"].is_in(_CLOSED).fill_null(value=False)
    rows.put("position", closed_place.zip_with(closed, open_place))


def _set_health(uow: UnitOfWork, rows: Rows) -> None:
    upcoming = rows.current["next_activity_at"] if rows.current is not None else _empty(rows, moments())
    status = (
        rows.value("status")
        if rows.current is None
        else rows.frame["status"].zip_with(rows.frame["status"].is_not_null(), rows.current["status"])
    )
    frame = pl.DataFrame({"closes": rows.value("expected_close_on"), "next": upcoming, "status": status})
    distinct = frame.unique()
    found = [_health(uow, *row) for row in distinct.iter_rows()]
    distinct = distinct.with_columns(
        pl.Series("health", [h for h, _ in found], dtype=pl.String),
        pl.Series("health_changes_at", [c for _, c in found], dtype=moments()),
    )
    joined = frame.join(distinct, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")
    rows.put("health", joined["health"])
    rows.put("health_changes_at", joined["health_changes_at"])


def _health(
    uow: UnitOfWork, closes: date | None, upcoming: datetime | None, status: str | None
) -> tuple[str, datetime | None]:
    health, changes = health_of(
        is_open=status == OpportunityStatus.open.value, now=uow.now, expected_close_on=closes or uow.today,
        next_activity_at=upcoming,
    )  # fmt: skip
    return health.value, changes


def _empty(rows: Rows, dtype: Any = None) -> pl.Series:
    return pl.Series([None], dtype=dtype or pl.String).new_from_index(0, len(rows))


class ActivityRules(ImportRules):
    """A deal knows what was done with it last and what comes next, wherever its activities come from."""

    headings: ClassVar = {
        "subject": ("title", "activity", "what", "betreff"),
        "kind": ("type", "activity type", "art"),
        "happens_at": ("date", "due date", "due", "start", "when", "activity date", "datum"),
        "body": ("description", "notes", "note", "comments", "text"),
        "opportunity_id": ("deal", "deal title", "deal name", "opportunity name"),
        "account_id": ("company", "organization", "customer", "firma"),
        "contact_id": ("person", "contact person", "contact name", "contact"),
        "owner_id": ("assigned to", "assigned to user", "responsible"),
        "duration_minutes": ("duration", "minutes"),
    }
    leads: ClassVar = {"opportunity_id": activity_facts.refresh}


register("pipeline", PipelineRules())
register("opportunity", OpportunityRules())
register("activity", ActivityRules())
