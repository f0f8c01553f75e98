"""A record's page as its browser gets it: texts, already formatted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa

from crm_app.core import money, registry
from crm_app.core.conditions import AllOf, Clause, dump
from crm_app.core.context import Actor
from crm_app.core.dates import show_date
from crm_app.core.errors import NotFound
from crm_app.core.money import NBSP
from crm_app.core.registry import Entity
from crm_app.core.related import RelatedList, related_lists
from crm_app.core.text import initials, tint
from crm_app.services.platform import lists, records
from crm_app.services.platform.figures import Figure, Measure, figures_of
from crm_app.services.platform.schema import entity_of
from crm_app.state.list_cells import NUMBERS, number
from crm_app.state.platform.fields import SectionView, day_and_time, field_view, lock_of
from crm_app.state.records import RowView, row_view
from crm_app.store.uow import UnitOfWork

SHOWN = 50  # rows of a related list on the page; the list itself has all
_BRIEF = 5  # rows on a card of the overview
_DETAIL = ("title", "industry", "sku", "family", "city", "kind", "region")


@dataclass(frozen=True)
class FigureView:
    label: str
    text: str
    note: str = ""
    tone: str = ""
    href: str = ""


@dataclass(frozen=True)
class RecordHead:
    """`account` is the company a person belongs to, where there is one."""

    id: str = ""
    name: str = ""
    detail: str = ""
    mark: str = ""
    tint: int = 1
    account: str = ""
    account_href: str = ""
    owner: str = ""
    figures: list[FigureView] = field(default_factory=list)


@dataclass(frozen=True)
class ColumnView:
    name: str
    label: str
    number: bool = False


@dataclass(frozen=True)
class RelatedView:
    """`rows` are those of the tab, `brief` of the card, whose number is `card_count`. `makes` names the entity that can
    be made from here, empty when the role may not; `href` is the list of all of them."""

    id: str
    title: str
    card: str
    columns: list[ColumnView]
    rows: list[RowView]
    brief: list[RowView]
    count: str
    card_count: str
    makes: str
    link: str
    href: str
    card_href: str


async def read(uow: UnitOfWork, entity: Entity, asked: str) -> dict[str, Any]:
    """The record's fields, with the names of what it links to; NotFound when the actor may not know of it."""
    try:
        record_id = UUID(asked)
    except ValueError:
        raise NotFound("There is no such record.") from None
    names = [*dict.fromkeys((entity.title, *(n for s in entity.form for n in s.fields), "created_at"))]
    if "created_by_id" in entity.fields:
        names.append("created_by_id")
    page = await records.find(uow, entity, columns=names, where=entity.table.c.id == record_id, limit=1)
    if not page.rows:
        raise NotFound(f"This {entity.label.lower()} does not exist, or you may not see it.")
    return dict(page.rows[0])


