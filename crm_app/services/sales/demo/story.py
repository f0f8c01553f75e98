"""Two years in the life of a sales team, made up from one seed: who sold what to whom, when, and how it ended.

Pure: no database. `tell` gives the steps in the order of time; services.sales.demo.build takes them.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from crm_app.core.text import fold
from crm_app.services.sales.demo import texts
from crm_app.services.sales.demo.companies import COMPANIES, TITLES, people_of

DAYS = 730
_FRIDAY = 5
REPS = 4
StepKind = Literal["company", "deal", "move", "slip", "activity", "plan", "close"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing somebody did. `of` is the index of the company for "company", else that of the deal."""

    at: datetime
    rep: int
    kind: StepKind
    of: int
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    first: str
    last: str
    title: str
    department: str
    email: str
    phone: str
    city: str


@dataclass(frozen=True, slots=True)
class Line:
    """`product` is an index into texts.PRODUCTS; discount in percent."""

    product: int
    quantity: int
    discount: int


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as it begins. `contact` counts within the people of the company."""

    pipeline: int  # 0 new business, 1 renewals, 2 partner
    title: str
    company: int
    contact: int
    rep: int
    begins: datetime
    closes: date  # as expected at first
    lines: tuple[Line, ...]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Story:
    people: list[list[Person]]  # by company
    reps: list[int]  # by company
    deals: list[Deal]
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How deals of a pipeline go: how many, how they end, days until stuck by stage."""

    open: int
    won: int
    lost: int
    stuck: tuple[int, ...]


_SHAPES = (
    _Shape(open=62, won=41, lost=47, stuck=(14, 14, 21, 20, 10)),
    _Shape(open=16, won=36, lost=8, stuck=(45, 30, 21, 14)),
    _Shape(open=14, won=12, lost=14, stuck=(30, 30, 21, 14)),
)
CONTACTS, DEALS = 3 * len(COMPANIES), sum(s.open + s.won + s.lost for s in _SHAPES)


def tell(seed: int, now: datetime) -> Story:
    return _Teller(random.Random(seed), now).tell()  # noqa: S311


