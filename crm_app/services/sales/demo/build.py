"""The demo workspace, made through the services, each step at its own moment: its history is as real as any."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from crm_app.core.context import Actor, Source
from crm_app.core.money import to_minor
from crm_app.models.base import table_of
from crm_app.models.catalog.products import PRODUCT
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.customers.contacts import CONTACT
from crm_app.models.people.users import User
from crm_app.models.platform.workspaces import Workspace
from crm_app.models.sales.competitors import COMPETITOR, ReasonKind, WinLossReason
from crm_app.models.sales.opportunities import (
    OPPORTUNITY,
    Opportunity,
    OpportunityLine,
    OpportunityStakeholder,
    OpportunityStatus,
    StakeholderRole,
)
from crm_app.models.sales.pipelines import Pipeline, Stage, StageKind
from crm_app.services.activities import activities
from crm_app.services.people import actors, passwords, teams, users, workspaces
from crm_app.services.people.workspaces import Founded, Founder
from crm_app.services.platform import records
from crm_app.services.sales import activity_facts, defaults, opportunities
from crm_app.services.sales.demo import story, texts
from crm_app.services.sales.demo.companies import COMPANIES
from crm_app.services.sales.demo.story import DAYS, Deal, Step, Story
from crm_app.services.sales.opportunities import Closing
from crm_app.store.tenants import tenant_ids
from crm_app.store.uow import UnitOfWork, unit_of_work

Told = Callable[[str], None]
UNFINISHED = "Demo workspace, unfinished"
PASSWORD = "compass-demo"  # noqa: S105
SEED = 7
_MANY = 20  # an installation with more workspaces than this is no longer tried out


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody of the demo workspace; all have PASSWORD."""

    name: str
    email: str
    role: str  # key of the role
    title: str
    team: int | None = None  # index into TEAMS


TEAMS = ("Enterprise", "Mid-market")
ADMIN = SignIn("Helene Voss", "admin@demo.example", "admin", "Operations")
MANAGER = SignIn("Marta Lindholm", "manager@demo.example", "manager", "Head of sales")
REPS = (
    SignIn("Nora Feldkamp", "rep@demo.example", "rep", "Account executive", 0),
    SignIn("Tomás Ribeiro", "colleague@demo.example", "rep", "Account executive", 0),
    SignIn("Ágnes Szabó", "agnes@demo.example", "rep", "Account executive", 1),
    SignIn("Lukas Brunner", "lukas@demo.example", "rep", "Account executive", 1),
)
READER = SignIn("Iris Verhoeven", "reader@demo.example", "read_only", "Controlling")
SIGN_INS = (REPS[0], REPS[1], MANAGER, ADMIN, REPS[2], REPS[3], READER)


@dataclass
class _World:
    """Ids of what is there already; `actors` and `companies` by index, `contacts` by company and place."""

    story: Story
    actors: list[Actor]
    pipelines: list[list[UUID]]  # stages, ends included
    products: list[UUID]
    competitors: list[UUID]
    reasons: dict[ReasonKind, list[UUID]]
    companies: dict[int, UUID]
    contacts: dict[int, list[UUID]]
    deals: dict[int, UUID]


async def ensure(*, now: datetime, told: Told = lambda _line: None) -> bool:
    """Make the demo workspace if nobody works in this installation yet; True when it was made."""
    found = await tenant_ids()
    if len(found) > _MANY:
        return False
    for tenant_id in found:
        async with unit_of_work(Actor(tenant_id, None, source=Source.seed)) as uow:
            if (await uow.get(Workspace, tenant_id)).name != UNFINISHED:
                return False
    await create(now=now, told=told)
    return True


async def stands() -> bool:
    """Whether there is a demo workspace that people can sign in to."""
    found = await tenant_ids()
    if len(found) > _MANY:
        return False
    for tenant_id in found:
        async with unit_of_work(Actor(tenant_id, None, source=Source.seed)) as uow:
            if (await uow.get(Workspace, tenant_id)).is_demo:
                return True
    return False


async def create(*, now: datetime, seed: int = SEED, told: Told = lambda _line: None) -> UUID:
    """A further demo workspace; its tenant id. Nobody can sign in to it before it is whole."""
    told("Founding the demo workspace")
    tale = story.tell(seed, now)
    begin = now - timedelta(days=DAYS + 14)
    admin, founded = await _found(begin)
    reps = await _staff(admin, founded, begin)
    world = await _furnish(admin, reps, tale, begin)
    for share, steps in _by_day(tale.steps):
        told(f"Two years of deals: {share} %")
        async with unit_of_work(world.actors[steps[0].rep], now=steps[0].at, silent=True) as uow:
            for step in steps:
                await _ACTS[step.kind](uow, world, step)
    told("Opening the demo workspace")
    async with unit_of_work(admin, now=now, silent=True) as uow:
        await activity_facts.refresh(uow, world.deals.values())
        await _open(uow)
    return founded.tenant_id