async def head(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> RecordHead:
    name = str(values.get(entity.title) or entity.label)
    told = (field_view(entity.fields[n], values, uow.actor).shown for n in _DETAIL if n in values)
    company = field_view(entity.fields["account_id"], values, uow.actor) if "account_id" in values else None
    return RecordHead(
        id=str(values["id"]),
        name=name,
        detail=", ".join(t for t in told if t and t != name),
        mark=initials(name),
        tint=tint(name),
        account=company.shown if company and company.href else "",
        account_href=company.href if company else "",
        owner=str(values.get("owner_id__title") or ""),
        figures=[figure_view(f, uow) for f in await figures_of(uow, entity, values)],
    )


def figure_view(figure: Figure, uow: UnitOfWork) -> FigureView:
    filtered = dump(figure.filter) if figure.filter is not None else None
    href = address_of(figure.entity, filtered) if figure.entity else ""
    text = _measured(figure, uow)
    return FigureView(figure.label, text, figure.note, figure.tone, href)


def _measured(figure: Figure, uow: UnitOfWork) -> str:
    value, actor = figure.value, uow.actor
    match figure.measure:
        case Measure.money:
            sums = sorted(value.items(), key=lambda s: -s[1]) or [(actor.currency, 0)]
            first = money.show(sums[0][1], sums[0][0], cents=False)
            return (
                f"{first} + {len(sums) - 1} more"
                if len(sums) > 2
                else " + ".join(money.show(v, c, cents=False) for c, v in sums)
            )
        case Measure.number:
            return number(value)
        case Measure.moment:
            return day_and_time(value, actor, uow.now) if value else "–"
        case Measure.percent:
            return f"{value}{NBSP}%"
        case Measure.day:
            return show_date(value)
    return str(value)


def address_of(entity_name: str, condition: Any) -> str:
    """The list of these records."""
    slug = registry.get(entity_name).slug
    query = {"filter": json.dumps(condition, separators=(",", ":"), ensure_ascii=False)} if condition else {}
    return f"/{slug}" + (f"?{urlencode(query)}" if query else "")


def sections(entity: Entity, values: Mapping[str, Any], actor: Actor) -> list[SectionView]:
    may = actor.can(f"{entity.name}.update") and not entity.is_managed
    reading = "" if may else f"Your role may look at {entity.plural.lower()} but not change them."
    if entity.is_managed and actor.can(f"{entity.name}.read"):
        reading = f"{entity.plural} are changed under Settings."

    def locked(name: str) -> str:
        if not reading and name == "owner_id" and not actor.can(f"{entity.name}.assign"):
            return f"Your role may not give {entity.plural.lower()} to another owner."
        return reading or lock_of(entity, entity.fields[name])

    found = [
        SectionView(
            s.title,
            [field_view(entity.fields[n], values, actor, locked=locked(n)) for n in s.fields if n in values],
        )
        for s in entity.form
    ]
    return [s for s in found if s.fields]


def created(values: Mapping[str, Any], actor: Actor) -> str:
    day, by = show_date(actor.day_of(values["created_at"])), values.get("created_by_id__title")
    return f"{day} by {by}" if by else day


async def related(uow: UnitOfWork, entity: Entity, record_id: UUID) -> list[RelatedView]:
    """Every list of the page that the role may read; lists of its own kind only when there is something in them."""
    found = [await _beside(uow, r, record_id) for r in related_lists(entity) if uow.actor.can(f"{r.entity}.read")]
    return [r for r in found if r.rows or r.makes not in ("", entity.name)]


async def _beside(uow: UnitOfWork, wanted: RelatedList, record_id: UUID) -> RelatedView:
    entity = await entity_of(uow, wanted.entity)
    mine = entity.table.c[wanted.link] == record_id
    names = list(dict.fromkeys([*wanted.columns, *wanted.brief]))

    async def rows(where: sa.ColumnElement[bool], limit: int, order: str) -> tuple[Sequence[Mapping[str, Any]], int]:
        sort = order.removeprefix("-") if order.removeprefix("-") in entity.fields else ""
        down = bool(sort) and order.startswith("-")
        page = await records.find(uow, entity, columns=names, where=where, limit=limit, sort=sort, descending=down)
        whole = len(page.rows) if page.after is None else await records.count(uow, entity, where=where)
        return page.rows, whole

    found, count = await rows(mine, SHOWN, wanted.order)
    here = Clause(wanted.link, "eq", str(record_id))
    card, card_count, behind = found[:_BRIEF], count, AllOf((here,))
    if wanted.only is not None and _may_ask(entity, wanted):
        narrowed = sa.and_(mine, lists.condition_sql(uow, entity, wanted.only))
        card, card_count = await rows(narrowed, _BRIEF, wanted.card_order or wanted.order)
        behind = AllOf((here, wanted.only))
    makes = wanted.entity != "opportunity" and not entity.is_managed and uow.actor.can(f"{wanted.entity}.create")
    return RelatedView(
        id=wanted.id,
        title=wanted.title,
        card=wanted.card,
        columns=[ColumnView(n, entity.fields[n].label, entity.fields[n].kind in NUMBERS) for n in wanted.columns],
        rows=[row_view(entity, r, wanted.columns, uow.actor) for r in found],
        brief=[row_view(entity, r, wanted.brief, uow.actor) for r in card],
        count=number(count) if count else "",
        card_count=number(card_count) if card_count else "",
        makes=wanted.entity if makes else "",
        link=wanted.link,
        href=address_of(wanted.entity, dump(AllOf((here,)))),
        card_href=address_of(wanted.entity, dump(behind)),
    )


def _may_ask(entity: Entity, wanted: RelatedList) -> bool:
    only = wanted.only
    spec = entity.spec(only.field) if isinstance(only, Clause) else None
    return spec is not None and not spec.masked


async def people(uow: UnitOfWork, entity: Entity, values: Mapping[str, Any]) -> list[dict[str, str]]:
    """With whom something can be logged."""
    if entity.name == "contact":
        return [{"value": str(values["id"]), "label": values["name"]}]
    contact = await entity_of(uow, "contact")
    account = contact.spec("account_id")
    company = values["id"] if entity.name == "account" else values.get("account_id")
    if not uow.actor.can("contact.read") or account is None or account.masked or not isinstance(company, UUID):
        return []
    where = contact.table.c.account_id == company
    page = await records.find(uow, contact, columns=("name",), where=where, limit=SHOWN)
    return [{"value": str(r["id"]), "label": r["name"]} for r in page.rows]
