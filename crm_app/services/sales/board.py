"""The board: the columns of a pipeline with their first cards and totals, read for one viewer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.conditions import Condition, check, parse, to_sql
from crm_app.core.context import Actor
from crm_app.core.errors import NotFound
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.people.users import User
from crm_app.models.sales.facts import StageTotal
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, Opportunity
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.platform.schema import blind_spots
from crm_app.services.platform.sight import context_of
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, visible, visible_owners

WINDOW = 25  # cards of a column loaded at once
_deals, _accounts, _users = table_of(Opportunity), table_of(Account), table_of(User)
_stages, _pipelines, _totals = table_of(Stage), table_of(Pipeline), table_of(StageTotal)
_CARD = (
    "id", "version", "stage_id", "name", "amount_minor", "currency", "expected_close_on", "probability", "owner_id",
    "stage_entered_at", "next_activity_at", "next_activity_kind", "next_activity_subject", "health", "position",
)  # fmt: skip

# Made once: to build a statement costs as much as to run it.
_PIPELINE = sa.select(_pipelines.c.id, _pipelines.c.name).where(
    _pipelines.c.id == sa.bindparam("pipeline"), _pipelines.c.deleted_at.is_(None)
)
_PIPELINE_STAGES = (
    sa.select(
        _stages.c.id, _stages.c.name, _stages.c.kind, _stages.c.color, _stages.c.probability,
        _stages.c.rotting_days, _stages.c.required_fields, _stages.c.description,
    )
    .where(_stages.c.pipeline_id == sa.bindparam("pipeline"), _stages.c.is_active, _stages.c.deleted_at.is_(None))
    .order_by(_stages.c.position, _stages.c.id)
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """What the viewer narrows the board to. Amounts in minor units of the deal's own currency."""

    owners: tuple[UUID, ...] = ()
    text: str = ""
    least_minor: int | None = None
    most_minor: int | None = None
    closes_from: date | None = None
    closes_until: date | None = None
    tag: str = ""
    health: tuple[str, ...] = ()

    @property
    def fits_totals(self) -> bool:
        """Whether the kept totals, which know owner and health, can answer."""
        return replace(self, owners=(), health=()) == Filters()

    def condition(self) -> dict[str, Any] | None:
        """The same in the condition language; None when nothing is narrowed."""
        found: list[dict[str, Any]] = []
        if self.owners:
            found.append({"field": "owner_id", "op": "in", "value": [str(o) for o in self.owners]})
        if self.text:
            named = {"field": "name", "op": "contains", "value": self.text}
            found.append({"any": [named, {"related": "account", "some": named}]})
        if self.least_minor is not None:
            found.append({"field": "amount_minor", "op": "gte", "value": self.least_minor})
        if self.most_minor is not None:
            found.append({"field": "amount_minor", "op": "lte", "value": self.most_minor})
        if self.closes_from:
            found.append({"field": "expected_close_on", "op": "on_or_after", "value": self.closes_from.isoformat()})
        if self.closes_until:
            found.append({"field": "expected_close_on", "op": "on_or_before", "value": self.closes_until.isoformat()})
        if self.tag:
            found.append({"field": "tags", "op": "has", "value": self.tag})
        if self.health:
            found.append({"field": "health", "op": "in", "value": list(self.health)})
        return {"all": found} if found else None


@dataclass(frozen=True, slots=True)
class Sum:
    """Deals of one currency. None in place of a sum of what the viewer's role does not see."""

    currency: str
    deals: int
    amount_minor: int | None
    weighted_minor: int | None


@dataclass(frozen=True)
class Totals:
    """Of one stage: a sum per currency, largest first, and the amounts by health."""

    sums: tuple[Sum, ...] = ()
    by_health: Mapping[str, int] = field(default_factory=dict)

    @property
    def deals(self) -> int:
        return sum(s.deals for s in self.sums)


@dataclass(frozen=True)
class Column:
    stage: Mapping[Any, Any]
    totals: Totals
    cards: Sequence[Mapping[Any, Any]]
    has_more: bool


