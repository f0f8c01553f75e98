"""A deal with everything its page shows at once: names, stages, people and lines, in one query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.errors import NotFound
from crm_app.core.fields import MASKED
from crm_app.core.registry import Entity
from crm_app.models.base import table_of
from crm_app.models.customers.accounts import Account
from crm_app.models.customers.contacts import Contact
from crm_app.models.people.users import User
from crm_app.models.sales.competitors import Competitor, WinLossReason
from crm_app.models.sales.facts import StageHistory
from crm_app.models.sales.opportunities import (
    OPPORTUNITY,
    Opportunity,
    OpportunityLine,
    OpportunityStakeholder,
    StakeholderRole,
)
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.sight import shown
from crm_app.services.sales.board import Filters, narrowed
from crm_app.store.uow import UnitOfWork
from crm_app.store.visibility import is_wide, owned_later, sight_of

_deals, _stages, _stays, _pipelines = (table_of(m) for m in (Opportunity, Stage, StageHistory, Pipeline))
_accounts, _contacts, _users = table_of(Account), table_of(Contact), table_of(User)
_lines, _stakes = table_of(OpportunityLine), table_of(OpportunityStakeholder)
_rivals, _reasons = table_of(Competitor), table_of(WinLossReason)
_COLLEAGUES = 12  # contacts of the account that are offered beside those who have a part
_COUNTED = 1000  # a place in a longer list is not counted out


@dataclass(frozen=True, slots=True)
class StageStay:
    """A stage of the deal's pipeline; `days` in it altogether, None when the deal never was there."""

    id: UUID
    name: str
    kind: StageKind
    color: int
    rotting_days: int | None
    required_fields: tuple[str, ...]
    days: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """A contact beside the deal. Without a role: one of the account who has no part in it yet."""

    contact_id: UUID
    name: str
    title: str
    email: str
    phone: str
    stakeholder_id: UUID | None
    role: StakeholderRole | None
    note: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    product_id: UUID | None
    name: str
    quantity: Decimal
    unit_price_minor: int
    discount_percent: Decimal
    amount_minor: int


@dataclass(frozen=True)
class Gate:
    """What the next stage asks for: each field, and whether the deal has it."""

    stage: StageStay
    fields: tuple[tuple[str, bool], ...]

    @property
    def missing(self) -> list[str]:
        return [name for name, is_there in self.fields if not is_there]


