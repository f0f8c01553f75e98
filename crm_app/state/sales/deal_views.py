"""A deal's page as its browser gets it: texts, already formatted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from crm_app.core import money
from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.fields import show_value
from crm_app.core.registry import Entity
from crm_app.core.text import initials, label_of, tint
from crm_app.models.sales.opportunities import OPPORTUNITY, OpportunityStatus, StakeholderRole
from crm_app.models.sales.pipelines import StageKind
from crm_app.services.activities.activities import Entry
from crm_app.services.sales.deal_page import DealPage, Line, Person, StageStay
from crm_app.state.activities.timeline_views import due
from crm_app.state.platform.fields import FieldView, SectionView, field_view, lock_of
from crm_app.state.sales.cards import short_day, stage_colors

_DETAILS = (
    "next_step", "amount_minor", "expected_close_on", "probability", "primary_contact_id", "owner_id", "priority",
    "opportunity_type", "lead_source", "primary_competitor_id", "competitive_position", "tags",
)  # fmt: skip
_CLOSED = ("actual_close_on", "win_loss_reason_id", "competitor_won_id", "win_loss_details")
_TONES = {StakeholderRole.decides: "good", StakeholderRole.blocks: "risk"}
ROLES = [{"value": r.value, "label": label_of(r.value)} for r in StakeholderRole]


@dataclass(frozen=True)
class DealHead:
    """What stands above the panels. `status` is open, won or lost; `closed` says when and why it was closed."""

    id: str = ""
    number: str = ""
    name: str = ""
    account: str = ""
    account_href: str = ""
    owner: str = ""
    opened: str = ""
    pipeline: str = ""
    pipeline_href: str = ""
    stage: str = ""
    status: str = "open"
    closed: str = ""
    amount: str = ""
    weighted: str = ""
    probability: str = ""
    close: str = ""
    close_note: str = ""
    close_tone: str = ""


@dataclass(frozen=True)
class Step:
    """A stage in the bar; `look` are its classes ("s1 done"), `days` "6 d" or "9 of 7 d"."""

    id: str
    name: str
    look: str
    days: str
    late: bool
    done: bool
    now: bool


@dataclass(frozen=True)
class GateItem:
    name: str
    label: str
    is_there: bool


@dataclass(frozen=True)
class GateView:
    title: str = ""
    done: str = ""
    wanted: list[GateItem] = field(default_factory=list)


@dataclass(frozen=True)
class PersonView:
    contact_id: str
    part_id: str
    name: str
    initials: str
    tint: int
    title: str
    href: str
    role: str
    role_label: str
    tone: str
    phone: str
    email: str


@dataclass(frozen=True)
class LineView:
    """Texts to show and, with `_value`, to edit."""

    id: str
    name: str
    quantity: str
    price: str
    discount: str
    amount: str
    quantity_value: str
    price_value: str
    discount_value: str


@dataclass(frozen=True)
class Sum:
    """Under the lines; `differs` when the amount of the deal is another."""

    text: str = ""
    differs: bool = False


@dataclass(frozen=True)
class ActionView:
    """The next step: the planned activity, or that there is none. `why` are the facts behind it."""

    title: str = ""
    why: list[str] = field(default_factory=list)
    activity_id: str = ""
    kind: str = ""
    is_planned: bool = False
    is_due: bool = False
    is_overdue: bool = False


def head(page: DealPage, viewer: Actor, pipeline_href: str) -> DealHead:
    v = page.values
    today = viewer.day_of(page.now)
    currency = v["currency"]
    close, note, tone = _closing_day(v, today)
    return DealHead(
        id=str(v["id"]),
        number=v["number"],
        name=v["name"],
        account=v["account_id__title"],
        account_href=f"/accounts/{v['account_id']}",
        owner=v["owner_id__title"],
        opened=short_day(viewer.day_of(v["created_at"]), today),
        pipeline=page.pipeline_name,
        pipeline_href=pipeline_href,
        stage=page.stage.name,
        status=v["status"].value,
        closed=_closed(v, today),
        amount=show_value(page.entity.fields["amount_minor"], v["amount_minor"], currency=currency)
        if "amount_minor" in v
        else "",
        weighted=money.show(page.weighted_minor, currency, cents=False),
        probability=show_value(page.entity.fields["probability"], v["probability"]) if "probability" in v else "",
        close=close,
        close_note=note,
        close_tone=tone,
    )


def _closing_day(v: Mapping[str, Any], today: date) -> tuple[str, str, str]:
    """The day, how far it is, and whether that needs somebody."""
    if v["status"] is not OpportunityStatus.open:
        return (short_day(v["actual_close_on"], today) if isinstance(v.get("actual_close_on"), date) else "", "", "")
    day = v.get("expected_close_on")
    if not isinstance(day, date):  # hidden or masked
        return "", "", ""
    left = (day - today).days
    if left < 0:
        return short_day(day, today), f"{-left} {'day' if left == -1 else 'days'} late", "over"
    if left == 0:
        return short_day(day, today), "today", "risk"
    return short_day(day, today), f"{left} {'day' if left == 1 else 'days'}", "risk" if left <= 14 else "muted"


def _closed(v: Mapping[str, Any], today: date) -> str:
    if v["status"] is OpportunityStatus.open or not isinstance(v.get("actual_close_on"), date):
        return ""
    said = f"{'Won' if v['status'] is OpportunityStatus.won else 'Lost'} on {short_day(v['actual_close_on'], today)}"
    reason = v.get("win_loss_reason_id__title")
    return f"{said}: {reason}" if reason else said


def steps(page: DealPage) -> list[Step]:
    """Open stages and the end the deal has come to, or may come to."""
    is_lost = page.values["status"] is OpportunityStatus.lost
    end = StageKind.lost if is_lost else StageKind.won
    shown = [s for s in page.stages if s.kind in (StageKind.open, end) or s.id == page.values["stage_id"]]
    colors = stage_colors([{"id": s.id, "kind": s.kind, "color": s.color} for s in shown])
    here = next(i for i, s in enumerate(shown) if s.id == page.values["stage_id"])
    return [_step(page, s, colors[s.id], i - here, is_lost=is_lost) for i, s in enumerate(shown)]


def _step(page: DealPage, stage: StageStay, color: int, distance: int, *, is_lost: bool) -> Step:
    is_open = stage.kind is StageKind.open
    tone = f"s{color}" if is_open else stage.kind.value
    if distance == 0:
        days, limit = page.days_in_stage, stage.rotting_days
        late = is_open and limit is not None and days > limit
        told = f"{days} of {limit}{money.NBSP}d" if limit and is_open else f"{days}{money.NBSP}d" if is_open else ""
        return Step(str(stage.id), stage.name, f"{tone} now", told, late, False, True)
    been = stage.days is not None
    done = distance < 0 and (been or not is_lost) and is_open
    told = f"{stage.days}{money.NBSP}d" if been else ""
    return Step(str(stage.id), stage.name, f"{tone} done" if done else tone, told, False, done, False)


def gate(page: DealPage) -> GateView:
    found = page.gate
    if found is None or page.values["status"] is not OpportunityStatus.open:
        return GateView()
    items = [
        GateItem(name, page.entity.fields[name].label, is_there)
        for name, is_there in found.fields
        if name in page.entity.fields
    ]
    done = sum(i.is_there for i in items)
    return GateView(f"Before {found.stage.name}", f"{done} of {len(items)}", items)


def sections(page: DealPage, viewer: Actor) -> list[SectionView]:
    """The fields in place: what is looked at every day first, then the rest of the form."""
    v = page.values
    reading = "" if viewer.can("opportunity.update") else "Your role may look at deals but not change them."
    is_closed = v["status"] is not OpportunityStatus.open

    def views(names: tuple[str, ...]) -> list[FieldView]:
        return [_field(page.entity, n, v, viewer, reading, is_closed=is_closed) for n in names if n in v]

    form = tuple(n for s in page.entity.form for n in s.fields)
    rest = tuple(n for n in form if n not in _DETAILS)
    closed = tuple(n for n in _CLOSED if v.get(n))
    found = [SectionView("Details", [*views(closed), *views(_DETAILS)]), SectionView("More", views(rest))]
    return [s for s in found if s.fields]


def _field(
    entity: Entity, name: str, v: Mapping[str, Any], viewer: Actor, reading: str, *, is_closed: bool
) -> FieldView:
    spec = entity.fields[name]
    locked = reading or lock_of(entity, spec)
    if not locked and name in OPPORTUNITY.readonly:
        locked = "Told when the deal was closed. Reopen it to change this."
    if not locked and name == "probability" and is_closed:
        locked = "Is fixed once a deal is closed."
    if not locked and name == "owner_id" and not viewer.can("opportunity.assign"):
        locked = "Your role may not give deals to another owner."
    return field_view(spec, v, viewer, locked=locked)


def created(page: DealPage, viewer: Actor) -> str:
    by = page.values.get("created_by_id__title")
    day = show_date(viewer.day_of(page.values["created_at"]))
    return f"{day} by {by}" if by else day


def person(p: Person) -> PersonView:
    label = label_of(p.role.value) if p.role else "Contact" if p.is_primary else ""
    return PersonView(
        contact_id=str(p.contact_id),
        part_id=str(p.stakeholder_id or ""),
        name=p.name,
        initials=initials(p.name),
        tint=tint(p.name),
        title=p.title or p.note,
        href=f"/contacts/{p.contact_id}",
        role=p.role.value if p.role else "",
        role_label=label,
        tone=_TONES.get(p.role, "") if p.role else "",
        phone=p.phone,
        email=p.email,
    )


def line(found: Line, currency: str) -> LineView:
    quantity, discount = f"{found.quantity.normalize():f}", f"{found.discount_percent.normalize():f}"
    return LineView(
        id=str(found.id),
        name=found.name,
        quantity=quantity,
        price=money.show(found.unit_price_minor, currency),
        discount=f"{discount}{money.NBSP}%" if found.discount_percent else "",
        amount=money.show(found.amount_minor, currency),
        quantity_value=quantity,
        price_value=f"{money.to_major(found.unit_price_minor, currency):f}",
        discount_value=discount,
    )


def lines_sum(page: DealPage) -> Sum:
    if not page.lines:
        return Sum()
    total, amount = page.lines_minor, page.values.get("amount_minor")
    return Sum(money.show(total, page.values["currency"]), amount is not None and 0 < total != amount)


def action(page: DealPage, planned: Sequence[Entry], viewer: Actor) -> ActionView:
    """What is planned next, or that nothing is, and the facts behind it."""
    if page.values["status"] is not OpportunityStatus.open:
        return ActionView()
    if not planned:
        return ActionView(title="No next step: plan one", why=_why(page, viewer))
    first = planned[0]
    is_overdue = first.happens_at < page.now
    when = due(first.happens_at, viewer, page.now)
    return ActionView(
        title=first.subject,
        why=[when if is_overdue else f"Planned for {when}", *_why(page, viewer)],
        activity_id=str(first.id),
        kind=first.kind,
        is_planned=True,
        is_due=viewer.day_of(first.happens_at) <= viewer.day_of(page.now),
        is_overdue=is_overdue,
    )


def _why(page: DealPage, viewer: Actor) -> list[str]:
    days, limit = page.days_in_stage, page.stage.rotting_days
    over = f", limit {limit}" if limit and days > limit else ""
    found = [f"{days} {'day' if days == 1 else 'days'} in {page.stage.name}{over}"]
    last = page.values.get("last_activity_at")
    quiet = (viewer.day_of(page.now) - viewer.day_of(last)).days if isinstance(last, datetime) else None
    found.append("No talk yet" if quiet is None else "Last talk today" if quiet == 0 else f"Last talk {quiet} d ago")
    closes = page.values.get("expected_close_on")
    late = (viewer.day_of(page.now) - closes).days if isinstance(closes, date) else 0
    return [*found, f"Close date {late} d ago"] if late > 0 else found