@dataclass(frozen=True)
class Board:
    pipeline: Mapping[Any, Any]
    columns: list[Column]
    won: Totals  # of the whole pipeline, under the same filters
    lost: Totals
    stages: Sequence[Mapping[Any, Any]]  # all of the pipeline, shown or not
    totals: Mapping[UUID, Totals]  # of those that have any


async def pipelines(uow: UnitOfWork) -> Sequence[sa.RowMapping]:
    """Active pipelines (id, name) in their order."""
    uow.require("pipeline.read")
    query = (
        sa.select(_pipelines.c.id, _pipelines.c.name)
        .where(_pipelines.c.is_active, _pipelines.c.deleted_at.is_(None))
        .order_by(_pipelines.c.position, _pipelines.c.name)
    )
    return (await uow.execute(query)).mappings().all()


async def owners(uow: UnitOfWork) -> Sequence[sa.RowMapping]:
    """The people (id, name) whose deals this viewer sees, to narrow the board to; everybody, where more is shown to the
    viewer than the owners say."""
    uow.require("opportunity.read")
    query = sa.select(_users.c.id, _users.c.name).where(_users.c.deleted_at.is_(None)).order_by(_users.c.name)
    if (seen := visible_owners(uow.actor)) is not None and not is_wide(uow.actor):
        query = query.where(_users.c.id.in_(seen))
    return (await uow.execute(query)).mappings().all()


async def stages(uow: UnitOfWork, pipeline_id: UUID) -> Sequence[Mapping[Any, Any]]:
    """All stages of a pipeline, ends included, in their order."""
    uow.require("opportunity.read")
    return await uow.named(_PIPELINE_STAGES, {"pipeline": pipeline_id})


async def board(
    uow: UnitOfWork, pipeline_id: UUID, filters: Filters | None = None, *, with_ends: bool = False, window: int = WINDOW
) -> Board:
    """The open columns (with `with_ends` also won and lost), each with its first `window` cards. Three queries."""
    uow.require("opportunity.read")
    chosen = filters or Filters()
    pipelines = await uow.named(_PIPELINE, {"pipeline": pipeline_id})
    if not pipelines:
        raise NotFound("This pipeline does not exist any more.")
    every = await stages(uow, pipeline_id)
    shown = [s for s in every if with_ends or s["kind"] is StageKind.open]
    cards = await _first_cards(uow, [s["id"] for s in shown], chosen, window)
    totals = await stage_totals(uow, [s["id"] for s in every], chosen)
    columns = [
        Column(s, totals.get(s["id"], Totals()), cards.get(s["id"], [])[:window], len(cards.get(s["id"], [])) > window)
        for s in shown
    ]
    ends = {
        kind: merged([totals[s["id"]] for s in every if s["kind"] is kind and s["id"] in totals])
        for kind in (StageKind.won, StageKind.lost)
    }
    return Board(pipelines[0], columns, ends[StageKind.won], ends[StageKind.lost], every, totals)


def merged(parts: Iterable[Totals]) -> Totals:
    """Totals of several stages together."""
    found: dict[str, Sum] = {}
    for part in parts:
        for s in part.sums:
            known = found.get(s.currency, Sum(s.currency, 0, 0, 0))
            found[s.currency] = Sum(
                s.currency,
                known.deals + s.deals,
                _plus(known.amount_minor, s.amount_minor),
                _plus(known.weighted_minor, s.weighted_minor),
            )
    return Totals(tuple(sorted(found.values(), key=_largest_first)))


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _largest_first(s: Sum) -> int:
    return -s.deals if s.amount_minor is None else -s.amount_minor


def narrowed(uow: UnitOfWork, query: sa.Select[Any], filters: Filters) -> sa.Select[Any]:
    """A query over opportunities, kept to what the viewer sees and the filters let through."""
    query = query.where(_deals.c.deleted_at.is_(None))
    if (seen := visible(OPPORTUNITY, uow.actor)) is not None:
        query = query.where(seen)
    if (condition := _condition(uow, filters)) is not None:
        query = query.where(to_sql(condition, OPPORTUNITY, context_of(uow), hidden=_blind(uow.actor)))
    return query


