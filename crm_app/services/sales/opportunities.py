"""What people do with opportunities: move, win, lose, reopen, take a step back, throw away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import Conflict, Invalid
from crm_app.core.events import DomainEvent
from crm_app.models.base import table_of
from crm_app.models.people.users import User
from crm_app.models.sales.competitors import ReasonKind, WinLossReason
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, Opportunity, OpportunityStatus
from crm_app.models.sales.pipelines import Stage, StageKind
from crm_app.services.platform import audit, records
from crm_app.services.platform.bulk import ready_update, values_of
from crm_app.services.platform.validation import check_links, check_values
from crm_app.services.sales import held_deals, places
from crm_app.services.sales.health import health_of
from crm_app.services.sales.held_deals import MOVED_FIELDS, Into, Row
from crm_app.services.sales.opportunity_rules import missing_fields
from crm_app.store.uow import UnitOfWork

_deals = table_of(Opportunity)
_stages = table_of(Stage)


@dataclass(frozen=True, kw_only=True)
class OpportunityMoved(DomainEvent):
    name: ClassVar[str] = "opportunity.stage_changed"
    entity: ClassVar[str] = "opportunity"
    from_stage_id: UUID
    to_stage_id: UUID


@dataclass(frozen=True, kw_only=True)
class OpportunityClosed(DomainEvent):
    name: ClassVar[str] = "opportunity.closed"
    entity: ClassVar[str] = "opportunity"
    status: str
    amount_minor: int
    currency: str


class MissingFields(Invalid):
    """The stage wants more of the deal than it has. `fields` names what is missing."""

    code = "missing_fields"


@dataclass(frozen=True)
class Moved:
    """One moved deal, for a step back: which fields changed, from what to what, and when."""

    record_id: UUID
    name: str
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Closing:
    """What winning or losing says about a deal."""

    reason_id: UUID | None = None
    details: str = ""
    competitor_id: UUID | None = None
    on: date | None = None


@dataclass
class MoveResult:
    moved: list[Moved] = field(default_factory=list)
    blocked: dict[UUID, str] = field(default_factory=dict)  # record -> why


async def move(
    uow: UnitOfWork,
    record_ids: Sequence[UUID],
    *,
    to_stage_id: UUID,
    after_id: UUID | None = None,
    seen_in: Mapping[UUID, UUID] | None = None,
) -> MoveResult:
    """Put deals into an open stage, one below the other under `after_id` (None: on top).

    `seen_in`: in which stage the person saw each deal; one that somebody moved since is a Conflict. A single deal that
    cannot be moved raises why; of several, the rest are moved and the blocked ones are told. A closed deal is reopened.
    Raises Forbidden, NotFound, Conflict, MissingFields.
    """
    uow.require("opportunity.move")
    record_ids = list(dict.fromkeys(record_ids))
    stages, locked, neighbours = await uow.together(
        (held_deals.STAGE, {"stage": to_stage_id}),
        held_deals.asking(uow, record_ids),
        places.neighbours(to_stage_id, after_id, record_ids),
    )
    stage = held_deals.into(stages)
    if stage.kind is not StageKind.open:
        raise Invalid(stage_id=f"{stage.name} is an end: win or lose the deal instead")
    deals = await held_deals.in_order(uow, locked, record_ids, stage)
    if any(d["status"] is not OpportunityStatus.open for d in deals):
        uow.require("opportunity.close")
    result = MoveResult()
    ready: list[Row] = []
    for deal in deals:
        try:
            await _refuse_moved_away(uow, deal, seen_in or {})
            if deal["stage_id"] != stage.id and (missing := missing_fields(stage.required_fields, deal)):
                raise MissingFields(
                    f"{stage.name} needs more of this deal first.",
                    **dict.fromkeys(missing, f"is needed for {stage.name}"),
                )
            ready.append(deal)
        except (Conflict, Invalid) as refusal:
            if len(record_ids) == 1:
                raise
            result.blocked[deal["id"]] = str(refusal)
    ids = [d["id"] for d in ready]
    free = await places.below(uow, stage.id, after_id, ids, neighbours if len(ids) == len(record_ids) else None)
    changes = [(d, _entering(uow, d, stage, place)) for d, place in zip(ready, free, strict=True)]
    result.moved = await _write(uow, changes)
    for deal in ready:
        if deal["stage_id"] != stage.id:
            uow.emit(OpportunityMoved(record_id=deal["id"], from_stage_id=deal["stage_id"], to_stage_id=stage.id))
    return result


async def win(uow: UnitOfWork, record_id: UUID, closing: Closing) -> Moved:
    """Close as won; the close date defaults to today. Raises Conflict when it is closed already."""
    return (await close(uow, [record_id], StageKind.won, closing))[0]


async def lose(uow: UnitOfWork, record_id: UUID, closing: Closing) -> Moved:
    """Close as lost; a reason is required."""
    return (await close(uow, [record_id], StageKind.lost, closing))[0]


async def close(uow: UnitOfWork, record_ids: Sequence[UUID], kind: StageKind, closing: Closing) -> list[Moved]:
    """Win or lose all of these deals, or none."""
    uow.require("opportunity.close")
    if kind is StageKind.lost and closing.reason_id is None:
        raise Invalid(win_loss_reason_id="is required: it is what the next deal learns from")
    deals = await held_deals.lock(uow, list(dict.fromkeys(record_ids)))
    if closed := next((d for d in deals if d["status"] is not OpportunityStatus.open), None):
        status = closed["status"].value
        named = "This deal" if len(deals) == 1 else closed["name"]
        raise Conflict(f"{named} is already {status}.", current={"status": status})
    said = {
        "actual_close_on": closing.on or uow.today,
        "win_loss_reason_id": closing.reason_id,
        "win_loss_details": closing.details,
        "competitor_won_id": closing.competitor_id,
    }
    await _check_closing(uow, kind, said)
    ends = {p: await _end_stage(uow, p, kind) for p in {d["pipeline_id"] for d in deals}}
    moved = await _write(uow, [(d, _ending(uow, d, ends[d["pipeline_id"]]) | said) for d in deals])
    for deal in deals:
        amount = {"amount_minor": deal["amount_minor"], "currency": deal["currency"]}
        uow.emit(OpportunityClosed(record_id=deal["id"], status=kind.value, **amount))
    return moved


def _ending(uow: UnitOfWork, deal: Row, stage: sa.Row[Any]) -> dict[str, Any]:
    """What a deal is once it stands in an end."""
    return {
        "stage_id": stage.id,
        "status": OpportunityStatus(stage.kind.value),
        "position": -uow.now.timestamp(),  # latest on top
        "probability": 100 if stage.kind is StageKind.won else 0,
        "stage_entered_at": _entered(uow, deal),
        "health": Health.good,
        "health_changes_at": None,
    }


async def _check_closing(uow: UnitOfWork, kind: StageKind, said: dict[str, Any]) -> None:
    check_values(OPPORTUNITY, said, is_new=False, allowed=frozenset(said))
    if said["actual_close_on"] > uow.today:
        raise Invalid(actual_close_on="lies in the future; a deal closes today or earlier")
    await check_links(uow, OPPORTUNITY, said)
    if said["win_loss_reason_id"] is not None:
        reason = await uow.get(WinLossReason, said["win_loss_reason_id"])
        if reason.kind is not ReasonKind(kind.value):
            raise Invalid(win_loss_reason_id=f"{reason.name} is no reason for a {kind.value} deal")


async def reopen(uow: UnitOfWork, record_id: UUID, *, to_stage_id: UUID | None = None) -> Moved:
    """Back into an open stage: the given one, or the last open one the deal stood in."""
    uow.require("opportunity.close")
    deal = (await held_deals.lock(uow, [record_id]))[0]
    if deal["status"] is OpportunityStatus.open:
        raise Conflict("This deal is open already.")
    stage = held_deals.into(await uow.ready(held_deals.STAGE, stage=to_stage_id or await _last_open_stage(uow, deal)))
    if stage.kind is not StageKind.open:
        raise Invalid(stage_id=f"{stage.name} is an end: a deal is reopened into an open stage")
    place = (await places.below(uow, stage.id, None, [record_id]))[0]
    return (await _write(uow, [(deal, _entering(uow, deal, stage, place))]))[0]


async def step_back(uow: UnitOfWork, moved: Sequence[Moved]) -> list[Moved]:
    """Undo a move or a closing; what else happened to the deal since stays. Conflict when somebody changed what would
    be put back."""
    uow.require("opportunity.move")
    deals = {d["id"]: d for d in await held_deals.lock(uow, [m.record_id for m in moved])}
    stages_before = {m.before["stage_id"] for m in moved if "stage_id" in m.before}
    there = sa.select(sa.func.count()).where(_stages.c.id.in_(stages_before), _stages.c.deleted_at.is_(None))
    if await uow.scalar(there) != len(stages_before):
        raise Conflict("The stage it came from was removed meanwhile: nothing was undone.")
    for m in moved:
        deal = deals[m.record_id]
        # What follows by itself (health, numbering of a column) leaves the stamp of people alone.
        changed = [n for n, v in m.after.items() if deal[n] != v] if deal["updated_at"] != m.at else []
        if changed:
            who = await _who_changed(uow, deal, "stage_id" if "stage_entered_at" in changed else changed[-1])
            raise Conflict(f"{who} changed {deal['name']} since: nothing was undone.")
    return await _write(uow, [(deals[m.record_id], m.before | _health(uow, deals[m.record_id], m)) for m in moved])


def _health(uow: UnitOfWork, deal: Row, moved: Moved) -> dict[str, Any]:
    status = moved.before.get("status", deal["status"])
    health, changes_at = health_of(
        is_open=status == OpportunityStatus.open,
        now=uow.now,
        expected_close_on=deal["expected_close_on"],
        next_activity_at=deal["next_activity_at"],
    )
    return {"health": health, "health_changes_at": changes_at}


async def throw_away(uow: UnitOfWork, record_id: UUID, *, reason: str = "") -> Opportunity:
    """Into the trash with the reason (blueprint: soft delete); activities and history stay with it."""
    deal: Opportunity = await records.delete(uow, OPPORTUNITY, record_id)
    deal.delete_reason = reason[:200]
    await uow.flush()
    uow.changed("opportunity", deal.id, deal.version, "deleted")
    return deal


async def _refuse_moved_away(uow: UnitOfWork, deal: Row, seen_in: Mapping[UUID, UUID]) -> None:
    saw = seen_in.get(deal["id"])
    if deal["status"] is not OpportunityStatus.open and saw != deal["stage_id"]:
        who = await _who(uow, deal["updated_by_id"])
        told = f"{who} closed {deal['name']} as {deal['status'].value}."
        raise Conflict(told, current={"stage_id": str(deal["stage_id"])})
    if saw is not None and saw != deal["stage_id"]:
        name = await uow.scalar(sa.select(_stages.c.name).where(_stages.c.id == deal["stage_id"]))
        who = await _who(uow, deal["updated_by_id"])
        raise Conflict(f"{who} moved {deal['name']} to {name}.", current={"stage_id": str(deal["stage_id"])})


async def _who_changed(uow: UnitOfWork, deal: Row, name: str) -> str:
    """Who gave this field the value it has, whoever touched others after that."""
    entries = await audit.history(uow, "opportunity", deal["id"], field=name, limit=1)
    return entries[0]["user_name"] or "Somebody" if entries else await _who(uow, deal["updated_by_id"])


async def _who(uow: UnitOfWork, user_id: UUID | None) -> str:
    users = table_of(User)
    return await uow.scalar(sa.select(users.c.name).where(users.c.id == user_id)) or "Somebody"


def _entering(uow: UnitOfWork, deal: Row, stage: Into, position: float) -> dict[str, Any]:
    """What a deal is once it stands at `position` of an open stage."""
    values: dict[str, Any] = {"position": position}
    if deal["stage_id"] == stage.id:
        return values
    health, changes_at = health_of(
        is_open=True,
        now=uow.now,
        expected_close_on=deal["expected_close_on"],
        next_activity_at=deal["next_activity_at"],
    )
    values |= {
        "pipeline_id": stage.pipeline_id,
        "stage_id": stage.id,
        "status": OpportunityStatus.open,
        "actual_close_on": None,
        "stage_entered_at": _entered(uow, deal),
        "health": health,
        "health_changes_at": changes_at,
    }
    if deal["status"] is not OpportunityStatus.open:
        values |= {"win_loss_reason_id": None, "win_loss_details": "", "competitor_won_id": None}
        values |= {"probability": stage.probability, "probability_is_manual": False}
    elif not deal["probability_is_manual"]:
        values["probability"] = stage.probability
    return values


def _entered(uow: UnitOfWork, deal: Row) -> datetime:
    """Now, but after the present stay began: who waited for the row may have started before the one who had it, and an
    earlier time means a step back to the trigger that keeps the history."""
    began: datetime = deal["stage_entered_at"]
    return max(uow.now, began + timedelta(microseconds=1))


async def _write(uow: UnitOfWork, changes: Sequence[tuple[Row, dict[str, Any]]]) -> list[Moved]:
    """Write all changes by one statement and tell open screens."""
    if not changes:
        return []
    names = {n for _, values in changes for n in values}
    stamps = {"updated_at": uow.now, "updated_by_id": uow.actor.user_id}
    rows = [
        {"id": d["id"], **{n: values.get(n, d[n]) for n in names}, "version": d["version"] + 1, **stamps}
        for d, values in changes
    ]
    columns = (*sorted(names), "version", *stamps)
    await uow.ready(ready_update(_deals, columns, several=len(rows) > 1), **values_of(rows, columns))
    for row in rows:
        uow.changed("opportunity", row["id"], row["version"], "updated")
    return [_moved(uow, deal, values) for deal, values in changes]


def _moved(uow: UnitOfWork, deal: Row, values: Mapping[str, Any]) -> Moved:
    changed = [n for n in MOVED_FIELDS if n in values and values[n] != deal[n]]
    return Moved(deal["id"], deal["name"], uow.now, {n: deal[n] for n in changed}, {n: values[n] for n in changed})


async def _end_stage(uow: UnitOfWork, pipeline_id: UUID, kind: StageKind) -> sa.Row[Any]:
    """Its `id` and `kind`."""
    query = (
        sa.select(_stages.c.id, _stages.c.kind)
        .where(_stages.c.pipeline_id == pipeline_id, _stages.c.kind == kind, _stages.c.deleted_at.is_(None))
        .order_by(_stages.c.position)
        .limit(1)
    )
    found = await uow.rows(query)
    if not found:
        raise Invalid(stage_id=f"this pipeline has no {kind.value} stage; add one under Settings, Pipelines")
    return found[0]


async def _last_open_stage(uow: UnitOfWork, deal: Row) -> UUID:
    stays = table_of(StageHistory)
    query = (
        sa.select(stays.c.stage_id)
        .join(_stages, sa.and_(_stages.c.tenant_id == stays.c.tenant_id, _stages.c.id == stays.c.stage_id))
        .where(stays.c.opportunity_id == deal["id"], _stages.c.kind == StageKind.open, _stages.c.deleted_at.is_(None))
        .order_by(stays.c.entered_at.desc())
        .limit(1)
    )
    stage_id: UUID | None = await uow.scalar(query)
    if stage_id is None:
        query = (
            sa.select(_stages.c.id)
            .where(_stages.c.pipeline_id == deal["pipeline_id"], _stages.c.kind == StageKind.open)
            .where(_stages.c.deleted_at.is_(None))
            .order_by(_stages.c.position)
            .limit(1)
        )
        stage_id = await uow.scalar(query)
    if stage_id is None:
        raise Invalid(stage_id="this pipeline has no open stage")
    return stage_id
