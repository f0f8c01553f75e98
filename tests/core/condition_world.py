"""Two entities with a field of every kind and of every custom kind, and rows that are as awkward as rows get."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from crm_app.core import registry
from crm_app.core.conditions import EvalContext
from crm_app.core.registry import Choice, Entity, FieldSpec, Kind, Relation
from crm_app.models.base import Record, choice, json_list, link, money, percent, typed, when

TABLES = sa.MetaData()
TENANTS = (UUID(int=1), UUID(int=2))
PEOPLE = tuple(UUID(int=0x900 + n) for n in range(3))
_DAYS = (Path(__file__).parents[2] / "alembic/sql/formulas.sql").read_text()
NOW = datetime(2026, 3, 29, 22, 30, 15, 123456, tzinfo=UTC)  # the day Europe moves its clocks
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo")
CONTEXTS = tuple(
    EvalContext(NOW.astimezone(ZoneInfo(zone)).date(), NOW, me, zone)
    for zone, me in zip(ZONES, (*PEOPLE, None, *PEOPLE[:2]), strict=True)
)


class Stage(StrEnum):
    open = "open"
    won = "won"
    lost = "lost"


class Company(Record, table=True):
    __tablename__ = "cond_company"
    metadata = TABLES

    name: str = Field(default="", max_length=200)
    about: str | None = typed("long_text", default=None)
    mail: str | None = typed("email", default=None)
    phone: str | None = typed("phone", default=None)
    site: str | None = typed("url", default=None)
    staff: int | None = None
    rate: Decimal | None = Field(default=None, sa_type=sa.Numeric(12, 4))
    value_minor: int | None = money(default=None)
    currency: str = Field(default="EUR", max_length=3)
    share: int | None = percent(default=None)
    vip: bool | None = None
    since_on: date | None = None
    seen_at: datetime | None = when(default=None)
    stage: Stage | None = choice(Stage, default=None)
    tags: list[str] = json_list()
    codes: list[str] | None = Field(default=None, sa_type=ARRAY(sa.Text()))
    owner_id: UUID | None = link("user", default=None)
    parent_id: UUID | None = link("cond_company", default=None)


class Deal(Record, table=True):
    __tablename__ = "cond_deal"
    metadata = TABLES

    title: str = Field(default="", max_length=200)
    amount_minor: int = money(default=0)
    stage: Stage = choice(Stage, default=Stage.open)
    close_on: date | None = None
    company_id: UUID | None = link("cond_company", default=None)
    partner_id: UUID | None = link("cond_company", default=None)


def _custom(key: str, kind: Kind, **more: Any) -> FieldSpec:
    return FieldSpec(name=f"custom.{key}", label=key.capitalize(), kind=kind, custom=True, nullable=True, **more)


def _formula(key: str, kind: Kind, text: str) -> FieldSpec:
    return _custom(key, kind, formula=text)


_COLOURS = (Choice("red", "Red"), Choice("blue", "Blue"), Choice("green", "Green"))
_CUSTOM = {
    "motto": _custom("motto", Kind.text),
    "floor": _custom("floor", Kind.number),
    "index": _custom("index", Kind.decimal),
    "budget": _custom("budget", Kind.money),
    "odds": _custom("odds", Kind.percent),
    "signed": _custom("signed", Kind.flag),
    "born": _custom("born", Kind.date),
    "called": _custom("called", Kind.datetime),
    "colour": _custom("colour", Kind.choice, choices=_COLOURS),
    "colours": _custom("colours", Kind.choices, choices=_COLOURS),
    "sponsor": _custom("sponsor", Kind.link, target="user"),
    'it\'s "odd" %s': _custom('it\'s "odd" %s', Kind.text),
}
_FORMULAS = (
    _formula("ratio", Kind.decimal, "{custom.index} / {custom.floor}"),
    _formula("whole", Kind.money, "{value_minor} / 7 + {custom.budget}"),
    _formula("part", Kind.percent, "coalesce({share}, 5) / 2"),
    _formula("title", Kind.text, "{name} & ' ' & {custom.motto}"),
    _formula("due", Kind.date, "{since_on} + {custom.odds}"),
    _formula("late", Kind.flag, "{custom.born} < today() and {vip}"),
)
CUSTOM = {
    "cond_company": (*_CUSTOM.values(), *_FORMULAS),
    "cond_deal": (_CUSTOM["motto"], _CUSTOM["floor"], _formula("open", Kind.flag, "{stage} = 'Open'")),
}

TEXTS = (
    *("", " ", "Acme", "ACME", "acme gmbh", "Straße", "STRASSE", "ΑΣ", "ας", "ασ", "İstanbul", "istanbul", "ISTANBUL"),
    *("ıI", "Ǆ", "ǅ", "ẞ", "É", "é", "e\u0301", "%", "_", "\\", "a%b", "'", '"', "a'b\"c\\", "\n", "a\nb", "\u00a0"),
    *("\ua7cb", "\u0264", "\U00010d50", "😀", "０１", "red", "null", "true", "5", "2026-03-29"),
)
WHOLE = (-(2**31), -5, -1, 0, 1, 5, 45, 100, 2**31 - 1)
BIG = (*WHOLE, -(2**63) + 1, 2**31, 10**14, 2**53 + 1, 2**63 - 1)
DECIMALS = tuple(Decimal(x) for x in ("-1", "-0.5", "0", "0.0001", "0.5", "5", "5.0000", "12.3456", "99999999.9999"))
DAYS = (
    *(NOW.date() + timedelta(days=n) for n in (-400, -90, -31, -30, -29, -7, -1, 0, 1, 2, 3, 7, 30, 31, 300)),
    date(1900, 1, 1),
    date(2026, 1, 1),
    date(2026, 3, 1),
    date(2026, 3, 31),
    date(2024, 2, 29),
)
_TICK = timedelta(microseconds=1)
MOMENTS = (
    *(
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) + shift * _TICK
        for day in DAYS[2:10]
        for zone in ZONES
        for shift in (-1, 0, 1)
    ),
    *(NOW, NOW + _TICK, NOW - _TICK, datetime(1900, 1, 1, tzinfo=UTC)),
)
JUNK = (
    None,
    "",
    "abc",
    7,
    0.5,
    -0.0,
    1e-7,
    1e22,
    1e300,
    True,
    [],
    ["red"],
    [1],
    {"a": 1},
    "2026-02-30",
    "12.50",
    "1e3",
    "5\n",
)


@dataclass
class World:
    company: Entity
    deal: Entity
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def entity(self, name: str) -> Entity:
        return {"cond_company": self.company, "cond_deal": self.deal}[name]

    def related(self, record: dict[str, Any], relation: Relation) -> list[dict[str, Any]]:
        here, there = ("id", relation.link) if relation.many else (relation.link, "id")
        return [
            row
            for row in self.rows[relation.entity]
            if row["tenant_id"] == record["tenant_id"] and record[here] is not None and row[there] == record[here]
        ]

    def load(self, connection: sa.Connection) -> None:
        TABLES.drop_all(connection)
        TABLES.create_all(connection)
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS crm_day_of(numeric, numeric, numeric); {_DAYS}")
        for name, rows in self.rows.items():
            connection.execute(self.entity(name).table.insert(), rows)


@contextmanager
def declared() -> Iterator[World]:
    layout: dict[str, Any] = {"columns": (), "form": ()}
    company = registry.declare(Company, label="Company", plural="Companies", title="name", **layout)
    deal = registry.declare(Deal, label="Deal", plural="Deals", title="title", **layout)
    seen: dict[str, Entity] = {}
    for entity in (company, deal):
        own = {s.name: s for s in CUSTOM[entity.name]}
        seen[entity.name] = replace(entity, fields={**entity.fields, **own}, around=seen)
    try:
        yield World(seen["cond_company"], seen["cond_deal"], make_rows(random.Random(7)))
    finally:
        for name in ("cond_company", "cond_deal"):
            del registry._entities[name]
        for model in (Company, Deal):
            del registry._by_model[model]


def make_rows(rng: random.Random, companies: int = 90, deals: int = 110) -> dict[str, list[dict[str, Any]]]:
    made = [_company(rng, UUID(int=0x1000 + n // 2), TENANTS[n % 2]) for n in range(companies)]
    ids = [row["id"] for row in made]
    for row in made:
        row["parent_id"] = rng.choice([None, row["id"], *ids[:20]])
    return {
        "cond_company": made,
        "cond_deal": [_deal(rng, UUID(int=0x5000 + n), ids) for n in range(deals)],
    }


def _company(rng: random.Random, key: UUID, tenant: UUID) -> dict[str, Any]:
    def maybe(pool: tuple[Any, ...]) -> Any:
        return None if rng.random() < 0.2 else rng.choice(pool)

    return {
        **_record(rng, key, tenant),
        "name": rng.choice(TEXTS),
        "about": maybe(TEXTS),
        "mail": maybe(TEXTS),
        "phone": maybe(TEXTS),
        "site": maybe(TEXTS),
        "staff": maybe(WHOLE),
        "rate": maybe(DECIMALS),
        "value_minor": maybe(BIG),
        "currency": rng.choice(("EUR", "EUR", "JPY", "KWD", "CLF", "XYZ", "")),
        "share": maybe((0, 1, 45, 100)),
        "vip": maybe((True, False)),
        "since_on": maybe(DAYS),
        "seen_at": maybe(MOMENTS),
        "stage": maybe(tuple(Stage)),
        "tags": _some(rng),
        "codes": None if rng.random() < 0.2 else _some(rng),
        "owner_id": maybe(PEOPLE),
    }


def _deal(rng: random.Random, key: UUID, companies: list[UUID]) -> dict[str, Any]:
    return {
        **_record(rng, key, rng.choice(TENANTS)),
        "title": rng.choice(TEXTS),
        "amount_minor": rng.choice(BIG),
        "stage": rng.choice(tuple(Stage)),
        "close_on": rng.choice((None, *DAYS)),
        "company_id": rng.choice((None, *companies)),
        "partner_id": rng.choice((None, None, *companies[:10])),
    }


def _record(rng: random.Random, key: UUID, tenant: UUID) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": key,
        "created_at": rng.choice(MOMENTS),
        "created_by_id": rng.choice((None, *PEOPLE)),
        "updated_at": rng.choice(MOMENTS),
        "updated_by_id": None,
        "version": rng.randint(1, 5),
        "deleted_at": NOW if rng.random() < 0.1 else None,
        "deleted_by_id": None,
        "custom": _custom_values(rng),
    }


def _some(rng: random.Random) -> list[str]:
    return rng.sample(("red", "blue", "green", "Red", "o'hara"), rng.randint(0, 3))


def _custom_values(rng: random.Random) -> dict[str, Any]:
    good: dict[str, tuple[Any, ...]] = {
        "motto": TEXTS,
        "floor": (*WHOLE, 3.0),
        "index": (0.1, 5, 12.5, "12.50", "-0.3333333333333333333333", 1e-7, -0.0, 1e16, 123456789.125),
        "budget": BIG,
        "odds": (0, 1, 45, 100),
        "signed": (True, False),
        "born": tuple(d.isoformat() for d in DAYS),
        "called": tuple(_moment(m) for m in MOMENTS),
        "colour": ("red", "blue", "green", "gone"),
        "colours": (["red"], ["blue", "green"], [], ["gone", 5, None], ["red", "blue"]),
        "sponsor": (*(str(p) for p in PEOPLE), str(PEOPLE[0]).upper()),
        'it\'s "odd" %s': TEXTS,
    }
    return {
        k: rng.choice(JUNK) if rng.random() < 0.15 else rng.choice(v) for k, v in good.items() if rng.random() < 0.85
    }


def _moment(moment: datetime) -> str:
    text = moment.replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if '.' in text else text}Z"
