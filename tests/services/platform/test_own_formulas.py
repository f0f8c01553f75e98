"""Formulas over a record's own fields: read, sorted, filtered, summed, and blind where their reader is."""

from decimal import Decimal

import pytest

from crm_app.core import conditions
from crm_app.core.errors import Conflict, Invalid
from crm_app.core.registry import Kind
from crm_app.core.views import View
from crm_app.models.customers.accounts import ACCOUNT
from crm_app.models.sales.opportunities import OPPORTUNITY
from crm_app.services.platform import custom_fields, lists, records
from crm_app.services.platform.schema import entity_of
from crm_app.services.platform.sight import context_of
from crm_app.store.uow import unit_of_work
from tests.services.platform.own_fields import account, make
from tests.services.sales.deals import a_deal


async def test_a_formula_is_worked_out_wherever_it_is_read(admin):
    name = await make(admin, "Expected", "formula", entity="opportunity", formula="{Amount} * {Probability} / 100")
    left = await make(admin, "Days left", "formula", entity="opportunity", formula="{Close date} - today()")
    deal = await a_deal(admin, "Roll-out", amount_minor=100_000)
    async with unit_of_work(admin) as uow:
        entity = await entity_of(uow, "opportunity")
        assert (entity.fields[name].kind, entity.fields[left].kind) == (Kind.money, Kind.decimal)
        seen = await records.read(uow, OPPORTUNITY, deal.id)
        row = (await records.find(uow, OPPORTUNITY, columns=("name", name, left))).rows[0]
        assert seen[name] == row[name] == 1000 * seen.probability
        assert seen[left] == row[left] == (deal.expected_close_on - uow.today).days
        with pytest.raises(Invalid):
            await records.update(uow, OPPORTUNITY, deal.id, {name: 1})
        amount = next(f for f in await custom_fields.listed(uow, "opportunity") if f["label"] == "Expected")
        assert custom_fields.told(entity, amount["formula"]) == "{Amount} * {Probability} / 100"


async def test_a_formula_sorts_filters_and_is_summed(admin):
    await make(admin, "Seats", "number")
    per_seat = await make(admin, "Per seat", "formula", formula="{Employees} / {Seats}")
    share = await make(admin, "Third", "formula", formula="{Annual revenue} / 3")
    size = await make(admin, "Size", "formula", formula="if({Seats} > 5, 'Large', 'small') & ' ' & {Name}")
    since = await make(admin, "Review", "formula", formula="date(2027, 1, 31) + {Seats}")
    given = ((30, 12, 1_000_00), (7, 3, 50), (1, 0, 7), (9, None, 8), (45, 10, 1))
    for place, (employees, seats, revenue) in enumerate(given):
        await account(
            admin, name=f"A{place}", employees=employees, annual_revenue_minor=revenue, **{"custom.seats": seats}
        )
    entity_columns = ("name", per_seat, share, size, since)
    async with unit_of_work(admin) as uow:
        entity = await lists.entity_of(uow, "account")

        async def names(**view) -> list[str]:
            found = await lists.page(uow, entity, View(columns=entity_columns, **view))
            return [r["name"] for r in found.rows]

        def over(field, op, value):
            return conditions.parse({"field": field, "op": op, "value": value})

        assert await names(sort=per_seat) == ["A1", "A0", "A4", "A2", "A3"]
        assert await names(sort=per_seat, descending=True) == ["A4", "A0", "A1", "A3", "A2"]
        assert await names(sort=size) == ["A0", "A4", "A1", "A2", "A3"]  # by letter: capitals first
        assert await names(filter=over(per_seat, "between", [2.4, 2.6])) == ["A0"]
        assert await names(filter=over(share, "gte", 33_333)) == ["A0"]
        assert await names(filter=over(size, "starts_with", "LARGE")) == ["A0", "A4"]
        assert await names(filter=over(since, "after", "2027-02-05")) == ["A0", "A4"]
        assert await names(filter=over(per_seat, "is_empty", None)) == ["A2", "A3"]
        totals = await lists.totals(uow, entity, View(columns=entity_columns))
        assert list(totals.columns[share].sums.values()) == [33_333 + 17 + 2 + 3]
        assert totals.columns[per_seat].sums[""] == Decimal("9.3333")
        for condition, record in ((over(share, "gt", 100), "A0"), (over(since, "on_or_before", "2027-02-03"), "A1")):
            found = [
                r["name"]
                for r in (await lists.page(uow, entity, View(columns=entity_columns))).rows
                if conditions.matches(condition, await uow.get(ACCOUNT.model, r["id"]), entity, context_of(uow))
            ]
            assert record in found and found == await names(filter=condition)


async def test_a_formula_pages_by_its_value(admin):
    await make(admin, "Seats", "number")
    double = await make(admin, "Double", "formula", formula="{Seats} * 1.5")
    for place in range(7):
        await account(admin, name=f"A{place}", **{"custom.seats": (place * 3) % 5 or None})
    shown, after = [], None
    async with unit_of_work(admin) as uow:
        while True:
            page = await records.find(uow, ACCOUNT, columns=("name", double), sort=double, after=after, limit=2)
            shown += [(r[double], r["name"]) for r in page.rows]
            if (after := page.after) is None:
                break
    filled = [v for v, _ in shown if v is not None]
    assert filled == sorted(filled) and len(filled) == 5 and [n for _, n in shown][5:] == ["A0", "A5"]


async def test_a_formula_tells_nothing_of_what_its_reader_may_not_see(admin, alice):
    name = await make(admin, "Twice", "formula", entity="opportunity", formula="{Amount} * 2")
    deal = await a_deal(alice, "Roll-out", amount_minor=47_11)
    for right in ("hidden", "masked"):
        blind = alice.with_field_rights({"opportunity.amount_minor": right})
        async with unit_of_work(blind) as uow:
            seen = await records.read(uow, OPPORTUNITY, deal.id)
            assert name not in seen and "9422" not in repr(dict(seen))
            entity = await lists.entity_of(uow, "opportunity")
            asked = conditions.parse({"field": name, "op": "gt", "value": 1})
            outer = conditions.parse({"related": "opportunities", "some": {"field": name, "op": "gt", "value": 1}})
            account_entity = await lists.entity_of(uow, "account")
            refused = ((entity, View(sort=name)), (entity, View(filter=asked)), (account_entity, View(filter=outer)))
            for listed, view in refused:
                with pytest.raises(Invalid):
                    await lists.page(uow, listed, view)
            assert name not in (await lists.totals(uow, entity, View(columns=("name",)))).columns


async def test_a_field_that_a_formula_needs_is_not_put_away(admin):
    await make(admin, "Seats", "number")
    await make(admin, "Double", "formula", formula="{Seats} * 2")
    async with unit_of_work(admin) as uow:
        seats = next(f for f in await custom_fields.listed(uow, "account") if f["label"] == "Seats")
        with pytest.raises(Conflict, match="Double is worked out"):
            await custom_fields.delete(uow, seats["id"])
        await custom_fields.change(uow, seats["id"], label="Chairs")
        double = next(f for f in await custom_fields.listed(uow, "account") if f["label"] == "Double")
        assert custom_fields.told(await entity_of(uow, "account"), double["formula"]) == "{Chairs} * 2"