@dataclass(frozen=True)
class DealPage:
    """`values` are the deal's fields by name, with `<link>__title` for each link, as far as the role may see them;
    `entity` is its declaration as the role sees it."""

    entity: Entity
    values: Mapping[str, Any]
    now: datetime
    pipeline_name: str
    stages: Sequence[StageStay]
    people: Sequence[Person]
    lines: Sequence[Line]

    @property
    def stage(self) -> StageStay:
        return next(s for s in self.stages if s.id == self.values["stage_id"])

    @property
    def days_in_stage(self) -> int:
        return int((self.now - self.values["stage_entered_at"]).days)

    @property
    def weighted_minor(self) -> int | None:
        """None when the role may not see what it is made of."""
        amount, probability = self.values.get("amount_minor"), self.values.get("probability")
        if not isinstance(amount, int) or not isinstance(probability, int):
            return None
        return amount * probability // 100

    @property
    def lines_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def gate(self) -> Gate | None:
        """Of the open stage behind the present one; None when there is none or it asks for nothing."""
        steps = [s for s in self.stages if s.kind is StageKind.open]
        here = next((i for i, s in enumerate(steps) if s.id == self.values["stage_id"]), None)
        if here is None or here + 1 >= len(steps) or not steps[here + 1].required_fields:
            return None
        asked = steps[here + 1].required_fields
        return Gate(steps[here + 1], tuple((n, self.values.get(n) not in (None, "", [], {})) for n in asked))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The deals before and after in a column of the board; `place` counts from 1, 0 when the deal is not in it.

    Past a thousand, `total` stays there.
    """

    before: UUID | None
    after: UUID | None
    place: int
    total: int


def _same(one: sa.FromClause, other: sa.FromClause, link: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(one.c.tenant_id == other.c.tenant_id, one.c.id == link)


def _json(*columns: Any) -> sa.ColumnElement[Any]:
    return sa.func.jsonb_build_array(*columns)


def _stages_of_deal() -> sa.ScalarSelect[Any]:
    """Each stage with the seconds spent in it; the present stay runs until :now."""
    until = sa.func.coalesce(_stays.c.left_at, sa.bindparam("now", type_=sa.DateTime(timezone=True)))
    seconds = (
        sa.select(sa.func.sum(sa.extract("epoch", until - _stays.c.entered_at)))
        .where(
            _stays.c.tenant_id == _deals.c.tenant_id,
            _stays.c.opportunity_id == _deals.c.id,
            _stays.c.stage_id == _stages.c.id,
        )
        .correlate(_deals, _stages)
        .scalar_subquery()
    )
    one = _json(
        _stages.c.id, _stages.c.name, _stages.c.kind, _stages.c.color, _stages.c.rotting_days,
        _stages.c.required_fields, seconds, _stages.c.position,
    )  # fmt: skip
    mine = sa.and_(_stages.c.tenant_id == _deals.c.tenant_id, _stages.c.pipeline_id == _deals.c.pipeline_id)
    shown = sa.or_(sa.and_(_stages.c.is_active, _stages.c.deleted_at.is_(None)), _stages.c.id == _deals.c.stage_id)
    return sa.select(sa.func.jsonb_agg(one)).where(mine, shown).correlate(_deals).scalar_subquery()


def _people_of_deal() -> sa.ScalarSelect[Any]:
    """Who has a part, the primary contact, and some more people of the account."""
    mine = sa.and_(
        _stakes.c.tenant_id == _contacts.c.tenant_id,
        _stakes.c.opportunity_id == _deals.c.id,
        _stakes.c.contact_id == _contacts.c.id,
        _stakes.c.deleted_at.is_(None),
    )
    is_primary = sa.func.coalesce(_contacts.c.id == _deals.c.primary_contact_id, sa.false())
    phone = sa.func.coalesce(sa.func.nullif(_contacts.c.phone, ""), _contacts.c.mobile)
    one = _json(
        _contacts.c.id, _contacts.c.name, _contacts.c.title, _contacts.c.email, phone, _stakes.c.id, _stakes.c.role,
        _stakes.c.note, is_primary, _contacts.c.phone != "",
    ).label("one")  # fmt: skip
    with_part = (
        sa.select(one)
        .select_from(_contacts.outerjoin(_stakes, mine))
        .where(_contacts.c.tenant_id == _deals.c.tenant_id, _contacts.c.deleted_at.is_(None))
        .correlate(_deals)
    )
    parts = (
        sa.select(_stakes.c.contact_id)
        .where(
            _stakes.c.tenant_id == _deals.c.tenant_id,
            _stakes.c.opportunity_id == _deals.c.id,
            _stakes.c.deleted_at.is_(None),
        )
        .correlate(_deals)
    )
    involved = with_part.where(sa.or_(_contacts.c.id.in_(parts), _contacts.c.id == _deals.c.primary_contact_id))
    others = (
        with_part.where(_contacts.c.account_id == _deals.c.account_id, _stakes.c.id.is_(None))
        .where(_contacts.c.id.is_distinct_from(_deals.c.primary_contact_id))
        .order_by(_contacts.c.sort_key)
        .limit(sa.literal_column(str(_COLLEAGUES)))
    )
    every = sa.union_all(involved, others.subquery("others").select()).subquery("people")
    return sa.select(sa.func.jsonb_agg(every.c.one)).correlate(_deals).scalar_subquery()


def _lines_of_deal() -> sa.ScalarSelect[Any]:
    one = _json(
        _lines.c.id, _lines.c.product_id, _lines.c.name, sa.cast(_lines.c.quantity, sa.Text),
        _lines.c.unit_price_minor, sa.cast(_lines.c.discount_percent, sa.Text), _lines.c.amount_minor,
        _lines.c.position,
    )  # fmt: skip
    mine = sa.and_(_lines.c.tenant_id == _deals.c.tenant_id, _lines.c.opportunity_id == _deals.c.id)
    return (
        sa.select(sa.func.jsonb_agg(one)).where(mine, _lines.c.deleted_at.is_(None)).correlate(_deals).scalar_subquery()
    )


@cache
def _page_query(*, wide: bool) -> sa.Select[Any]:
    owner, creator = _users.alias("owner"), _users.alias("creator")
    rival, beaten, contact = _rivals.alias("rival"), _rivals.alias("beaten"), _contacts.alias("contact")
    source = (
        _deals.join(_accounts, _same(_accounts, _deals, _deals.c.account_id))
        .join(owner, _same(owner, _deals, _deals.c.owner_id))
        .join(_pipelines, _same(_pipelines, _deals, _deals.c.pipeline_id))
        .outerjoin(creator, _same(creator, _deals, _deals.c.created_by_id))
        .outerjoin(contact, _same(contact, _deals, _deals.c.primary_contact_id))
        .outerjoin(rival, _same(rival, _deals, _deals.c.primary_competitor_id))
        .outerjoin(beaten, _same(beaten, _deals, _deals.c.competitor_won_id))
        .outerjoin(_reasons, _same(_reasons, _deals, _deals.c.win_loss_reason_id))
    )
    return (
        sa.select(
            *(c for c in _deals.c if c.name not in ("search_text", "sort_key", "tenant_id")),
            _accounts.c.name.label("account_id__title"),
            owner.c.name.label("owner_id__title"),
            creator.c.name.label("created_by_id__title"),
            contact.c.name.label("primary_contact_id__title"),
            rival.c.name.label("primary_competitor_id__title"),
            beaten.c.name.label("competitor_won_id__title"),
            _reasons.c.name.label("win_loss_reason_id__title"),
            _pipelines.c.name.label("pipeline__name"),
            _stages_of_deal().label("all__stages"),
            _people_of_deal().label("all__people"),
            _lines_of_deal().label("all__lines"),
        )
        .select_from(source)
        .where(_deals.c.id == sa.bindparam("record_id"), _deals.c.deleted_at.is_(None))
        .where(owned_later(OPPORTUNITY, wide=wide))
    )


async def page(uow: UnitOfWork, record_id: UUID) -> DealPage:
    """The deal, or NotFound as for any record the actor may not know of."""
    uow.require("opportunity.read")
    given = {"record_id": record_id, "now": uow.now, **sight_of(OPPORTUNITY, uow.actor)}
    row = (await uow.execute(_page_query(wide=is_wide(uow.actor)), given)).mappings().one_or_none()
    if row is None:
        raise NotFound("This opportunity does not exist, or you may not see it.")
    entity = await entity_of(uow, OPPORTUNITY.name)
    amount = entity.spec("amount_minor")
    return DealPage(
        entity=entity,
        values=_seen(uow, entity, row),
        now=uow.now,
        pipeline_name=row["pipeline__name"],
        stages=[_stage(s) for s in sorted(row["all__stages"], key=lambda s: (s[7], s[0]))],
        people=_people(row["all__people"] or [], entity.other("contact")),
        # Prices add up to the amount: who does not see that sees no lines.
        lines=[_line(x) for x in sorted(row["all__lines"] or [], key=lambda x: (x[7], x[0]))]
        if amount and not amount.masked
        else [],
    )


def _seen(uow: UnitOfWork, entity: Entity, row: Mapping[Any, Any]) -> dict[str, Any]:
    """The deal's own values, custom ones by name, as far as the role sees them."""
    machinery = {n: v for n, v in row.items() if n in _deals.c and n not in OPPORTUNITY.fields and n != "custom"}
    own = {
        n: v
        for n, v in row.items()
        if n in entity.fields or (n.endswith("__title") and n.removesuffix("__title") in entity.fields)
    }
    names = [n for n in entity.fields if n in own or entity.fields[n].custom]
    return {**machinery, **shown(uow, entity, names, {**own, "custom": row["custom"]})}