def _by_day(steps: list[Step]) -> Iterator[tuple[int, list[Step]]]:
    """What one person did on one day is one transaction; with how much of all is done before it."""
    done = 0
    for _, group in groupby(steps, key=lambda s: (s.at.date(), s.rep)):
        day = list(group)
        yield done * 100 // len(steps), day
        done += len(day)


async def _found(begin: datetime) -> tuple[Actor, Founded]:
    nobody_knows = await passwords.hash_password(secrets.token_urlsafe(24))
    founder = Founder(UNFINISHED, ADMIN.name, ADMIN.email, nobody_knows, texts.CURRENCY, texts.TIME_ZONE)
    actor = workspaces.founding_actor(founder, source=Source.seed)
    async with unit_of_work(actor, now=begin, silent=True) as uow:
        founded = await workspaces.sign_up(uow, founder)
        await defaults.install(uow)
        await defaults.add_pipeline(uow, "Renewals", texts.RENEWAL_STAGES, position=1)
        await defaults.add_pipeline(uow, "Partner", texts.PARTNER_STAGES, position=2)
    return actor, founded


async def _staff(admin: Actor, founded: Founded, begin: datetime) -> list[Actor]:
    """Everybody else, in two teams below the manager's; the reps as actors."""
    async with unit_of_work(admin, now=begin, silent=True) as uow:
        hashed = (await uow.get(User, founded.admin_id)).password_hash

        async def add(who: SignIn, team_id: UUID) -> UUID:
            role = founded.roles[who.role]
            return (
                await users.add(
                    uow, name=who.name, email=who.email, role_id=role, team_id=team_id, title=who.title,
                    password_hash=hashed,
                )
            ).id  # fmt: skip

        manager = await add(MANAGER, founded.team_id)
        await teams.change(uow, founded.team_id, name="Sales", manager_id=manager, parent_id=None)
        await add(READER, founded.team_id)
        made = [(await teams.create(uow, name=name, parent_id=founded.team_id)).id for name in TEAMS]
        ids = [await add(who, made[who.team or 0]) for who in REPS]
    return [await actors.actor_for(founded.tenant_id, user_id, source=Source.seed) for user_id in ids]


async def _furnish(admin: Actor, reps: list[Actor], tale: Story, begin: datetime) -> _World:
    async with unit_of_work(admin, now=begin, silent=True) as uow:
        products = []
        for name, sku, family, price, unit in texts.PRODUCTS:
            values = {
                "name": name,
                "sku": sku,
                "family": family,
                "unit": unit,
                "currency": texts.CURRENCY,
                "price_minor": to_minor(Decimal(price), texts.CURRENCY),
            }
            products.append((await records.create(uow, PRODUCT, values)).id)
        rivals = []
        for name, strengths, weaknesses in texts.COMPETITORS:
            values = {"name": name, "strengths": strengths, "weaknesses": weaknesses}
            rivals.append((await records.create(uow, COMPETITOR, values)).id)
        reasons, stages, pipelines = table_of(WinLossReason), table_of(Stage), table_of(Pipeline)
        found = await uow.rows(sa.select(reasons.c.id, reasons.c.kind).order_by(reasons.c.position))
        by_kind = {kind: [r.id for r in found if r.kind is kind] for kind in ReasonKind}
        columns = []
        for pipeline in await uow.rows(sa.select(pipelines.c.id).order_by(pipelines.c.position)):
            query = sa.select(stages.c.id).where(stages.c.pipeline_id == pipeline.id, stages.c.kind == StageKind.open)
            columns.append([r.id for r in await uow.rows(query.order_by(stages.c.position))])
    return _World(tale, reps, columns, products, rivals, by_kind, {}, {}, {})


async def _meet_company(uow: UnitOfWork, world: _World, step: Step) -> None:
    company = COMPANIES[step.of]
    values: dict[str, Any] = {
        "name": company.name,
        "industry": company.industry,
        "city": company.city,
        "country": company.country,
        "employees": company.employees,
        "founded_year": company.founded,
        "currency": texts.CURRENCY,
        "annual_revenue_minor": to_minor(Decimal(company.revenue_m * 1_000_000), texts.CURRENCY),
        "website": f"https://www.{company.site}.example",
        "email": f"info@{company.site}.example",
    }
    account = await records.create(uow, ACCOUNT, values)
    world.companies[step.of] = account.id
    world.contacts[step.of] = []
    for person in world.story.people[step.of]:
        contact = await records.create(
            uow,
            CONTACT,
            {
                "first_name": person.first,
                "last_name": person.last,
                "account_id": account.id,
                "title": person.title,
                "department": person.department,
                "email": person.email,
                "phone": person.phone,
                "city": person.city,
                "country": company.country,
            },
        )
        world.contacts[step.of].append(contact.id)