class _Teller:
    def __init__(self, rng: random.Random, now: datetime) -> None:
        self.rng, self.now = rng, now
        self.story = Story([], [], [], [])

    def tell(self) -> Story:
        for index in range(len(COMPANIES)):
            self.story.people.append(self._people(index))
            self.story.reps.append(index % REPS)
        for pipeline, shape in enumerate(_SHAPES):
            for ending, count in (("won", shape.won), ("lost", shape.lost), ("", shape.open)):
                for _ in range(count):
                    self._deal(pipeline, shape, ending)
        self._introduce_companies()
        self.story.steps.sort(key=lambda s: (s.at.date(), s.rep, s.at))
        return self.story

    def _people(self, index: int) -> list[Person]:
        company, rng = COMPANIES[index], self.rng
        firsts, lasts, code = people_of(company.country)
        found = []
        titles = rng.sample(TITLES, 3)
        for (first, last), (title, department) in zip(
            rng.sample([(f, n) for f in firsts for n in lasts], 3), titles, strict=True
        ):
            number = f"{rng.randint(20, 89)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}"
            address = f"{_ascii(first)}.{_ascii(last)}@{company.site}.example"
            found.append(Person(first, last, title, department, address, f"{code} {number}", company.city))
        return found

    def _deal(self, pipeline: int, shape: _Shape, ending: str) -> None:
        rng, index = self.rng, len(self.story.deals)
        company = rng.randrange(len(COMPANIES))
        rep = self.story.reps[company]
        if rng.random() < 0.15:
            rep ^= 1  # a colleague of the same team
        stages = len(shape.stuck)
        reached = stages - 1 if ending == "won" else rng.choices(range(stages), _depth(stages, bool(ending)))[0]
        stays = self._stays(shape, reached, is_open=not ending)
        ended = self._ago(2 + (DAYS - 132) * rng.random() ** 1.35) if ending else self.now  # business grew
        begins = self._work(ended - timedelta(days=sum(stays)))
        closes = self._first_close(begins, ended, reached, stages, is_open=not ending)
        deal = Deal(
            pipeline,
            self._title(pipeline, company, begins),
            company,
            rng.randrange(3),
            rep,
            begins,
            closes,
            self._lines(pipeline),
            self._facts(),
        )
        self.story.deals.append(deal)
        self._step(begins, rep, "deal", index)
        at = begins
        for stage, stay in enumerate(stays[:-1], start=1):
            at = self._work(at + timedelta(days=stay), after=at)
            self._step(at, rep, "move", index, stage=stage)
        if ending:
            ended = self._work(max(ended, at + timedelta(hours=20)), after=at)
            self._step(ended, rep, "close", index, ending=ending, **self._closing(ending))
        elif closes > self.now.date() and rng.random() < 0.3 and (self.now - begins).days > 12:
            slips = self._work(self.now - timedelta(days=rng.uniform(1, 10)), after=begins)
            self._step(slips, rep, "slip", index, closes=closes + timedelta(days=rng.choice((7, 14, 21, 30))))
        self._talks(index, deal, ended)
        if not ending:
            self._plans(index, deal)

    def _stays(self, shape: _Shape, reached: int, *, is_open: bool) -> list[float]:
        """Days in each stage up to the one reached; an open deal is sometimes stuck in its last one."""
        rng = self.rng
        stays = [min(shape.stuck[s], 24) * rng.triangular(0.15, 1.4, 0.6) for s in range(reached + 1)]
        if is_open:
            stuck = shape.stuck[reached]
            stays[-1] = stuck * (rng.uniform(1.1, 2.2) if rng.random() < 0.2 else rng.triangular(0.02, 0.95, 0.3))
        return stays

    def _first_close(self, begins: datetime, ended: datetime, reached: int, stages: int, *, is_open: bool) -> date:
        rng, first = self.rng, begins.date()
        if not is_open:
            return max(first, ended.date() + timedelta(days=rng.randint(-20, 12)))
        if rng.random() < 0.11:
            return max(first, self.now.date() - timedelta(days=rng.randint(1, 16)))
        return self.now.date() + timedelta(days=(stages - 1 - reached) * 16 + rng.randint(1, 34))

    def _title(self, pipeline: int, company: int, begins: datetime) -> str:
        rng = self.rng
        pattern = rng.choice((texts.NEW_TITLES, texts.RENEWAL_TITLES, texts.PARTNER_TITLES)[pipeline])
        return pattern.format(
            place=COMPANIES[company].city,
            shift=rng.choice(texts.SHIFTS),
            n=rng.choice((4, 6, 8, 12, 18, 24, 35, 60)),
            phase=rng.randint(1, 3),
            year=begins.year + 1,
            partner=rng.choice(texts.PARTNERS),
        )

    def _lines(self, pipeline: int) -> tuple[Line, ...]:
        """Products that go together, by index into texts.PRODUCTS."""
        rng = self.rng
        if pipeline == 0:
            size = rng.triangular(0.3, 4.2, 0.9)
            lines = [(rng.choice((0, 2, 3, 4)), max(1, round(size * 0.8))), (1, round(12 * size) + 3)]
            lines += [(rng.choice((5, 6, 7, 8)), round(9 * size) + 2)] if rng.random() < 0.6 else []
            lines += [(9, round(9 * size) + 2), (rng.choice((12, 12, 13)), 1)]
        elif pipeline == 1:
            lines = [(rng.choice((12, 12, 13)), rng.choice((1, 1, 3)))] + (
                [(1, rng.randint(5, 60))] if rng.random() < 0.5 else []
            )
        else:
            lines = [(rng.choice((5, 6, 7, 8)), rng.randint(6, 45)), (9, rng.randint(3, 14))]
        return tuple(Line(p, n, rng.choice((0, 0, 0, 5, 8, 10))) for p, n in lines)

    def _facts(self) -> dict[str, Any]:
        rng = self.rng
        return {
            "lead_source": rng.choice(texts.SOURCES),
            "campaign": rng.choice(texts.CAMPAIGNS),
            "description": rng.choice(texts.DESCRIPTIONS).format(n=rng.randrange(800, 24_000, 200)),
            "next_step": rng.choice(texts.NEXT_STEPS) if rng.random() < 0.7 else "",
            "priority": rng.choices(("low", "medium", "high"), (2, 5, 3))[0],
            "tags": sorted(rng.sample(texts.TAGS, rng.choices((0, 1, 2), (3, 4, 3))[0])),
            "competitor": rng.randrange(len(texts.COMPETITORS)) if rng.random() < 0.5 else None,
            "stakeholders": rng.choices((1, 2, 3), (4, 4, 2))[0],
            "stakeholder_note": rng.choice(texts.STAKEHOLDER_NOTES),
        }

    def _closing(self, ending: str) -> dict[str, Any]:
        rng = self.rng
        details = rng.choice(texts.WON_DETAILS if ending == "won" else texts.LOST_DETAILS)
        return {"reason": rng.random(), "details": details, "competitor": rng.randrange(len(texts.COMPETITORS))}

    def _talks(self, index: int, deal: Deal, ended: datetime) -> None:
        """What was done between beginning and end, about one thing in nine days."""
        rng, days = self.rng, max(1.0, (ended - deal.begins).total_seconds() / 86_400)
        person = self.story.people[deal.company][deal.contact]
        for _ in range(min(9, 1 + int(days / 9) + rng.randint(0, 1))):
            at = self._work(deal.begins + timedelta(days=rng.uniform(0.1, days)), after=deal.begins)
            kind = rng.choices(("call", "email", "meeting", "note"), (5, 5, 3, 2))[0]
            subject, body = rng.choice(
                {"call": texts.CALLS, "email": texts.EMAILS, "meeting": texts.MEETINGS, "note": texts.NOTES}[kind]
            )
            detail: dict[str, Any] = {
                "kind": kind,
                "subject": subject.format(first=person.first, title=deal.title),
                "body": body,
            }
            if kind == "call":
                detail |= {
                    "outcome": rng.choice(texts.CALL_OUTCOMES),
                    "duration_minutes": rng.choice((3, 6, 8, 14, 22)),
                }
            elif kind == "meeting":
                detail |= {"duration_minutes": rng.choice((30, 60, 90, 120))}
            self._step(min(at, ended), deal.rep, "activity", index, **detail)

    def _plans(self, index: int, deal: Deal) -> None:
        """What is next: for most open deals something, for a few something that is late."""
        rng, now = self.rng, self.now
        if rng.random() < 0.24:
            return
        kind, subject = rng.choice(texts.PLANNED)
        planned_at = self._work(now - timedelta(days=rng.uniform(1, 7)), after=deal.begins)
        chance = rng.random()
        day = now.date() + timedelta(days=rng.randint(1, 12))
        if chance < 0.16:
            day = now.date() - timedelta(days=rng.randint(1, 5))
        elif chance < 0.34:
            day = now.date()
        hour = max(now.hour + 1, rng.randint(8, 16)) if day == now.date() else rng.randint(7, 16)
        due = datetime.combine(day, time(min(hour, 23), rng.choice((0, 0, 30))), UTC)
        if day > now.date():
            due += timedelta(days=8 - due.isoweekday() if due.isoweekday() > _FRIDAY else 0)
        if due < planned_at:
            planned_at = max(deal.begins, due - timedelta(days=2))
        person = self.story.people[deal.company][deal.contact]
        detail = {"kind": kind, "subject": subject.format(first=person.first), "due_at": due}
        self._step(min(planned_at, now), deal.rep, "plan", index, **detail)

    def _introduce_companies(self) -> None:
        """Each company a few days before the first deal with it, by its own rep."""
        first: dict[int, datetime] = {}
        for deal in self.story.deals:
            first[deal.company] = min(deal.begins, first.get(deal.company, deal.begins))
        for index, rep in enumerate(self.story.reps):
            met = first.get(index, self._ago(60)) - timedelta(days=4)
            self._step(met, rep, "company", index)

    # -- time ----------------------------------------------------------------------------------------------------

    def _step(self, at: datetime, rep: int, kind: StepKind, of: int, /, **detail: Any) -> None:
        self.story.steps.append(Step(at, rep, kind, of, detail))

    def _ago(self, days: float) -> datetime:
        return self._work(self.now - timedelta(days=days))

    def _work(self, moment: datetime, *, after: datetime | None = None) -> datetime:
        """The same day at an hour of work, on a Friday instead of a weekend; never before `after` nor in the future."""
        back = max(0, moment.isoweekday() - _FRIDAY)
        day = moment.date() - timedelta(days=back)
        at = datetime.combine(day, time(self.rng.randint(6, 15), self.rng.randint(0, 59)), UTC)
        if after is not None and at <= after:
            at = after + timedelta(minutes=self.rng.randint(5, 40))
        return min(at, self.now - timedelta(minutes=10))


def _depth(stages: int, is_lost: bool) -> Sequence[float]:
    """How likely a deal is found in, or lost from, each stage: early ones more often."""
    return [stages - s + (1 if is_lost else 0.5) for s in range(stages)]


def _ascii(name: str) -> str:
    return fold(name).replace(" ", "").replace("'", "").replace("`", "")