def _stage(s: Sequence[Any]) -> StageStay:
    days = None if s[6] is None else int(float(s[6]) // 86_400)
    return StageStay(UUID(s[0]), s[1], StageKind(s[2]), s[3], s[4], tuple(s[5]), days)


def _people(found: Sequence[Sequence[Any]], contact: Entity) -> list[Person]:
    """Those with a part first, the one who decides on top; a contact is named once."""

    def seen(name: str, value: str) -> str:
        spec = contact.spec(name)
        return "" if spec is None else MASKED if spec.masked and value else value

    order = {role: place for place, role in enumerate(StakeholderRole)}
    people = [
        Person(
            UUID(p[0]), p[1], seen("title", p[2]), seen("email", p[3]),
            seen("phone", p[4] or "") if p[9] else seen("mobile", p[4] or ""), UUID(p[5]) if p[5] else None,
            StakeholderRole(p[6]) if p[6] else None, p[7] or "", bool(p[8]),
        )
        for p in found
    ]  # fmt: skip
    last = len(order)
    return sorted(
        people,
        key=lambda p: (p.role is None and not p.is_primary, last if p.role is None else order[p.role], p.name),
    )


def _line(x: Sequence[Any]) -> Line:
    return Line(UUID(x[0]), UUID(x[1]) if x[1] else None, x[2], Decimal(x[3]), x[4], Decimal(x[5]), x[6])


async def neighbours(uow: UnitOfWork, values: Mapping[str, Any], filters: Filters | None = None) -> Neighbours:
    """The deal's place in its column of the board, narrowed by these filters."""
    chosen = filters or Filters()
    here = sa.tuple_(_deals.c.position, _deals.c.id)
    mark = sa.tuple_(sa.literal(values["position"]), sa.literal(values["id"]))

    def column(*what: Any) -> sa.Select[Any]:
        return narrowed(uow, sa.select(*what).where(_deals.c.stage_id == values["stage_id"]), chosen)

    one: sa.ColumnElement[int] = sa.literal_column("1")
    most: sa.ColumnElement[int] = sa.literal_column(str(_COUNTED))
    before = column(_deals.c.id).where(here < mark).order_by(_deals.c.position.desc(), _deals.c.id.desc()).limit(one)
    after = column(_deals.c.id).where(here > mark).order_by(_deals.c.position, _deals.c.id).limit(one)
    above = column(_deals.c.id).where(here < mark).limit(most).subquery()
    whole = column(_deals.c.id).limit(most).subquery()
    is_in = column(_deals.c.id).where(_deals.c.id == values["id"]).exists()
    count = sa.func.count()
    row = (
        await uow.rows(
            sa.select(
                before.scalar_subquery().label("before"),
                after.scalar_subquery().label("after"),
                sa.select(count).select_from(above).scalar_subquery().label("above"),
                sa.select(count).select_from(whole).scalar_subquery().label("total"),
                is_in.label("is_in"),
            )
        )
    )[0]
    return Neighbours(row.before, row.after, row.above + 1 if row.is_in else 0, row.total)