async def _begin_deal(uow: UnitOfWork, world: _World, step: Step) -> None:
    deal = world.story.deals[step.of]
    lines = [_line(world, line, place) for place, line in enumerate(deal.lines)]
    rival = deal.facts["competitor"]
    people = world.contacts[deal.company]
    values = {
        "name": deal.title,
        "account_id": world.companies[deal.company],
        "primary_contact_id": people[deal.contact],
        "stage_id": world.pipelines[deal.pipeline][0],
        "amount_minor": sum(line.amount_minor for line in lines),
        "expected_close_on": max(deal.closes, uow.today),
        "opportunity_type": ("new_business", "renewal", "expansion")[deal.pipeline],
        "primary_competitor_id": None if rival is None else world.competitors[rival],
        **{n: deal.facts[n] for n in ("lead_source", "campaign", "description", "next_step", "priority", "tags")},
    }
    record: Opportunity = await records.create(uow, OPPORTUNITY, values)
    world.deals[step.of] = record.id
    for line in lines:
        line.opportunity_id = record.id
        uow.add(line)
    roles = (StakeholderRole.decides, StakeholderRole.champion, StakeholderRole.influences)
    for place in range(deal.facts["stakeholders"]):
        uow.add(
            OpportunityStakeholder(
                opportunity_id=record.id,
                contact_id=people[(deal.contact + place) % len(people)],
                role=roles[place],
                note=deal.facts["stakeholder_note"] if place else "",
            )
        )


def _line(world: _World, line: story.Line, place: int) -> OpportunityLine:
    name, _, _, price, _ = texts.PRODUCTS[line.product]
    each = to_minor(Decimal(price), texts.CURRENCY)
    whole = Decimal(each * line.quantity) * (100 - line.discount) / 100
    return OpportunityLine(
        opportunity_id=UUID(int=0),
        product_id=world.products[line.product],
        name=name,
        quantity=Decimal(line.quantity),
        unit_price_minor=each,
        discount_percent=Decimal(line.discount),
        amount_minor=int(whole.quantize(Decimal(1), ROUND_HALF_UP)),
        position=place,
    )


async def _move(uow: UnitOfWork, world: _World, step: Step) -> None:
    deal = world.story.deals[step.of]
    stage = world.pipelines[deal.pipeline][step.detail["stage"]]
    await opportunities.move(uow, [world.deals[step.of]], to_stage_id=stage)


async def _slip(uow: UnitOfWork, world: _World, step: Step) -> None:
    values = {"expected_close_on": max(step.detail["closes"], uow.today)}
    await records.update(uow, OPPORTUNITY, world.deals[step.of], values)


async def _log(uow: UnitOfWork, world: _World, step: Step) -> None:
    await activities.log(uow, **step.detail, **_with(world, step), happens_at=step.at)


async def _plan(uow: UnitOfWork, world: _World, step: Step) -> None:
    await activities.plan(uow, **step.detail, **_with(world, step))


def _with(world: _World, step: Step) -> dict[str, Any]:
    deal: Deal = world.story.deals[step.of]
    return {
        "opportunity_id": world.deals[step.of],
        "account_id": world.companies[deal.company],
        "contact_id": world.contacts[deal.company][deal.contact],
    }


async def _close(uow: UnitOfWork, world: _World, step: Step) -> None:
    is_won = step.detail["ending"] == OpportunityStatus.won
    reasons = world.reasons[ReasonKind.won if is_won else ReasonKind.lost]
    place = int(step.detail["reason"] ** 1.6 * len(reasons))  # the first ones are the common ones
    rival = None if is_won else world.competitors[step.detail["competitor"]]
    closing = Closing(reasons[place], step.detail["details"], rival if place == 1 else None)
    await (opportunities.win if is_won else opportunities.lose)(uow, world.deals[step.of], closing)


_ACTS = {
    "company": _meet_company,
    "deal": _begin_deal,
    "move": _move,
    "slip": _slip,
    "activity": _log,
    "plan": _plan,
    "close": _close,
}


async def _open(uow: UnitOfWork) -> None:
    """From here on people can sign in."""
    table = table_of(User)
    hashed = await passwords.hash_password(PASSWORD)
    await uow.execute(sa.update(table).values(password_hash=hashed))
    workspace = await uow.get(Workspace, uow.actor.tenant_id)
    workspace.name, workspace.is_demo = texts.WORKSPACE, True
    await uow.flush()
