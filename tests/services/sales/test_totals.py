"""Totals and stage history hold whatever is done to deals, by whatever way."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from crm_app.core.context import Actor
from crm_app.core.errors import CrmError
from crm_app.models.base import new_id, table_of
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.sales.competitors import WinLossReason
from crm_app.models.sales.opportunities import OPPORTUNITY, Health, Opportunity
from crm_app.services.platform import records
from crm_app.services.sales import activity_facts, drops, opportunities, undo
from crm_app.services.sales.opportunities import Closing
from crm_app.store.uow import UnitOfWork, unit_of_work
from tests.services.sales.pulse import assert_sound

_deals = table_of(Opportunity)
STEPS = 120


class Play:
    """Random acts on the deals of a workspace, each at a later moment; what a rule refuses is refused."""

    def __init__(self, dice: random.Random, people: list[Actor], stages: dict[str, UUID], account: UUID) -> None:
        self.dice, self.people, self.stages, self.account = dice, people, stages, account
        self.open_stages = [i for n, i in stages.items() if n not in ("Won", "Lost")]
        self.deals: list[UUID] = []
        self.thrown: list[UUID] = []
        self.operations: list[tuple[Actor, UUID]] = []
        self.reasons: dict[str, UUID] = {}
        self.now = datetime.now(UTC)
        self.done: set[str] = set()
        self.acts: list[tuple[int, Callable[[UnitOfWork], Awaitable[Any]]]] = [
            (4, self.create), (4, self.edit), (5, self.move), (2, self.move_several), (2, self.win), (2, self.lose),
            (2, self.reopen), (1, self.throw_away), (2, self.restore), (3, self.step_back), (1, self.raw_update),
            (1, self.bulk_update), (1, self.raw_move), (1, self.refresh), (1, self.purge),
        ]  # fmt: skip

    async def step(self) -> None:
        self.now += timedelta(seconds=self.dice.randrange(1, 9999))
        act = self.dice.choices([a for _, a in self.acts], [w for w, _ in self.acts])[0]
        if not self.deals:
            act = self.create
        self.actor = self.dice.choice(self.people)
        try:
            async with unit_of_work(self.actor, now=self.now) as uow:
                await act(uow)
                if self.dice.random() < 0.1:
                    raise KeyError  # a transaction that does not end well
            self.done.add(act.__name__)
        except (CrmError, KeyError):
            self.deals = [d for d in self.deals if d in await self.there()]
            self.thrown = [d for d in self.thrown if d in await self.there(thrown=True)]

    async def there(self, *, thrown: bool = False) -> set[UUID]:
        gone = _deals.c.deleted_at.is_not(None) if thrown else _deals.c.deleted_at.is_(None)
        async with unit_of_work(self.people[0]) as uow:
            return set((await uow.execute(sa.select(_deals.c.id).where(gone))).scalars())

    def deal(self) -> UUID:
        return self.dice.choice(self.deals)

    async def create(self, uow: UnitOfWork) -> None:
        values = {
            "name": f"Deal {len(self.deals)}", "account_id": self.account,
            "amount_minor": self.dice.randrange(1, 10**7),
            "expected_close_on": uow.today + timedelta(days=self.dice.randrange(300)),
            "currency": self.dice.choice(["EUR", "USD"]), "stage_id": self.dice.choice(self.open_stages),
            "owner_id": self.dice.choice(self.people).user_id,
        }  # fmt: skip
        self.deals.append((await records.create(uow, OPPORTUNITY, values)).id)

    async def edit(self, uow: UnitOfWork) -> None:
        values = {
            "amount_minor": self.dice.randrange(1, 10**7), "currency": self.dice.choice(["EUR", "USD", "JPY"]),
            "probability": self.dice.randrange(101), "owner_id": self.dice.choice(self.people).user_id,
            "expected_close_on": uow.today + timedelta(days=self.dice.randrange(300)),
        }  # fmt: skip
        chosen = self.dice.sample(sorted(values), self.dice.randrange(1, 4))
        await records.update(uow, OPPORTUNITY, self.deal(), {n: values[n] for n in chosen})

    async def move(self, uow: UnitOfWork) -> None:
        await self._drop(uow, [self.deal()])

    async def move_several(self, uow: UnitOfWork) -> None:
        await self._drop(uow, self.dice.sample(self.deals, min(len(self.deals), 4)))

    async def _drop(self, uow: UnitOfWork, ids: list[UUID]) -> None:
        operation = new_id()
        rows = await uow.rows(sa.select(_deals.c.id, _deals.c.stage_id).where(_deals.c.id.in_(ids)))
        seen = {r.id: r.stage_id for r in rows}
        to, after = self.dice.choice(self.open_stages), self.dice.choice([None, self.deal()])
        await drops.move(uow, operation, ids, to_stage_id=to, after_id=after, seen_in=seen)
        self.operations.append((self.actor, operation))

    async def win(self, uow: UnitOfWork) -> None:
        await self._close(uow, True)

    async def lose(self, uow: UnitOfWork) -> None:
        await self._close(uow, False)

    async def _close(self, uow: UnitOfWork, won: bool) -> None:
        operation = new_id()
        reasons = table_of(WinLossReason)
        why = await uow.scalar(sa.select(reasons.c.id).where(reasons.c.kind == ("won" if won else "lost")).limit(1))
        await drops.close(uow, operation, [self.deal()], won=won, closing=Closing(reason_id=why))
        self.operations.append((self.actor, operation))

    async def reopen(self, uow: UnitOfWork) -> None:
        closed = await uow.rows(sa.select(_deals.c.id).where(_deals.c.status != "open", _deals.c.deleted_at.is_(None)))
        if closed:
            await opportunities.reopen(uow, self.dice.choice(sorted(r.id for r in closed)))

    async def throw_away(self, uow: UnitOfWork) -> None:
        deal = self.deal()
        await opportunities.throw_away(uow, deal, reason="so")
        self.deals.remove(deal)
        self.thrown.append(deal)

    async def restore(self, uow: UnitOfWork) -> None:
        if self.thrown:
            deal = self.dice.choice(self.thrown)
            await records.restore(uow, OPPORTUNITY, deal)
            self.thrown.remove(deal)
            self.deals.append(deal)

    async def step_back(self, uow: UnitOfWork) -> None:
        mine = [o for who, o in self.operations[-6:] if who is self.actor]
        if mine:
            await undo.undo(uow, mine[-1])

    async def raw_update(self, uow: UnitOfWork) -> None:
        await uow.execute(
            sa.text(
                "UPDATE opportunity SET amount_minor = amount_minor + 7, health = :h, owner_id = :o WHERE id = :id"
            ),
            {"h": self.dice.choice(list(Health)).value, "o": self.dice.choice(self.people).user_id, "id": self.deal()},
        )

    async def bulk_update(self, uow: UnitOfWork) -> None:
        await uow.execute(sa.update(_deals).values(amount_minor=_deals.c.amount_minor % 999_983 + 1, currency="USD"))

    async def raw_move(self, uow: UnitOfWork) -> None:
        """As a careless statement would: the stage of many, some with another time of entering, earlier or later."""
        stage = self.dice.choice(self.open_stages)
        hours = self.dice.choice([0, 1, -30])
        await uow.execute(
            sa.text(
                "UPDATE opportunity SET stage_id = :s, stage_entered_at = stage_entered_at + make_interval(hours => :h)"
                " WHERE status = 'open' AND stage_id <> :s AND deleted_at IS NULL AND amount_minor % 2 = 0"
            ),
            {"s": stage, "h": hours},
        )

    async def refresh(self, uow: UnitOfWork) -> None:
        await activity_facts.refresh(uow, self.deals)

    async def purge(self, uow: UnitOfWork) -> None:
        """For good, as a retention job would."""
        if self.thrown:
            deal = self.thrown.pop()
            await uow.execute(sa.delete(_deals).where(_deals.c.id == deal))


@pytest.mark.parametrize("seed", range(4))
async def test_they_hold_after_every_step_of_a_random_play(admin, manager, stages, seed):
    async with unit_of_work(admin) as uow:
        account = (await records.create(uow, ACCOUNT, {"name": "A", "owner_id": admin.user_id})).id
    play = Play(random.Random(seed), [admin, manager], stages, account)
    for _ in range(STEPS):
        await play.step()
        await assert_sound(admin)
    assert len(play.done) >= 12, play.done  # the play had all its acts


async def test_a_stage_that_nobody_is_in_has_no_amounts_left(admin, alice, deal, stages):
    """Rows of the totals go down to nothing, never below."""
    async with unit_of_work(admin) as uow:
        await opportunities.throw_away(uow, deal.id)
        rows = await uow.rows(sa.text("SELECT deals, amount_minor, weighted_minor FROM stage_total"))
        assert {tuple(r) for r in rows} <= {(0, 0, 0)}


async def test_amounts_beyond_four_bytes_add_up(admin, alice, make, account, next_month):
    for _ in range(3):
        await make(
            alice, "opportunity", name="Big", account_id=account.id, amount_minor=99_999_999_999_999,
            expected_close_on=next_month, probability=99,
        )  # fmt: skip
    await assert_sound(admin)


async def test_many_deals_change_in_time_that_grows_with_their_number(admin, alice, deal, stages):
    """Comparing each with each would take minutes here, and be refused by the database."""
    own = {"id": "gen_random_uuid()", "number": "'C-' || i", "name": "'Copy ' || i"}
    columns = [c.name for c in _deals.columns if not c.computed]
    values = ", ".join(own.get(c, c) for c in columns)
    copies = (
        f"INSERT INTO opportunity ({', '.join(columns)}) SELECT {values} FROM opportunity, generate_series(1, 40000) i"
    )
    async with unit_of_work(alice) as uow:
        await uow.execute(sa.text(f"{copies} WHERE id = :deal"), {"deal": deal.id})
    for change in ("health = 'overdue'", "stage_id = :stage, stage_entered_at = now()"):
        async with unit_of_work(alice) as uow:
            await uow.execute(sa.text("SET LOCAL statement_timeout = '60s'"))
            one = sa.text(f"UPDATE opportunity SET {change} WHERE id = :deal")  # its plan is kept for the next
            await uow.execute(one, {"deal": deal.id, "stage": stages["Discovery"]})
            everyone = sa.text(f"UPDATE opportunity SET {change} WHERE tenant_id = :tenant")
            await uow.execute(everyone, {"tenant": alice.tenant_id, "stage": stages["Discovery"]})
    async with unit_of_work(admin) as uow:
        kept = await uow.rows(sa.text("SELECT stage_id, health, deals FROM stage_total WHERE deals <> 0"))
        stays = await uow.scalar(sa.text("SELECT count(*) FROM stage_history WHERE left_at IS NULL"))
    assert ([tuple(r) for r in kept], stays) == ([(stages["Discovery"], "overdue", 40_001)], 40_001)