def _condition(uow: UnitOfWork, filters: Filters) -> Condition | None:
    """The filters, checked: what the role may not see it may not narrow by either."""
    if (data := filters.condition()) is None:
        return None
    condition = parse(data)
    check(condition, OPPORTUNITY, hidden=_blind(uow.actor))
    return condition


def _blind(actor: Actor) -> frozenset[str]:
    hidden, masked = blind_spots(actor, OPPORTUNITY.name)
    return frozenset(f"{OPPORTUNITY.name}.{n}" for n in hidden | masked)


def _shown(uow: UnitOfWork, rows: list[dict[str, Any]]) -> Sequence[Mapping[Any, Any]]:
    """Cards without what the role does not see: None stands there."""
    hidden, masked = blind_spots(uow.actor, OPPORTUNITY.name)
    blind = (hidden | masked).intersection(_CARD)
    return [{**r, **dict.fromkeys(blind)} for r in rows] if blind else rows


def _with_names(cards: sa.FromClause, source: Any) -> sa.Select[Any]:
    """The columns of a card, with the names of its account and owner."""
    joined = source.join(
        _accounts, sa.and_(_accounts.c.tenant_id == cards.c.tenant_id, _accounts.c.id == cards.c.account_id)
    ).join(_users, sa.and_(_users.c.tenant_id == cards.c.tenant_id, _users.c.id == cards.c.owner_id))
    return sa.select(
        *(cards.c[n] for n in _CARD), _accounts.c.name.label("account_name"), _users.c.name.label("owner_name")
    ).select_from(joined)


_any_card = _with_names(_deals, _deals)  # made once, as building a statement costs as much as running it


async def _first_cards(
    uow: UnitOfWork, stage_ids: list[UUID], filters: Filters, window: int
) -> dict[UUID, list[Mapping[Any, Any]]]:
    values: dict[str, Any] = {"stages": stage_ids}
    if filters == Filters() and not is_wide(uow.actor):
        seen = visible_owners(uow.actor)
        query = _plain_first_cards(window, seen is not None)
        values |= {} if seen is None else {"owners": seen}
    else:
        query = _first_cards_query(window, lambda wanted: narrowed(uow, wanted, filters))
    found: dict[UUID, list[Mapping[Any, Any]]] = {}
    for row in _shown(uow, await uow.named(query, values)):
        found.setdefault(row["stage_id"], []).append(row)
    return found


@cache
def _plain_first_cards(window: int, is_scoped: bool) -> sa.Select[Any]:
    """Without filters: made once, because building it costs as much as running it."""

    def seen(wanted: sa.Select[Any]) -> sa.Select[Any]:
        live = wanted.where(_deals.c.deleted_at.is_(None))
        return live.where(_deals.c.owner_id.in_(sa.bindparam("owners", expanding=True))) if is_scoped else live

    return _first_cards_query(window, seen)


def _first_cards_query(window: int, narrow: Callable[[sa.Select[Any]], sa.Select[Any]]) -> sa.Select[Any]:
    """Of the stages given as `stages`."""
    wanted = sa.select(*(_deals.c[n] for n in _CARD), _deals.c.tenant_id, _deals.c.account_id)
    first = (
        narrow(wanted.where(_deals.c.stage_id == _stages.c.id))
        .order_by(_deals.c.position, _deals.c.id)
        .limit(sa.literal_column(str(int(window) + 1)))
        .lateral("first_cards")
    )
    return (
        _with_names(first, _stages.join(first, sa.true()))
        .where(_stages.c.id.in_(sa.bindparam("stages", expanding=True)))
        .order_by(first.c.stage_id, first.c.position, first.c.id)
    )


async def more_cards(
    uow: UnitOfWork, stage_id: UUID, after_id: UUID | None, filters: Filters | None = None, *, window: int = WINDOW
) -> tuple[Sequence[Mapping[Any, Any]], bool]:
    """The cards of a column below `after_id` (None: from the top), and whether more follow."""
    uow.require("opportunity.read")
    query = _any_card.where(_deals.c.stage_id == stage_id)
    if after_id is not None:
        mark = await uow.scalar(sa.select(_deals.c.position).where(_deals.c.id == after_id))
        if mark is None:
            return [], False
        here = sa.tuple_(_deals.c.position, _deals.c.id)
        query = query.where(here > sa.tuple_(sa.literal(mark), sa.literal(after_id)))
    query = narrowed(uow, query, filters or Filters()).order_by(_deals.c.position, _deals.c.id)
    found = await uow.named(query.limit(sa.literal_column(str(window + 1))))
    return _shown(uow, found[:window]), len(found) > window


async def cards(
    uow: UnitOfWork, record_ids: Sequence[UUID], filters: Filters | None = None
) -> Sequence[Mapping[Any, Any]]:
    """These deals as cards, as far as the viewer sees them and the filters let them through."""
    uow.require("opportunity.read")
    query = _any_card.where(_deals.c.id.in_(list(record_ids)))
    return _shown(uow, await uow.named(narrowed(uow, query, filters or Filters())))


async def stage_totals(
    uow: UnitOfWork, stage_ids: Sequence[UUID], filters: Filters | None = None
) -> dict[UUID, Totals]:
    """Count, sum, weighted sum and health of each stage, for what this viewer sees under these filters.

    From the kept totals where they can answer (no filter, owner, health); else counted live.
    """
    uow.require("opportunity.read")
    chosen = filters or Filters()
    _condition(uow, chosen)
    if chosen.fits_totals and not is_wide(uow.actor):  # the kept totals know owners only
        query = _kept_totals(uow, chosen)
    else:
        amount = _deals.c.amount_minor
        counted = sa.select(
            _deals.c.stage_id, _deals.c.currency, _deals.c.health.label("health"), sa.func.count().label("deals"),
            sa.func.sum(amount).label("amount"), sa.func.sum(amount * _deals.c.probability // 100).label("weighted"),
        )  # fmt: skip
        query = narrowed(uow, counted, chosen).group_by(_deals.c.stage_id, _deals.c.currency, _deals.c.health)
    stage = query.selected_columns.stage_id
    found: dict[UUID, dict[str, list[int]]] = {}
    health: dict[UUID, dict[str, int]] = {}
    for row in await uow.rows(query.where(stage.in_(list(stage_ids)))):
        numbers = found.setdefault(row.stage_id, {}).setdefault(row.currency, [0, 0, 0])
        for i, n in enumerate((row.deals, row.amount, row.weighted)):
            numbers[i] += int(n)
        amounts = health.setdefault(row.stage_id, {})
        amounts[str(row.health)] = amounts.get(str(row.health), 0) + int(row.amount)
    blind = _blind(uow.actor)
    sees = {n: f"{OPPORTUNITY.name}.{n}" not in blind for n in ("amount_minor", "probability", "health")}
    return {
        s: Totals(
            tuple(sorted((_seen_sum(c, (n[0], n[1], n[2]), sees) for c, n in by.items()), key=_largest_first)),
            health[s] if sees["amount_minor"] and sees["health"] else {},
        )
        for s, by in found.items()
    }


def _seen_sum(currency: str, numbers: tuple[int, int, int], sees: Mapping[str, bool]) -> Sum:
    """The weighted sum would tell the probabilities, and the amounts."""
    deals, amount, weighted = numbers
    is_seen = sees["amount_minor"]
    return Sum(currency, deals, amount if is_seen else None, weighted if is_seen and sees["probability"] else None)


_by = (_totals.c.stage_id, _totals.c.currency, _totals.c.health)
_every_total = (
    sa.select(
        *_by,
        sa.func.sum(_totals.c.deals).label("deals"),
        sa.func.sum(_totals.c.amount_minor).label("amount"),
        sa.func.sum(_totals.c.weighted_minor).label("weighted"),
    )
    .group_by(*_by)
    .having(sa.func.sum(_totals.c.deals) > 0)
)


def _kept_totals(uow: UnitOfWork, filters: Filters) -> sa.Select[Any]:
    query, t = _every_total, _totals
    if (owners := visible_owners(uow.actor)) is not None:
        query = query.where(t.c.owner_id.in_(owners))
    if filters.owners:
        query = query.where(t.c.owner_id.in_(list(filters.owners)))
    if filters.health:
        query = query.where(t.c.health.in_([Health(h).value for h in filters.health]))
    return query
